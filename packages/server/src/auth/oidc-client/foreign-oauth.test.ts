// Providers that speak OAuth 2.0 only, GitHub first: a server of this machine that answers as GitHub's documentation says,
// over real sockets; each attack beside the control that the same way, untouched, signs in.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import type { OAuthProvider } from "../../model/auth-model.ts";
import { providerPresets } from "../../model/provider-presets.ts";
import { openProtocolScene, SceneBrowser, type ProtocolScene } from "../protocol-scene.case.ts";

const clientId = "Iv1.abc";
const secret = "what only we two know";

type Fields = Readonly<Record<string, unknown>>;

/** What the provider says this time. */
interface Said {
  readonly user?: unknown;
  readonly emails?: unknown;
  readonly token?: Fields;
}

const octocat = { id: 583_231, login: "octocat", name: "Mona", email: "public@example.com" };
const addresses = [
  { email: "old@example.com", primary: false, verified: true, visibility: null },
  { email: "mona@example.com", primary: true, verified: true, visibility: "private" },
];

async function openGithub(context: TestContext) {
  const asked = new Map<string, { readonly challenge: string; readonly redirectUri: string }>();
  const seen: string[] = [];
  const it = { said: {} as Said, seen, url: "", codeFor };
  let codes = 0;
  function codeFor(location: string) {
    const { searchParams: query } = new URL(location);
    assert.equal(query.get("code_challenge_method"), "S256");
    assert.equal(query.get("client_id"), clientId);
    const code = `code-${++codes}`;
    const redirectUri = query.get("redirect_uri") ?? "";
    asked.set(code, { challenge: query.get("code_challenge") ?? "", redirectUri });
    return { code, state: query.get("state") ?? "" };
  }
  const answer = (path: string, form: URLSearchParams, authorization: string | undefined) => {
    const { user = octocat, emails = addresses, token = {} } = it.said;
    if (path === "/login/oauth/access_token") {
      const code = form.get("code") ?? "";
      const known = asked.get(code);
      asked.delete(code);
      const digest = createHash("sha256").update(form.get("code_verifier") ?? "");
      const isGood =
        form.get("client_id") === clientId &&
        form.get("client_secret") === secret &&
        form.get("redirect_uri") === known?.redirectUri &&
        digest.digest("base64url") === known?.challenge;
      // GitHub's refusals are of status 200.
      if (!isGood) return { error: "bad_verification_code" };
      return { access_token: "gho_16C7e42F", scope: "user:email", token_type: "bearer", ...token };
    }
    if (authorization !== "Bearer gho_16C7e42F") return null;
    if (path === "/user") return user;
    return path === "/user/emails" ? emails : null;
  };
  const server = http.createServer((request, response) => {
    const { url = "", headers } = request;
    seen.push(url);
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => void chunks.push(chunk));
    request.on("end", () => {
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      // Without this header GitHub answers with a form.
      assert.equal(headers.accept, "application/json");
      const json = answer(url, form, headers.authorization);
      response.writeHead(json === null ? 401 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(json));
    });
  });
  server.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return it;
}

type Github = Awaited<ReturnType<typeof openGithub>>;

/** GitHub's preset, with its hosts on this machine. */
function presetAt(url: string): OAuthProvider {
  const preset = providerPresets.get("github");
  assert.ok(preset?.kind === "oauth");
  const at = (address: string) => url + new URL(address).pathname;
  return {
    ...preset,
    clientId,
    secret: "GITHUB_SECRET",
    authorizationEndpoint: at(preset.authorizationEndpoint),
    tokenEndpoint: at(preset.tokenEndpoint),
    userinfoEndpoint: at(preset.userinfoEndpoint),
    emailsEndpoint: at(preset.emailsEndpoint ?? ""),
  };
}

async function inScene(
  context: TestContext,
  change: Partial<OAuthProvider>,
  run: (scene: ProtocolScene, github: Github) => Promise<void>,
): Promise<void> {
  const github = await openGithub(context);
  const provider = { ...presetAt(github.url), ...change };
  const providers = { github: provider, other: { ...provider, label: "Other" } };
  const secrets = { GITHUB_SECRET: secret };
  const scene = await openProtocolScene({ settings: { providers }, secrets });
  try {
    await run(scene, github);
    assert.deepEqual(scene.reports, []);
  } finally {
    await scene.close();
  }
}

async function leave(scene: ProtocolScene, browser: SceneBrowser, at = "github"): Promise<string> {
  const left = await scene.ask(browser, `GET /auth/providers/${at}/start?next=/tickets`);
  return left.location ?? "";
}

function comeBack(
  scene: ProtocolScene,
  browser: SceneBrowser,
  query: Readonly<Record<string, string>>,
  at = "github",
) {
  const search = new URLSearchParams(query).toString();
  return scene.ask(browser, `GET /auth/providers/${at}/callback?${search}`);
}

async function travel(scene: ProtocolScene, github: Github, said: Said = {}) {
  github.said = said;
  const browser = new SceneBrowser();
  return comeBack(scene, browser, github.codeFor(await leave(scene, browser)));
}

test("somebody signs in by GitHub, is the same person the next time, and is known by the number", (context) =>
  inScene(context, {}, async (scene, github) => {
    const location = new URL(await leave(scene, new SceneBrowser()));
    assert.equal(location.pathname, "/login/oauth/authorize");
    assert.equal(location.searchParams.get("scope"), "read:user user:email");
    assert.equal(location.searchParams.get("nonce"), null);
    assert.equal((await travel(scene, github)).location, "/tickets");
    assert.deepEqual(github.seen, ["/login/oauth/access_token", "/user", "/user/emails"]);
    // Another name, another address: the number stays.
    const moved = [{ email: "mona@new.example", primary: true, verified: true }];
    await travel(scene, github, { user: { ...octocat, login: "x", name: null }, emails: moved });
    const [identity, ...others] = await scene.rows("authIdentity");
    assert.deepEqual(others, []);
    assert.equal(identity?.["subject"], "583231");
    const users = (await scene.rows("user")).map(({ name, email }) => [name, email]);
    assert.deepEqual(users, [["Mona", "mona@example.com"]]);
    // Whoever has the old login now is somebody else.
    await travel(scene, github, { user: { ...octocat, id: 7 }, emails: [] });
    assert.equal((await scene.rows("user")).length, 2);
  }));

test("only the address that is primary and verified counts, and never the one of the profile", (context) =>
  inScene(context, {}, async (scene, github) => {
    const { user: owner } = await scene.comeIn(new SceneBrowser(), { email: "ann@example.com" });
    const mine = { email: "ann@example.com" };
    const lists: readonly (readonly unknown[])[] = [
      [],
      [{ ...mine, primary: true, verified: false }],
      [{ ...mine, primary: false, verified: true }],
      [{ ...mine, primary: true }],
      [{ ...mine, primary: true, verified: "true" }],
      [{ ...mine, primary: 1, verified: 1 }],
      [null, "ann@example.com", { email: ["ann@example.com"], primary: true, verified: true }],
      [
        { ...mine, primary: false, verified: true },
        { email: "eve@example.com", primary: true, verified: false },
      ],
    ];
    for (const [index, emails] of lists.entries()) {
      const user = { ...octocat, ...mine, email_verified: true, id: index + 1 };
      assert.equal((await travel(scene, github, { user, emails })).location, "/tickets");
    }
    const identities = await scene.rows("authIdentity");
    assert.equal(identities.length, lists.length);
    assert.ok(identities.every(({ user, email }) => user !== owner && email === null));
    const emails = [{ ...mine, primary: true, verified: true }];
    await travel(scene, github, { user: { ...octocat, id: 99 }, emails });
    assert.equal((await scene.rows("authIdentity")).at(-1)?.["user"], owner);
    // Here nobody verified it: whoever waits in that account does not get its owner.
    await scene.comeIn(new SceneBrowser(), { email: "bob@example.com", emailVerified: false });
    const bobs = [{ email: "bob@example.com", primary: true, verified: true }];
    const refused = await travel(scene, github, { user: { ...octocat, id: 100 }, emails: bobs });
    assert.equal(refused.code, "ACCOUNT_EXISTS");
  }));

test("an answer counts in the browser that asked, once, at its provider", (context) =>
  inScene(context, {}, async (scene, github) => {
    const ann = new SceneBrowser();
    const eve = new SceneBrowser();
    const annLeft = github.codeFor(await leave(scene, ann));
    const eveLeft = github.codeFor(await leave(scene, eve));
    const refused = async (who: SceneBrowser, query: Record<string, string>, at = "github") =>
      (await comeBack(scene, who, query, at)).code;
    assert.equal(await refused(ann, eveLeft), "TICKET_INVALID");
    assert.equal(await refused(eve, annLeft), "TICKET_INVALID");
    assert.equal(await refused(new SceneBrowser(), annLeft), "TICKET_INVALID");
    // Mixed up: the answer of one provider, brought to the address of another.
    assert.equal(await refused(ann, annLeft, "other"), "TICKET_INVALID");
    const otherLeft = github.codeFor(await leave(scene, ann, "other"));
    assert.equal(await refused(ann, otherLeft), "TICKET_INVALID");
    assert.deepEqual(github.seen, []);
    // The code of Eve under Ann's state: the verifier is another one, and the code is spent.
    const swapped = { state: annLeft.state, code: eveLeft.code };
    assert.equal(await refused(ann, swapped), "PROVIDER_FAILED");
    assert.deepEqual(await scene.rows("user"), []);
    assert.equal((await comeBack(scene, ann, annLeft)).location, "/tickets");
    assert.equal(await refused(ann, annLeft), "TICKET_INVALID");
    // Replayed at the provider, in a way of its own.
    const again = github.codeFor(await leave(scene, eve));
    const replayed = { state: again.state, code: annLeft.code };
    assert.equal(await refused(eve, replayed), "PROVIDER_FAILED");
  }));

test("whoever is not told apart is nobody", (context) =>
  inScene(context, {}, async (scene, github) => {
    const bad: readonly Said[] = [
      { user: { ...octocat, id: undefined } },
      { user: { ...octocat, id: null } },
      { user: { ...octocat, id: "" } },
      { user: { ...octocat, id: 1.5 } },
      { user: { ...octocat, id: 2 ** 53 } },
      { user: { ...octocat, id: { sub: 1 } } },
      { user: [octocat] },
      { user: "octocat" },
      { emails: { email: "mona@example.com", primary: true, verified: true } },
      { token: { access_token: undefined } },
      { token: { access_token: "a\r\nb" } },
      { token: { token_type: "mac" } },
      { token: { access_token: "gho_of_another" } },
    ];
    for (const said of bad) {
      const { code } = await travel(scene, github, said);
      assert.equal(code, "PROVIDER_FAILED", JSON.stringify(said));
    }
    assert.deepEqual(await scene.rows("authIdentity"), []);
    assert.equal((await travel(scene, github)).location, "/tickets");
  }));

test("in the general form, the app says where an answer has what", (context) => {
  const claims = {
    id: "data.key",
    email: "data.contact.mail",
    emailVerified: "data.contact.checked",
    name: "data.title",
  };
  const form = { emailsEndpoint: null, scopes: [], claims };
  return inScene(context, form, async (scene, github) => {
    const left = new URL(await leave(scene, new SceneBrowser()));
    assert.equal(left.searchParams.get("scope"), null);
    const { user: owner } = await scene.comeIn(new SceneBrowser(), { email: "ann@example.com" });
    const come = (key: string, contact: unknown) =>
      travel(scene, github, { user: { data: { key, title: "Ann", contact } } });
    for (const [index, checked] of [false, undefined, "true", 1, null, {}].entries()) {
      await come(`eve-${index}`, { mail: "ann@example.com", checked });
    }
    await come("eve", null);
    const owners = async () =>
      (await scene.rows("authIdentity")).filter(({ user }) => user === owner).length;
    assert.equal(await owners(), 0);
    await come("ann", { mail: "ann@example.com", checked: true });
    assert.equal(await owners(), 1);
  });
});
