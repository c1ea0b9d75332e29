// Keelson on one core, on two, on all of them: what more cores bring. Each setting is a server of its own, and they take
// turns. The generator has the cores that are left; where none is, or `--together` asks for it, it shares them, so that the
// server can't have them whole: how many cores each of both used stands beside the rate.
import type { BenchFlags } from "../bench-flags.ts";
import { median, type Result } from "../bench-report.ts";
import { summary } from "../compare.ts";
import { knownSubjects } from "../subjects/known-subjects.ts";
import { splitCores, type Cores } from "../subjects/pin.ts";
import type { RunningSubject } from "../subjects/start-subject.ts";
import { measure, type Measurement } from "./measure.ts";

interface Setting {
  readonly cores: number;
  readonly subject: RunningSubject;
  /** Where the generator may run. */
  readonly generator: Cores;
  /** Whether those are the server's. */
  readonly isShared: boolean;
}

/** Longer than elsewhere: what compiles a server's code takes turns with it on its one core. */
const warmMs = 3_000;

/** @param report takes each result. @param say takes progress. */
export async function measureCores(
  flags: BenchFlags,
  report: (result: Result) => void,
  say: (line: string) => void,
): Promise<void> {
  const settings = await startAll(flags, say);
  try {
    for (const workload of flags.coreWorkloads) {
      const measured = settings.map(() => [] as Measurement[]);
      const measureOnce = ({ subject, generator }: Setting, run: number, seconds: number) =>
        measure(workload, subject.ready, subject.pid, {
          clients: flags.clients,
          processes: flags.processes,
          warmMs,
          runMs: seconds * 1_000,
          seed: flags.seed + run,
          cores: generator,
        });
      if (flags.warm > 0) {
        for (const setting of settings) await measureOnce(setting, 0, flags.warm);
      }
      for (let run = 0; run < flags.runs; run++) {
        for (const [index, setting] of settings.entries()) {
          const { cores, subject } = setting;
          const result = await measureOnce(setting, run, flags.seconds);
          measured[index]?.push(result);
          const rate = Math.round(result.opsPerSecond);
          say(`${workload} ${subject.name} on ${cores} run ${run + 1}: ${rate}/s`);
        }
      }
      const base = median((measured[0] ?? []).map(({ opsPerSecond }) => opsPerSecond));
      settings.forEach(({ cores, subject, isShared }, index) => {
        const runs = measured[index] ?? [];
        const result = summary(workload, subject, runs, { clients: flags.clients, note: null });
        report({
          ...result,
          workload: `${workload}, by cores`,
          subject: `${subject.name} on ${cores} core${cores === 1 ? "" : "s"}`,
          cores: {
            given: cores,
            used: median(runs.map((one) => (one.opsPerSecond * (one.cpuUs ?? 0)) / 1_000_000)),
            generatorUsed: median(runs.map(({ generatorCores }) => generatorCores)),
            isShared,
            ratio: (result.opsPerSecond ?? 0) / base,
          },
        });
      });
    }
  } finally {
    for (const { subject } of settings) await subject.stop();
  }
}

/** On one core everything is in one thread: more of them only take turns there. Elsewhere it is as `keelson start`. */
async function startAll(flags: BenchFlags, say: (line: string) => void): Promise<Setting[]> {
  const settings: Setting[] = [];
  for (const cores of flags.cores) {
    const usual = cores === 1 ? "keelson-0" : "keelson";
    const { first, others } = splitCores(cores);
    const isShared = flags.together || others === null;
    for (const name of flags.coreSubjects ?? [usual]) {
      say(`starting ${name} on ${cores} of the cores ...`);
      const subject = await knownSubjects[name]?.({ cores: first, profile: flags.profile });
      if (subject === undefined) continue;
      settings.push({ cores, subject, isShared, generator: isShared ? first : others });
    }
  }
  return settings;
}
