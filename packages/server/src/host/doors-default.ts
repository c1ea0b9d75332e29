// How many threads serve when nobody says it.

/** Measured so far: each takes some 30 MB. */
const doorsMax = 4;

/**
 * @param parts.cores that this process may use, at least 1.
 * @param parts.spreads whether the system spreads connections over threads: where it does not, one door gets them all.
 */
export function doorsDefault({ cores, spreads }: { cores: number; spreads: boolean }): number {
  if (!spreads) return 1;
  // None is left to the writer, which takes turns with them: docs/internals/performance.md, "From one core to four".
  return Math.min(doorsMax, cores);
}
