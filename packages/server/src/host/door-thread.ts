// A thread that serves: it listens on the address that all doors share, and has connections for reading,
// isolates for queries and actions, identities and a gate of its own. Asked by the supervisor: `writer` (the
// writer was replaced), `gauges`, `hold`, `serve`, `release` (a reload), `trace`, `act`, `cancelWork`
// (work that reaches the world), `close` (what was accepted is answered first). It ends by itself after that.
import { parentPort, type MessagePort } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { openHttpMetrics, type Gauge } from "../doors/http-metrics.ts";
import { LiveCounts } from "../doors/live-counts.ts";
import type { Revocation } from "../gate/identity.ts";
import { toPortableError } from "../gate/portable-error.ts";
import { openTraceLog } from "../gate/trace-log.ts";
import { openAuthGround } from "./auth-ground.ts";
import { openDoorBackend, type DoorBackend, type DoorBackendParts } from "./door-backend.ts";
import { openHostGauges } from "./host-gauges.ts";
import { listenHttp } from "./http-listener.ts";
import { realClock } from "./real-clock.ts";
import { openRealRandom } from "./real-random.ts";
import type { Job } from "../work/job.ts";
import { openServeDoor } from "./serve-door.ts";
import { doorGauges, isolateGauge } from "./server-gauges.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { lazyIsolates } from "./lazy-isolates.ts";
import { threadIsolates } from "./thread-isolates.ts";
import {
  appOfStart,
  startOf,
  type DoorStart,
  type ServeOrder,
  type ThreadGauges,
} from "./thread-start.ts";
import { portableTrace, TraceSender } from "./trace-sender.ts";

/** How long a door waits for the other threads' numbers. */
const gaugesMsMax = 1_000;

const port = parentPort;
assert(port !== null, "this file is a thread's");
const start = await startOf<DoorStart>(port);
const { limits } = start;
const hostGauges = openHostGauges();
const random = openRealRandom();
const threadOwn = threadIsolates(start.snapshot, limits);
let release: (() => void) | null = null;

const calls = new ThreadCalls({
  port,
  clock: realClock,
  answers: {
    writer: (channel: MessagePort) => backend.connect(channel),
    gauges: () => readGauges(),
    hold: () => hold(),
    serve: (order: ServeOrder) => serve(order),
    release: () => release?.(),
    act: (job: Job) => backend.actor.act(job),
    cancelWork: (jobId: string) => backend.actor.cancel(jobId),
    revoke: (what: Revocation) => door.live()?.revoke(what),
    trace: (requestId: string) => {
      const found = trace.find(requestId);
      return found === null ? null : portableTrace(found);
    },
    close: () => close(),
  },
});

const sender = new TraceSender((text) => calls.tell("traces", text));
const trace = openTraceLog({
  keepMax: limits.traceKeepMax,
  ...(start.wantsTraces ? { onTrace: (trace) => sender.add(trace) } : {}),
});
const identityGround = openAuthGround({
  appDir: start.appDir,
  dataDir: start.dataDir,
  mode: "production",
  publicUrl: start.options.publicUrl ?? null,
  random,
  limits,
  quotas: start.quotas,
  report: (error) => report(error, null),
});
const parts: DoorBackendParts = {
  clock: realClock,
  random,
  limits,
  openAuth: (version) => identityGround.openAuth(version),
  trace,
  quotas: start.quotas,
  dataDir: start.dataDir,
  mark: start.mark,
  nextTurn: setImmediate,
  report: (error) => report(error, null),
};
let backend = openVersion({ app: start.app, writer: start.writer });
const door = openServeDoor(start.options, {
  limits,
  random,
  mode: "production",
  metrics: openHttpMetrics(start.metrics),
  developmentTokens: null,
  liveCounts: new LiveCounts(start.liveCounts, start.metrics.part),
  backend,
  trace,
  isReady: async () => {
    await backend.store.lastSeq();
    return (await calls.ask("isReady", null, { deadlineMs: gaugesMsMax })) === true;
  },
  gauges: async () =>
    (await calls.ask("gauges", null, { deadlineMs: 2 * gaugesMsMax })) as readonly Gauge[],
  report,
});
const listener = await listenHttp({
  door,
  host: start.host,
  port: start.port,
  reusePort: true,
  limits,
  clock: realClock,
});
calls.tell("ready", { url: listener.url, port: listener.port });

function openVersion({ app, writer }: ServeOrder): DoorBackend {
  const built = appOfStart(app);
  // Made at the first call: the door answers sooner, and one that only serves tables never needs any.
  const isolates = lazyIsolates(() => threadOwn.open(built));
  return openDoorBackend(parts, { app: built, isolates, port: writer });
}

function report(error: unknown, requestId: string | null): void {
  calls.tell("report", { error: toPortableError(error), requestId });
}

function readGauges(): ThreadGauges {
  const host = hostGauges.readThread();
  const isolates = isolateGauge(backend.isolates.size);
  return { sum: [...host.sum, ...doorGauges(door, listener), isolates], max: host.max };
}

/** Requests wait from now on. @returns when those under way are answered, or limits.reloadMsMax is over. */
async function hold(): Promise<void> {
  release = door.hold();
  const late = Promise.withResolvers<void>();
  const cancel = realClock.after(limits.reloadMsMax, late.resolve);
  await Promise.race([door.idle(), late.promise]);
  cancel();
}

function serve(order: ServeOrder): void {
  const before = backend;
  const after = openVersion(order);
  backend = after;
  const answered = door.serve(after);
  before.retire();
  answered.then(() => before.close()).catch((error: unknown) => report(error, null));
}

async function close(): Promise<boolean> {
  const isInTime = await listener.close(limits.shutdownMsMax);
  sender.flush();
  hostGauges.close();
  backend.close();
  threadOwn.close();
  await identityGround.close();
  port?.unref();
  return isInTime;
}
