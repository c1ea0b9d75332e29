// `node bench/work/main.ts`: no-op jobs enqueued one by one by 64 clients and processed, and how long a single one
// waits; the same beside --waiting=1000000 jobs that wait for later and --sleeping=100000 workflows that sleep, and how long a
// restart with them takes. CPU time a job, of the whole process, is what a busy machine does not blur. Beside it, with
// --with=FOLDER (where npm installed them), --redis=PORT and --postgres=URL: BullMQ, pg-boss, graphile-worker.
// All in one process with their client, durability on: Redis appendfsync always, PostgreSQL synchronous_commit on.
// With --rounds=5 Keelson and BullMQ take turns, so that a machine whose speed changes is the same for both; the ratio is that
// of each round's pair.
import { mkdtempSync, rmSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "../bench-report.ts";
import { openBullMq, openGraphileWorker, openPgBoss } from "./others.ts";
import { openKeelson, type KeelsonSubject } from "./keelson.ts";
import type { Subject } from "./subject.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "50000" },
    clients: { type: "string", default: "64" },
    waiting: { type: "string", default: "0" },
    sleeping: { type: "string", default: "0" },
    with: { type: "string" },
    redis: { type: "string" },
    postgres: { type: "string" },
    rounds: { type: "string", default: "1" },
  },
});
const clients = Number(values.clients);
const folder = mkdtempSync(join(tmpdir(), "keelson-bench-work-"));

/** @returns jobs a second. */
async function measure(subject: Subject, jobs: number): Promise<number> {
  // Warm-up, not counted.
  await throughput(subject, Math.ceil(jobs / 10));
  const before = process.cpuUsage();
  const perSecond = await throughput(subject, jobs);
  const { user, system } = process.cpuUsage(before);
  const waits: number[] = [];
  for (let count = 0; count < 200; count++) {
    const from = performance.now();
    await subject.one();
    waits.push(performance.now() - from);
  }
  waits.sort((left, right) => left - right);
  const row = {
    subject: subject.name,
    jobs,
    perSecond: Math.round(perSecond),
    cpuUs: Math.round((user + system) / jobs),
    pickUpP50Ms: Number(waits[100]?.toFixed(2)),
    pickUpP99Ms: Number(waits[198]?.toFixed(2)),
    machineLoad: Number(loadavg()[0]?.toFixed(1)),
  };
  console.log(JSON.stringify(row));
  return perSecond;
}

/** In turn, after as many jobs as a round has, which do not count. */
async function measurePairs(ours: Subject, theirs: Subject, jobs: number): Promise<void> {
  const ratios: number[] = [];
  for (const subject of [ours, theirs]) await throughput(subject, jobs);
  for (let round = 0; round < Number(values.rounds); round++) {
    const our = await measure(ours, jobs);
    ratios.push(our / (await measure(theirs, jobs)));
  }
  const round = (ratio: number): number => Number(ratio.toFixed(2));
  console.log(
    JSON.stringify({ to: theirs.name, ratios: ratios.map(round), median: round(median(ratios)) }),
  );
}

/** Jobs enqueued 500 in a transaction, and processed. */
async function measureBatches(subject: KeelsonSubject, jobs: number): Promise<void> {
  const from = performance.now();
  const before = process.cpuUsage();
  const processed = subject.processed(jobs);
  await subject.many(jobs);
  await processed;
  const { user, system } = process.cpuUsage(before);
  const perSecond = Math.round(jobs / ((performance.now() - from) / 1_000));
  const cpuUs = Math.round((user + system) / jobs);
  console.log(JSON.stringify({ subject: `${subject.name}, in batches`, jobs, perSecond, cpuUs }));
}

/** @returns jobs a second, from the first enqueued to the last processed. */
async function throughput(subject: Subject, jobs: number): Promise<number> {
  const from = performance.now();
  const processed = subject.processed(jobs);
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < jobs) {
      sent += 1;
      await subject.enqueue();
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await processed;
  return jobs / ((performance.now() - from) / 1_000);
}

try {
  const jobs = Number(values.jobs);
  const waiting = Number(values.waiting);
  const sleeping = Number(values.sleeping);
  const dataDir = join(folder, "data");
  const keelson = await openKeelson(dataDir);
  const library = values.with ?? "";
  if (values.redis === undefined) await measure(keelson, jobs);
  else {
    const subject = await openBullMq(library, Number(values.redis));
    await measurePairs(keelson, subject, jobs);
    await subject.close();
  }
  await measureBatches(keelson, jobs * 2);
  if (waiting > 0 || sleeping > 0) {
    const filling = performance.now();
    await keelson.fill(waiting);
    await keelson.doze(sleeping);
    const fillMs = Math.round(performance.now() - filling);
    console.log(JSON.stringify({ waiting, sleeping, fillMs }));
    await measure({ ...keelson, name: `keelson, ${waiting} wait, ${sleeping} sleep` }, jobs);
    await keelson.close();
    for (let count = 0; count < 3; count++) {
      const from = performance.now();
      const again = await openKeelson(dataDir);
      await again.one();
      const restartMs = Math.round(performance.now() - from);
      console.log(JSON.stringify({ restartMs, waiting, sleeping, machineLoad: loadavg()[0] }));
      await again.close();
    }
  } else await keelson.close();
  const few = Math.ceil(jobs / 5);
  if (values.postgres !== undefined) {
    for (const open of [openGraphileWorker, openPgBoss]) {
      const subject = await open(library, values.postgres);
      await measure(subject, few);
      await subject.close();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
