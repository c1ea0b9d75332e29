// HalfSipHash-2-4 with a 64-bit result: a hash that nobody without its key can find collisions of, in 32-bit
// arithmetic. See Aumasson and Bernstein, "SipHash: a fast short-input PRF"; github.com/veorq/SipHash.

/** The secret: two 32-bit words. */
export type HashKey = readonly [number, number];

/** Hashes a text. Its characters count as UTF-16 code units, two to a word. @returns 64 bits, signed. */
export function keyedHash(text: string, [k0, k1]: HashKey): bigint {
  let v0 = k0;
  let v1 = k1 ^ 0xee;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  const round = (): void => {
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
  };
  const absorb = (word: number): void => {
    v3 ^= word;
    round();
    round();
    v0 ^= word;
  };
  const even = text.length & ~1;
  for (let at = 0; at < even; at += 2) {
    absorb(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16));
  }
  const last = even < text.length ? text.charCodeAt(even) : 0;
  absorb(last | ((text.length & 0xff) << 24));
  v2 ^= 0xee;
  for (let count = 0; count < 4; count++) round();
  const low = (v1 ^ v3) >>> 0;
  v1 ^= 0xdd;
  for (let count = 0; count < 4; count++) round();
  const high = v1 ^ v3;
  return (BigInt(high) << 32n) | BigInt(low);
}
