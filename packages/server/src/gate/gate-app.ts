// One state of the app, ready to serve: its rules and validators compiled, its functions by name, what it
// runs them with. A thread has one for reading and calling, and the writer has one.
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import { TypeIds, typeIdPrefix } from "../base/type-id.ts";
import { timeOfMs } from "../model/field-time.ts";
import type { Manifest } from "../model/manifest.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { openRightsBook, type RightsBook } from "./caller-rights.ts";
import { compileFunctions, type CheckedFunction } from "./checked-function.ts";
import type { FunctionRunner } from "./function-runner.ts";
import { GuardedDb } from "./guarded-db.ts";
import type { Caller } from "./identity.ts";
import type { ReadRecorder } from "./read-recorder.ts";
import { compileTables, type Authority, type RuledTable } from "./table-rules.ts";
import type { Work } from "./work.ts";

/** What an app is served with. */
export interface GateAppParts {
  readonly manifest: Manifest;
  readonly isolates: FunctionRunner;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  /** Whether denials are explained in traces, and failures of the app told in full. */
  readonly development: boolean;
}

/** An app, compiled. */
export interface GateApp extends GateAppParts {
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly functions: ReadonlyMap<string, CheckedFunction>;
  readonly rights: RightsBook;
  readonly newId: (table: string) => string;
}

/** Compiles a manifest. */
export function openGateApp(parts: GateAppParts): GateApp {
  const { manifest, clock, random, limits } = parts;
  const tables = compileTables(manifest);
  const ids = new TypeIds(() => clock.nowMs(), random);
  return {
    ...parts,
    tables,
    functions: compileFunctions(manifest),
    rights: openRightsBook(tables, limits),
    newId: (table) => ids.next(typeIdPrefix(table)),
  };
}

/** One request (or job) as it runs: who, when, under which name. */
export interface Run {
  readonly app: GateApp;
  readonly caller: Caller;
  readonly nowMs: number;
  readonly requestId: string;
  readonly work: Work;
  /** Told of every read that this run makes. */
  readonly reads?: ReadRecorder;
  /** `system`: rules are skipped throughout; for invariants only. */
  readonly authority: Authority;
  /** Network address of the caller; absent for the operator. */
  readonly address?: string;
  /** Why the transaction may not be kept, whatever the function makes of it. */
  spoiled: { readonly error: unknown } | null;
}

/** The data of a run on a transaction. @param writeTx the same transaction when it may write. */
export function openDb(run: Run, tx: ReadTx, writeTx: WriteTx | null): GuardedDb {
  const { app, caller, nowMs, work } = run;
  const now = timeText(nowMs);
  return new GuardedDb({
    manifest: app.manifest,
    tables: app.tables,
    limits: app.limits,
    tx,
    writeTx,
    caller,
    reach: app.rights.reach(caller, now),
    now,
    work,
    reads: run.reads ?? null,
    newId: app.newId,
    development: app.development,
  });
}

let lastMs = 0;
let lastText = timeOfMs(0);

/** A time as text. Requests of the same millisecond share it: on a busy server that is most of them. */
export function timeText(ms: number): string {
  if (ms !== lastMs) {
    lastText = timeOfMs(ms);
    lastMs = ms;
  }
  return lastText;
}
