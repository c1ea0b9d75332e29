// Apple, as its documentation says: a secret signed with a key, an answer by a form that its page posts from another
// site, a name that is told once and unsigned. A server of this machine plays Apple; Chromium is the browser, where it
// matters which cookies a browser brings.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { chromium } from "playwright-core";
import type { OpenIdProvider } from "../../model/auth-model.ts";
import { providerPresets } from "../../model/provider-presets.ts";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";

const clientId = "com.example.tickets";
const signer = { team: "ABCDE12345", key: "FGHIJ67890" };
const appKey = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = appKey.privateKey.export({ format: "pem", type: "pkcs8" });
const relay = "x7k2@privaterelay.appleid.com";

type Fields = Readonly<Record<string, unknown>>;
type Form = Readonly<Record<string, string>>;

async function openApple(context: TestContext, nowMs: () => number) {
  const pair = await generateKeyPair("RS256", { extractable: true });
  const nonces = new Map<string, string>();
  const it = { issuer: "", claims: {} as Fields, secrets: [] as string[], answerTo };
  let codes = 0;
  /** Somebody signs in there: the form that comes back. The first time, with their name. */
  function answerTo(location: string, user?: string): Form {
    const { searchParams: query } = new URL(location);
    assert.equal(query.get("response_mode"), "form_post");
    const code = `c${++codes}.0.srtyy`;
    nonces.set(code, query.get("nonce") ?? "");
    return { state: query.get("state") ?? "", code, ...(user === undefined ? {} : { user }) };
  }
  async function token(form: URLSearchParams): Promise<object | null> {
    const secret = form.get("client_secret") ?? "";
    it.secrets.push(secret);
    const { payload } = await jwtVerify(secret, appKey.publicKey, {
      issuer: signer.team,
      subject: clientId,
      audience: it.issuer,
      algorithms: ["ES256"],
      currentDate: new Date(nowMs()),
    });
    // Six months at most.
    assert.ok((payload.exp ?? 0) - (payload.iat ?? 0) <= 15_777_000);
    assert.equal(decodeProtectedHeader(secret).kid, signer.key);
    assert.equal(form.get("client_id"), clientId);
    const nonce = nonces.get(form.get("code") ?? "");
    if (nonce === undefined) return null;
    nonces.delete(form.get("code") ?? "");
    const now = Math.floor(nowMs() / 1_000);
    const person = { sub: "000792.d710.0638", email: relay, email_verified: "true" };
    const claims = { ...person, is_private_email: "true", nonce, nonce_supported: true };
    const idToken = await new SignJWT({ ...claims, ...it.claims })
      .setProtectedHeader({ alg: "RS256", kid: "apple" })
      .setIssuer(it.issuer)
      .setAudience(clientId)
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
      .sign(pair.privateKey);
    return { access_token: "a", token_type: "Bearer", expires_in: 3_600, id_token: idToken };
  }
  const answer = async (url: URL, form: URLSearchParams): Promise<object | string | null> => {
    switch (url.pathname) {
      case "/.well-known/openid-configuration":
        return {
          issuer: it.issuer,
          authorization_endpoint: `${it.issuer}/auth/authorize`,
          token_endpoint: `${it.issuer}/auth/token`,
          jwks_uri: `${it.issuer}/auth/keys`,
          token_endpoint_auth_methods_supported: ["client_secret_post"],
        };
      case "/auth/keys":
        return { keys: [{ ...(await exportJWK(pair.publicKey)), kid: "apple", alg: "RS256" }] };
      case "/auth/authorize":
        return pageOf(url, answerTo(url.href, '{"name":{"firstName":"Ann","lastName":"Lee"}}'));
      case "/auth/token":
        return token(form);
      default:
        return null;
    }
  };
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      answer(new URL(request.url ?? "/", it.issuer), form).then(
        (said) => {
          const isPage = typeof said === "string";
          const type = isPage ? "text/html" : "application/json";
          response.writeHead(said === null ? 400 : 200, { "content-type": type });
          response.end(isPage ? said : JSON.stringify(said));
        },
        (error: unknown) => response.writeHead(400).end(String(error)),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  // By number, and the app by name: two sites.
  it.issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return it;
}

function pageOf({ searchParams }: URL, form: Form): string {
  const fields = Object.entries(form).map(
    ([name, value]) =>
      `<input type="hidden" name="${name}" value="${value.replaceAll('"', "&quot;")}">`,
  );
  const action = searchParams.get("redirect_uri") ?? "";
  return `<form method="post" action="${action}">${fields.join("")}<button>Continue</button></form>`;
}

type Apple = Awaited<ReturnType<typeof openApple>>;

async function inScene(
  context: TestContext,
  secret: string,
  run: (scene: ProtocolScene, apple: Apple) => Promise<void>,
): Promise<void> {
  const settings = { providers: {} };
  const scene = await openProtocolScene({ settings, secrets: { APPLE_KEY: secret } });
  const apple = await openApple(context, () => scene.clock.ms);
  const preset = providerPresets.get("apple");
  assert.ok(preset?.kind === "openid");
  const { issuer } = apple;
  const provider: OpenIdProvider = { ...preset, clientId, secret: "APPLE_KEY", issuer, signer };
  const plain: OpenIdProvider = { ...provider, isFormPost: false };
  Object.assign(scene.desk.settings.providers, { apple: provider, twin: provider, plain });
  try {
    await run(scene, apple);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

async function leave(scene: ProtocolScene, browser: SceneBrowser): Promise<string> {
  const left = await scene.ask(browser, "GET /auth/providers/apple/start?next=/tickets");
  return left.location ?? "";
}

/** The form of Apple's page: from its site, so without any cookie of ours. @returns where the browser goes on. */
async function post(scene: ProtocolScene, body: Form, at = "apple"): Promise<string> {
  const line = `POST /auth/providers/${at}/callback`;
  const answer = await scene.ask(null, line, { body, isForm: true });
  assert.equal(answer.status, 303, JSON.stringify(answer));
  return answer.location ?? "";
}

async function travel(scene: ProtocolScene, apple: Apple, user?: string) {
  const browser = new SceneBrowser();
  const to = await post(scene, apple.answerTo(await leave(scene, browser), user));
  return scene.ask(browser, `GET ${to}`);
}

test("somebody comes back by a form, with a name that is told once", (context) =>
  // As environments hold a key: on one line.
  inScene(context, pem.replaceAll("\n", "\\n"), async (scene, apple) => {
    const location = new URL(await leave(scene, new SceneBrowser()));
    assert.equal(location.searchParams.get("scope"), "openid name email");
    const told = '{"name":{"firstName":"Ann","lastName":"Lee"},"email":"eve@example.com"}';
    assert.equal((await travel(scene, apple, told)).location, "/tickets");
    await travel(scene, apple);
    const users = (await scene.rows("user")).map(({ name, email }) => [name, email]);
    assert.deepEqual(users, [["Ann Lee", relay]]);
    const [identity] = await scene.rows("authIdentity");
    assert.equal(identity?.["isPrivateEmail"], true);
    assert.equal(new Set(apple.secrets).size, 2);
    apple.claims = { email: "ann@example.com", is_private_email: undefined };
    const browser = new SceneBrowser();
    const to = await post(scene, apple.answerTo(await leave(scene, browser)));
    assert.ok(!/c\d\.0|Ann/v.test(to), "neither code nor name stand in the address");
    await scene.ask(browser, `GET ${to}`);
    const { json } = await scene.ask(browser, "GET /auth/identities");
    const [listed] = json["identities"] as readonly { readonly isPrivateEmail: boolean }[];
    assert.equal(listed?.isPrivateEmail, false);
  }));

test("what the form says beside the token is a name at most", (context) =>
  inScene(context, pem, async (scene, apple) => {
    const forged = [
      "",
      "x",
      "null",
      "[]",
      '{"name":"Ann"}',
      '{"name":{"firstName":1}}',
      '{"email":"owner@example.com","email_verified":true,"sub":"owner"}',
    ];
    const { user } = await scene.comeIn(new SceneBrowser(), { email: "owner@example.com" });
    for (const [index, text] of forged.entries()) {
      apple.claims = { sub: `s${index}`, email: undefined };
      assert.equal((await travel(scene, apple, text)).location, "/tickets", text);
    }
    const identities = await scene.rows("authIdentity");
    assert.equal(identities.length, forged.length);
    assert.ok(identities.every((row) => row["user"] !== user && row["email"] === null));
    const names = (await scene.rows("user")).map(({ name }) => name);
    assert.ok(names.every((name) => name === null));
  }));

test("a posted answer counts in the browser that asked, once, at its provider", (context) =>
  inScene(context, pem, async (scene, apple) => {
    const ann = new SceneBrowser();
    const eve = new SceneBrowser();
    const annTo = await post(scene, apple.answerTo(await leave(scene, ann)));
    // Eve's page posts Eve's answer in Ann's browser: Ann would be signed in as Eve.
    const eveTo = await post(scene, apple.answerTo(await leave(scene, eve)));
    const refused = async (who: SceneBrowser, to: string) =>
      (await scene.ask(who, `GET ${to}`)).code;
    assert.equal(await refused(ann, eveTo), "TICKET_INVALID");
    assert.equal(await refused(eve, annTo), "TICKET_INVALID");
    assert.equal(await refused(new SceneBrowser(), annTo), "TICKET_INVALID");
    assert.equal(await refused(ann, annTo.replace("/apple/", "/twin/")), "TICKET_INVALID");
    assert.equal(await refused(ann, annTo.slice(0, -4)), "TICKET_INVALID");
    // Not by the address alone, though state and code are right.
    const left = apple.answerTo(await leave(scene, ann));
    const bare = new URLSearchParams(left).toString();
    assert.equal(await refused(ann, `/auth/providers/apple/callback?${bare}`), "TICKET_INVALID");
    assert.equal((await scene.ask(ann, `GET ${await post(scene, left)}`)).location, "/tickets");
    assert.equal(await refused(ann, await post(scene, left)), "TICKET_INVALID");
    // A provider that answers in the address takes no form.
    const plain = { body: left, isForm: true };
    const at = await scene.ask(null, "POST /auth/providers/plain/callback", plain);
    assert.equal(at.code, "NOT_FOUND");
    const denied = { state: apple.answerTo(await leave(scene, ann)).state ?? "" };
    const to = await post(scene, { ...denied, error: "user_cancelled_authorize" });
    assert.equal((await scene.ask(ann, `GET ${to}`)).location, "/auth/sign-in?next=%2Ftickets");
    const users = await scene.rows("user");
    assert.equal(users.length, 1);
  }));

test("a key that is none, or of another kind, signs nothing and is not shown", async (context) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 });
  const other = rsa.privateKey.export({ format: "pem", type: "pkcs8" });
  for (const secret of ["s3cr3t-text", pem.slice(0, 90), other]) {
    await inScene(context, secret, async (scene, apple) => {
      const answer = await travel(scene, apple);
      assert.equal(answer.code, "PROVIDER_FAILED");
      assert.ok(!JSON.stringify(answer.json).includes(secret.slice(0, 20)));
      assert.deepEqual(apple.secrets, []);
    });
  }
});

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const skip = !existsSync(executablePath) && "chromium is not installed (CHROMIUM names it)";

test(
  "a real browser comes back by the form of another site, with its own cookies",
  { skip },
  (context) =>
    inScene(context, pem, async (scene) => {
      const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
      context.after(() => browser.close());
      const page = await browser.newPage();
      await page.goto(`${scene.url}/auth/providers/apple/start?next=/page`);
      await page.getByRole("button").click();
      await page.waitForURL(`${scene.url}/page`);
      const cookies = await page.context().cookies();
      const kept = cookies.filter(({ value }) => value !== "").map(({ name }) => name);
      assert.deepEqual(kept.toSorted(), ["keelson_device", "keelson_session"]);
      assert.ok(cookies.every(({ sameSite }) => sameSite === "Lax"));
      const [user] = await scene.rows("user");
      assert.equal(user?.["name"], "Ann Lee");
      // In the browser of somebody who did not ask, the same form is nobody's.
      const stranger = await (await browser.newContext()).newPage();
      await page.goto(`${scene.url}/auth/providers/apple/start?next=/page`);
      const there = page.url();
      await stranger.goto(there);
      await stranger.getByRole("button").click();
      await stranger.waitForURL(/\/callback\?answer=/v);
      assert.match(await stranger.content(), /TICKET_INVALID/v);
      assert.deepEqual(await stranger.context().cookies(), []);
    }),
);
