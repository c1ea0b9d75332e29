// The machine's randomness. Bytes are drawn from the system a page at a time: ids ask for a few at once,
// and one draw costs as much for ten bytes as for a thousand. A byte is handed out once.
import { randomFillSync } from "node:crypto";
import type { RandomSource } from "../base/random.ts";

const poolBytes = 4_096;

/** Opens a source of unpredictable bytes. */
export function openRealRandom(): RandomSource {
  const pool = new Uint8Array(poolBytes);
  let at = poolBytes;
  return {
    bytes(count) {
      if (count > poolBytes / 4) return randomFillSync(new Uint8Array(count));
      if (at + count > poolBytes) {
        randomFillSync(pool);
        at = 0;
      }
      const bytes = pool.slice(at, at + count);
      pool.fill(0, at, at + count);
      at += count;
      return bytes;
    },
  };
}
