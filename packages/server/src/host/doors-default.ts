// How many threads serve when nobody says it.

/** From this many cores on each gets a door: the writer, which needs little while people read, takes turns with them. */
const coresForAll = 4;
/** Measured so far: each takes some 30 MB. */
const doorsMax = 4;

/**
 * @param parts.cores that this process may use, at least 1.
 * @param parts.spreads whether the system spreads connections over threads: where it does not, one door gets them all.
 */
export function doorsDefault({ cores, spreads }: { cores: number; spreads: boolean }): number {
  if (!spreads) return 1;
  // On fewer cores, doors that are busy would keep the writer waiting: it has one of them.
  const most = cores < coresForAll ? cores - 1 : cores;
  return Math.min(doorsMax, Math.max(1, most));
}
