// `node bench/work/main.ts`: no-op jobs enqueued one by one by 64 clients and processed, and how long a single one
// waits; the same with --waiting=1000000 jobs that wait for later, and after a restart with them. Beside it, with
// --with=FOLDER (where npm installed them), --redis=PORT and --postgres=URL: BullMQ, pg-boss, graphile-worker.
// All in one process with their client, durability on: Redis appendfsync always, PostgreSQL synchronous_commit on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openBullMq, openGraphileWorker, openPgBoss } from "./others.ts";
import { openKeelson } from "./keelson.ts";
import type { Subject } from "./subject.ts";

const { values } = parseArgs({
  options: {
    jobs: { type: "string", default: "50000" },
    clients: { type: "string", default: "64" },
    waiting: { type: "string", default: "0" },
    with: { type: "string" },
    redis: { type: "string" },
    postgres: { type: "string" },
  },
});
const clients = Number(values.clients);
const folder = mkdtempSync(join(tmpdir(), "keelson-bench-work-"));

async function measure(subject: Subject, jobs: number): Promise<void> {
  // Warm-up, not counted.
  await throughput(subject, Math.ceil(jobs / 10));
  const perSecond = await throughput(subject, jobs);
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
    pickUpP50Ms: Number(waits[100]?.toFixed(2)),
    pickUpP99Ms: Number(waits[198]?.toFixed(2)),
  };
  console.log(JSON.stringify(row));
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
  const dataDir = join(folder, "data");
  const keelson = await openKeelson(dataDir);
  await measure(keelson, jobs);
  if (waiting > 0) {
    await keelson.fill(waiting);
    await measure({ ...keelson, name: `keelson, ${waiting} waiting` }, jobs);
    await keelson.close();
    const from = performance.now();
    const again = await openKeelson(dataDir);
    await again.one();
    console.log(JSON.stringify({ restartMs: Math.round(performance.now() - from), waiting }));
    await again.close();
  } else await keelson.close();
  const library = values.with ?? "";
  const few = Math.ceil(jobs / 5);
  if (values.redis !== undefined) {
    const subject = await openBullMq(library, Number(values.redis));
    await measure(subject, few);
    await subject.close();
  }
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
