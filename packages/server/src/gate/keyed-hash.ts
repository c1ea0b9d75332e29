// HalfSipHash-2-4 with a 64-bit result: a hash that nobody without its key can find collisions of, in 32-bit
// arithmetic. See Aumasson and Bernstein, "SipHash: a fast short-input PRF"; github.com/veorq/SipHash.

/** The secret: two 32-bit words. */
export type HashKey = readonly [number, number];

/** Two 32-bit words, and the same bytes as one number of 64 bits. */
const halves = new Int32Array(2);
const whole = new BigInt64Array(halves.buffer);

/** Hashes a text. Its characters count as UTF-16 code units, two to a word. @returns 64 bits, signed. */
export function keyedHash(text: string, [k0, k1]: HashKey): bigint {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const even = text.length & ~1;
  // Words of the text, the last one, then twice the end: one loop, as calls of a round would cost more than it does.
  for (let at = 0; at <= even + 4; at += 2) {
    let word = 0;
    let rounds = 2;
    if (at < even) {
      word = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
    } else if (at === even) {
      word = (even < text.length ? text.charCodeAt(even) : 0) | ((text.length & 0xff) << 24);
    } else {
      rounds = 4;
      if (at === even + 2) {
        v2 ^= 0xee;
      } else {
        halves[0] = v1 ^ v3;
        v1 ^= 0xdd;
      }
    }
    v3 ^= word;
    for (; rounds > 0; rounds--) {
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    v0 ^= word;
  }
  halves[1] = v1 ^ v3;
  return whole[0] as bigint;
}
