// For tests: an app from TypeScript text in a temporary folder, loaded into a real isolate, with a clock
// that is moved by hand and system calls that the test answers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { performance } from "node:perf_hooks";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { CallInput, CallOutcome, SystemCall } from "./app-isolate.ts";
import { bundleApp } from "./bundle.ts";
import { CpuWatchdog } from "./cpu-watchdog.ts";
import type { Egress } from "./egress.ts";
import { IsolateImage } from "./isolate-image.ts";
import { IsolatedApp, type IsolatePorts } from "./isolated-app.ts";

/** Moved by hand; durations are the machine's. */
export class HandClock implements Clock {
  ms = 1_800_000_000_000;
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>();

  nowMs(): number {
    return this.ms;
  }

  monotonicUs(): number {
    return performance.now() * 1_000;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.ms + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Moves on, running what comes due, and lets promises settle after each. */
  async move(ms: number): Promise<void> {
    const end = this.ms + ms;
    for (;;) {
      const due = [...this.#timers]
        .filter(({ atMs }) => atMs <= end)
        .toSorted((left, right) => left.atMs - right.atMs)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.ms = Math.max(this.ms, due.atMs);
      due.run();
      await new Promise(setImmediate);
    }
    this.ms = end;
  }
}

/** Sends nothing. */
export const noEgress: Egress = {
  send: () => Promise.reject(new PlatformError("EGRESS_DENIED", { host: "none" })),
};

/** One for all tests of a file: it ends itself. */
export const watchdog = new CpuWatchdog();

/** What a system call says, whatever form it crossed in. */
export function saidBy(...[operation, payload, target]: Parameters<SystemCall>): {
  readonly [key: string]: Json;
} {
  if (operation !== "db.row") return JSON.parse(payload) as { readonly [key: string]: Json };
  return { table: target?.table ?? null, id: payload, reason: target?.reason ?? null };
}

/** Answers no system call. */
export const noSystem: SystemCall = (operation) => {
  throw new PlatformError("SYSTEM_CALL_DENIED", { operation });
};

/** How a test's app is opened. */
export interface TestAppOptions {
  readonly limits?: Partial<Limits>;
  readonly egress?: Egress;
  readonly secret?: (name: string) => string | null;
  readonly development?: boolean;
}

/** An app in an isolate. */
export interface TestApp {
  readonly app: IsolatedApp;
  readonly image: IsolateImage;
  readonly ports: IsolatePorts;
  readonly clock: HandClock;
  readonly folder: string;
  input(name: string, args?: Json, more?: Partial<CallInput>): CallInput;
  /** The outcome of a call; its errors are thrown. */
  call(name: string, args?: Json, system?: SystemCall): Promise<CallOutcome>;
  /** The result's value. */
  value(name: string, args?: Json, system?: SystemCall): Promise<Json>;
  /** The error that the call ends with. */
  error(name: string, args?: Json, system?: SystemCall): Promise<PlatformError>;
  /** Another isolate of the same image. */
  another(): IsolatedApp;
  close(): void;
}

/** `schema.ts` of every test's app, unless it brings its own. */
export const schema = `import { define, table, t } from "keelson";
export const { query, mutation, action, http, app, rules } = define({
  film: table({ title: t.text({ max: 200 }), year: t.int().optional() }),
});`;

const main = `import { app } from "./schema.ts";
import * as test from "./test.ts";
export default app({ functions: { test } });`;

/** A function of `test.ts` from the text of its body. */
export function functionText(
  kind: "query" | "mutation" | "action",
  name: string,
  body: string,
): string {
  return `export const ${name} = ${kind}({ allow: "anyone", async run(ctx: any, args: any): Promise<any> { ${body} } });`;
}

/** Text of `test.ts` with these queries: name to body. */
export function queries(bodies: Readonly<Record<string, string>>, before = ""): string {
  return moduleOf("query", bodies, before);
}

/** The same with actions. */
export function actions(bodies: Readonly<Record<string, string>>, before = ""): string {
  return moduleOf("action", bodies, before);
}

function moduleOf(
  kind: "query" | "action",
  bodies: Readonly<Record<string, string>>,
  before: string,
): string {
  const functions = Object.entries(bodies).map(([name, body]) => functionText(kind, name, body));
  const heads = `import { Refusal, t } from "keelson";\nimport { query, mutation, action, http } from "./schema.ts";`;
  return [heads, before, ...functions].join("\n");
}

const folders: string[] = [];

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** Writes an app's files. @returns its folder, which goes away with the process. */
export function writeApp(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), "keelson-isolate-"));
  folders.push(folder);
  const all = { "keelson/schema.ts": schema, "keelson/app.ts": main, ...files };
  for (const [name, text] of Object.entries(all)) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

/** Opens an app. @param test text of `keelson/test.ts`, or files. */
export async function openTestApp(
  test: string | Readonly<Record<string, string>>,
  options: TestAppOptions = {},
): Promise<TestApp> {
  const files = typeof test === "string" ? { "keelson/test.ts": test } : test;
  const folder = writeApp(files);
  const clock = new HandClock();
  const ports: IsolatePorts = {
    clock,
    limits: { ...defaultLimits, ...options.limits },
    egress: options.egress ?? noEgress,
    ...(options.secret === undefined ? {} : { secret: options.secret }),
    watchdog,
    development: options.development ?? true,
  };
  const bundle = await bundleApp({ appDir: folder, appFile: path.join(folder, "keelson/app.ts") });
  const image = await IsolateImage.of(bundle);
  const app = new IsolatedApp(image, ports);
  const made = [app];
  const input = (name: string, args: Json = {}, more: Partial<CallInput> = {}): CallInput => ({
    name: `test.${name}`,
    kind: app.spec.functions[`test.${name}`]?.kind ?? "query",
    argsJson: JSON.stringify(args),
    me: Object.freeze({ id: null, role: null }),
    nowMs: clock.nowMs(),
    seed: "seed",
    requestId: "request-1",
    ...more,
  });
  const call = async (name: string, args?: Json, system = noSystem): Promise<CallOutcome> =>
    app.call(input(name, args), system);
  return {
    app,
    image,
    ports,
    clock,
    folder,
    input,
    call,
    async value(name, args, system) {
      return JSON.parse((await call(name, args, system)).resultJson) as Json;
    },
    async error(name, args, system) {
      try {
        await call(name, args, system);
      } catch (error) {
        if (error instanceof PlatformError) return error;
        throw error;
      }
      throw new Error(`${name} did not fail`);
    },
    another() {
      const next = new IsolatedApp(image, ports);
      made.push(next);
      return next;
    },
    close() {
      for (const one of made) one.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
