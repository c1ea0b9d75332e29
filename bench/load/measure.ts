// One measurement: a workload sent to a running subject by several generator processes, merged.
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Driver, Ready } from "../subjects/subject.ts";
import { pinned, type Cores } from "../subjects/pin.ts";
import { bucketUs, type LoadJob, type LoadReport } from "./load-tally.ts";
import { drawRequests, type Workload } from "./requests.ts";
import { cpuSeconds } from "./wait-calm.ts";

export interface Load {
  readonly clients: number;
  readonly processes: number;
  readonly warmMs: number;
  readonly runMs: number;
  readonly seed: number;
  /** Where the generator may run. */
  readonly cores: Cores;
}

/** What came of it. `cpuUs` is the server's CPU time per answer, null where the system does not tell. */
export interface Measurement {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUs: number | null;
  /** Of the whole run, the warm-up included. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly broken: number;
  /** CPU share of the busiest generator process, 0 to 1: near 1 it is the generator that was measured. */
  readonly generatorBusy: number;
  /** Cores that all generator processes used together. */
  readonly generatorCores: number;
}

const requestsDrawn = 20_000;

/** Measures once. @throws when one answer is not a 2xx or one connection breaks: a fast refusal is no result. */
export async function measure(
  workload: Workload,
  ready: Ready,
  pid: number,
  load: Load,
): Promise<Measurement> {
  const { hostname, port } = new URL(ready.url);
  const jobs = Array.from({ length: load.processes }, (_, index): LoadJob => ({
    host: hostname,
    port: Number(port),
    connections: Math.ceil(load.clients / load.processes),
    warmMs: load.warmMs,
    runMs: load.runMs,
    keyed: ready.keyed,
    transport: ready.driver === "sdk-live" ? "live" : "http",
    keyBase: randomUUID().slice(0, 18),
    requests: drawRequests(workload, ready, requestsDrawn, load.seed + index),
  }));
  const running = jobs.map((job) => generate(job, ready.driver ?? "sockets", load.cores));
  await new Promise((done) => setTimeout(done, load.warmMs));
  const before = cpuSeconds(pid);
  await new Promise((done) => setTimeout(done, load.runMs));
  const after = cpuSeconds(pid);
  const reports = await Promise.all(running);
  const result = merge(reports, before === null || after === null ? null : after - before);
  const good = Object.entries(result.statuses).reduce(
    (sum, [status, count]) => (status.startsWith("2") ? sum + count : sum),
    0,
  );
  const all = Object.values(result.statuses).reduce((sum, count) => sum + count, 0);
  if (good < all || result.broken > 0) {
    throw new Error(`${workload}: not an honest run: ${JSON.stringify(result)}`);
  }
  return result;
}

const programs: Readonly<Record<Driver, string>> = {
  sockets: "client.ts",
  sdk: "sdk-client.ts",
  "sdk-live": "sdk-client.ts",
};

async function generate(job: LoadJob, driver: Driver, cores: Cores): Promise<LoadReport> {
  const [command, args] = pinned(cores, [
    process.execPath,
    join(import.meta.dirname, programs[driver]),
  ]);
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.end(JSON.stringify(job));
  return JSON.parse(await text(child.stdout)) as LoadReport;
}

function merge(reports: readonly LoadReport[], cpu: number | null): Measurement {
  const histogram = reports[0]?.histogram.map((_, index) =>
    reports.reduce((sum, report) => sum + (report.histogram[index] ?? 0), 0),
  );
  const answered = reports.reduce((sum, report) => sum + report.answered, 0);
  const statuses: Record<string, number> = {};
  for (const report of reports) {
    for (const [status, count] of Object.entries(report.statuses)) {
      statuses[status] = (statuses[status] ?? 0) + count;
    }
  }
  return {
    opsPerSecond: reports.reduce((sum, report) => sum + report.answered / report.seconds, 0),
    p50Ms: quantileMs(histogram ?? [], answered, 0.5),
    p99Ms: quantileMs(histogram ?? [], answered, 0.99),
    cpuUs: cpu === null || answered === 0 ? null : (cpu * 1_000_000) / answered,
    statuses,
    broken: reports.reduce((sum, report) => sum + report.broken, 0),
    generatorBusy: Math.max(...reports.map(({ busy }) => busy)),
    generatorCores: reports.reduce((sum, { busy }) => sum + busy, 0),
  };
}

function quantileMs(histogram: readonly number[], total: number, quantile: number): number {
  let seen = 0;
  for (let index = 0; index < histogram.length; index++) {
    seen += histogram[index] ?? 0;
    if (seen >= total * quantile) return bucketUs(index) / 1_000;
  }
  return Number.NaN;
}
