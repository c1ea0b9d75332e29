// Whole servers: an app of TypeScript text in a folder, real files, real sockets.
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Json } from "./base/json.ts";
import { startServer, type RunningServer, type ServerOptions } from "./main.ts";

const schema = (extra = "") => `
import { define, table, t } from "keelson";
export const { query, mutation, action, http, rules, app } = define({
  film: table({
    title: t.text({ max: 200 }),
    rating: t.number({ min: 0, max: 10 }).optional(),
    secret: t.text({ max: 50 }).optional(),${extra}
  }).index("rating").unique("title"),
});
`;
const rules = `
import { rules } from "./schema.ts";
export default rules({
  film: {
    read: () => true,
    write: ({ me }) => me.role === "staff",
    fields: { secret: { read: ({ me }) => me.role === "staff" } },
  },
});
`;
const cinema = `
import { t } from "keelson";
import { action, http, mutation, query } from "./schema.ts";
export const best = query({
  args: { atLeast: t.number() },
  allow: "anyone",
  async run({ db }, { atLeast }) {
    const films = await db.film.list({ where: { rating: { gte: atLeast } }, orderBy: "-rating" });
    return films.map((film) => film.title);
  },
});
export const add = mutation({
  args: { title: t.text({ max: 200 }) },
  allow: "anyone",
  async run({ db }, { title }) {
    const film = await db.asSystem("anyone may add").film.create({ title });
    return film.id;
  },
});
export const loop = query({ args: {}, allow: "anyone", async run() { for (;;) {} } });
export const later = action({
  args: {},
  allow: "anyone",
  async run({ run }) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    return run(add, { title: "later" });
  },
});
export const hello = http({
  method: "POST",
  path: "/hello/:name",
  allow: "anyone",
  async run(ctx, request) {
    return new Response("hello " + ctx.params.name + ": " + (await request.text()), { status: 202, headers: { "x-kind": "greeting" } });
  },
});
`;
const app = `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as cinema from "./cinema.ts";
export default app({ rules, functions: { cinema } });
`;

/** An app in a folder of its own, and servers on it. */
class Scene {
  readonly folder = mkdtempSync(join(tmpdir(), "keelson-main-"));
  readonly #open: RunningServer[] = [];

  constructor() {
    mkdirSync(join(this.folder, "keelson"));
    this.write("schema.ts", schema());
    this.write("rules.ts", rules);
    this.write("cinema.ts", cinema);
    this.write("app.ts", app);
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.folder, "keelson", file), text);
  }

  async start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
    const server = await startServer({
      appDir: this.folder,
      dataDir: join(this.folder, ".keelson"),
      port: 0,
      report: () => {},
      ...options,
    });
    this.#open.push(server);
    return server;
  }

  async end(): Promise<void> {
    for (const server of this.#open) await server.close();
    rmSync(this.folder, { recursive: true });
  }
}

interface Answer {
  readonly status: number;
  readonly body: Json & { readonly code?: string; readonly id?: string };
  readonly headers: Headers;
}

async function ask(
  server: RunningServer,
  method: string,
  path: string,
  options: { readonly body?: Json; readonly token?: string; readonly key?: string } = {},
): Promise<Answer> {
  const { body, token, key } = options;
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (key !== undefined) headers["idempotency-key"] = key;
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    body: (await response.json()) as Answer["body"],
    headers: response.headers,
  };
}

const staff = (server: RunningServer) =>
  server.signToken({ user: "user_1", role: "staff", ttlMs: 60_000 });

const scene = new Scene();
let server: RunningServer;
before(async () => {
  server = await scene.start();
});
after(() => scene.end());

test("rows are created, read, changed and deleted by who may", async () => {
  const token = await staff(server);
  const made = await ask(server, "POST", "/api/tables/film", {
    token,
    body: { title: "M", rating: 8.3, secret: "s" },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const path = made.headers.get("location") ?? "";
  const seen = await ask(server, "GET", path);
  assert.deepEqual(seen.body, { id: made.body.id, title: "M", rating: 8.3 });
  assert.equal(
    (await ask(server, "PATCH", path, { body: { rating: 9 } })).body.code,
    "RULE_DENIED",
  );
  assert.equal((await ask(server, "PATCH", path, { token, body: { rating: 9 } })).status, 200);
  const listed = await ask(server, "GET", "/api/tables/film?orderBy=-rating&limit=1");
  assert.deepEqual(listed.body, {
    rows: [{ id: made.body.id, title: "M", rating: 9 }],
    next: null,
  });
  assert.equal((await ask(server, "DELETE", path, { token })).status, 200);
  assert.equal((await ask(server, "GET", path)).body.code, "NOT_FOUND");
});

test("functions are called, also in a batch and on paths of their own", async () => {
  const added = await ask(server, "POST", "/api/fn/cinema.add", { body: { title: "Alien" } });
  assert.equal(added.status, 200, JSON.stringify(added.body));
  const token = await staff(server);
  const batch = await ask(server, "POST", "/api/batch", {
    token,
    body: {
      steps: [
        { create: "film", value: { title: "Heat", rating: 8 } },
        { call: "cinema.best", args: { atLeast: 8 } },
      ],
    },
  });
  assert.equal(batch.status, 200, JSON.stringify(batch.body));
  assert.deepEqual((batch.body as unknown as Json[])[1], ["Heat"]);
  const hello = await fetch(`${server.url}/hello/ada`, { method: "POST", body: "hi" });
  assert.equal(hello.status, 202);
  assert.equal(hello.headers.get("x-kind"), "greeting");
  assert.equal(await hello.text(), "hello ada: hi");
});

test("refusals come as problems with their codes", async () => {
  const cases: [string, string, Json | undefined, number, string][] = [
    ["POST", "/api/fn/cinema.none", {}, 404, "FUNCTION_NOT_FOUND"],
    ["GET", "/api/tables/none", undefined, 404, "TABLE_NOT_FOUND"],
    ["GET", "/api/tables/user", undefined, 404, "TABLE_NOT_FOUND"],
    ["POST", "/api/fn/cinema.best", { atLeast: "x" }, 422, "ARGUMENT_INVALID"],
    ["POST", "/api/fn/cinema.best", { atLeast: 1, more: 1 }, 422, "ARGUMENT_INVALID"],
    ["POST", "/api/tables/film", { title: "No" }, 403, "RULE_DENIED"],
    ["GET", "/api/tables/film?orderBy=secret", undefined, 403, "FIELD_NOT_READABLE"],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await ask(server, method, path, body === undefined ? {} : { body });
    assert.deepEqual([answer.status, answer.body.code], [status, code], path);
  }
  const forged = await ask(server, "GET", "/api/tables/film", { token: "a.b.c" });
  assert.equal(forged.body.code, "TOKEN_INVALID");
  assert.equal(forged.headers.get("www-authenticate"), "Bearer");
});

test("the OpenAPI document, the metrics and the health of a server are there", async () => {
  const document = await ask(server, "GET", "/api/openapi.json");
  assert.match(String((document.body as { openapi?: string }).openapi), /^3\.1/);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const valueOf = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics)?.[1]);
  assert.ok(valueOf("process_resident_memory_bytes") > 10e6);
  assert.ok(valueOf("keelson_commits_total") > 0);
  assert.ok(valueOf("keelson_database_bytes") > 0);
  assert.ok(valueOf("keelson_disk_bytes") >= valueOf("keelson_disk_free_bytes"));
  assert.deepEqual([valueOf("keelson_jobs"), valueOf("keelson_dead_jobs")], [0, 0]);
  assert.ok(Math.abs(Date.now() / 1e3 - valueOf("process_start_time_seconds")) < 600);
  assert.equal((await ask(server, "GET", "/readyz")).status, 200);
});

test("every metric is on its page, with what it is", async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  const served = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const file = new URL("../../../docs/reference/metrics.md", import.meta.url);
  const told = [...readFileSync(file, "utf8").matchAll(/^\| `(\w+)[^`]*` \| (\w+) \|/gm)];
  assert.deepEqual(served.toSorted(), told.map(([, name, type]) => `${name} ${type}`).toSorted());
});

test("a folder is one server's", async () => {
  await assert.rejects(scene.start(), { code: "DATA_LOCKED" });
  assert.equal((await ask(server, "GET", "/healthz")).status, 200);
});

test("a server that can't listen leaves nothing behind", async () => {
  const other = new Scene();
  try {
    await assert.rejects(other.start({ port: server.port }), { code: "LISTEN_FAILED" });
    await other.start();
  } finally {
    await other.end();
  }
});

test("the database is its owner's alone, also in a folder that others may read", async () => {
  const other = new Scene();
  try {
    const dataDir = join(other.folder, "shared");
    mkdirSync(dataDir);
    chmodSync(dataDir, 0o755);
    const server = await other.start({ dataDir });
    await ask(server, "POST", "/api/fn/cinema.add", { body: { title: "Ran" } });
    const files = readdirSync(dataDir).filter((name) => /^(data\.db|keys)/.test(name));
    assert.ok(files.includes("data.db-wal"));
    for (const name of files) assert.equal(statSync(join(dataDir, name)).mode & 0o777, 0o600, name);
  } finally {
    await other.end();
  }
});

test("data, keys and idempotent answers outlive a restart", async () => {
  const other = new Scene();
  try {
    const first = await other.start();
    const token = await staff(first);
    const body = { title: "Ran" };
    const made = await ask(first, "POST", "/api/tables/film", { token, body, key: "once" });
    assert.equal(made.status, 201);
    await first.close();
    assert.ok(existsSync(join(other.folder, ".keelson", "keys.json")));
    const second = await other.start();
    const again = await ask(second, "POST", "/api/tables/film", { token, body, key: "once" });
    assert.equal(again.headers.get("idempotency-replayed"), "true");
    assert.deepEqual(again.body, made.body);
    const reused = await ask(second, "POST", "/api/tables/film", {
      token,
      body: { title: "Kagemusha" },
      key: "once",
    });
    assert.equal(reused.body.code, "IDEMPOTENCY_KEY_REUSED");
  } finally {
    await other.end();
  }
});

test("an endless loop ends with its own code while other requests are answered", async () => {
  const other = new Scene();
  try {
    const running = await other.start({ limits: { cpuMsMax: 200 } });
    const [loop, quick] = await Promise.all([
      ask(running, "POST", "/api/fn/cinema.loop"),
      ask(running, "GET", "/api/tables/film"),
    ]);
    assert.equal(loop.body.code, "FUNCTION_CPU_EXCEEDED");
    assert.equal(quick.status, 200);
    const added = await ask(running, "POST", "/api/fn/cinema.add", { body: { title: "After" } });
    assert.equal(added.status, 200);
  } finally {
    await other.end();
  }
});

test("a reload serves the new version and loses no request that comes meanwhile", async () => {
  const other = new Scene();
  try {
    const running = await other.start({ mode: "development" });
    assert.equal((await running.reload()).kind, "same");
    const over = new AbortController();
    let asked = 0;
    const caller = async (): Promise<number[]> => {
      const wrong: number[] = [];
      while (!over.signal.aborted) {
        asked += 1;
        const added = await ask(running, "POST", "/api/fn/cinema.add", {
          body: { title: `f${asked}` },
        });
        if (added.status !== 200) wrong.push(added.status);
      }
      return wrong;
    };
    const callers = [caller(), caller(), caller()];
    other.write(
      "cinema.ts",
      `${cinema}export const version = query({ args: {}, allow: "anyone", async run() { return 2; } });\n`,
    );
    other.write("schema.ts", schema("\n    year: t.int().optional(),"));
    const outcome = await running.reload();
    assert.equal(outcome.kind, "replaced", JSON.stringify(outcome));
    const version = await ask(running, "POST", "/api/fn/cinema.version");
    assert.equal(version.body, 2);
    over.abort();
    assert.deepEqual((await Promise.all(callers)).flat(), []);
    const total = await ask(
      running,
      "GET",
      `/api/tables/film?aggregate=${encodeURIComponent('{"n":"count"}')}`,
    );
    assert.deepEqual(total.body, { rows: [{ n: asked }], next: null });
  } finally {
    await other.end();
  }
});

test("a reload of an app with a mistake, or of one that would lose data, leaves the old one served", async () => {
  const other = new Scene();
  try {
    const running = await other.start({ mode: "development" });
    const token = await staff(running);
    const row = { title: "M", rating: 8 };
    assert.equal(
      (await ask(running, "POST", "/api/tables/film", { token, body: row })).status,
      201,
    );
    other.write("cinema.ts", "export const broken = (;\n");
    const broken = await running.reload();
    assert.equal(broken.kind, "refused");
    if (broken.kind !== "refused") return;
    assert.equal(broken.error.code, "APP_INVALID");
    assert.equal(broken.mistakes[0]?.file, "keelson/cinema.ts");
    other.write("cinema.ts", cinema);
    other.write(
      "schema.ts",
      schema()
        .replace("rating: t.number({ min: 0, max: 10 }).optional(),", "")
        .replace('.index("rating")', ""),
    );
    const lossy = await running.reload();
    assert.equal(lossy.kind, "refused", JSON.stringify(lossy));
    const seen = await ask(running, "GET", "/api/tables/film");
    assert.equal((seen.body as unknown as { rows: { rating: number }[] }).rows[0]?.rating, 8);
    const added = await ask(running, "POST", "/api/fn/cinema.add", {
      body: { title: "Still here" },
    });
    assert.equal(added.status, 200);
  } finally {
    await other.end();
  }
});

test("an action of the version before a reload ends, and may not write any more", async () => {
  const other = new Scene();
  try {
    const running = await other.start({ limits: { reloadMsMax: 20 } });
    const acting = ask(running, "POST", "/api/fn/cinema.later");
    await ask(running, "GET", "/healthz");
    other.write(
      "cinema.ts",
      `${cinema}// changed\nexport const more = query({ args: {}, allow: "anyone", async run() { return 1; } });\n`,
    );
    assert.equal((await running.reload()).kind, "replaced");
    assert.equal((await ask(running, "POST", "/api/fn/cinema.more")).body, 1);
    const acted = await acting;
    assert.ok([200, 503].includes(acted.status), JSON.stringify(acted.body));
  } finally {
    await other.end();
  }
});

test("a server that is asked to stop answers what it accepted, and every answered write is there", async () => {
  const other = new Scene();
  try {
    const running = await other.start();
    const answered: string[] = [];
    let refused = 0;
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let count = 0; ; count++) {
        const title = `${caller}-${count}`;
        try {
          const added = await ask(running, "POST", "/api/fn/cinema.add", { body: { title } });
          if (added.status === 200) answered.push(title);
          else return void (refused += 1);
        } catch {
          return undefined;
        }
      }
    });
    while (answered.length < 50) await ask(running, "GET", "/healthz");
    assert.equal(await running.close(), true);
    await Promise.all(callers);
    const again = await other.start();
    const token = await staff(again);
    const titles = new Set<string>();
    for (let after: string | null = null; ;) {
      const more: string = after === null ? "" : `&after=${encodeURIComponent(after)}`;
      const page = (await ask(again, "GET", `/api/tables/film?limit=1000${more}`, { token }))
        .body as unknown as {
        rows: { title: string }[];
        next: string | null;
      };
      for (const { title } of page.rows) titles.add(title);
      after = page.next;
      if (after === null) break;
    }
    assert.deepEqual(
      answered.filter((title) => !titles.has(title)),
      [],
    );
  } finally {
    await other.end();
  }
});

test("a raw client sees a problem for what is no JSON, and the door goes on", async () => {
  const socket = connect(server.port, "127.0.0.1");
  socket.end(
    "POST /api/fn/cinema.best HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 1\r\n\r\n{",
  );
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  assert.match(text, /^HTTP\/1\.1 400 [\s\S]*"code":"JSON_INVALID"/);
  assert.equal((await ask(server, "GET", "/healthz")).status, 200);
});

const skip = process.platform === "win32" && "open files can't be removed there";
for (const threads of [0, 1]) {
  test(
    `a data folder that is removed under a server of ${threads} door threads takes no more writes`,
    { skip },
    async () => {
      const own = new Scene();
      try {
        const running = await own.start({ threads, mode: "production" });
        const add = (title: string) =>
          ask(running, "POST", "/api/fn/cinema.add", { body: { title } });
        const { status, body } = await add("kept");
        assert.equal(status, 200);
        rmSync(join(own.folder, ".keelson"), { recursive: true });
        for (const title of ["one", "two"]) {
          const refused = await add(title);
          assert.equal(refused.status, 500);
          assert.equal(refused.body.code, "DATA_REMOVED");
        }
        const list = await ask(running, "GET", "/api/tables/film?select=id");
        assert.deepEqual(list.body, { rows: [{ id: body }], next: null }, "reads go on");
      } finally {
        await own.end();
      }
    },
  );
}

test(
  "a data folder that is removed before a server's first write takes none",
  { skip },
  async () => {
    const own = new Scene();
    try {
      await (await own.start()).close();
      const running = await own.start({ mode: "development" });
      rmSync(join(own.folder, ".keelson"), { recursive: true });
      const refused = await ask(running, "POST", "/api/fn/cinema.add", { body: { title: "one" } });
      assert.equal(refused.body.code, "DATA_REMOVED");
    } finally {
      await own.end();
    }
  },
);
