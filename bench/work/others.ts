// What people use instead, as their documentation has it, from a folder where npm installed them: they are no
// dependencies of this repository, so their types are told here.
import { createRequire } from "node:module";
import { join } from "node:path";
import { Tally, type Subject } from "./subject.ts";

const concurrency = 100;
const load = (library: string, name: string): unknown =>
  createRequire(join(library, "package.json"))(name);

function subject(
  name: string,
  tally: Tally,
  enqueue: () => Promise<unknown>,
  close: () => Promise<unknown>,
): Subject {
  return {
    name,
    enqueue: async () => void (await enqueue()),
    processed: (count) => tally.until(count),
    async one() {
      const done = tally.until(1);
      await enqueue();
      await done;
    },
    close: async () => void (await close()),
  };
}

interface BullMq {
  readonly Queue: new (
    name: string,
    options: object,
  ) => {
    add(name: string, data: object, options: object): Promise<unknown>;
    close(): Promise<void>;
  };
  readonly Worker: new (
    name: string,
    run: () => Promise<void>,
    options: object,
  ) => {
    on(event: string, run: () => void): void;
    waitUntilReady(): Promise<unknown>;
    close(): Promise<void>;
  };
}

/** BullMQ. */
export async function openBullMq(library: string, port: number): Promise<Subject> {
  const { Queue, Worker } = load(library, "bullmq") as BullMq;
  const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };
  const tally = new Tally();
  const queue = new Queue("nothings", { connection });
  const worker = new Worker("nothings", async () => {}, { connection, concurrency });
  worker.on("completed", () => tally.add(1));
  await worker.waitUntilReady();
  return subject(
    "bullmq",
    tally,
    () => queue.add("nothing", {}, { removeOnComplete: true }),
    async () => {
      await worker.close();
      await queue.close();
    },
  );
}

interface Graphile {
  makeWorkerUtils(options: object): Promise<{
    migrate(): Promise<void>;
    addJob(name: string, payload: object): Promise<unknown>;
    release(): Promise<void>;
  }>;
  run(options: object): Promise<{
    readonly events: { on(event: string, run: () => void): void };
    stop(): Promise<void>;
  }>;
}

/** graphile-worker, with its local queue and batched completion. */
export async function openGraphileWorker(
  library: string,
  connectionString: string,
): Promise<Subject> {
  const { makeWorkerUtils, run } = load(library, "graphile-worker") as Graphile;
  const quiet = { log() {}, scope: () => quiet, error() {}, warn() {}, info() {}, debug() {} };
  const { Pool } = load(library, "pg") as {
    Pool: new (options: object) => { end(): Promise<void> };
  };
  const pgPool = new Pool({ connectionString, max: 40 });
  const utils = await makeWorkerUtils({ pgPool, logger: quiet });
  await utils.migrate();
  const tally = new Tally();
  const runner = await run({
    pgPool,
    logger: quiet,
    concurrency: 24,
    noHandleSignals: true,
    preset: { worker: { concurrentJobs: 24, localQueue: { size: 500 }, completeJobBatchDelay: 0 } },
    taskList: { nothing: async () => {} },
  });
  runner.events.on("job:success", () => tally.add(1));
  return subject(
    "graphile-worker",
    tally,
    () => utils.addJob("nothing", {}),
    async () => {
      await runner.stop();
      await utils.release();
      await pgPool.end();
    },
  );
}

interface Boss {
  start(): Promise<unknown>;
  createQueue(name: string): Promise<unknown>;
  send(name: string, data: object): Promise<unknown>;
  work(
    name: string,
    options: object,
    run: (jobs: readonly unknown[]) => Promise<void>,
  ): Promise<unknown>;
  on(event: string, run: () => void): void;
  stop(options: object): Promise<void>;
}

type NewBoss = new (options: object) => Boss;

/** pg-boss, which polls: every half second is the shortest. */
export async function openPgBoss(library: string, connectionString: string): Promise<Subject> {
  const loaded = load(library, "pg-boss") as { readonly PgBoss?: NewBoss } & NewBoss;
  // The class itself, or one of the names, by version.
  const boss = new (loaded.PgBoss ?? loaded)({ connectionString, max: 40 });
  boss.on("error", () => {});
  await boss.start();
  await boss.createQueue("nothings");
  const tally = new Tally();
  const options = { batchSize: 1_000, pollingIntervalSeconds: 0.5 };
  await boss.work("nothings", options, async (jobs) => tally.add(jobs.length));
  return subject(
    "pg-boss",
    tally,
    () => boss.send("nothings", {}),
    () => boss.stop({ graceful: false }),
  );
}
