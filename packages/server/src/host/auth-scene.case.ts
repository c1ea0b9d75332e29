// For tests of identity: an app on a real store behind a real door and socket, with a clock that the test moves, a
// mailbox, and people with cookies of their own, each from a network of their own.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { AuthService } from "../auth/auth-service.ts";
import type { Letter, MailTemplate } from "../auth/mail-port.ts";
import { openTokenKeys, type TokenKeys } from "../auth/token-keys.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { openHttpDoor, type HttpDoor } from "../doors/http-door.ts";
import { openHttpMetrics } from "../doors/http-metrics.ts";
import { anonymous } from "../gate/identity.ts";
import { openTraceLog, type TraceLog } from "../gate/trace-log.ts";
import { startWork } from "../gate/work.ts";
import type { Row } from "../store/store.ts";
import { openAppSource } from "./app-source.ts";
import { closeBackend, openBackend, type Backend } from "./backend.ts";
import { openHostAuth } from "./host-auth.ts";
import { listenHttp } from "./http-listener.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";
import { openRealRandom } from "./real-random.ts";

/** A password that no list has. */
export const goodPassword = "seven small boats at dawn";

const appDir = join(import.meta.dirname, "../../../../test/identity/core");

/** What a request is made of beside its line and body. */
export interface SceneAsk {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Without the cookies that are kept. */
  readonly isBare?: boolean;
}

/** What came back. */
export interface SceneReply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly string[];
  /** Of JSON; empty otherwise. */
  readonly json: { readonly [name: string]: Json };
  /** Of a refusal; null. */
  readonly code: string | null;
}

/** The scene. */
export interface AuthScene {
  readonly url: string;
  readonly clock: Clock & { move(ms: number): void };
  readonly keys: TokenKeys;
  readonly backend: Backend;
  readonly limits: Limits;
  readonly letters: Letter[];
  readonly reports: unknown[];
  /** The latest requests, as the log is told of them. */
  readonly trace: TraceLog;
  service(): Promise<AuthService>;
  /** Somebody with a browser, in a network of their own. */
  person(): ScenePerson;
  /** The newest letter of a kind to an address. */
  letter(to: string, template: MailTemplate): Letter;
  /** The ticket in the link of that letter. */
  ticket(to: string, template: MailTemplate): string;
  rows(table: string): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/** Somebody: cookies and an address. */
export class ScenePerson {
  readonly jar = new Map<string, string>();
  readonly #url: string;
  readonly #scene: AuthScene;
  address: string;

  constructor(scene: AuthScene, address: string) {
    this.#scene = scene;
    this.#url = scene.url;
    this.address = address;
  }

  /** `POST /auth/sign-in`. @param body JSON, unless there is a form. */
  async ask(line: string, body?: Json, more: SceneAsk = {}): Promise<SceneReply> {
    const [method = "GET", path = "/"] = line.split(" ");
    const { headers = {}, form, isBare = false } = more;
    const cookie = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const text = form === undefined ? body : new URLSearchParams(form).toString();
    const type = form === undefined ? "application/json" : "application/x-www-form-urlencoded";
    const sent = {
      "x-forwarded-for": this.address,
      ...(text === undefined ? {} : { "content-type": type }),
      ...(cookie === "" || isBare ? {} : { cookie }),
      ...headers,
    };
    const payload = form === undefined && body !== undefined ? JSON.stringify(body) : text;
    const reply = await send(`${this.#url}${path}`, method, sent, payload as string | undefined);
    for (const line of isBare ? [] : reply.cookies) this.#keep(line);
    return reply;
  }

  /** Signs up and follows the letter. @returns the user's id. */
  async join(email: string, more: { readonly [field: string]: Json } = {}): Promise<string> {
    const asked = await this.ask("POST /auth/sign-up", {
      email,
      password: goodPassword,
      ...more,
    });
    assert.equal(asked.status, 202, asked.text);
    const ticket = this.#scene.ticket(email, "verify-email");
    const done = await this.ask("POST /auth/verify-email/confirm", { ticket });
    assert.equal(done.status, 200, done.text);
    return done.json["user"] as string;
  }

  signIn(email: string, more: { readonly [field: string]: Json } = {}): Promise<SceneReply> {
    return this.ask("POST /auth/sign-in", { email, password: goodPassword, ...more });
  }

  /** Who this is, as functions see it; null: nobody. */
  async who(more: SceneAsk = {}): Promise<{ readonly [claim: string]: Json }> {
    const reply = await this.ask("POST /api/fn/people.who", {}, more);
    assert.equal(reply.status, 200, reply.text);
    return reply.json;
  }

  /** A copy of the cookies, in other hands. */
  copy(): ScenePerson {
    const other = this.#scene.person();
    for (const [name, value] of this.jar) other.jar.set(name, value);
    return other;
  }

  #keep(line: string): void {
    const [pair = "", ...flags] = line.split("; ");
    const [name = "", value = ""] = pair.split("=");
    if (flags.includes("Max-Age=0")) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}

function send(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  body: string | undefined,
): Promise<SceneReply> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const isJson = (response.headers["content-type"] ?? "").includes("json");
        const json = isJson ? (JSON.parse(text) as SceneReply["json"]) : {};
        resolve({
          status: response.statusCode ?? 0,
          text,
          headers: response.headers as Readonly<Record<string, string>>,
          cookies: response.headers["set-cookie"] ?? [],
          json: json ?? {},
          code: typeof json?.["code"] === "string" ? json["code"] : null,
        });
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Opens the scene of a test file. It is closed at the file's end, and nothing may have been reported by then. */
export async function openAuthSceneOfFile(): Promise<AuthScene> {
  const scene = await openAuthScene();
  after(async () => {
    assert.deepEqual(scene.reports, []);
    await scene.close();
  });
  return scene;
}

/** Opens a scene. Close it. */
export async function openAuthScene(
  options: {
    readonly limits?: Partial<Limits>;
    /** Where people are told that the server is. Default: it is not said. */
    readonly publicUrl?: string;
  } = {},
): Promise<AuthScene> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-identity-"));
  const dataDir = join(folder, "data");
  const limits: Limits = {
    ...defaultLimits,
    // Tests come from few addresses; what is tested is identity's own limits.
    anonymousPerMinuteMax: 10_000_000,
    callerPerMinuteMax: 10_000_000,
    // As cheap as it goes: what a hash costs is tested where that matters.
    passwordMemoryKib: 1_024,
    passwordPasses: 1,
    ...options.limits,
  };
  let movedMs = 0;
  const clock = {
    nowMs: () => realClock.nowMs() + movedMs,
    monotonicUs: () => realClock.monotonicUs() + movedMs * 1_000,
    after: (delayMs: number, run: () => void) => realClock.after(delayMs, run),
    move(ms: number) {
      movedMs += ms;
    },
  };
  const random = openRealRandom();
  realDisk.makeFolder(dataDir);
  const keys = openTokenKeys({ disk: realDisk, path: join(dataDir, "keys.json"), random });
  const letters: Letter[] = [];
  const reports: unknown[] = [];
  const source = openAppSource({
    ...{ appDir, dataDir, disk: realDisk, clock, limits },
    mode: "production",
  });
  const trace = openTraceLog({ keepMax: 100 });
  const backend = await openBackend(
    {
      ...{ clock, random, limits, trace, dataDir },
      migrate: "auto-safe",
      nextTurn: setImmediate,
      report: (error) => reports.push(error),
      openIsolates: (app) => source.openIsolates(app),
      openAuth: (version) =>
        openHostAuth(
          {
            ...{ clock, random, limits, appDir },
            mode: "production",
            keys: () => keys,
            mail: { send: (letter) => void letters.push(letter) },
            publicUrl: options.publicUrl ?? null,
            env: {},
            report: (error) => reports.push(error),
          },
          version,
        ),
    },
    await source.build(),
  );
  const door: HttpDoor = openHttpDoor(
    {
      ...{ limits, clock, random },
      mode: "production",
      metrics: openHttpMetrics(),
      metricsToken: null,
      trustProxy: true,
      statics: null,
      developmentTokens: null,
      openApi: () => ({}),
      isReady: () => true,
      gauges: () => [],
      nextTurn: setImmediate,
      record: (finished) => trace.record(finished),
      report: (error) => reports.push(error),
    },
    backend,
  );
  const listener = await listenHttp({ door, host: "127.0.0.1", port: 0, limits, clock });
  let people = 0;
  const letter = (to: string, template: MailTemplate): Letter => {
    const found = letters.findLast((each) => each.to === to && each.template === template);
    assert.ok(found !== undefined, `there is a letter ${template} to ${to}`);
    return found;
  };
  const scene: AuthScene = {
    url: listener.url,
    ...{ clock, keys, backend, limits, letters, reports, trace, letter },
    service: () => backend.auth.service(),
    person: () => {
      people += 1;
      return new ScenePerson(scene, `10.${people >> 8}.${people & 255}.7`);
    },
    ticket: (to, template) => {
      const link = letter(to, template).data["link"] as string;
      return new URL(link).searchParams.get("ticket") ?? "";
    },
    async rows(table) {
      const orderBy = [{ field: "id", descending: false }];
      const query = { kind: "list", from: table, orderBy, limit: 1_000 } as const;
      return (await backend.store.read((tx) => tx.list(query, null))).rows;
    },
    async close() {
      await listener.close(5_000);
      await closeBackend(backend);
      await source.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  return scene;
}

/** Changes a user as the operator does. */
export async function changeUser(
  scene: AuthScene,
  id: string,
  value: { readonly [field: string]: Json },
): Promise<void> {
  await scene.backend.operator().execute(
    { kind: "update", table: "user", id, value },
    {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
      cause: "test",
      work: startWork(),
    },
  );
}
