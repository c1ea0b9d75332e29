// The thread that writes: it owns the write connection and the isolates of mutations, and serves the doors'
// channels, and dispatches work. Asked by the supervisor: `door` (a new channel), `gauges`, `startWork` (doors are
// there to run what reaches the world), `close` (every accepted job is made durable and answered first). It ends by
// itself after that.
import { parentPort, type MessagePort } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { openExecuteWrite } from "../gate/execute-write.ts";
import { openInlineWriter, type DirectWriter } from "../gate/inline-writer.ts";
import { toPortableError } from "../gate/portable-error.ts";
import { WriterDesk } from "../gate/writer-desk.ts";
import type { FromWriter, ToWriter } from "../gate/writer-messages.ts";
import { feedingStore, openCommitRelay } from "../store/commit-feed.ts";
import { openCommitMark } from "../store/commit-mark.ts";
import { openSqliteStore, type SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { privateDatabase, type AppIsolates } from "./backend.ts";
import { sweepAuth } from "./auth-sweep.ts";
import { dataGauges } from "./data-gauges.ts";
import { openHostGauges } from "./host-gauges.ts";
import { realDisk } from "./real-disk.ts";
import { isolateGauge, writerGauges } from "./server-gauges.ts";
import { guardAttempts } from "../work/attempt-guard.ts";
import type { ActReport } from "../work/work-actor.ts";
import { openHostWork, type HostWork } from "./host-work.ts";
import { openWorkflowCode } from "./host-workflow-code.ts";
import { platformProcedures } from "./platform-procedures.ts";
import { realClock } from "./real-clock.ts";
import { openLogRoom } from "./real-log-room.ts";
import { openRealRandom } from "./real-random.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { failThread } from "./thread-end.ts";
import { threadIsolates } from "./thread-isolates.ts";
import { appOfStart, startOf, type ThreadGauges, type WriterStart } from "./thread-start.ts";

/** How long after its start a thread loads what it will need sooner or later. */
const preloadMs = 1_000;

const port = parentPort;
assert(port !== null, "this file is a thread's");
const start = await startOf<WriterStart>(port);
const { limits } = start;
const hostGauges = openHostGauges();

const threadOwn = threadIsolates(start.snapshot, limits);
const channels = new Set<MessagePort>();

const { desk, writer, store, isolates, work, groups } = await openWriter().catch((error) => {
  threadOwn.close();
  return failThread(error);
});
const calls = new ThreadCalls({
  port,
  clock: realClock,
  answers: {
    door: (channel: MessagePort) => openChannel(channel),
    gauges: () => readGauges(),
    startWork: () => work.start(),
    close: () => close(),
  },
});
const pruning = setInterval(() => {
  sweepAuth(writer, realClock).then(prune).catch(report);
}, limits.pruneMs);
await work.prepare();
calls.tell("ready", null);
// Not while the server starts, and not while a first sign-in waits for it.
setTimeout(() => {
  platformProcedures.loaded().catch(report);
}, preloadMs).unref();

async function openWriter(): Promise<{
  readonly desk: WriterDesk;
  readonly writer: DirectWriter;
  readonly store: SqliteStore;
  readonly isolates: AppIsolates;
  readonly work: HostWork;
  groups(): number;
}> {
  const app = appOfStart(start.app);
  const { manifest } = app;
  const own = await threadOwn.open(app);
  const { workflowCode, isolates } = openWorkflowCode(app, own, (app) => threadOwn.open(app));
  const store = openSqliteStore({
    path: privateDatabase(start.dataDir, start.isFirst),
    manifest,
    limits,
    clock: realClock,
    migrate: start.migrate === "auto-safe" ? "safe" : "none",
    mark: openCommitMark(start.mark),
    room: openLogRoom(),
  });
  const desk = new WriterDesk({ lastSeq: () => store.read(({ seq }) => seq) as number });
  const random = openRealRandom();
  const appParts = {
    manifest,
    isolates,
    clock: realClock,
    random,
    limits,
    development: false,
    procedures: platformProcedures,
    workflowCode,
  };
  const execute = guardAttempts(openExecuteWrite(appParts));
  const commits = openCommitRelay({
    lastSeq: () => store.read(({ seq }) => seq) as number,
    commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
    report,
  });
  let groups = 0;
  const writer = openInlineWriter({
    store: feedingStore(store, (group) => {
      desk.publish(group);
      commits.publish(group);
    }),
    execute,
    clock: realClock,
    limits,
    groupEnded: desk.groupEnded,
    nextTurn: (run) => {
      groups += 1;
      setImmediate(run);
    },
  });
  desk.use(writer);
  const work = openHostWork({
    appParts,
    store,
    writer,
    commits,
    follow: (next) => writer.follow(next),
    // What reaches the world runs in a door's thread: the supervisor knows which.
    actor: {
      act: async (job) => (await calls.ask("act", job)) as ActReport,
      cancel: (jobId) => calls.tell("cancelWork", jobId),
    },
    report,
  });
  return { desk, writer, store, isolates, work, groups: () => groups };
}

function openChannel(channel: MessagePort): void {
  const { receive, close } = desk.open({
    post: (message: FromWriter) => channel.postMessage(message, []),
  });
  channels.add(channel);
  channel.on("message", (message: ToWriter) => receive(message));
  channel.on("close", () => {
    channels.delete(channel);
    close();
  });
}

/** Between two groups: while none is open, and before jobs that came in the meantime are run. */
function prune(): void {
  if (desk.waiting() > 0) {
    setImmediate(prune);
    return;
  }
  try {
    store.prune(realClock.nowMs());
  } catch (error) {
    report(error);
  }
}

function report(error: unknown): void {
  calls.tell("report", { error: toPortableError(error), requestId: null });
}

async function readGauges(): Promise<ThreadGauges> {
  const host = hostGauges.readThread();
  const counts = { waiting: desk.waiting(), answered: desk.answered(), groups: groups() };
  const data = await dataGauges({ disk: realDisk, store }, start.dataDir);
  return {
    sum: [...host.sum, ...writerGauges(counts), isolateGauge(isolates.size), ...data],
    max: host.max,
  };
}

async function close(): Promise<void> {
  clearInterval(pruning);
  await work.stop();
  await writer.drain();
  isolates.dispose();
  threadOwn.close();
  store.close();
  hostGauges.close();
  for (const channel of channels) channel.unref();
  port?.unref();
}
