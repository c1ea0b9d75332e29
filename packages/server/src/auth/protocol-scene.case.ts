// For tests: identity's protocols over a real store and writer, on a socket of this machine for clients that are not
// ours. People come in by a transaction of the scene's own; everything after that goes through the routes. The clock
// starts now and is moved by the test.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Disk } from "../base/disk.ts";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { openExecuteWrite } from "../gate/execute-write.ts";
import { anonymous } from "../gate/identity.ts";
import { openInlineWriter } from "../gate/inline-writer.ts";
import type { Procedure } from "../gate/gate-app.ts";
import { defaultAuth, type AuthModel } from "../model/auth-model.ts";
import type { Manifest, TableModel } from "../model/manifest.ts";
import { platformTables, withPlatformTables } from "../model/platform-tables.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Row } from "../store/store.ts";
import { createAccount } from "./account/account-make.ts";
import { endSession } from "./account/sessions.ts";
import { openAuthDesk, type AuthFetch, type AuthProcedure } from "./auth-desk.ts";
import { assertAccess, matchRoute } from "./auth-match.ts";
import { openAuthRates } from "./auth-rates.ts";
import type { AuthAnswer, AuthAsk } from "./auth-route.ts";
import { openAuthSecrets } from "./auth-secrets.ts";
import type { Letter } from "./mail-port.ts";
import { protocolProcedures } from "./protocol-procedures.ts";
import { protocolRoutes } from "./protocol-routes.ts";
import { cookieValue, readSessionCookie, sessionCookieName } from "./session-cookie.ts";
import { answerSignIn, draftSignIn } from "./sign-in-answer.ts";
import { finishSignIn } from "./sign-in-finish.ts";
import type { SignInDevice, SignInOutcome } from "./sign-in-proof.ts";
import { openTokenKeys } from "./token-keys.ts";

/** Somebody's browser: cookies, and nothing else. */
export class SceneBrowser {
  readonly jar = new Map<string, string>();

  header(): string {
    return [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  keep(cookies: AuthAnswer["cookies"] = []): void {
    for (const { name, value } of cookies) {
      if (value === null) this.jar.delete(name);
      else this.jar.set(name, value);
    }
  }
}

/** What came of asking. */
export interface SceneAnswer {
  readonly status: number;
  /** Of a refusal. */
  readonly code: string | null;
  readonly json: { readonly [name: string]: Json };
  readonly location: string | null;
}

const userTable: TableModel = {
  name: "user",
  fields: {
    id: { kind: "id", table: "user", immutable: true },
    name: { kind: "text", min: 0, max: 200, optional: true },
    email: { kind: "text", min: 0, max: 320, optional: true, unique: true },
    role: { kind: "text", min: 0, max: 50, optional: true },
  },
  indexes: [],
  search: [],
  checks: [],
  rules: { fields: {} },
  limits: {},
};

/** Makes somebody (or finds them) and signs them in by a password that was right. */
const comeIn: AuthProcedure<
  {
    readonly email: string | null;
    readonly emailVerified: boolean;
    readonly isGuest: boolean;
    readonly user: string | null;
    readonly device: SignInDevice;
  },
  SignInOutcome
> = {
  name: "auth.sceneComeIn",
  async run(scope, { email, emailVerified, isGuest, user, device }) {
    const made =
      user === null
        ? (await createAccount(scope, { email, emailVerified, isGuest, fields: {} })).user
        : user;
    return finishSignIn(scope, { user: made, methods: ["pwd"], isStrong: false }, device);
  },
};

/** Changes any row. */
const changeRow: AuthProcedure<
  { readonly table: string; readonly id: string; readonly patch: Row },
  null
> = {
  name: "auth.sceneChange",
  async run({ tx }, { table, id, patch }) {
    await tx.update(table, id, patch);
    return null;
  },
};

/** What a scene may be made with. */
export interface SceneOptions {
  readonly settings?: Partial<AuthModel>;
  readonly fetch?: AuthFetch;
  readonly secrets?: Readonly<Record<string, string>>;
  /** Of `user`, beside or in the place of its own. */
  readonly userFields?: TableModel["fields"];
}

/** Opens a scene. Close it. */
export async function openProtocolScene(options: SceneOptions = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), "keelson-auth-"));
  const limits = defaultLimits;
  const clock = {
    ms: Math.floor(Date.now() / 1_000) * 1_000,
    nowMs: () => clock.ms,
    monotonicUs: () => clock.ms * 1_000,
    after: () => () => {},
  };
  const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
  const settings: AuthModel = {
    ...defaultAuth,
    organisations: { roles: ["owner", "admin", "member"] },
    ...options.settings,
  };
  const manifest: Manifest = {
    version: 1,
    tables: { user: { ...userTable, fields: { ...userTable.fields, ...options.userFields } } },
    platform: platformTables,
    functions: {},
    invariants: [],
    cors: [],
    hash: "scene",
  };
  const store = openSqliteStore({
    path: path.join(folder, "data.db"),
    manifest: withPlatformTables(manifest),
    limits,
    clock,
    migrate: "safe",
  });
  const procedures = new Map<string, Procedure>(
    [
      ...protocolProcedures,
      endSession as AuthProcedure,
      comeIn as AuthProcedure,
      changeRow as AuthProcedure,
    ].map(({ name, run }) => [name, { run: (scope, input) => run(scope, input as never) }]),
  );
  const isolates = { call: () => assert.fail("no function runs here") };
  const execute = openExecuteWrite({
    manifest,
    isolates,
    clock,
    random,
    limits,
    procedures,
    development: false,
  });
  const writer = openInlineWriter({ store, execute, clock, limits, nextTurn: setImmediate });
  const files = new Map<string, Uint8Array>();
  const disk = {
    read: (file: string) => files.get(file) ?? null,
    writeAtomically: (file: string, bytes: string) => files.set(file, Buffer.from(bytes)),
  } as unknown as Disk;
  const keys = openTokenKeys({ disk, path: "/keys.json", random });
  const letters: Letter[] = [];
  const reports: unknown[] = [];
  const parts = {
    manifest,
    store,
    writer,
    clock,
    random,
    limits,
    keys,
    mail: { send: (letter: Letter) => void letters.push(letter) },
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    passwords: null as never,
    commonPasswords: null as never,
    rates: openAuthRates({ clock, random, keysMax: 10_000 }),
    publicUrl: null,
    secret: (name: string) => options.secrets?.[name] ?? null,
    report: (error: unknown) => void reports.push(error),
  };
  const desk = openAuthDesk(parts, { settings, secrets: openAuthSecrets(keys, random) });
  let asked = 0;
  let origin = "";
  const server = http.createServer((request, response) => {
    overSocket(request, response).catch((error: unknown) => {
      reports.push(error);
      response.writeHead(500).end(String(error));
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  // `localhost` and not the number: browsers let only names have passkeys.
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;

  async function askOf(over: Partial<AuthAsk> & { readonly cookies?: string }): Promise<AuthAsk> {
    const cookies = over.cookies ?? "";
    const value = cookieValue(cookies, sessionCookieName);
    const claim = value === null ? null : readSessionCookie(desk.secrets, value);
    const session: Row | null =
      claim === null ? null : await store.read((tx) => tx.get("authSession", claim.session, null));
    const id = (session?.["user"] ?? null) as string | null;
    const user = id === null ? null : await store.read((tx) => tx.get("user", id, null));
    const role = (user?.["role"] ?? null) as string | null;
    asked += 1;
    return {
      method: "GET",
      path: "/",
      params: {},
      query: new URLSearchParams(),
      body: {},
      isForm: false,
      origin,
      authorization: null,
      address: "192.0.2.7",
      userAgent: "scene",
      requestId: `r${asked}`,
      nowMs: clock.ms,
      credentialError: null,
      header: () => null,
      cookie: (name) => cookieValue(cookies, name),
      ...over,
      caller: id === null ? anonymous : { id, role, me: { id, role } },
      session,
    };
  }

  /** One ask through the routes, as a door does it. */
  async function answer(
    over: Partial<AuthAsk> & { readonly cookies?: string },
  ): Promise<AuthAnswer> {
    const found = matchRoute(protocolRoutes, over.method ?? "GET", over.path ?? "/");
    if (found === null) throw new PlatformError("NOT_FOUND");
    const { route, params } = found;
    if (route.isOn?.(settings) === false) throw new PlatformError("NOT_FOUND");
    const ask = await askOf({
      ...over,
      params,
      ...(route.kind === "protocol" ? { cookies: "" } : {}),
    });
    assertAccess(route, ask, desk);
    return route.handle(ask, desk);
  }

  async function overSocket(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", origin);
    if (url.pathname === "/page") {
      response.writeHead(200, { "content-type": "text/html" }).end("<title>page</title>");
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString("utf8");
    const isForm = (request.headers["content-type"] ?? "").startsWith("application/x-www-form");
    const fields = isForm
      ? Object.fromEntries(new URLSearchParams(text))
      : JSON.parse(text || "{}");
    try {
      const given = await answer({
        method: request.method ?? "GET",
        path: url.pathname,
        query: url.searchParams,
        body: fields as AuthAsk["body"],
        isForm,
        authorization: request.headers.authorization ?? null,
        cookies: request.headers.cookie ?? "",
      });
      for (const { name, value } of given.cookies ?? []) {
        response.appendHeader(
          "set-cookie",
          `${name}=${value ?? ""}; Path=/; HttpOnly; SameSite=Lax`,
        );
      }
      for (const [name, value] of given.headers ?? []) response.setHeader(name, value);
      if (given.location !== undefined) response.setHeader("location", given.location);
      response.setHeader("content-type", "application/json");
      const status = given.status ?? statusOf(given);
      response.writeHead(status).end(given.json === undefined ? "" : JSON.stringify(given.json));
    } catch (error) {
      if (!(error instanceof PlatformError)) throw error;
      const body = { code: error.code, ...error.details };
      response.writeHead(error.status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    }
  }

  return {
    desk,
    clock,
    store,
    letters,
    reports,
    url: origin,
    /** Asks as a browser (or none), and keeps its cookies. */
    async ask(
      browser: SceneBrowser | null,
      line: string,
      over: Partial<AuthAsk> = {},
    ): Promise<SceneAnswer> {
      const [method = "GET", target = "/"] = line.split(" ");
      const url = new URL(target, origin);
      try {
        const given = await answer({
          method,
          path: url.pathname,
          query: url.searchParams,
          cookies: browser?.header() ?? "",
          ...over,
        });
        browser?.keep(given.cookies);
        return {
          status: given.status ?? statusOf(given),
          code: null,
          json: (given.json ?? {}) as SceneAnswer["json"],
          location: given.location ?? null,
        };
      } catch (error) {
        if (!(error instanceof PlatformError)) throw error;
        return { status: error.status, code: error.code, json: error.details, location: null };
      }
    },
    /** Somebody proves who they are by a password. @returns the answer of the API. */
    async comeIn(
      browser: SceneBrowser,
      who: {
        readonly email?: string | null;
        readonly emailVerified?: boolean;
        readonly isGuest?: boolean;
        readonly user?: string;
      } = {},
    ): Promise<{ readonly [name: string]: Json }> {
      const { email = null, emailVerified = true, isGuest = false, user = null } = who;
      const ask = await askOf({});
      const draft = draftSignIn(ask, desk);
      const input = { email, emailVerified, isGuest, user, device: draft.device };
      const outcome = await desk.run(comeIn, input, ask);
      const given = await answerSignIn(ask, desk, { outcome, draft });
      browser.keep(given.cookies);
      return { user: outcome.user, ...(given.json as object) };
    },
    /** The app's own tokens, for somebody. */
    async comeInWithTokens(user: string): Promise<{ readonly accessToken: string }> {
      const ask = await askOf({ body: { tokens: true } });
      const draft = draftSignIn(ask, desk);
      const known = { email: null, emailVerified: false, isGuest: false, user };
      const outcome = await desk.run(comeIn, { ...known, device: draft.device }, ask);
      const { json } = await answerSignIn(ask, desk, { outcome, draft });
      return json as { accessToken: string };
    },
    /** Changes a row as nobody outside can. */
    async change(table: string, id: string, patch: Row): Promise<void> {
      await desk.run(changeRow, { table, id, patch }, { requestId: "scene", nowMs: clock.ms });
    },
    /** Rows of a table, oldest first. */
    async rows(table: string): Promise<readonly Row[]> {
      const orderBy = [{ field: "id", descending: false }];
      const page = await store.read((tx) =>
        tx.list({ kind: "list", from: table, orderBy, limit: 1_000 }, null),
      );
      return page.rows;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
      await writer.drain();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** A scene. */
export type ProtocolScene = Awaited<ReturnType<typeof openProtocolScene>>;

function statusOf({ location, json, html }: AuthAnswer): number {
  if (location !== undefined) return 303;
  return json === undefined && html === undefined ? 204 : 200;
}
