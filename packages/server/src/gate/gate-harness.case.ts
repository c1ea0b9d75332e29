// For tests: a whole app behind a real gate, from TypeScript source text in a temporary folder. Real store,
// real rules, real validators; the clock is moved by the test, and callers are who they say they are.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { AppSpec } from "@keelson/sdk/spec";
import type { Clock } from "../base/clock.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { bundleApp } from "../isolate/bundle.ts";
import { CpuWatchdog } from "../isolate/cpu-watchdog.ts";
import type { Egress } from "../isolate/egress.ts";
import { IsolateImage } from "../isolate/isolate-image.ts";
import { IsolatedApp } from "../isolate/isolated-app.ts";
import { buildManifest } from "../model/manifest-build.ts";
import type { Manifest } from "../model/manifest.ts";
import { readRules } from "../model/rule-parse.ts";
import { commitMarkMemory, openCommitMark, type CommitMark } from "../store/commit-mark.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { FunctionRunner } from "./function-runner.ts";
import { openExecuteWrite } from "./execute-write.ts";
import { openGateApp, openDb, type GateAppParts, type Run } from "./gate-app.ts";
import type { GateAnswer, GateOperation } from "./gate-request.ts";
import { openGate, type WatchedGate } from "./gate.ts";
import type { GuardedDb } from "./guarded-db.ts";
import { anonymous, type Caller, type Identity } from "./identity.ts";
import { openInlineWriter, type DirectWriter } from "./inline-writer.ts";
import type { Procedures, Services } from "./gate-app.ts";
import { openTraceLog, type Trace, type TraceLog } from "./trace-log.ts";
import { verifyInvariants, type InvariantReport } from "./verify-invariants.ts";
import { startWork } from "./work.ts";

/** A clock that stands still until it is moved. */
export class HarnessClock implements Clock {
  ms: number;
  /** By so much the wall's time was set: that of durations goes on as it was. */
  setMs = 0;
  constructor(ms: number) {
    this.ms = ms;
  }
  nowMs(): number {
    return this.ms;
  }
  monotonicUs(): number {
    return (this.ms - this.setMs) * 1_000;
  }
  /** Deadlines of calls are set and never come: time stands still. */
  after(): () => void {
    return () => {};
  }
}

/** Who asks: null is nobody; else a user's id with role and claims. */
export type Asker = null | {
  readonly id: string;
  readonly role?: string | null;
  readonly [claim: string]: Json | undefined;
};

/** What came of a request. */
export interface Outcome {
  readonly status: number;
  /** Null: it was answered. */
  readonly code: string | null;
  /** The answer's text, or that of the refusal's details. */
  readonly text: string;
  readonly answer: GateAnswer | null;
  readonly error: PlatformError | null;
}

/** An app to ask. */
export interface GateHarness {
  readonly gate: WatchedGate;
  readonly writer: DirectWriter;
  readonly store: Store;
  readonly manifest: Manifest;
  readonly clock: HarnessClock;
  readonly trace: TraceLog;
  readonly limits: Limits;
  /** What the gate was opened with. */
  readonly parts: GateAppParts;
  /** Asks and tells what came of it; never throws for a refusal. */
  ask(
    who: Asker,
    operation: GateOperation,
    more?: { readonly key?: string; readonly mayBeRepeat?: boolean; readonly address?: string },
  ): Promise<Outcome>;
  /** The answer's value. Fails when it is refused. */
  value(who: Asker, operation: GateOperation): Promise<Json>;
  /** Asks the app's invariants. */
  verify(): Promise<readonly InvariantReport[]>;
  /** Runs as the system, in one transaction. */
  asSystem<T>(body: (db: GuardedDb) => T): Promise<T>;
  /** The trace of the last request. */
  lastTrace(): Trace;
  close(): Promise<void>;
}

/** How an app is opened. */
export interface HarnessOptions {
  /** TypeScript by path in the app's folder; `app.ts` gives the app. "keelson" is the SDK. */
  readonly files: Readonly<Record<string, string>>;
  readonly limits?: Partial<Limits>;
  readonly development?: boolean;
  /** Runs functions in real isolates; otherwise the app is evaluated here, which is faster. Default: false. */
  readonly functions?: boolean;
  /** Transactions of the platform's own. Default: none. */
  readonly procedures?: Procedures;
  /** What actions and http functions may ask of the platform, given the ports it works on. Default: nothing. */
  readonly open?: (world: HarnessWorld) => {
    readonly identity: Identity;
    readonly services?: Services;
  };
  /** Wraps the store, to make it fail. */
  readonly wrapStore?: (store: Store) => Store;
}

/** What an identity of its own is opened on. */
export interface HarnessWorld {
  readonly manifest: Manifest;
  readonly store: Store;
  readonly writer: DirectWriter;
  readonly mark: CommitMark;
  readonly clock: HarnessClock;
  readonly limits: Limits;
}

const sdk = new URL("../../../sdk/src/index.ts", import.meta.url).href;
let opened = 0;

/** Opens an app. Close it at the end. */
export async function openGateHarness(options: HarnessOptions): Promise<GateHarness> {
  const folder = mkdtempSync(path.join(tmpdir(), "keelson-gate-"));
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const clock = new HarnessClock(1_800_000_000_000);
  const random = countingRandom(++opened);
  const appDir = path.join(folder, "app");
  writeApp(appDir, options.files);
  const isolates =
    options.functions === true
      ? await openIsolates({ appDir, clock, limits })
      : await evaluated(appDir);
  const sources = new Map(Object.entries(options.files));
  const read = readRules({ sources, spec: isolates.spec });
  const manifest = buildManifest(isolates.spec, read, "test");
  const mark = openCommitMark(commitMarkMemory());
  const opening = openSqliteStore({
    path: path.join(folder, "data.db"),
    manifest,
    limits,
    clock,
    mark,
  });
  const store = options.wrapStore?.(opening) ?? opening;
  const trace = openTraceLog({ keepMax: 100, development: options.development ?? true });
  const { development } = trace;
  const procedures = options.procedures ?? new Map();
  const parts = { manifest, isolates, clock, random, limits, development, procedures };
  const execute = openExecuteWrite(parts);
  const writer = openInlineWriter({ store, execute, clock, limits, nextTurn: setImmediate });
  const world = options.open?.({ manifest, store, writer, mark, clock, limits });
  const identity = world?.identity ?? honestIdentity;
  const services = world?.services ?? new Map();
  const gate = openGate({ ...parts, services, store, writer, identity, trace });
  const system = openGateApp(parts);
  let requests = 0;

  async function ask(
    who: Asker,
    operation: GateOperation,
    more: {
      readonly key?: string;
      readonly mayBeRepeat?: boolean;
      readonly address?: string;
    } = {},
  ): Promise<Outcome> {
    try {
      const answer = await gate.handle({
        operation,
        authorization: who === null ? null : JSON.stringify(who),
        cookie: null,
        idempotencyKey: more.key ?? null,
        mayBeRepeat: more.mayBeRepeat ?? false,
        address: more.address ?? "192.0.2.1",
        requestId: `req_${++requests}`,
        cause: "test",
      });
      return { status: 200, code: null, text: answer.json, answer, error: null };
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const text = `${error.message} ${JSON.stringify(error.details)}`;
      return { status: error.status, code: error.code, text, answer: null, error };
    }
  }

  return {
    gate,
    writer,
    store,
    manifest,
    clock,
    trace,
    limits,
    parts,
    ask,
    async value(who, operation) {
      const outcome = await ask(who, operation);
      assert.equal(outcome.code, null, `${outcome.code} ${outcome.text}`);
      return JSON.parse(outcome.text) as Json;
    },
    async asSystem(body) {
      let result: ReturnType<typeof body> | undefined;
      const group = opening.openGroup();
      const meta = {
        by: null,
        cause: "seed",
        requestId: "seed",
        atMs: clock.ms,
        idempotency: null,
      };
      const outcome = await group.mutate(meta, (tx) => {
        const run: Run = {
          app: system,
          caller: anonymous,
          nowMs: clock.ms,
          requestId: "seed",
          work: startWork(),
          authority: "system",
          spoiled: null,
        };
        result = body(openDb(run, tx, tx));
        return "null";
      });
      if (outcome.kind === "failed") throw outcome.error;
      await group.commit();
      return result as ReturnType<typeof body>;
    },
    verify: async () => verifyInvariants({ ...parts, store }),
    lastTrace: () => trace.recent(1)[0] ?? assert.fail("no request yet"),
    async close() {
      await writer.drain();
      await store.close();
      isolates.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Functions of an app, and what it declares. */
interface HarnessIsolates extends FunctionRunner {
  readonly spec: AppSpec;
  dispose(): void;
}

function writeApp(appDir: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(appDir);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(appDir, name), text);
}

/** Evaluates an app in this process, for tests that call no functions. */
async function evaluated(appDir: string): Promise<HarnessIsolates> {
  for (const name of readdirSync(appDir)) {
    const file = path.join(appDir, name);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replaceAll('"keelson"', JSON.stringify(sdk)));
  }
  const module = (await import(pathToFileURL(path.join(appDir, "app.ts")).href)) as {
    default: { spec: AppSpec };
  };
  return {
    spec: module.default.spec,
    call: () => assert.fail("this harness runs no functions"),
    dispose: () => {},
  };
}

/** Real isolates, as many as calls are nested. */
async function openIsolates(options: {
  readonly appDir: string;
  readonly clock: HarnessClock;
  readonly limits: Limits;
}): Promise<HarnessIsolates> {
  const { appDir, clock, limits } = options;
  const bundle = await bundleApp({ appDir, appFile: path.join(appDir, "app.ts") });
  const image = await IsolateImage.of(bundle);
  watchdog ??= new CpuWatchdog();
  const ports = { clock, limits, egress: noNetwork, watchdog, development: true };
  const isolates = [new IsolatedApp(image, ports)];
  return {
    spec: isolates[0]?.spec ?? assert.fail("the first isolate is there"),
    call(input, system) {
      let free = isolates.find((isolate) => isolate.alive && !isolate.isEntered);
      if (free === undefined) {
        free = new IsolatedApp(image, ports);
        isolates.push(free);
      }
      return free.call(input, system);
    },
    dispose() {
      for (const isolate of isolates) isolate.dispose();
    },
  };
}

/** One for all harnesses of a process, as on a host. */
let watchdog: CpuWatchdog | null = null;

const noNetwork: Egress = { send: () => assert.fail("nothing here reaches the network") };

/** Callers say who they are; the same words are the same Caller. */
const honestIdentity: Identity = {
  known: () => null,
  identify(authorization) {
    if (authorization === null) return anonymous;
    const text = authorization.replace(/^Bearer /, "");
    if (!text.startsWith("{")) throw new PlatformError("TOKEN_INVALID");
    const { id, role = null, ...claims } = JSON.parse(text) as Exclude<Asker, null>;
    return Object.freeze({ id, role, me: { id, role, ...claims } }) as Caller;
  },
};

function countingRandom(seed: number) {
  let state = seed * 7_919 + 1;
  return {
    bytes: (count: number) =>
      Uint8Array.from({ length: count }, () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return state >>> 16;
      }),
  };
}
