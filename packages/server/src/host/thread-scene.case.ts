// For tests: a server of several threads on an app of its own, and clients whose connections end up on any of
// them. A connection is one socket that is kept: the system decides which door it belongs to.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openTokenKeys } from "../auth/token-keys.ts";
import { signToken } from "../auth/token-sign.ts";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { openTraceLog, type Trace } from "../gate/trace-log.ts";
import { openAppSource, type AppSource } from "./app-source.ts";
import { openHostGauges } from "./host-gauges.ts";
import { lazyIdentity } from "./lazy-identity.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealRandom } from "./real-random.ts";
import { SpareThreads } from "./server-thread.ts";
import { ThreadServer } from "./thread-server.ts";

const schema = (extra: string) => `
import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({
  note: table({ text: t.text({ max: 200 })${extra} }),
  counter: table({ value: t.int() }),
});
`;
const files = {
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({
  note: { read: () => true, create: () => true },
  counter: { read: () => true, create: () => true },
});
`,
  "work.ts": `
import { t } from "keelson";
import { mutation, query } from "./schema.ts";
export const raise = mutation({
  args: { counter: t.id("counter") },
  allow: "anyone",
  returns: t.int(),
  async run({ db }, { counter }) {
    const all = db.asSystem("it is everybody's");
    const row = await all.counter.get(counter);
    await all.counter.update(counter, { value: row.value + 1 });
    return row.value + 1;
  },
});
export const value = query({
  args: { counter: t.id("counter") },
  allow: "anyone",
  returns: t.int(),
  async run({ db }, { counter }) {
    return (await db.counter.get(counter)).value;
  },
});
export const rare = query({
  args: {},
  allow: "anyone",
  limit: { perUser: "10/hour" },
  returns: t.int(),
  async run() {
    return 1;
  },
});
export const slow = mutation({
  args: {},
  allow: "anyone",
  returns: t.nothing(),
  async run({ db }) {
    let sum = 0;
    for (let index = 0; index < 1_000_000; index++) sum += index;
    await db.note.create({ text: String(sum) });
  },
});
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });
`,
};

/** An answer; status 0: the connection broke. */
export interface SceneAnswer {
  readonly status: number;
  readonly body: Json & { readonly code?: string; readonly id?: string };
  readonly text: string;
}

/** One connection. */
export class SceneConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #url: () => string;

  constructor(url: () => string) {
    this.#url = url;
  }

  ask(
    method: string,
    path: string,
    options: { readonly body?: Json; readonly key?: string; readonly token?: string } = {},
  ): Promise<SceneAnswer> {
    const { body, key, token } = options;
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    return new Promise((resolve) => {
      const broken = () => resolve({ status: 0, body: null as never, text: "" });
      const asked = request(`${this.#url()}${path}`, { method, headers, agent: this.#agent });
      asked.on("error", broken);
      asked.on("response", (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part: string) => (text += part));
        response.on("error", broken);
        response.on("end", () => {
          const isJson = (response.headers["content-type"] ?? "").includes("json");
          const body = (isJson ? JSON.parse(text) : null) as SceneAnswer["body"];
          resolve({ status: response.statusCode ?? 0, body, text });
        });
      });
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** A server of threads. */
export class ThreadScene {
  readonly folder = mkdtempSync(join(tmpdir(), "keelson-threads-"));
  readonly reports: unknown[] = [];
  readonly traces: Trace[] = [];
  readonly limits: Limits;
  readonly #connections: SceneConnection[] = [];
  readonly #doors: number;
  #source: AppSource | null = null;
  #server: ThreadServer | null = null;

  constructor(options: { readonly doors?: number; readonly limits?: Partial<Limits> } = {}) {
    this.#doors = options.doors ?? 2;
    this.limits = {
      ...defaultLimits,
      anonymousPerMinuteMax: 1_000_000,
      callerPerMinuteMax: 1_000_000,
      ...options.limits,
    };
    mkdirSync(join(this.folder, "keelson"));
    mkdirSync(join(this.folder, "data"));
    this.writeSchema("");
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  get server(): ThreadServer {
    return this.#server as ThreadServer;
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, "keelson", name), text);
  }

  /** @param extra more fields of note. */
  writeSchema(extra: string): void {
    this.write("schema.ts", schema(extra));
  }

  async start(): Promise<void> {
    const random = openRealRandom();
    const dataDir = join(this.folder, "data");
    const trace = openTraceLog({ keepMax: 16 });
    openTokenKeys({ disk: realDisk, path: join(dataDir, "keys.json"), random });
    const source = openAppSource({
      appDir: this.folder,
      dataDir,
      disk: realDisk,
      clock: realClock,
      limits: this.limits,
      mode: "production",
    });
    this.#source = source;
    this.#server = new ThreadServer({
      spares: new SpareThreads([]),
      app: await source.build(),
      source,
      clock: realClock,
      random,
      limits: this.limits,
      openAuth: () => ({
        identity: lazyIdentity(() => Promise.reject(new Error("nobody signs in here"))),
        services: new Map(),
        service: () => Promise.reject(new Error("nobody signs in here")),
      }),
      trace,
      dataDir,
      migrate: "auto-safe",
      nextTurn: setImmediate,
      options: {},
      appDir: this.folder,
      host: "127.0.0.1",
      port: 0,
      doors: this.#doors,
      gauges: openHostGauges(),
      onTrace: (trace) => this.traces.push(trace),
      report: (error) => this.reports.push(error),
    });
    await this.#server.start();
  }

  /** The app as its files are now. */
  async reload(): Promise<void> {
    await this.server.reload(await (this.#source as AppSource).build());
  }

  connect(): SceneConnection {
    const connection = new SceneConnection(() => this.server.url);
    this.#connections.push(connection);
    return connection;
  }

  connectMany(count: number): readonly SceneConnection[] {
    return Array.from({ length: count }, () => this.connect());
  }

  token(user: string): Promise<string> {
    const path = join(this.folder, "data", "keys.json");
    const keys = openTokenKeys({ disk: realDisk, path, random: openRealRandom() });
    return signToken(keys, { user, role: null, ttlMs: 600_000 }, realClock.nowMs());
  }

  /** Resolves when every thread serves. */
  async untilReady(): Promise<void> {
    while (!this.server.isReady()) await new Promise((done) => setTimeout(done, 5));
  }

  async close(): Promise<boolean> {
    const closed = await this.#server?.close();
    this.#server = null;
    for (const connection of this.#connections.splice(0)) connection.close();
    await this.#source?.close();
    return closed ?? true;
  }

  async end(): Promise<void> {
    await this.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs with a server, and ends it. */
export async function withThreads(
  options: ConstructorParameters<typeof ThreadScene>[0],
  run: (scene: ThreadScene) => Promise<void>,
): Promise<void> {
  const scene = new ThreadScene(options);
  try {
    await scene.start();
    await run(scene);
  } finally {
    await scene.end();
  }
}
