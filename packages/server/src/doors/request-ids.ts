// Ids of requests: unguessable, so that `explain <id>` can't be used to walk through other people's
// requests. Random bytes are taken many at a time: one by one they would cost more than a read by id.
import { assert } from "../base/assert.ts";
import type { RandomSource } from "../base/random.ts";

const idBytes = 12;
const idsPerRefill = 512;

/** Makes ids like `req_5f1c...`: 24 hex digits, 96 random bits. @returns the next id, one per call. */
export function openRequestIds(random: RandomSource): () => string {
  let pool = "";
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = Buffer.from(random.bytes(idBytes * idsPerRefill)).toString("hex");
      assert(pool.length === idBytes * idsPerRefill * 2, "the random source gave fewer bytes");
      at = 0;
    }
    const id = `req_${pool.slice(at, at + idBytes * 2)}`;
    at += idBytes * 2;
    return id;
  };
}
