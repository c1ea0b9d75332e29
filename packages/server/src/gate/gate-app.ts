// One state of the app, ready to serve: its rules and validators compiled, its functions by name, what it
// runs them with. A thread has one for reading and calling, and the writer has one.
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";
import { TypeIds, typeIdPrefix } from "../base/type-id.ts";
import { timeOfMs } from "../model/field-time.ts";
import type { Manifest } from "../model/manifest.ts";
import { withPlatformTables } from "../model/platform-tables.ts";
import type { ReadTx, WriteTx } from "../store/store.ts";
import { openRightsBook, type RightsBook } from "./caller-rights.ts";
import { compileFunctions, type CheckedFunction } from "./checked-function.ts";
import type { FunctionRunner, WorkflowCode } from "./function-runner.ts";
import { GuardedDb } from "./guarded-db.ts";
import type { Caller } from "./identity.ts";
import type { ReadRecorder } from "./read-recorder.ts";
import { RowHabits } from "./row-habits.ts";
import { compileTables, type Authority, type RuledTable } from "./table-rules.ts";
import type { JobInfo, WorkOrigin } from "./work-origin.ts";
import type { Work } from "./work.ts";

/** What an app is served with. */
export interface GateAppParts {
  readonly manifest: Manifest;
  readonly isolates: FunctionRunner;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly limits: Limits;
  /** Transactions of the platform's own. Default: none. */
  readonly procedures?: Procedures;
  /** Default: workflows run on `isolates`, whatever code they began with. */
  readonly workflowCode?: WorkflowCode;
  /** What actions and http functions may ask of the platform. Default: nothing. */
  readonly services?: Services;
  /** Whether denials are explained in traces, and failures of the app told in full. */
  readonly development: boolean;
}

/** An app, compiled. */
export interface GateApp extends GateAppParts {
  readonly tables: ReadonlyMap<string, RuledTable>;
  readonly functions: ReadonlyMap<string, CheckedFunction>;
  readonly rights: RightsBook;
  readonly newId: (table: string) => string;
  readonly habits: RowHabits;
  /** Seeds a call's random numbers: 128 bits, hex. */
  readonly nextSeed: () => string;
}

/** Compiles a manifest. */
export function openGateApp(parts: GateAppParts): GateApp {
  const { clock, random, limits } = parts;
  const manifest = withPlatformTables(parts.manifest);
  const tables = compileTables(manifest);
  const ids = new TypeIds(() => clock.nowMs(), random);
  const prefixes = new Map([...tables.keys()].map((table) => [table, typeIdPrefix(table)]));
  return {
    ...parts,
    manifest,
    tables,
    functions: compileFunctions(manifest),
    rights: openRightsBook(tables, limits),
    newId: (table) => ids.next(prefixes.get(table) ?? typeIdPrefix(table)),
    habits: new RowHabits(),
    nextSeed: openSeeds(parts.random),
  };
}

const seedBytes = 16;
const seedsPerDraw = 64;

/** Seeds are drawn many at a time: one by one they cost as much as a read. */
function openSeeds(random: RandomSource): () => string {
  let drawn = "";
  let at = 0;
  return () => {
    if (at === drawn.length) {
      drawn = Buffer.from(random.bytes(seedBytes * seedsPerDraw)).toString("hex");
      at = 0;
    }
    at += 2 * seedBytes;
    return drawn.slice(at - 2 * seedBytes, at);
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
  /** What the caller's program calls itself; absent or null: it does not say. */
  readonly userAgent?: string | null;
  /** Whether the caller came over https, as far as is known. Absent: no. */
  readonly isSecure?: boolean;
  /** What it was caused by; absent where nothing can be started. */
  readonly origin?: WorkOrigin;
  /** The job that it runs for. */
  readonly job?: JobInfo | undefined;
  /** How much work this transaction has started: shared by all that runs in it. */
  readonly started?: { count: number };
  /** Why the transaction may not be kept, whatever the function makes of it. */
  spoiled: { readonly error: unknown } | null;
}

/** What a procedure works with. */
export interface ProcedureScope {
  /** Who called, when, with which app; `run.app.random`, `run.app.newId` for what must not be guessed. */
  readonly run: Run;
  /** Rows as they are: no rule, no validation. */
  readonly tx: WriteTx;
  /** Rows through the guard; pass the authority "system" for rows of the platform. */
  readonly db: GuardedDb;
}

/** One script. Deterministic but for `run.app.random` and `run.app.newId`. What it throws undoes all it wrote. */
export interface Procedure {
  run(scope: ProcedureScope, input: Json): Later<Json>;
  /** Whether functions of the app may call it: mutations within their transaction, actions in one of its own. */
  readonly forFunctions?: true;
}

/** All procedures of a server, by name: `auth.signUp`, `work.emit`. */
export type Procedures = ReadonlyMap<string, Procedure>;

/** What the platform does for actions and http functions outside any transaction, by its name as a system call; it may take its time. @returns JSON. @throws what the function is told. */
export type Service = (run: Run, input: { readonly [key: string]: Json }) => Promise<Json>;

/** All services, by name: `auth.verifyPassword`. */
export type Services = ReadonlyMap<string, Service>;

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
