// Where a server is put together: the only place, with host/, that builds real clocks, disks and sockets.
// What it holds, bottom up: data lock -> keys and identity -> app (found or built) -> store, isolates,
// writer, gate (host/backend.ts) -> HTTP door -> listener. It is closed in the opposite order. A server of many
// threads holds lock, keys and app here; the rest is in the threads (host/thread-server.ts).
//
// Routes, in the order in which a path is looked up: doors/http-routes.ts (the fixed addresses), the app's
// http functions, the website's folder. Stages of every request: gate/gate.ts.
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { limits as defaultLimits, type Limits } from "./base/limits.ts";
import { openTokenKeys } from "./auth/token-keys.ts";
import type { TokenSubject } from "./auth/token-sign.ts";
import { issueUserToken } from "./auth/user-token.ts";
import type { DevelopmentTokens } from "./doors/development-token.ts";
import type { HttpDoor } from "./doors/http-door.ts";
import { openHttpMetrics } from "./doors/http-metrics.ts";
import { openTraceLog, type Trace, type TraceLog } from "./gate/trace-log.ts";
import type { SealedWorld } from "./host/attack-world.ts";
import { openAuthGround, type AuthGround } from "./host/auth-ground.ts";
import type { BuiltApp } from "./host/app-cache.ts";
import { openAppSource, type AppSource } from "./host/app-source.ts";
import {
  closeBackend,
  openBackend,
  pruneBackend,
  type Backend,
  type BackendParts,
} from "./host/backend.ts";
import { lockDataFolder } from "./host/data-lock.ts";
import { dataGauges } from "./host/data-gauges.ts";
import { openHostGauges } from "./host/host-gauges.ts";
import { listenHttp, type HttpListener } from "./host/http-listener.ts";
import { keepMemoryLean } from "./host/lean-memory.ts";
import { realClock } from "./host/real-clock.ts";
import { realDisk } from "./host/real-disk.ts";
import { openRealMemory } from "./host/real-memory.ts";
import { openOperatorDesk } from "./host/operator-desk.ts";
import { openRealRandom } from "./host/real-random.ts";
import { openReloader, reloadOutcome, type Reloader, type ReloadOutcome } from "./host/reload.ts";
import { openServeDoor, type DoorOptions } from "./host/serve-door.ts";
import { serverGauges } from "./host/server-gauges.ts";
import { useUniversalTime } from "./host/universal-time.ts";
import { doorsDefault } from "./host/doors-default.ts";
import { spreadsConnections } from "./host/free-port.ts";
import { SpareThreads } from "./host/server-thread.ts";
import type { ThreadServer } from "./host/thread-server.ts";
import type { Revoke } from "./live/revocation.ts";
import type { WorkTold } from "./work/dispatch-parts.ts";

/** How long signing in by name lasts. */
const developmentTokenMs = 43_200_000;

/** How an app's data and code are opened. Folders are absolute. */
export interface BackendOptions {
  /** Holds keelson/app.ts. */
  readonly appDir: string;
  /** Everything that lasts; made when it is not there. */
  readonly dataDir: string;
  /** `development` tells causes to callers and explains denials in traces. Default: production. */
  readonly mode?: "development" | "production";
  /** `auto-safe` (default): a database of an older schema is migrated when nothing can be lost. */
  readonly migrate?: "auto-safe" | "refuse";
  /** Limits other than the defaults of base/limits.ts. */
  readonly limits?: Partial<Limits>;
  /** Changes the built app before it is opened: for a server that is tested, not served. Default: as it is. */
  readonly adapt?: (app: BuiltApp) => BuiltApp;
  /**
   * For a server that is attacked: nothing leaves it. No queued work runs by itself, no letter is sent; this stands in the
   * place of the environment's secrets and of the network. Default: it is part of the world.
   */
  readonly sealed?: SealedWorld;
  /** Where people reach the server: for links in letters, and cookies. Default: not known. */
  readonly publicUrl?: string;
  /** Called with every finished request; must not throw and must not wait. */
  readonly onTrace?: (trace: Trace) => void;
  /** Called with work that ran, while everything is in this thread; must not throw and must not wait. */
  readonly onWork?: (told: WorkTold) => void;
  /** Told of every failure that is not a caller's. Default: written to stderr. */
  readonly report?: (error: unknown, requestId: string | null) => void;
}

/** How a server is started. */
export interface ServerOptions extends BackendOptions, DoorOptions {
  /** Default: 127.0.0.1, this machine only. */
  readonly host?: string;
  /** Default: 4000; 0 takes any free one. */
  readonly port?: number;
  /**
   * Threads that serve, beside the one that writes; 0: everything in this thread. Default in production: 4 on
   * four cores and more, one less than there are on fewer, at least 1; 1 where the system does not spread connections
   * over threads. While developing always 0.
   */
  readonly threads?: number;
}

/** An app that is open, without a door: for commands that work on its data. */
export interface RunningBackend {
  /** The version that is current: another one after a reload. */
  current(): Backend;
  readonly trace: TraceLog;
  readonly limits: Limits;
  readonly mode: "development" | "production";
  /** Milliseconds since the epoch, of the server's clock. */
  nowMs(): number;
  /** Signs a token of this app. */
  signToken(subject: TokenSubject): Promise<string>;
  /** Ends when every accepted write is durable. */
  close(): Promise<void>;
}

/** A server that answers. */
export interface RunningServer extends Omit<RunningBackend, "close"> {
  /** `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** Threads that serve; 0: the one that started it. */
  readonly threads: number;
  /** The trace of a request, whichever thread answered it; null when it is not kept any more. */
  findTrace(requestId: string): Promise<Trace | null>;
  /** Takes up changes of the app's files, without a request lost. */
  reload(): Promise<ReloadOutcome>;
  /** Credentials are not to be taken any more: resolves when no live connection sends anything else for them. */
  readonly revoke: Revoke;
  /**
   * Answers what was accepted, refuses what comes after, and ends.
   * @returns whether all was answered within limits.shutdownMsMax. A second call waits for the first.
   */
  close(): Promise<boolean>;
}

/** What every kind holds, before there is a version of the app. */
interface Ground {
  readonly parts: BackendParts;
  readonly source: AppSource;
  readonly trace: TraceLog;
  readonly limits: Limits;
  readonly mode: "development" | "production";
  readonly mailbox: AuthGround["mailbox"];
  readonly listens: AuthGround["listens"];
  /** What to let go of in the end, last first. */
  readonly opened: AsyncDisposableStack;
  nowMs(): number;
  signToken(subject: TokenSubject): Promise<string>;
  report(error: unknown, requestId: string | null): void;
}

/** An app that is open in this thread. */
interface Core extends Ground, RunningBackend {
  replace(backend: Backend): void;
}

/**
 * Opens an app on its data, without a door.
 * @throws DATA_LOCKED; AppInvalid; MIGRATION_REFUSED, MIGRATION_FAILED; STORE_FAILED.
 */
export async function openApp(options: BackendOptions): Promise<RunningBackend> {
  useUniversalTime();
  return openCore(options);
}

/**
 * Starts a server.
 * @throws what openApp throws; LISTEN_FAILED. Then nothing is left open.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  useUniversalTime();
  const threads = options.mode === "development" ? 0 : (options.threads ?? threadsDefault());
  return threads === 0 ? startInThread(options) : startThreads(options, threads);
}

async function startInThread(options: ServerOptions): Promise<RunningServer> {
  const core = await openCore(options);
  const gauges = openHostGauges();
  core.opened.defer(() => gauges.close());
  core.opened.defer(keepMemoryLean({ clock: realClock, ...openRealMemory() }));
  try {
    const opened: { listener: HttpListener | null; door: HttpDoor | null } = {
      listener: null,
      door: null,
    };
    const door = openServeDoor(options, {
      limits: core.limits,
      random: core.parts.random,
      mode: core.mode,
      metrics: openHttpMetrics(),
      developmentTokens:
        core.mode === "development" ? developmentTokensOf(core, options.dataDir) : null,
      mailbox: core.mailbox,
      backend: core.current(),
      trace: core.trace,
      isReady: async () => (await core.current().store.lastSeq()) >= 0,
      gauges: async () => [
        ...gauges.read(),
        ...(opened.door === null ? [] : serverGauges(core.current(), opened.door, opened.listener)),
        ...(await dataGauges({ disk: realDisk, store: core.current().store }, options.dataDir)),
      ],
      report: (error, requestId) => core.report(error, requestId),
    });
    opened.door = door;
    const { host = "127.0.0.1", port = 4_000 } = options;
    const listener = await listenHttp({ door, host, port, limits: core.limits, clock: realClock });
    opened.listener = listener;
    if (core.mode === "development") core.listens(listener.url);
    if (options.sealed === undefined) core.current().work?.start();
    return runningServer(core, door, listener);
  } catch (error) {
    await core.close();
    throw error;
  }
}

async function startThreads(options: ServerOptions, doors: number): Promise<RunningServer> {
  const ground = openGround(options);
  const { source, parts } = ground;
  const { host = "127.0.0.1", port = 4_000, staticDir, moduleFiles } = options;
  const { metricsToken, trustProxy = false, onTrace = null, publicUrl } = options;
  try {
    // What the first answer needs. More of them at once keep the build waiting, and each other.
    const spares = new SpareThreads(["writer", "door"]);
    ground.opened.defer(() => spares.end());
    const gauges = openHostGauges();
    ground.opened.defer(() => gauges.close());
    ground.opened.defer(keepMemoryLean({ clock: realClock, ...openRealMemory() }));
    // After the threads have begun to load; a server in one thread needs none of it.
    const threads = await import("./host/thread-server.ts");
    const server = new threads.ThreadServer({
      ...parts,
      app: await source.build(),
      source,
      // What is undefined can't be left out of a type with exact optional fields any other way.
      options: {
        trustProxy,
        ...(staticDir === undefined ? {} : { staticDir }),
        ...(moduleFiles === undefined ? {} : { moduleFiles }),
        ...(metricsToken === undefined ? {} : { metricsToken }),
        ...(publicUrl === undefined ? {} : { publicUrl }),
      },
      appDir: options.appDir,
      host,
      port,
      doors,
      spares,
      gauges,
      onTrace,
      report: (error, requestId) => ground.report(error, requestId),
    });
    await server.start();
    return threadedServer(ground, server, doors);
  } catch (error) {
    await ground.opened.disposeAsync();
    throw error;
  }
}

function threadedServer(ground: Ground, server: ThreadServer, threads: number): RunningServer {
  const { source, limits } = ground;
  let last: Promise<unknown> = Promise.resolve();
  const reloadOnce = async (): Promise<ReloadOutcome> =>
    reloadOutcome(realClock, async () => {
      const app = await source.build();
      if (app.manifest.hash === server.current().manifest.hash) return "same";
      await server.reload(app);
      return "replaced";
    });
  let closing: Promise<boolean> | null = null;
  const close = async (): Promise<boolean> => {
    await last;
    const inTime = await server.close();
    await ground.opened.disposeAsync();
    return inTime;
  };
  return {
    url: server.url,
    port: server.port,
    threads,
    trace: ground.trace,
    limits,
    mode: ground.mode,
    current: () => server.current(),
    findTrace: (requestId) => server.findTrace(requestId),
    nowMs: () => ground.nowMs(),
    signToken: (subject) => ground.signToken(subject),
    revoke: (what) => server.revoke(what),
    reload() {
      const next = last.then(reloadOnce);
      last = next.catch(() => undefined);
      return next;
    },
    close: () => (closing ??= close()),
  };
}

/** Threads that serve when nobody says how many. */
function threadsDefault(): number {
  return doorsDefault({ cores: availableParallelism(), spreads: spreadsConnections() });
}

function openGround(options: BackendOptions): Ground {
  const { appDir, dataDir, mode = "production" } = options;
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const report = options.report ?? reportToStderr;
  const random = openRealRandom();
  const trace = openTraceLog({
    keepMax: limits.traceKeepMax,
    development: mode === "development",
    ...(options.onTrace === undefined ? {} : { onTrace: options.onTrace }),
  });
  const lock = lockDataFolder(realDisk, dataDir);
  const opened = new AsyncDisposableStack();
  opened.defer(() => lock.release());
  try {
    const keys = openTokenKeys({ disk: realDisk, path: join(dataDir, "keys.json"), random });
    const source = openAppSource({
      appDir,
      dataDir,
      disk: realDisk,
      clock: realClock,
      limits,
      mode,
      ...(options.sealed === undefined
        ? {}
        : { world: { egress: options.sealed.egress, secret: options.sealed.keys.secret } }),
    });
    opened.defer(() => source.close());
    const identity = openAuthGround({
      appDir,
      dataDir,
      mode,
      publicUrl: options.publicUrl ?? null,
      isSealed: options.sealed !== undefined,
      random,
      limits,
      keys,
      report: (error) => report(error, null),
    });
    opened.defer(() => identity.close());
    const parts: BackendParts = {
      clock: realClock,
      random,
      limits,
      openAuth: (version) => identity.openAuth(version),
      trace,
      dataDir,
      migrate: options.migrate ?? "auto-safe",
      nextTurn: setImmediate,
      report: (error) => report(error, null),
      ...(options.onWork === undefined ? {} : { told: options.onWork }),
      ...(options.sealed === undefined ? {} : { hookKeys: options.sealed.keys }),
      openIsolates: (app) => source.openIsolates(app),
    };
    return {
      parts,
      source,
      trace,
      limits,
      mode,
      mailbox: identity.mailbox,
      listens: (url) => identity.listens(url),
      report,
      opened,
      nowMs: () => realClock.nowMs(),
      async signToken(subject) {
        const { signToken } = await import("./auth/token-sign.ts");
        return signToken(keys, subject, realClock.nowMs());
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function openCore(options: BackendOptions): Promise<Core> {
  const ground = openGround(options);
  const { parts, source, opened, limits, report } = ground;
  try {
    const { adapt = (app: BuiltApp) => app } = options;
    let backend = await openBackend(parts, adapt(await source.build()));
    opened.defer(() => closeBackend(backend));
    const stopPruning = prunePeriodically(limits.pruneMs, () => backend, report);
    opened.defer(stopPruning);
    return {
      ...ground,
      current: () => backend,
      replace(next) {
        backend = next;
      },
      close: () => opened.disposeAsync(),
    };
  } catch (error) {
    await opened.disposeAsync();
    throw error;
  }
}

function developmentTokensOf(core: Core, dataDir: string): DevelopmentTokens {
  return (user, role) => {
    const desk = openOperatorDesk(core.current(), { dataDir, limits: core.limits });
    const order = { user, role, ttlMs: developmentTokenMs, cause: "development sign-in" };
    return issueUserToken(desk, order, (subject) => core.signToken(subject));
  };
}

function runningServer(core: Core, door: HttpDoor, listener: HttpListener): RunningServer {
  const { limits, source } = core;
  const reloader: Reloader = openReloader({
    backendParts: core.parts,
    door,
    clock: realClock,
    limits,
    build: () => source.build(),
    current: () => core.current(),
    replaced: (backend) => core.replace(backend),
    report: (error) => core.report(error, null),
  });
  let closing: Promise<boolean> | null = null;
  const close = async (): Promise<boolean> => {
    const inTime = await listener.close(limits.shutdownMsMax);
    await reloader.close();
    await core.close();
    return inTime;
  };
  return {
    url: listener.url,
    port: listener.port,
    threads: 0,
    trace: core.trace,
    findTrace: (requestId) => Promise.resolve(core.trace.find(requestId)),
    limits,
    mode: core.mode,
    current: () => core.current(),
    nowMs: () => core.nowMs(),
    signToken: (subject) => core.signToken(subject),
    revoke: async (what) => door.live()?.revoke(what),
    reload: () => reloader.reload(),
    close: () => (closing ??= close()),
  };
}

/** @returns a function that ends it. */
function prunePeriodically(
  everyMs: number,
  current: () => Backend,
  report: (error: unknown, requestId: string | null) => void,
): () => void {
  const timer = setInterval(() => {
    pruneBackend(current(), realClock).catch((error: unknown) => report(error, null));
  }, everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

function reportToStderr(error: unknown, requestId: string | null): void {
  process.stderr.write(`error ${requestId ?? ""} ${inspect(error)}\n`);
}
