// A thread that serves: it listens on the address that all doors share, and has connections for reading,
// isolates for queries and actions, identities and a gate of its own. Asked by the supervisor: `writer` (the
// writer was replaced), `gauges`, `hold`, `serve`, `release` (a reload), `trace`, `close` (what was
// accepted is answered first). It ends when the supervisor ends it.
import { join } from "node:path";
import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { assert } from "../base/assert.ts";
import { openTokenKeys } from "../auth/token-keys.ts";
import { openHttpMetrics, type Gauge } from "../doors/http-metrics.ts";
import { toPortableError } from "../gate/portable-error.ts";
import { openTraceLog } from "../gate/trace-log.ts";
import { openDoorBackend, type DoorBackend, type DoorBackendParts } from "./door-backend.ts";
import { openHostGauges } from "./host-gauges.ts";
import { listenHttp } from "./http-listener.ts";
import { lazyIdentity } from "./lazy-identity.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealRandom } from "./real-random.ts";
import { openServeDoor } from "./serve-door.ts";
import { doorGauges } from "./server-gauges.ts";
import { ThreadCalls } from "./thread-calls.ts";
import { threadIsolates } from "./thread-isolates.ts";
import { appOfStart, type DoorStart, type ServeOrder, type ThreadGauges } from "./thread-start.ts";
import { portableTrace, TraceSender } from "./trace-sender.ts";

/** How long a door waits for the other threads' numbers. */
const gaugesMsMax = 1_000;

const port = parentPort;
assert(port !== null, "this file is a thread's");
const start = workerData as DoorStart;
const { limits } = start;
const hostGauges = openHostGauges();
const random = openRealRandom();
const openIsolates = threadIsolates(start.snapshot, limits);
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
const parts: DoorBackendParts = {
  clock: realClock,
  random,
  limits,
  identity: lazyIdentity(async () => {
    const { openTokenIdentity } = await import("../auth/token-identity.ts");
    const path = join(start.dataDir, "keys.json");
    const keys = openTokenKeys({ disk: realDisk, path, random });
    return openTokenIdentity({ keys, clock: realClock, limits });
  }),
  trace,
  quotas: start.quotas,
  dataDir: start.dataDir,
  mark: start.mark,
  nextTurn: setImmediate,
  report: (error) => report(error, null),
};
let backend = await openVersion({ app: start.app, writer: start.writer });
const door = openServeDoor(start.options, {
  limits,
  random,
  mode: "production",
  metrics: openHttpMetrics(start.metrics),
  developmentTokens: null,
  backend,
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

async function openVersion({ app, writer }: ServeOrder): Promise<DoorBackend> {
  const built = appOfStart(app);
  return openDoorBackend(parts, { app: built, isolates: await openIsolates(built), port: writer });
}

function report(error: unknown, requestId: string | null): void {
  calls.tell("report", { error: toPortableError(error), requestId });
}

function readGauges(): ThreadGauges {
  const host = hostGauges.readThread();
  const isolates: Gauge = {
    name: "keelson_isolates",
    help: "Isolates alive.",
    type: "gauge",
    value: backend.isolates.size,
  };
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

async function serve(order: ServeOrder): Promise<void> {
  const before = backend;
  const after = await openVersion(order);
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
  return isInTime;
}
