// A provider that is not ours: npm's oidc-provider signs people in to an app, over real sockets.
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";
import { openProtocolScene, SceneBrowser } from "../protocol-scene.case.ts";

const clientId = "the-app";
const secret = "a secret of theirs: 50% + more";

/** The provider on a free port of this machine, with its own plain forms for signing in and consent. */
async function openProvider(context: TestContext, appOf: () => string) {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: "theirs", alg: "RS256", use: "sig" };
  // It speaks to the terminal of whoever develops it.
  context.mock.method(console, "info", () => {});
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    cookies: { keys: ["for the cookies of a test"] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"] },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@there.example`, email_verified: true, name: sub }),
    }),
    clients: [
      {
        client_id: clientId,
        client_secret: secret,
        redirect_uris: [`${appOf()}/auth/providers/real/callback`],
      },
    ],
  });
  const faults: unknown[] = [];
  provider.on("server_error", (_, error) => void faults.push(error));
  const answer = provider.callback();
  server.on("request", (request, response) => void answer(request, response));
  return { issuer, faults };
}

/** Walks through the pages of the provider as a browser does. @returns where it sends the browser in the end. */
async function walk(issuer: string, from: string, login: string): Promise<string> {
  const jar = new Map<string, string>();
  let at = from;
  let form: URLSearchParams | null = null;
  for (let count = 0; count < 12; count++) {
    if (!at.startsWith(`${issuer}/`)) return at;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response: Response = await fetch(at, {
      redirect: "manual",
      headers: { cookie },
      ...(form === null ? {} : { method: "POST", body: form }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/v.exec(line) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    const location = response.headers.get("location");
    form = null;
    if (location !== null) {
      at = new URL(location, at).href;
      continue;
    }
    assert.equal(response.status, 200, text);
    at = new URL(/action="([^"]+)"/v.exec(text)?.[1] ?? "", at).href;
    const prompt = /name="prompt" value="([^"]+)"/v.exec(text)?.[1] ?? "";
    form = new URLSearchParams({ prompt, login, password: "any" });
  }
  throw new Error(`no end: ${at}`);
}

test("oidc-provider signs people in: code, PKCE, its signature, userinfo", async (context) => {
  let app = "";
  const settings = { providers: {} };
  const scene = await openProtocolScene({ settings, secrets: { REAL_SECRET: secret } });
  app = scene.url;
  try {
    const { issuer, faults } = await openProvider(context, () => app);
    Object.assign(scene.desk.settings.providers, {
      real: {
        kind: "openid",
        isFormPost: false,
        signer: null,
        issuer,
        clientId,
        secret: "REAL_SECRET",
        scopes: ["email", "profile"],
        label: "Real",
      },
    });
    const come = async (login: string): Promise<SceneBrowser> => {
      const browser = new SceneBrowser();
      const left = await scene.ask(browser, "GET /auth/providers/real/start?next=/tickets");
      const from = left.location ?? "";
      assert.ok(from.startsWith(issuer), JSON.stringify(left));
      const back = new URL(await walk(issuer, from, login));
      assert.equal(back.searchParams.get("iss"), issuer);
      const line = `GET ${back.pathname}${back.search}`;
      assert.equal((await scene.ask(browser, line)).location, "/tickets");
      // Nobody comes back twice by the same answer.
      assert.equal((await scene.ask(browser, line)).code, "TICKET_INVALID");
      return browser;
    };
    await come("ann");
    await come("bob");
    const again = await come("ann");
    const people = (await scene.rows("authAccount")).map(({ email }) => email);
    assert.deepEqual(people, ["ann@there.example", "bob@there.example"]);
    const { json } = await scene.ask(again, "GET /auth/identities");
    const [identity] = json["identities"] as readonly { readonly label: string }[];
    assert.equal(identity?.label, "Real");
    assert.deepEqual(faults, []);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
});
