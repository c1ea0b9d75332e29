// Workloads against subjects, in turn, so that what the machine does meanwhile falls on all of them.
import type { BenchFlags } from "./bench-flags.ts";
import { median, type Result } from "./bench-report.ts";
import { measure, type Measurement } from "./load/measure.ts";
import type { Workload } from "./load/requests.ts";
import { waitCalm } from "./load/wait-calm.ts";
import { knownSubjects } from "./subjects/known-subjects.ts";
import { splitCores } from "./subjects/pin.ts";
import type { RunningSubject } from "./subjects/start-subject.ts";

const warmMs = 1_500;

/** Runs them all. @param report takes each result. @param say takes progress. */
export async function compare(
  flags: BenchFlags,
  report: (result: Result) => void,
  say: (line: string) => void,
): Promise<void> {
  const subjects = await startAll(flags, say);
  try {
    for (const workload of flags.workloads) {
      const able = subjects.filter(({ ready }) => ready.workloads?.includes(workload) !== false);
      const measured = new Map(able.map((subject) => [subject, [] as Measurement[]]));
      const raised = new Map<RunningSubject, number>();
      const measureNext = async (subject: RunningSubject, run: number, seconds: number) => {
        const waitedMs = await waitCalm(subjects.map(({ pid }) => pid));
        if (waitedMs === null)
          say("a server is busy with what it left for later; it is measured beside that");
        else if (waitedMs > 2_000)
          say(`waited ${Math.round(waitedMs)} ms for what was left for later`);
        const result = await measureOnce(flags, workload, subject, { run, seconds });
        raised.set(subject, (raised.get(subject) ?? 0) + acknowledged(result));
        return result;
      };
      if (flags.warm > 0) {
        for (const subject of able) {
          const { opsPerSecond } = await measureNext(subject, 0, flags.warm);
          say(`${workload} ${subject.name} does not count yet: ${Math.round(opsPerSecond)}/s`);
        }
      }
      for (let run = 0; run < flags.runs; run++) {
        for (const subject of able) {
          const result = await measureNext(subject, run, flags.seconds);
          measured.get(subject)?.push(result);
          say(`${workload} ${subject.name} run ${run + 1}: ${Math.round(result.opsPerSecond)}/s`);
        }
      }
      for (const [subject, list] of measured) {
        const note =
          workload === "counter" ? await lostRaises(subject, raised.get(subject) ?? 0) : null;
        report(summary(workload, subject, list, { clients: flags.clients, note }));
      }
    }
  } finally {
    for (const subject of subjects) await subject.stop();
  }
}

/** All at once: those that are not asked wait, and cost nothing. A peer that can't be had is left out, and said. */
async function startAll(flags: BenchFlags, say: (line: string) => void): Promise<RunningSubject[]> {
  const started: RunningSubject[] = [];
  for (const name of flags.subjects) {
    say(`starting ${name} ...`);
    try {
      const subject = await knownSubjects[name]?.({
        cores: flags.pin ? splitCores(1).first : null,
        profile: flags.profile,
      });
      if (subject !== undefined) started.push(subject);
    } catch (error) {
      if (name.startsWith("keelson")) throw error;
      say(`${name} is left out: ${(error as Error).message}`);
    }
  }
  return started;
}

function measureOnce(
  { clients, processes, seed, pin }: BenchFlags,
  workload: Workload,
  subject: RunningSubject,
  { run, seconds }: { readonly run: number; readonly seconds: number },
): Promise<Measurement> {
  const cores = pin ? splitCores(1).others : null;
  const load = { clients, processes, warmMs, runMs: seconds * 1_000, seed: seed + run, cores };
  return measure(workload, subject.ready, subject.pid, load);
}

/** Holds what the counter is against the raises that were acknowledged in all runs. */
async function lostRaises({ ready }: RunningSubject, raises: number): Promise<string> {
  const response = await fetch(ready.url + ready.paths.counter, {
    headers: { authorization: `Bearer ${ready.callers[0]?.token ?? ""}` },
  });
  const { value } = (await response.json()) as { readonly value: number };
  const lost = raises - value;
  const share = raises === 0 ? 0 : (lost * 100) / raises;
  return `${raises} raises acknowledged, ${value} stored: ${lost === 0 ? "none lost" : `${lost} lost (${share.toFixed(1)} %)`}`;
}

function acknowledged({ statuses }: Measurement): number {
  return Object.values(statuses).reduce((sum, count) => sum + count, 0);
}

/** Medians of the runs of one subject. */
export function summary(
  workload: string,
  subject: RunningSubject,
  list: readonly Measurement[],
  { clients, note }: { readonly clients: number; readonly note: string | null },
): Result {
  const cpu = list.flatMap(({ cpuUs }) => (cpuUs === null ? [] : [cpuUs]));
  return {
    workload,
    subject: subject.name,
    opsPerSecond: median(list.map((one) => one.opsPerSecond)),
    p50Ms: median(list.map((one) => one.p50Ms)),
    p99Ms: median(list.map((one) => one.p99Ms)),
    amount: null,
    cpuUs: cpu.length === 0 ? null : median(cpu),
    generatorBusy: median(list.map((one) => one.generatorBusy)),
    durability: subject.ready.durability,
    clients,
    version: subject.ready.version,
    runs: list.length,
    ...(note === null ? {} : { note }),
  };
}
