// Identity's protocols over a real server, met by clients that are not ours.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "keelson/client";
import * as client from "openid-client";
import { generateSync } from "otplib";
import { openForeign, openGuild, password, type Guild, type Person } from "./guild.ts";

const redirectUri = "https://shop.example/back";
const bankSecret = "theirs & ours: 1 + 1";
const clients = {
  bank: { name: "The Bank", redirects: [redirectUri], secret: "GUILD_BANK", consent: false },
  shop: { name: "The Shop", redirects: [redirectUri], logoutRedirects: ["https://shop.example/"] },
};

/** An authorization as a client begins it. */
async function begin(config: client.Configuration, over: Readonly<Record<string, string>> = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: "openid email offline_access",
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: "S256",
    state: expectedState,
    nonce: expectedNonce,
    ...over,
  });
  return { url: url.href, checks: { pkceCodeVerifier, expectedState, expectedNonce } };
}

/** What somebody types into our pages. */
function typing(email: string, decision: "allow" | "deny" = "allow") {
  return (path: string): Readonly<Record<string, string>> => {
    if (path === "/auth/sign-in") return { email, password };
    if (path === "/auth/consent") return { decision };
    throw new Error(`nobody knows what to type at ${path}`);
  };
}

/** A client that knows the provider's address and its own name, no more. */
function discoverAt(guild: Guild, id: string, auth: client.ClientAuth) {
  return client.discovery(new URL(guild.url), id, undefined, auth, {
    execute: [client.allowInsecureRequests],
  });
}

function bearer(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}`, connection: "close" } };
}

async function me(guild: Guild, headers: Readonly<Record<string, string>>): Promise<unknown> {
  const response = await fetch(`${guild.url}/api/fn/who.am`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: "{}",
  });
  return response.status === 200 ? response.json() : response.status;
}

test("openid-client signs somebody in by the plain forms: code, PKCE, userinfo, refresh, revocation, logout", async (context) => {
  const guild = await openGuild(context, { clients });
  await guild.member("ann@example.com");
  const config = await discoverAt(guild, "shop", client.None());
  client.enableNonRepudiationChecks(config);
  const ann = guild.person();
  const first = await begin(config);
  const { pages, end } = await ann.walk(first.url, typing("ann@example.com"));
  assert.deepEqual(pages, ["/auth/sign-in", "/auth/consent"]);
  const tokens = await client.authorizationCodeGrant(config, end, first.checks);
  const { sub = "" } = tokens.claims() ?? {};
  const info = await client.fetchUserInfo(config, tokens.access_token, sub);
  assert.deepEqual(info, { sub, email: "ann@example.com", email_verified: true });

  // A client's token opens userinfo, and nothing of the app.
  assert.equal(await me(guild, { authorization: `Bearer ${tokens.access_token}` }), 401);
  const sessions = (await ann.get("/auth/sessions")).json["sessions"];
  const names = (sessions as readonly { readonly client: string | null }[]).map(
    (one) => one.client,
  );
  assert.ok(names.includes("shop"), JSON.stringify(names));

  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? "");
  await client.tokenRevocation(config, refreshed.refresh_token ?? "");
  await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, sub));
  await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token ?? ""));

  const silent = await begin(config, { prompt: "none" });
  const quiet = await ann.walk(silent.url, typing(""));
  assert.ok((await client.authorizationCodeGrant(config, quiet.end, silent.checks)).id_token);
  const nobody = await guild
    .person()
    .walk((await begin(config, { prompt: "none" })).url, typing(""));
  assert.equal(nobody.end.searchParams.get("error"), "login_required");
  const again = await begin(config, { prompt: "login", max_age: "600" });
  const walked = await ann.walk(again.url, typing("ann@example.com"));
  assert.deepEqual(walked.pages, ["/auth/sign-in"]);
  const checks = { ...again.checks, maxAge: 600 };
  assert.ok((await client.authorizationCodeGrant(config, walked.end, checks)).id_token);
  const asked = await begin(config, { prompt: "consent" });
  const denied = await ann.walk(asked.url, typing("", "deny"));
  assert.deepEqual(denied.pages, ["/auth/consent"]);
  assert.equal(denied.end.searchParams.get("error"), "access_denied");

  // One with a secret, of the app's own: nobody is asked.
  process.env["GUILD_BANK"] = bankSecret;
  context.after(() => delete process.env["GUILD_BANK"]);
  const basic = client.ClientSecretBasic(bankSecret);
  const bank = await discoverAt(guild, "bank", basic);
  const banked = await begin(bank);
  const asks = await ann.walk(banked.url, typing(""));
  assert.deepEqual(asks.pages, []);
  assert.ok((await client.authorizationCodeGrant(bank, asks.end, banked.checks)).id_token);

  const out = client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token ?? "",
    post_logout_redirect_uri: "https://shop.example/",
  });
  assert.equal((await ann.open(out.href)).location, "https://shop.example/");
  assert.equal(((await ann.get("/auth/me")).json as { me: unknown }).me, null);
});

test("consent is given on our own page only: not by a form of another site, not in a frame", async (context) => {
  const guild = await openGuild(context, { clients });
  const ann = await guild.member("ann@example.com");
  const config = await discoverAt(guild, "shop", client.None());
  const { location } = await ann.open((await begin(config)).url);
  const page = await ann.open(location ?? "");
  assert.equal(page.status, 200);
  assert.equal(page.headers.get("x-frame-options"), "DENY");
  const policy = page.headers.get("content-security-policy") ?? "";
  assert.match(policy, /frame-ancestors 'none'/v);
  // Browsers hold the way back to this too.
  assert.match(policy, /form-action [^;]*https:\/\/shop\.example/v);
  const request = new URL(location ?? "").searchParams.get("request") ?? "";
  const fields = { request, decision: "allow" };
  const forged = await ann.submit("/auth/oidc/consent", fields, "https://evil.example");
  assert.equal(forged.status, 403, forged.text);
  const given = await ann.submit("/auth/oidc/consent", fields);
  assert.ok(given.location?.startsWith(`${redirectUri}?code=`), given.text);
});

test("oidc-provider signs people in, on every thread of a server in production", async (context) => {
  const there = { id: "guild", secret: "what the two know" };
  const foreign = await openForeign(context, there);
  process.env["GUILD_SECRET"] = there.secret;
  context.after(() => delete process.env["GUILD_SECRET"]);
  const provider = { issuer: foreign.issuer, clientId: there.id, secret: "GUILD_SECRET" };
  const guild = await openGuild(
    context,
    { clients, providers: { there: provider } },
    { mode: "production", threads: 2 },
  );
  // The key of id_tokens is made when it is first asked for: all threads make the same one.
  const keys = await Promise.all(
    [1, 2, 3, 4, 5, 6].map(() => guild.person().get("/auth/oidc/keys")),
  );
  assert.equal(new Set(keys.map(({ text }) => text)).size, 1);
  foreign.letIn(guild.url);
  const come = (who: Person, login: string) =>
    who.walk(
      "/auth/providers/there/start?next=/",
      (_, page) => ({ login, password: "any", ...promptOf(page) }),
      [foreign.host],
    );
  const ann = guild.person();
  assert.equal((await come(ann, "ann")).end.href, `${guild.url}/`);
  const mine = async (who: Person) =>
    (await who.get("/auth/me")).json["me"] as Record<string, unknown>;
  const { id, email, emailVerified } = await mine(ann);
  assert.deepEqual([email, emailVerified], ["ann@there.example", true]);
  // Each connection may be another thread's.
  for (let round = 0; round < 6; round++) assert.equal((await mine(ann))["id"], id);

  // What one thread gave, all take; what one took back, none does.
  const config = await discoverAt(guild, "shop", client.None());
  const { url, checks } = await begin(config);
  const { end } = await ann.walk(url, typing(""));
  const tokens = await client.authorizationCodeGrant(config, end, checks);
  const told = () => guild.person().ask("GET", "/auth/oidc/userinfo", bearer(tokens.access_token));
  for (let round = 0; round < 6; round++) assert.equal((await told()).json["sub"], id);
  await client.tokenRevocation(config, tokens.access_token);
  for (let round = 0; round < 6; round++) assert.equal((await told()).status, 401);

  // A guest goes on as the person they turn out to be, if that one is new.
  const guest = guild.person();
  await guest.post("/auth/guest");
  const before = (await mine(guest))["id"];
  await come(guest, "bob");
  const after = await mine(guest);
  assert.deepEqual([after["id"], after["guest"]], [before, false]);

  // Somebody else's way back is nobody's sign-in.
  const eve = guild.person();
  const { location } = await guild.person().open("/auth/providers/there/start");
  const state = new URL(location ?? "").searchParams.get("state") ?? "";
  const swapped = await eve.open(`/auth/providers/there/callback?state=${state}&code=x`);
  assert.ok(swapped.status >= 400 && swapped.location === null, swapped.text);
  assert.equal(await mine(eve), null);
});

function promptOf(page: string): Readonly<Record<string, string>> {
  const prompt = /name="prompt" value="([^"]+)"/v.exec(page)?.[1];
  return prompt === undefined ? {} : { prompt };
}

test("a second factor is asked for, its code counts once, and a recovery code stands in for it", async (context) => {
  const guild = await openGuild(context);
  const ann = await guild.member("ann@example.com");
  const begun = await ann.post("/auth/totp/begin");
  const secret = begun.json["secret"] as string;
  const codeAt = (steps: number) =>
    generateSync({ secret, epoch: Math.floor(Date.now() / 1_000) + steps * 30 });
  const confirmed = await ann.post("/auth/totp/confirm", { code: codeAt(0) });
  assert.equal(confirmed.status, 200, confirmed.text);
  const [recoveryCode] = confirmed.json["recoveryCodes"] as readonly string[];
  const ticketOf = async (who: Person) => {
    const { json } = await who.post("/auth/sign-in", { email: "ann@example.com", password });
    return (json["secondFactor"] as { readonly ticket: string }).ticket;
  };
  const isIn = async (who: Person) => (await who.get("/auth/totp")).status === 200;
  // The next step's code: a phone may be ahead of us by one.
  const code = codeAt(1);
  const phone = guild.person();
  const ticket = await ticketOf(phone);
  assert.equal(await isIn(phone), false);
  assert.equal((await phone.post("/auth/second-factor", { ticket, code })).status, 200);
  assert.equal(await isIn(phone), true);
  const eve = guild.person();
  const body = { ticket: await ticketOf(eve), code };
  assert.equal((await eve.post("/auth/second-factor", body)).json["code"], "CODE_WRONG");
  assert.equal(await isIn(eve), false);
  const laptop = guild.person();
  const recovery = { ticket: await ticketOf(laptop), recoveryCode };
  assert.equal((await laptop.post("/auth/second-factor", recovery)).status, 200);
  const twice = { ticket: await ticketOf(laptop), recoveryCode };
  assert.equal((await laptop.post("/auth/second-factor", twice)).json["code"], "CODE_WRONG");
});

test("rules and functions know the organisation that somebody speaks for, and their role in it", async (context) => {
  const guild = await openGuild(context);
  const ann = await guild.member("ann@example.com");
  const bob = await guild.member("bob@example.com");
  const { json } = await ann.post("/auth/orgs", { name: "Weavers", slug: "weavers" });
  const org = json["id"] as string;
  const email = "bob@example.com";
  await ann.post(`/auth/orgs/${org}/invitations`, { email, role: "member" });
  const token = new URL(await guild.link(email)).searchParams.get("token");
  assert.equal((await bob.post("/auth/invitations/accept", { token })).status, 200);
  const speaksFor = async (who: Person) => {
    const { json } = await who.post("/api/fn/who.am");
    return [json["org"], json["orgRole"]];
  };
  const write = async (who: Person, text: string) =>
    (await who.post("/api/tables/minute", { org, text })).status;
  const read = async (who: Person) => {
    const { json } = await who.get("/api/tables/minute");
    return (json["rows"] as readonly unknown[]).length;
  };
  assert.deepEqual(await speaksFor(ann), [null, null]);
  assert.equal(await write(ann, "early"), 403);
  for (const who of [ann, bob]) {
    assert.equal((await who.post("/auth/orgs/choose", { org })).status, 204);
  }
  assert.deepEqual(await speaksFor(ann), [org, "owner"]);
  assert.deepEqual(await speaksFor(bob), [org, "member"]);
  assert.equal(await write(ann, "We wove."), 201);
  assert.equal(await write(bob, "We spun."), 403);
  assert.equal(await read(bob), 1);
  // Even where the rules allow all: whoever is no member does not learn that there is such an organisation.
  const claim = async (who: Person) => (await who.post("/api/tables/claim", { org })).json["code"];
  const eve = await guild.member("eve@example.com");
  assert.equal(await claim(eve), "REF_MISSING");
  assert.equal(await claim(bob), undefined);
  const { id } = (await bob.get("/auth/me")).json["me"] as { readonly id: string };
  const member = `/auth/orgs/${org}/members/${id}`;
  assert.equal((await ann.send("PATCH", member, { role: "admin" })).status, 204);
  assert.deepEqual(await speaksFor(bob), [org, "admin"]);
  assert.equal(await write(bob, "We spun."), 201);
  assert.equal((await ann.send("DELETE", member)).status, 204);
  assert.deepEqual(await speaksFor(bob), [null, null]);
  assert.equal(await read(bob), 0);
  assert.equal(await read(ann), 2);
});

/** What this test uses of a client of the guild's app, whose type is known only when it runs. */
interface LiveGuild {
  readonly minute: {
    list(query?: { readonly limit: number }): {
      live(told: (rows: readonly { readonly text: string }[]) => void): () => void;
    };
  };
  close(): void;
}

test("the page of an organisation leads on to all of its members", async (context) => {
  const guild = await openGuild(context, {}, { limits: { pageRowsDefault: 2 } });
  const ann = await guild.member("ann@example.com");
  const org = (await ann.post("/auth/orgs", { name: "Bakers", slug: "bakers" })).json[
    "id"
  ] as string;
  for (const email of ["bob@example.com", "cat@example.com"]) {
    const invited = await ann.post(`/auth/orgs/${org}/invitations`, { email, role: "member" });
    assert.equal(invited.status, 201, invited.text);
    const token = new URL(await guild.link(email)).searchParams.get("token");
    const joined = await (await guild.member(email)).post("/auth/invitations/accept", { token });
    assert.equal(joined.status, 200, joined.text);
  }
  const first = await ann.open(`/auth/orgs/${org}`);
  assert.match(first.text, /bob@example\.com/v);
  assert.doesNotMatch(first.text, /cat@example\.com/v);
  const [, more = ""] = /href="([^"]*after=[^"]*)"/v.exec(first.text) ?? [];
  const second = await ann.open(more.replaceAll("&amp;", "&"));
  assert.match(second.text, /cat@example\.com/v);
  assert.doesNotMatch(second.text, /More members/v);
});

test("a live query knows at once that somebody was taken out of the organisation", async (context) => {
  const guild = await openGuild(context);
  const ann = await guild.member("ann@example.com");
  const email = "bob@example.com";
  const bob = await guild.member(email);
  const org = (await ann.post("/auth/orgs", { name: "Weavers", slug: "weavers" })).json["id"];
  await ann.post("/auth/orgs/choose", { org });
  await ann.post(`/auth/orgs/${String(org)}/invitations`, { email, role: "member" });
  const token = new URL(await guild.link(email)).searchParams.get("token");
  await bob.post("/auth/invitations/accept", { token });
  const signedIn = await guild.person().post("/auth/sign-in", { email, password, tokens: true });
  const { accessToken, user } = signedIn.json as { readonly [name: string]: string };
  const headers = {
    authorization: `Bearer ${accessToken ?? ""}`,
    "content-type": "application/json",
  };
  const chosen = { headers, body: JSON.stringify({ org }) };
  assert.equal((await guild.person().ask("POST", "/auth/orgs/choose", chosen)).status, 204);

  const api = createClient(guild.url, { token: accessToken ?? "" }) as unknown as LiveGuild;
  context.after(() => api.close());
  const seen: string[] = [];
  let change = Promise.withResolvers<void>();
  api.minute.list().live((rows) => {
    seen.push(rows.map(({ text }) => text).join());
    change.resolve();
  });
  await change.promise;
  change = Promise.withResolvers();
  await ann.post("/api/tables/minute", { org, text: "We wove." });
  await change.promise;
  change = Promise.withResolvers();
  const member = `/auth/orgs/${String(org)}/members/${user ?? ""}`;
  assert.equal((await ann.send("DELETE", member)).status, 204);
  await change.promise;
  const secret = await ann.post("/api/tables/minute", { org, text: "Bob is out." });
  assert.equal(secret.status, 201);
  // Whatever is still on its way comes before the answer to this.
  const again = Promise.withResolvers<void>();
  api.minute.list({ limit: 7 }).live(() => again.resolve());
  await again.promise;
  assert.deepEqual(seen, ["", "We wove.", ""]);
});

test("a client that runs in a browser reaches the provider from an origin of the app's cors", async (context) => {
  const guild = await openGuild(context, { clients });
  const spa = guild.person();
  const of = (origin: string) => ({ headers: { origin } });
  for (const [method, path] of [
    ["GET", "/.well-known/openid-configuration"],
    ["GET", "/auth/oidc/keys"],
    ["POST", "/auth/oidc/token"],
    ["GET", "/auth/oidc/userinfo"],
  ] as const) {
    const preflight = {
      headers: {
        origin: "https://spa.example",
        "access-control-request-method": method,
        "access-control-request-headers": "authorization",
      },
    };
    const allowed = await spa.ask("OPTIONS", path, preflight);
    assert.equal(allowed.headers.get("access-control-allow-origin"), "https://spa.example", path);
    const asked = await spa.ask(method, path, of("https://spa.example"));
    assert.equal(asked.headers.get("access-control-allow-origin"), "https://spa.example", path);
    const other = await spa.ask(method, path, of("https://other.example"));
    assert.equal(other.headers.get("access-control-allow-origin"), null, path);
  }
});
