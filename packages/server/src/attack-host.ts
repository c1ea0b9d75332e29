// Where an attack is put together: a real server on a loopback port, on a data folder that is made for it and
// removed after it. The only part of the attack that opens sockets and files; engineer/attack/ gets it as a port.
import { createHash, createHmac, createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { openTokenKeys, type TokenKeys } from "./auth/token-keys.ts";
import { signToken } from "./auth/token-sign.ts";
import type { Json } from "./base/json.ts";
import type {
  AttackSubject,
  AttackTarget,
  BadToken,
  LiveWire,
  WireAnswer,
  WireRequest,
} from "./engineer/attack/attack-target.ts";
import type { GateOperation } from "./gate/gate-request.ts";
import { anonymous } from "./gate/identity.ts";
import { startWork } from "./gate/work.ts";
import type { BuiltApp } from "./host/app-cache.ts";
import { databaseName } from "./host/backend.ts";
import { openOperatorDesk } from "./host/operator-desk.ts";
import { realDisk } from "./host/real-disk.ts";
import { openRealRandom } from "./host/real-random.ts";
import { startServer, type RunningServer } from "./main.ts";
import type { Change, Row } from "./store/store.ts";
import { backupSqlite } from "./store/sqlite/sqlite-backup.ts";

export { attackApp, type AttackOptions } from "./engineer/attack/attack.ts";
export type { AttackReport, AttackFinding } from "./engineer/attack/attack-report.ts";
export { attackOutside, type OutsideReport } from "./engineer/attack/attack-outside.ts";
export { attackHtml } from "./engineer/attack/report-html.ts";
export { attackSarif } from "./engineer/attack/report-sarif.ts";
export { attackText } from "./engineer/attack/report-text.ts";
export type { AttackTarget } from "./engineer/attack/attack-target.ts";

/** How a target is opened. */
export interface TargetOptions {
  /** Holds keelson/app.ts; only read. */
  readonly appDir: string;
  /** A data folder whose database is copied; default: an empty one is made. It is only read. */
  readonly copyOf?: string;
  /** `lifted` (default): declared rate limits do not hold, so that probes are not refused for their number. */
  readonly rateLimits?: "lifted" | "declared";
  /** Changes the app before it is attacked. */
  readonly adapt?: (app: BuiltApp) => BuiltApp;
}

const answerBytesMax = 8_388_608;
const answerMsMax = 20_000;
const tokenMs = 3_600_000;
/** A compiled guest that later targets of this process start with. */
let guestCache: string | null = null;

/** Opens an app on a data folder of its own. @throws AppInvalid and what startServer throws. */
export async function openAttackTarget(options: TargetOptions): Promise<AttackTarget> {
  const dataDir = mkdtempSync(join(tmpdir(), "keelson-attack-"));
  try {
    return await openIn(dataDir, options);
  } catch (error) {
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function openIn(dataDir: string, options: TargetOptions): Promise<AttackTarget> {
  const { appDir, copyOf, rateLimits = "lifted", adapt = (app: BuiltApp) => app } = options;
  const cache = join(dataDir, "cache");
  mkdirSync(cache, { recursive: true });
  if (guestCache !== null && existsSync(guestCache)) cpSync(guestCache, join(cache, "guest.bin"));
  if (copyOf !== undefined) {
    await backupSqlite(join(copyOf, databaseName), join(dataDir, databaseName));
  }
  const server = await startServer({
    appDir,
    dataDir,
    port: 0,
    mode: "production",
    threads: 0,
    limits: {
      anonymousPerMinuteMax: 1_000_000_000,
      callerPerMinuteMax: 1_000_000_000,
      badTokensPerMinuteMax: 1_000_000,
      traceKeepMax: 16,
    },
    report: () => {},
    adapt: (app) => (rateLimits === "lifted" ? unlimited(adapt(app)) : adapt(app)),
  });
  if (guestCache === null) guestCache = keepGuest(join(cache, "guest.bin"));
  const keys = openTokenKeys({
    disk: realDisk,
    path: join(dataDir, "keys.json"),
    random: openRealRandom(),
  });
  return new ServerTarget(server, keys, dataDir);
}

function keepGuest(file: string): string | null {
  if (!existsSync(file)) return null;
  const folder = mkdtempSync(join(tmpdir(), "keelson-guest-"));
  const kept = join(folder, "guest.bin");
  cpSync(file, kept);
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return kept;
}

/** The app without its declared rate limits. */
function unlimited(app: BuiltApp): BuiltApp {
  const { manifest } = app;
  const tables = Object.fromEntries(
    Object.entries(manifest.tables).map(([name, table]) => [name, { ...table, limits: {} }]),
  );
  const functions = Object.fromEntries(
    Object.entries(manifest.functions).map(([name, model]) => {
      const { limit, ...rest } = model;
      return [name, limit === undefined ? model : rest];
    }),
  );
  return { ...app, manifest: { ...manifest, tables, functions } };
}

class ServerTarget implements AttackTarget {
  readonly url: string;
  readonly sources: ReadonlyMap<string, string>;
  readonly #server: RunningServer;
  readonly #keys: TokenKeys;
  readonly #dataDir: string;
  readonly send: (request: WireRequest) => Promise<WireAnswer>;
  readonly #agent: Agent;

  constructor(server: RunningServer, keys: TokenKeys, dataDir: string) {
    this.url = server.url;
    this.#server = server;
    this.#keys = keys;
    this.#dataDir = dataDir;
    this.#agent = new Agent({ keepAlive: true, maxSockets: 64 });
    this.send = sender(server.url, this.#agent);
    this.sources = sourcesOf(server.current().app);
  }

  get manifest() {
    return this.#server.current().manifest;
  }

  signToken({ user, role, claims }: AttackSubject): Promise<string> {
    return signToken(this.#keys, { user, role, claims, ttlMs: tokenMs }, this.nowMs());
  }

  badTokens(subject: AttackSubject): Promise<readonly BadToken[]> {
    return badTokens(this.#keys, subject, this.nowMs());
  }

  async plant(table: string, value: Readonly<Record<string, Json>>): Promise<Row> {
    return JSON.parse(await this.#execute({ kind: "create", table, value })) as Row;
  }

  async #execute(operation: GateOperation): Promise<string> {
    const { json } = await this.#server.current().operator().execute(operation, {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
      cause: "keelson attack",
      work: startWork(),
    });
    return json;
  }

  async systemChange({
    table,
    id,
    patch,
  }: Parameters<AttackTarget["systemChange"]>[0]): Promise<void> {
    const operation =
      patch === null
        ? ({ kind: "delete", table, id } as const)
        : ({ kind: "update", table, id, value: patch } as const);
    await this.#execute(operation);
  }

  openLive(token: string | null): Promise<LiveWire> {
    return openLive(this.url, token);
  }

  async rows(table: string, max: number): Promise<readonly Row[]> {
    const rows: Row[] = [];
    let after: string | undefined;
    const { store } = this.#server.current();
    while (rows.length < max) {
      const page = await store.read((tx) =>
        tx.list(
          {
            ...{ kind: "list", from: table, limit: Math.min(1_000, max - rows.length) },
            orderBy: [{ field: "id", descending: false }],
            ...(after === undefined ? {} : { after }),
          },
          null,
        ),
      );
      rows.push(...page.rows);
      if (page.next === null) break;
      after = page.next;
    }
    return rows;
  }

  async lastSeq(): Promise<number> {
    return this.#server.current().store.lastSeq();
  }

  async commitsAfter(seq: number) {
    return this.#server.current().store.commitsAfter(seq, 10_000);
  }

  async undo(changes: readonly Change[]): Promise<void> {
    const { writer, store } = this.#server.current();
    const resume = await writer.pause();
    try {
      const group = await store.openGroup();
      const meta = { by: null, cause: "keelson attack: undo", requestId: "undo" };
      const outcome = await group.mutate(
        { ...meta, atMs: this.nowMs(), idempotency: null },
        (tx) => {
          for (const { table, id, before, after } of changes.toReversed()) {
            if (before === null) tx.delete(table, id);
            else if (after === null) tx.insert(table, before);
            else {
              const { id: _, ...fields } = before;
              tx.update(table, id, fields);
            }
          }
          return "null";
        },
      );
      await group.commit();
      if (outcome.kind === "failed") throw outcome.error;
    } finally {
      resume();
    }
  }

  async brokenInvariants(): Promise<readonly string[]> {
    const server = this.#server;
    const desk = openOperatorDesk(server.current(), {
      dataDir: this.#dataDir,
      limits: server.limits,
    });
    return (await desk.invariants()).filter(({ holds }) => !holds).map(({ name }) => name);
  }

  nowMs(): number {
    return this.#server.nowMs();
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    await this.#server.close();
    rmSync(this.#dataDir, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** A sender for any address: the outside part of an attack uses it too. */
export function sender(url: string, agent?: Agent): (request: WireRequest) => Promise<WireAnswer> {
  const send = url.startsWith("https:") ? httpsRequest : httpRequest;
  return ({ method, path, headers, body }) =>
    new Promise((resolve) => {
      const lost = (): void => resolve({ status: 0, headers: {}, text: "" });
      const asked = send(
        new URL(url).origin,
        {
          ...{ method, path, timeout: answerMsMax },
          ...(agent === undefined ? {} : { agent }),
          headers:
            body === null
              ? headers
              : { ...headers, "content-length": String(Buffer.byteLength(body)) },
        },
        (answer) => {
          const pieces: Buffer[] = [];
          let bytes = 0;
          answer.on("data", (piece: Buffer) => {
            bytes += piece.length;
            if (bytes <= answerBytesMax) pieces.push(piece);
          });
          answer.on("error", lost);
          answer.on("end", () => {
            const named = Object.entries(answer.headers).map(([name, value]) => [
              name,
              Array.isArray(value) ? value.join(", ") : (value ?? ""),
            ]);
            resolve({
              status: answer.statusCode ?? 0,
              headers: Object.fromEntries(named) as Record<string, string>,
              text: Buffer.concat(pieces).toString("utf8"),
            });
          });
        },
      );
      asked.on("timeout", () => asked.destroy());
      asked.on("error", lost);
      asked.end(body ?? undefined);
    });
}

/** How long nothing must arrive before a live connection counts as settled. */
const settleMs = 60;
/** How long a push may take on a machine with other work. */
const liveMsMax = 3_000;

function openLive(url: string, token: string | null): Promise<LiveWire> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/live`, "keelson.live.1");
  let arrived = "";
  let wake = (): void => {};
  socket.on("message", (data: Buffer) => {
    arrived += `${data.toString("utf8")}\n`;
    wake();
  });
  const take = (): string => {
    const text = arrived;
    arrived = "";
    return text;
  };
  const message = (ms: number): Promise<boolean> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ms);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "token", token }));
      resolve({
        async subscribe(id, watch) {
          socket.send(JSON.stringify({ type: "subscribe", subs: [{ id, watch }] }));
          const isThere = (): boolean =>
            arrived.includes(`"id":${id},`) || arrived.includes(`"id":${id}}`);
          while (!isThere()) if (!(await message(answerMsMax))) break;
          return take();
        },
        async until(text) {
          while (!arrived.includes(text)) if (!(await message(liveMsMax))) return false;
          return true;
        },
        async settle() {
          while (await message(settleMs));
          return take();
        },
        close: () => socket.close(),
      });
    });
  });
}

function sourcesOf({ bundle }: BuiltApp): ReadonlyMap<string, string> {
  const map = JSON.parse(bundle.map) as {
    readonly sources?: readonly string[];
    readonly sourcesContent?: readonly (string | null)[];
  };
  const found = new Map<string, string>();
  for (const [index, name] of (map.sources ?? []).entries()) {
    const text = map.sourcesContent?.[index];
    if (typeof text === "string") found.set(name, text);
  }
  return found;
}

/** Tokens of every wrong kind for somebody who exists. */
async function badTokens(
  keys: TokenKeys,
  subject: AttackSubject,
  nowMs: number,
): Promise<readonly BadToken[]> {
  const { user, role, claims } = subject;
  const good = await signToken(keys, { user, role, claims, ttlMs: tokenMs }, nowMs);
  const old = { user, role, claims, ttlMs: 60_000 };
  const [head = "", payload = "", signature = ""] = good.split(".");
  const seconds = Math.floor(nowMs / 1_000);
  const body = { sub: user, role, claims, iss: keys.issuer, aud: keys.issuer };
  const times = { iat: seconds, exp: seconds + 3_600 };
  const publicJwk = keys.signing.publicKey.export({ format: "jwk" });
  const publicPem = keys.signing.publicKey.export({ format: "pem", type: "spki" });
  const foreign = generateKeyPairSync("ed25519").privateKey;
  const { kid } = keys.signing;
  const own = (claimed: object, header: object = { alg: "EdDSA", typ: "JWT", kid }) =>
    signedWith(keys.signing.privateKey, header, claimed);
  const hmac = (secret: string) =>
    hmacToken({ alg: "HS256", typ: "JWT", kid }, { ...body, ...times }, secret);
  const list: readonly (readonly [kind: string, token: string])[] = [
    ["expired", await signToken(keys, old, nowMs - 7_200_000)],
    ["not valid yet", own({ ...body, ...times, nbf: seconds + 3_600 })],
    ["alg none", `${b64({ alg: "none", typ: "JWT" })}.${b64({ ...body, ...times })}.`],
    ["alg none, with kid", `${b64({ alg: "none", typ: "JWT", kid })}.${payload}.${signature}`],
    ["HS256 keyed with the public key", hmac(publicPem)],
    ["HS256 keyed with the public key's bytes", hmac(String(publicJwk.x))],
    ["HS256 keyed with nothing", hmac("")],
    [
      "signed by another key",
      signedWith(foreign, { alg: "EdDSA", typ: "JWT", kid }, { ...body, ...times }),
    ],
    [
      "signed by another key, its own kid",
      signedWith(foreign, { alg: "EdDSA", typ: "JWT", kid: "other" }, { ...body, ...times }),
    ],
    [
      "key in the header",
      signedWith(
        foreign,
        { alg: "EdDSA", typ: "JWT", jwk: createPublic(foreign) },
        { ...body, ...times },
      ),
    ],
    [
      "payload changed after signing",
      `${head}.${b64({ ...body, ...times, role: "admin" })}.${signature}`,
    ],
    ["signature cut off", `${head}.${payload}.`],
    [
      "signature of another token",
      `${head}.${payload}.${createHash("sha512").update(good).digest("base64url")}`,
    ],
    ["of another app (issuer)", own({ ...body, ...times, iss: "urn:keelson:other" })],
    ["for another app (audience)", own({ ...body, ...times, aud: "urn:keelson:other" })],
    ["without expiry", own({ ...body, iat: seconds })],
    ["without subject", own({ role, claims, iss: keys.issuer, aud: keys.issuer, ...times })],
    ["subject is a number", own({ ...body, ...times, sub: 1 })],
    ["role is a list", own({ ...body, ...times, role: ["admin"] })],
    [
      "claims replace id",
      own({ ...body, ...times, claims: { id: "user_00000000000000000000000000" } }),
    ],
    ["claims replace role", own({ ...body, ...times, claims: { role: "admin" } })],
    ["of another type (typ)", own({ ...body, ...times }, { alg: "EdDSA", typ: "at+jwt", kid })],
  ];
  return [
    ...list.map(([kind, token]) => ({ kind, authorization: `Bearer ${token}` })),
    { kind: "empty", authorization: "Bearer " },
    { kind: "no scheme", authorization: good },
    { kind: "Basic scheme", authorization: `Basic ${good}` },
    { kind: "no token at all", authorization: "Bearer a.b.c" },
    { kind: "two tokens", authorization: `Bearer ${good}, Bearer ${good}` },
    {
      kind: "too long",
      authorization: `Bearer ${head}.${payload}${"A".repeat(9_000)}.${signature}`,
    },
  ];
}

function createPublic(key: ReturnType<typeof createPrivateKey>): object {
  const { kty, crv, x } = key.export({ format: "jwk" });
  return { kty, crv, x };
}

function signedWith(
  key: ReturnType<typeof createPrivateKey>,
  header: object,
  payload: object,
): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${sign(null, Buffer.from(text), key).toString("base64url")}`;
}

function hmacToken(header: object, payload: object, secret: string): string {
  const text = `${b64(header)}.${b64(payload)}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

function b64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
