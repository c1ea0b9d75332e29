// For tests: a club with rooms, members and messages behind a whole server, where every kind of right stands
// once: rows by owner, by membership, by reference, by time; fields by row and by caller; private fields.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Json } from "../base/json.ts";
import { startServer, type RunningServer, type ServerOptions } from "../main.ts";
import { LiveClient } from "./live-client.case.ts";

/** The source of the club. */
export const clubFiles: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, action, rules, app } = define({
  user: table({ name: t.text({ max: 50 }), role: t.text({ max: 20 }).optional() }),
  nothing: table({ text: t.text({ max: 10 }) }),
  room: table({
    name: t.text({ max: 50 }),
    owner: t.ref("user").optional(),
    open: t.bool().default(false),
    opensAt: t.time().optional(),
  }).index("owner").index("opensAt"),
  member: table({ room: t.ref("room", { onDelete: "cascade" }), user: t.ref("user") }).index("user").index("room"),
  message: table({
    room: t.ref("room", { onDelete: "cascade" }),
    author: t.ref("user"),
    text: t.text({ max: 200 }),
    score: t.int().default(0),
    secret: t.text({ max: 50 }).optional(),
    code: t.text({ max: 50 }).optional().private(),
  }).index("room", "score").search("text"),
  film: table({ title: t.text({ max: 100 }), rating: t.int().optional(), hall: t.text({ max: 10 }).optional(), budget: t.int().optional() })
    .index("rating").index("hall"),
  notice: table({ text: t.text({ max: 100 }), from: t.time(), until: t.time().optional() }).index("from"),
  guard: table({ user: t.ref("user"), until: t.time() }).index("user").index("until"),
  vault: table({ text: t.text({ max: 100 }) }),
});
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({
  nothing: { read: () => true },
  user: { read: ({ row, me }) => row.id === me.id || me.role === "staff", write: ({ me }) => me.role === "staff" },
  room: {
    read: ({ row, me, db, now }) => row.open || row.owner === me.id || me.role === "staff" ||
      (row.opensAt !== null && row.opensAt <= now) ||
      db.member.some((m) => m.room === row.id && m.user === me.id),
    write: ({ me }) => me.role === "staff",
  },
  member: { read: ({ row, me }) => row.user === me.id || me.role === "staff", write: ({ me }) => me.role === "staff" },
  message: {
    read: ({ row, me, db }) => row.room.owner === me.id || me.role === "staff" ||
      db.member.some((m) => m.room === row.room && m.user === me.id),
    write: ({ me }) => me.role === "staff",
    fields: {
      secret: { read: ({ row, me }) => row.author === me.id },
      score: { read: ({ me }) => me.role !== "guest" },
    },
  },
  film: {
    read: () => true,
    write: ({ me }) => me.role === "staff",
    fields: { budget: { read: ({ me, db }) => db.user.some((u) => u.id === me.id && u.role === "boss") } },
  },
  notice: { read: ({ row, now }) => row.from <= now && (row.until === null || now < row.until), write: ({ me }) => me.role === "staff" },
  guard: { read: () => true, write: ({ me }) => me.role === "staff" },
  vault: { read: ({ me, db, now }) => db.guard.some((g) => g.user === me.id && g.until > now), write: ({ me }) => me.role === "staff" },
});
`,
  "club.ts": `
import { t, Refusal } from "keelson";
import { action, mutation, query } from "./schema.ts";
export const halls = query({
  args: { hall: t.text() }, allow: "anyone",
  async run({ db }, { hall }) {
    const films = await db.asSystem("halls are no secret").film.list({ where: { hall }, orderBy: "title" });
    return films.map((film) => ({ title: film.title, long: film.title.length > 5 }));
  },
});
export const board = query({
  args: {}, allow: "signed-in",
  async run({ db, run, me }) {
    const rooms = await db.room.list({ orderBy: "name" });
    const counts = [];
    for (const room of rooms) counts.push([room.name, (await db.message.list({ where: { room: room.id } })).length]);
    return { me: me.id, counts };
  },
});
export const strict = query({
  args: { title: t.text() }, allow: "anyone",
  async run({ db }, { title }) {
    const films = await db.film.list({ where: { title } });
    if (films.length === 0) throw new Refusal("NO_FILM", "there is no such film");
    return films.length;
  },
});
export const staffOnly = query({ args: {}, allow: { role: ["staff"] }, run: async ({ db }) => (await db.film.list({})).length });
export const add = mutation({
  args: { title: t.text() }, allow: "anyone",
  run: async ({ db }, { title }) => (await db.asSystem("anyone adds").film.create({ title })).id,
});
export const act = action({ args: {}, allow: "anyone", run: async ({ run }) => run(halls, { hall: "A" }) });
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as club from "./club.ts";
export default app({ rules, functions: { club }, cors: ["https://club.example"] });
`,
};

/** Who asks: a user id with a role, or null for nobody. */
export type Who = { readonly id: string; readonly role?: string } | null;

/** A club behind a server. */
export class LiveScene {
  readonly folder: string;
  readonly server: RunningServer;
  readonly staff: string;
  readonly #clients: LiveClient[] = [];

  private constructor(folder: string, server: RunningServer, staff: string) {
    this.folder = folder;
    this.server = server;
    this.staff = staff;
  }

  static async open(options: Partial<ServerOptions> = {}): Promise<LiveScene> {
    const folder = mkdtempSync(join(tmpdir(), "keelson-live-"));
    mkdirSync(join(folder, "keelson"));
    for (const [name, text] of Object.entries(clubFiles)) {
      writeFileSync(join(folder, "keelson", name), text);
    }
    const server = await startServer({
      appDir: folder,
      dataDir: join(folder, "data"),
      mode: "development",
      port: 0,
      ...options,
      limits: {
        callerPerMinuteMax: 1_000_000,
        anonymousPerMinuteMax: 1_000_000,
        ...options.limits,
      },
    });
    const staff = await server.signToken({ user: "staff", role: "staff", ttlMs: 3_600_000 });
    return new LiveScene(folder, server, staff);
  }

  async token(who: Who, ttlMs = 3_600_000): Promise<string | null> {
    if (who === null) return null;
    return this.server.signToken({ user: who.id, role: who.role ?? null, ttlMs });
  }

  /** A live connection of somebody; closed with the scene. */
  async client(who: Who): Promise<LiveClient> {
    const client = await LiveClient.open(this.server.url, await this.token(who));
    this.#clients.push(client);
    return client;
  }

  /** A request over HTTP. @returns status and body. */
  async http(
    method: string,
    path: string,
    body: Json | undefined,
    token: string | null,
  ): Promise<{ readonly status: number; readonly body: Json }> {
    const response = await fetch(this.server.url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  }

  /** A new row, by the staff. @returns its id. */
  async add(table: string, value: Json): Promise<string> {
    const { status, body } = await this.http("POST", `/api/tables/${table}`, value, this.staff);
    if (status !== 201) throw new Error(`not created: ${JSON.stringify(body)}`);
    return (body as { readonly id: string }).id;
  }

  async set(table: string, id: string, value: Json): Promise<void> {
    const { status, body } = await this.http(
      "PATCH",
      `/api/tables/${table}/${id}`,
      value,
      this.staff,
    );
    if (status !== 200) throw new Error(`not changed: ${JSON.stringify(body)}`);
  }

  async drop(table: string, id: string): Promise<void> {
    const { status, body } = await this.http(
      "DELETE",
      `/api/tables/${table}/${id}`,
      undefined,
      this.staff,
    );
    if (status !== 200) throw new Error(`not deleted: ${JSON.stringify(body)}`);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.socket.close();
    await this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
