// Waits until servers have worked off what they left for later: it would be taken from the one that is measured next.
import { readFileSync } from "node:fs";

const sampleMs = 250;
const calmSamples = 3;
const busyShare = 0.05;
const longestMs = 30_000;
const ticksPerSecond = 100;

/** CPU time of a process with all its threads, seconds; null where /proc does not tell. */
export function cpuSeconds(pid: number): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return null;
  }
}

/**
 * Waits until none of these processes has used a twentieth of a core for three quarters of a second, half a minute at most.
 * @returns how long that took, ms; null when it never came.
 */
export async function waitCalm(pids: readonly number[]): Promise<number | null> {
  const startMs = performance.now();
  const usedBy = () => pids.reduce((sum, pid) => sum + (cpuSeconds(pid) ?? 0), 0);
  let used = usedBy();
  let calm = 0;
  while (calm < calmSamples) {
    if (performance.now() - startMs > longestMs) return null;
    await new Promise((done) => setTimeout(done, sampleMs));
    const now = usedBy();
    calm = now - used <= (busyShare * sampleMs) / 1_000 ? calm + 1 : 0;
    used = now;
  }
  return performance.now() - startMs;
}
