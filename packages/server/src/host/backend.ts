// One version of an app, wired to its data: store, isolates, writer, gate. And the change from one version to
// the next under way: the new one is made beside the old one, writes stop for the moment between two, and a
// version that can't be opened leaves the old one as it was.
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import type { FunctionRunner } from "../gate/function-runner.ts";
import type { Gate } from "../gate/gate-request.ts";
import { openExecuteWrite } from "../gate/execute-write.ts";
import { openGate } from "../gate/gate.ts";
import type { HookDesk } from "../connect/hook-door.ts";
import type { LiveSource } from "../doors/live-door.ts";
import { openInlineWriter } from "../gate/inline-writer.ts";
import { openOperator, type Operator } from "../gate/operator.ts";
import type { SharedQuotas } from "../gate/shared-quota.ts";
import type { TraceLog } from "../gate/trace-log.ts";
import type { Manifest } from "../model/manifest.ts";
import { commitMarkMemory, openCommitMark, type CommitMark } from "../store/commit-mark.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { feedingStore, openCommitRelay, type CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import { guardAttempts } from "../work/attempt-guard.ts";
import type { WorkTold } from "../work/dispatch-parts.ts";
import type { WorkActor } from "../work/work-actor.ts";
import type { BuiltApp } from "./app-cache.ts";
import type { AuthVersion, HostAuth } from "./host-auth.ts";
import { openHookDesk, type HookKeys } from "./hook-desk.ts";
import { sweepAuth } from "./auth-sweep.ts";
import { realDisk } from "./real-disk.ts";
import { openLogRoom } from "./real-log-room.ts";
import { openWorkflowCode } from "./host-workflow-code.ts";
import { platformProcedures } from "./platform-procedures.ts";
import { openHostActor, openHostWork, type HostWork } from "./host-work.ts";
import { openPausableWriter, type PausableWriter } from "./pausable-writer.ts";

/** Isolates of one version of the app. */
export interface AppIsolates extends FunctionRunner {
  /** Ends them all. */
  dispose(): void;
  /** How many there are. */
  readonly size: number;
}

/** What every version is wired with. */
export interface BackendParts {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  /** Identity of a version of the app. */
  openAuth(version: AuthVersion): HostAuth;
  readonly trace: TraceLog;
  /** Absolute; locked by this process. */
  readonly dataDir: string;
  /** Whether a database of an older schema is brought to this one when nothing can be lost. */
  readonly migrate: "auto-safe" | "refuse";
  /** Calls back when the event loop has come round once. */
  readonly nextTurn: (run: () => void) => void;
  /** Where rate limits are counted when several threads hold callers to them. */
  readonly quotas?: SharedQuotas;
  /** What webhooks are checked with. Default: the secrets of this machine. */
  readonly hookKeys?: HookKeys;
  /** Told of failures that no request is told of. */
  report(error: unknown): void;
  /** Told of work that ran. Default: nobody is. */
  readonly told?: (told: WorkTold) => void;
  openIsolates(app: BuiltApp): Promise<AppIsolates>;
}

/** One version of the app, wired. */
export interface Backend {
  readonly app: BuiltApp;
  readonly manifest: Manifest;
  readonly store: Store;
  readonly isolates: AppIsolates;
  readonly writer: PausableWriter;
  readonly gate: Gate;
  /** Who calls, and the addresses under /auth. */
  readonly auth: HostAuth;
  /** Commits as they become durable. */
  readonly commits: CommitFeed;
  /** What dispatches work; null where another thread does. */
  readonly work: HostWork | null;
  /** Runs work that reaches the world, in this thread. */
  readonly actor: WorkActor;
  /** What live queries read and follow. */
  readonly live: LiveSource;
  /** Webhooks that come in. */
  readonly hooks: HookDesk;
  /** The way of whoever holds the data folder. */
  operator(): Operator;
  /** Groups that its writer committed. */
  groups(): number;
}

/** The database's name in the data folder. */
export const databaseName = "data.db";

/**
 * Where the database is. Makes the file before the engine does, which would let every user of the machine read
 * it; the engine gives the files beside it the same rights.
 * @param isFirst whether this process opens it for the first time.
 * @throws DATA_REMOVED when it was there before and is not any more.
 */
export function privateDatabase(dataDir: string, isFirst = true): string {
  const path = join(dataDir, databaseName);
  if (realDisk.exists(path)) return path;
  if (!isFirst) throw new PlatformError("DATA_REMOVED");
  realDisk.writeAtomically(path, "", 0o600);
  return path;
}

/** Wires an app to the data folder. @throws MIGRATION_REFUSED, MIGRATION_FAILED, STORE_FAILED. */
export async function openBackend(parts: BackendParts, app: BuiltApp): Promise<Backend> {
  const isolates = await parts.openIsolates(app);
  try {
    const backend = wire(parts, app, isolates);
    await backend.work?.prepare();
    return backend;
  } catch (error) {
    isolates.dispose();
    throw error;
  }
}

/** Makes accepted writes durable and lets go of everything. */
export async function closeBackend(backend: Backend): Promise<void> {
  await backend.work?.stop();
  await backend.writer.drain();
  backend.isolates.dispose();
  await backend.store.close();
}

/**
 * Opens `app` in the place of `before`, whose writer is paused from now on.
 * @param isolates of `app`; disposed of when it can't be opened.
 * @returns the new version. `before` is to be given to closeBackend once its last request is answered.
 * @throws MIGRATION_REFUSED, MIGRATION_FAILED, STORE_FAILED; DATA_REMOVED when the data of `before` is not there any
 * more, in whose place nobody asked for an empty database. Then `before` goes on.
 */
export async function replaceBackend(
  parts: BackendParts,
  before: Backend,
  app: BuiltApp,
  isolates: AppIsolates,
): Promise<Backend> {
  const hasWork = (before.work?.dispatcher() ?? null) !== null;
  await before.work?.stop();
  const resume = await before.writer.pause();
  try {
    (await before.store.openGroup()).abort();
    const after = wire(parts, app, isolates);
    await after.work?.prepare();
    if (hasWork) after.work?.start();
    return after;
  } catch (error) {
    isolates.dispose();
    resume();
    if (hasWork) before.work?.start();
    throw error;
  }
}

/** Drops what is kept no longer: rows of identity, and, between two groups, what the store keeps beside rows. @returns how much was dropped. */
export async function pruneBackend(backend: Backend, clock: Clock): Promise<number> {
  await sweepAuth(backend.writer, clock);
  const resume = await backend.writer.pause();
  try {
    return await backend.store.prune(clock.nowMs());
  } finally {
    resume();
  }
}

function wire(parts: BackendParts, app: BuiltApp, own: AppIsolates): Backend {
  const { clock, random, limits, trace } = parts;
  const { manifest } = app;
  const { workflowCode, isolates } = openWorkflowCode(app, own, (app) => parts.openIsolates(app));
  const mark = openCommitMark(commitMarkMemory());
  const store = openSqliteStore({
    path: privateDatabase(parts.dataDir),
    manifest,
    limits,
    clock,
    migrate: parts.migrate === "auto-safe" ? "safe" : "none",
    mark,
    room: openLogRoom(),
  });
  let groups = 0;
  const { development } = trace;
  const appParts = {
    manifest,
    isolates,
    clock,
    random,
    limits,
    development,
    procedures: platformProcedures,
    workflowCode,
  };
  const execute = guardAttempts(openExecuteWrite(appParts));
  const commits = openCommitRelay({
    lastSeq: () => store.read(({ seq }) => seq) as number,
    commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
    report: (error) => parts.report(error),
  });
  const inline = openInlineWriter({
    store: feedingStore(store, (group) => commits.publish(group)),
    execute,
    clock,
    limits,
    nextTurn: (run) => {
      groups += 1;
      parts.nextTurn(run);
    },
  });
  const writer = openPausableWriter(inline, limits.writeQueueMax);
  const auth = parts.openAuth({ manifest, store, writer, mark });
  const work = openHostWork({
    // Jobs may ask of the platform what calls may.
    appParts: { ...appParts, services: auth.services },
    store,
    writer,
    commits,
    follow: (next) => inline.follow(next),
    report: (error) => parts.report(error),
    ...(parts.told === undefined ? {} : { told: parts.told }),
  });
  const opened = { app, store, isolates, writer, commits, mark, work, auth };
  return gatedBackend(parts, { ...opened, groups: () => groups });
}

/** Puts the gate and the operator's way before what they lead to. */
export function gatedBackend(
  parts: Omit<BackendParts, "openIsolates" | "migrate" | "nextTurn" | "report">,
  wired: Pick<Backend, "app" | "store" | "isolates" | "writer" | "commits" | "groups" | "work"> & {
    /** Of the store. */
    readonly mark: CommitMark;
    /** Where it was opened before. */
    readonly auth?: HostAuth;
  },
): Backend {
  const { clock, random, limits, trace, quotas } = parts;
  const { app, store, isolates, writer, commits, mark } = wired;
  const { manifest } = app;
  const { development } = trace;
  const { auth = parts.openAuth({ manifest, store, writer, mark }) } = wired;
  const { identity, services } = auth;
  const appParts = {
    manifest,
    isolates,
    clock,
    random,
    limits,
    development,
    procedures: platformProcedures,
    services,
  };
  const shared = quotas === undefined ? {} : { quotas };
  const gate = openGate({ ...appParts, ...shared, store, writer, identity, trace });
  let operator: Operator | null = null;
  return {
    ...wired,
    manifest,
    gate,
    auth,
    actor: openHostActor(appParts, { store, writer }),
    live: { watcher: gate.watcher, store, commits },
    hooks: openHookDesk({
      ...{ manifest, clock, random, limits, writer },
      ...shared,
      ...(parts.hookKeys === undefined ? {} : { keys: parts.hookKeys }),
    }),
    operator: () => (operator ??= openOperator({ ...appParts, store, writer })),
  };
}
