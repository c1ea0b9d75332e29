// A guild's server over real sockets, and what other programs see of it: people as jars of cookies that follow links and
// fill in the plain forms, and an identity provider that is not ours.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { startServer, type RunningServer, type ServerOptions } from "@keelson/server";
import { Provider } from "oidc-provider";

/** A password that no list has. */
export const password = "nine grey herons in the reeds";

/** What `auth` of the guild's app says, beside organisations and guests. */
export type GuildAuth = { readonly [name: string]: unknown };

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({
  minute: table({ org: t.ref("org"), text: t.text({ max: 200 }) }).index("org"),
  claim: table({ org: t.ref("org") }),
});
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({
  minute: {
    read: ({ row, me }) => row.org === me.org,
    create: ({ next, me }) => next.org === me.org && me.orgRole !== "member",
    delete: ({ row, me }) => row.org === me.org && me.orgRole === "owner",
  },
  claim: { read: () => true, create: () => true },
});
`,
  "who.ts": `
import { t } from "keelson";
import { query } from "./schema.ts";
export const am = query({
  args: {},
  allow: "anyone",
  returns: t.json(),
  async run({ me }) {
    return { ...me };
  },
});
`,
};

/** An answer over HTTP. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: { readonly [name: string]: unknown };
  /** Whole; null: it leads nowhere. */
  readonly location: string | null;
}

/** The guild while it is served. */
export interface Guild {
  readonly server: RunningServer;
  readonly url: string;
  person(): Person;
  /** Somebody who signed up with that address. */
  member(email: string): Promise<Person>;
  /** The newest letter to an address: its link. */
  link(to: string): Promise<string>;
}

/** Serves the guild; the end of the test ends it. @param auth as it stands in the app. */
export async function openGuild(
  context: TestContext,
  auth: GuildAuth = {},
  options: Partial<ServerOptions> = {},
): Promise<Guild> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-guild-"));
  mkdirSync(join(folder, "keelson"));
  const settings = { name: "The Guild", guests: true, organisations: true, ...auth };
  const app = `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as who from "./who.ts";
const cors = ["https://spa.example"];
export default app({ rules, functions: { who }, cors, auth: ${JSON.stringify(settings)} });
`;
  for (const [name, text] of Object.entries({ ...files, "app.ts": app })) {
    writeFileSync(join(folder, "keelson", name), text);
  }
  const server = await startServer({
    appDir: folder,
    dataDir: join(folder, "data"),
    port: 0,
    mode: "development",
    ...options,
  });
  context.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const url = server.url.replace("127.0.0.1", "localhost");
  const person = () => new Person(url);
  const link = async (to: string): Promise<string> => {
    for (let tries = 0; tries < 500; tries++) {
      const response = await fetch(`${url}/_/mail`, { headers: { accept: "application/json" } });
      const { mails } = (await response.json()) as {
        readonly mails: readonly { readonly to: string; readonly text: string }[];
      };
      const [found] = /http:\/\/\S+/v.exec(mails.find((mail) => mail.to === to)?.text ?? "") ?? [];
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`no letter came to ${to}`);
  };
  return {
    server,
    url,
    person,
    link,
    async member(email) {
      const somebody = person();
      const signedUp = await somebody.post("/auth/sign-up", { email, password });
      assert.equal(signedUp.status, 202, signedUp.text);
      const ticket = new URL(await link(email)).searchParams.get("ticket");
      const confirmed = await somebody.post("/auth/verify-email/confirm", { ticket });
      assert.equal(confirmed.status, 200, confirmed.text);
      return somebody;
    },
  };
}

/** Somebody with a browser without scripts: cookies, links and forms. */
export class Person {
  /** By host. */
  readonly #jars = new Map<string, Map<string, string>>();
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** Sends a request and does not follow where it leads. */
  async ask(method: string, address: string, init: RequestInit = {}): Promise<Answer> {
    const url = new URL(address, this.#home);
    const jar = this.#jars.get(url.host) ?? new Map<string, string>();
    this.#jars.set(url.host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, {
      method,
      redirect: "manual",
      ...init,
      headers: { cookie, ...(init.headers as Record<string, string>) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/v.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    const location = response.headers.get("location");
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: isJson ? (JSON.parse(text) as Answer["json"]) : {},
      location: location === null ? null : new URL(location, url).href,
    };
  }

  get(address: string): Promise<Answer> {
    return this.ask("GET", address, { headers: { accept: "application/json" } });
  }

  post(address: string, body: unknown = {}): Promise<Answer> {
    return this.ask("POST", address, jsonInit(body));
  }

  send(method: string, address: string, body: unknown = {}): Promise<Answer> {
    return this.ask(method, address, jsonInit(body));
  }

  /** Opens a page as a browser does. */
  open(address: string): Promise<Answer> {
    return this.ask("GET", address, { headers: { accept: "text/html" } });
  }

  /** Sends a form of the page at `origin`, as a browser does. */
  submit(
    address: string,
    fields: Readonly<Record<string, string>>,
    origin = new URL(address, this.#home).origin,
  ): Promise<Answer> {
    const headers = { accept: "text/html", origin };
    return this.ask("POST", address, { headers, body: new URLSearchParams(fields) });
  }

  /**
   * Follows links, and fills in the forms on the way, until a place that is none of these hosts.
   * @param fill what goes into a form: by the path of its page. @returns the pages on the way, and that place.
   */
  async walk(
    from: string,
    fill: (path: string, page: string) => Readonly<Record<string, string>>,
    hosts: readonly string[] = [],
  ): Promise<{ readonly pages: readonly string[]; readonly end: URL }> {
    const own = new Set([new URL(this.#home).host, ...hosts]);
    const pages: string[] = [];
    let at = new URL(from, this.#home);
    let answer: Answer | null = null;
    for (let steps = 0; steps < 20; steps++) {
      if (!own.has(at.host) || at.pathname === "/") return { pages, end: at };
      answer ??= await this.open(at.href);
      if (answer.location === null) {
        assert.equal(answer.status, 200, answer.text);
        pages.push(at.pathname);
        const form = formOf(answer.text);
        const target = new URL(form.action, at).href;
        const { origin } = at;
        const filled = { ...form.fields, ...fill(at.pathname, answer.text) };
        answer = await this.submit(target, filled, origin);
        at = new URL(target);
      } else {
        at = new URL(answer.location);
        answer = null;
      }
    }
    throw new Error(`no end: ${pages.join(" ")}`);
  }
}

function jsonInit(body: unknown): RequestInit {
  const headers = { accept: "application/json", "content-type": "application/json" };
  return { headers, body: JSON.stringify(body) };
}

/** The first form of a page that is sent by POST: where it goes, and what is filled in already. */
function formOf(page: string): {
  readonly action: string;
  readonly fields: Record<string, string>;
} {
  const text = /<form[^>]*method="post"[^>]*>[\s\S]*?<\/form>/v.exec(page)?.[0] ?? "";
  const action = /action="([^"]*)"/v.exec(text)?.[1];
  assert.ok(action !== undefined, page);
  const fields: Record<string, string> = {};
  for (const [input] of text.matchAll(/<input[^>]*type="hidden"[^>]*>/gv)) {
    const name = /name="([^"]*)"/v.exec(input)?.[1] ?? "";
    fields[name] = unescaped(/value="([^"]*)"/v.exec(input)?.[1] ?? "");
  }
  return { action: unescaped(action), fields };
}

function unescaped(text: string): string {
  return text.replaceAll("&amp;", "&").replaceAll("&quot;", '"').replaceAll("&#39;", "'");
}

/** An identity provider: npm's oidc-provider on a free port of this machine, with its own plain forms. */
export async function openForeign(
  context: TestContext,
  client: { readonly id: string; readonly secret: string },
): Promise<{ readonly issuer: string; readonly host: string; letIn(app: string): void }> {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `localhost:${(server.address() as AddressInfo).port}`;
  const issuer = `http://${host}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const key = { ...privateKey.export({ format: "jwk" }), kid: "theirs", alg: "RS256", use: "sig" };
  // It speaks to the terminal of whoever develops it.
  context.mock.method(console, "info", () => {});
  return {
    issuer,
    host,
    letIn(app) {
      const provider = new Provider(issuer, {
        jwks: { keys: [key] },
        cookies: { keys: ["for the cookies of a test"] },
        claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
        findAccount: (_, sub) => ({
          accountId: sub,
          claims: () => ({ sub, email: `${sub}@there.example`, email_verified: true, name: sub }),
        }),
        clients: [
          {
            client_id: client.id,
            client_secret: client.secret,
            redirect_uris: [`${app}/auth/providers/there/callback`],
          },
        ],
      });
      const answer = provider.callback();
      server.on("request", (request, response) => void answer(request, response));
    },
  };
}
