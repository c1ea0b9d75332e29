// Providers that an app names in a line each, on a server as it is started: where they send a browser, and how their
// answers come in. Nobody here asks the providers themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openGuild, password } from "./guild.ts";

const providers = {
  google: { clientId: "1234.apps.example", secret: "GOOGLE_SECRET" },
  microsoft: { clientId: "6731de76", secret: "MICROSOFT_SECRET" },
  github: { clientId: "Iv1.abc", secret: "GITHUB_SECRET" },
  gitlab: { clientId: "gl", secret: "GITLAB_SECRET" },
  discord: { clientId: "157730590492196864", secret: "DISCORD_SECRET" },
  apple: {
    clientId: "com.example.tickets",
    teamId: "ABCDE12345",
    keyId: "FGHIJ67890",
    secret: "APPLE_KEY",
  },
};

test("providers known by name are on the sign-in page, and GitHub and Discord are asked as they document", async (context) => {
  const guild = await openGuild(context, { providers });
  const ann = guild.person();
  const { json } = await ann.get("/auth/providers");
  const listed = json["providers"] as readonly { readonly label: string }[];
  assert.deepEqual(
    listed.map(({ label }) => label),
    ["Google", "Microsoft", "GitHub", "GitLab", "Discord", "Apple"],
  );
  const page = await ann.open("/auth/sign-in");
  for (const { label } of listed) assert.ok(page.text.includes(`Continue with ${label}`), label);
  const ways = {
    github: "https://github.com/login/oauth/authorize",
    discord: "https://discord.com/oauth2/authorize",
  };
  for (const [name, address] of Object.entries(ways)) {
    const { location } = await ann.open(`/auth/providers/${name}/start?next=/`);
    const url = new URL(location ?? "");
    assert.equal(url.origin + url.pathname, address);
    const query = Object.fromEntries(url.searchParams);
    assert.equal(query["client_id"], providers[name as "github" | "discord"].clientId);
    assert.equal(query["redirect_uri"], `${guild.url}/auth/providers/${name}/callback`);
    assert.equal(query["response_type"], "code");
    assert.equal(query["code_challenge_method"], "S256");
    assert.match(query["state"] ?? "", /^[\w\-]{43}$/v);
  }
});

test("who was sent here by a provider that tells too little reads why, in the form that asks for the rest", async (context) => {
  const guild = await openGuild(context, { providers });
  const opened = async (from: string) =>
    (
      await guild
        .person()
        .open(`/auth/sign-up?${new URLSearchParams({ from, hint: "a@b.example" })}`)
    ).text;
  assert.match(
    await opened("google"),
    /role="status">Google does not tell all that is asked here/v,
  );
  for (const from of ["", "nobody", "__proto__", "constructor"]) {
    assert.doesNotMatch(await opened(from), /does not tell/v, from);
  }
});

test("a form of another site comes in at a provider's way back only, and is nobody's without its state", async (context) => {
  const guild = await openGuild(context, { providers });
  const eve = guild.person();
  const fields = { state: "a".repeat(43), code: "c" };
  const apple = "https://appleid.apple.com";
  const posted = await eve.submit("/auth/providers/apple/callback", fields, apple);
  assert.equal(posted.status, 303, posted.text);
  const back = new URL(posted.location ?? "");
  assert.equal(back.pathname, "/auth/providers/apple/callback");
  assert.equal((await eve.open(back.href)).status, 400);
  assert.equal((await eve.submit("/auth/providers/github/callback", fields, apple)).status, 404);
  const twice = await eve.ask("POST", "/auth/providers/apple/callback", {
    headers: { origin: apple, "content-type": "application/x-www-form-urlencoded" },
    body: "state=a&state=b",
  });
  assert.equal(twice.status, 422);
  assert.equal(
    (await eve.submit("/auth/sign-in", { email: "a", password: "b" }, apple)).status,
    403,
  );
});

test("whom a client expects stands in the sign-in form", async (context) => {
  const clients = { shop: { name: "Shop", redirects: ["https://shop.example/back"] } };
  const guild = await openGuild(context, { clients });
  const hinted = async (hint: string) => {
    const query = new URLSearchParams({
      client_id: "shop",
      redirect_uri: "https://shop.example/back",
      response_type: "code",
      scope: "openid",
      code_challenge: "a".repeat(43),
      code_challenge_method: "S256",
      login_hint: hint,
    });
    const ann = guild.person();
    const { location } = await ann.open(`/auth/oidc/authorize?${query.toString()}`);
    const { text } = await ann.open(location ?? "");
    return /<input[^>]*name="email"[^>]*>/v.exec(text)?.[0] ?? "";
  };
  assert.match(await hinted("ann@example.com"), /value="ann@example\.com"/v);
  assert.doesNotMatch(await hinted("x".repeat(255)), /xxx/v);
  assert.doesNotMatch(await hinted('"><script>1</script>'), /<script/v);
});

test("and in every other form of ours that leads on from there, with the way back to the client", async (context) => {
  const guild = await openGuild(context, {});
  const ann = guild.person();
  const hint = "ann+x@example.com";
  const next = "/auth/oidc/continue?request=r";
  const page = (await ann.open(`/auth/sign-in?${new URLSearchParams({ next, hint })}`)).text;
  const links = [...page.matchAll(/href="(\/auth\/[^"]*)"/gv)].map(([, link = ""]) =>
    link.replaceAll("&amp;", "&"),
  );
  for (const path of ["/auth/magic-link", "/auth/email-code", "/auth/reset", "/auth/sign-up"]) {
    const link = links.find((each) => each.startsWith(path)) ?? "";
    const { text } = await ann.open(link);
    const field = /<input[^>]*name="email"[^>]*>/v.exec(text)?.[0] ?? "";
    assert.match(field, /value="ann\+x@example\.com"/v, path);
    const action = /action="([^"]*)"/v.exec(text)?.[1]?.replaceAll("&amp;", "&") ?? "";
    assert.equal(new URL(action, guild.url).searchParams.get("next"), next, path);
    // What people type counts, not what was proposed.
    const typed = { email: "bob@", password };
    const again = await ann.submit(action, typed);
    assert.match(again.text, /value="bob@"/v, `${path}: ${again.text}`);
  }
});
