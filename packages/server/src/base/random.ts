// Randomness as a port (law 6).

/** A source of random bytes. */
export interface RandomSource {
  /** Unpredictable bytes on a real host; bytes of a seed in a simulation. */
  bytes(count: number): Uint8Array;
}
