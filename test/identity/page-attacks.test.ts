// What other sites and other people's words can do to the pages: nothing. Requests as a browser would send them from
// somewhere else, values that are markup, addresses to go on to that are not this app's, names that want to be headers.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { before, after, test } from "node:test";
import { openGuild } from "./guild.ts";
import { openClub, password, type Club } from "./people-scene.ts";

let club: Club;
const endings: (() => Promise<void>)[] = [];

before(async () => {
  club = await openClub({ after: (fn) => void endings.push(fn) }, { trustProxy: true });
});

after(async () => {
  for (const end of endings.toReversed()) await end();
});

interface Sent {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | null;
  readonly headers: Headers;
}

/** Sends what a browser would. What it says of where the request comes from is up to the test. */
async function send(path: string, sent: Sent = {}): Promise<Answer> {
  const { form, json } = sent;
  const response = await fetch(`${club.url}${path}`, {
    method: sent.method ?? (form === undefined && json === undefined ? "GET" : "POST"),
    redirect: "manual",
    headers: {
      ...(json === undefined ? { accept: "text/html" } : { "content-type": "application/json" }),
      ...sent.headers,
    },
    ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return {
    status: response.status,
    text: await response.text(),
    location: response.headers.get("location"),
    headers: response.headers,
  };
}

const own = () => ({ origin: club.url, "sec-fetch-site": "same-origin" });
const cookieOf = ({ headers }: Answer) =>
  headers.getSetCookie().map((cookie) => cookie.split(";", 1)[0] ?? "");

/** Makes somebody. @returns the cookie of their session. */
async function member(email: string, name = "Ada"): Promise<string> {
  const asked = await send("/auth/sign-up", { json: { email, password, name }, headers: own() });
  assert.equal(asked.status, 202, asked.text);
  const ticket = new URL(await club.link(email, "verify-email")).searchParams.get("ticket") ?? "";
  const cookie = cookieOf(asked).join("; ");
  const done = await send("/auth/verify-email/confirm", {
    json: { ticket },
    headers: { ...own(), cookie },
  });
  assert.equal(done.status, 200, done.text);
  return cookieOf(done).find((one) => one.startsWith("keelson_session=")) ?? "";
}

/** Every form of the pages, as somebody signed in would send it. */
const forms: readonly (readonly [path: string, fields: Readonly<Record<string, string>>])[] = [
  ["/auth/sign-in", { email: "mallory@example.com", password }],
  ["/auth/sign-up", { email: "mallory@example.com", password }],
  ["/auth/sign-out", {}],
  ["/auth/guest", {}],
  ["/auth/reset", { email: "eve@example.com" }],
  ["/auth/reset/confirm", { ticket: "x", password }],
  ["/auth/magic-link", { email: "eve@example.com" }],
  ["/auth/magic-link/confirm", { ticket: "x" }],
  ["/auth/email-code", { email: "eve@example.com" }],
  ["/auth/email-code/confirm", { ticket: "x", code: "123456" }],
  ["/auth/second-factor", { ticket: "x", code: "123456" }],
  ["/auth/verify-email/confirm", { ticket: "x" }],
  ["/auth/email", { email: "mallory@example.com" }],
  ["/auth/password", { password: "a new password of mine" }],
  ["/auth/confirm", { password }],
  ["/auth/totp/begin", {}],
  ["/auth/totp/remove", {}],
  ["/auth/recovery-codes", {}],
  ["/auth/sessions/revoke-all", {}],
  ["/auth/keys", { name: "mine" }],
  ["/auth/orgs", { name: "mine", slug: "mine" }],
  ["/auth/orgs/choose", { org: "" }],
  ["/auth/invitations/accept", { token: "x" }],
  ["/auth/oidc/consent", { request: "x", decision: "allow" }],
];

/** How a browser marks a request that another site made; the last is one too old to mark any. */
const elsewhere: readonly Readonly<Record<string, string>>[] = [
  { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  { origin: "null", "sec-fetch-site": "cross-site" },
  { origin: "https://neighbour.localhost", "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "cross-site" },
  { origin: "http://localhost.evil.example" },
  {},
];

test("a form of another site changes nothing, whoever is signed in", async (context) => {
  const cookie = await member("eve@example.com");
  for (const [path, form] of forms) {
    await context.test(path, async () => {
      for (const from of elsewhere) {
        const answer = await send(path, { form, headers: { ...from, cookie } });
        const said = `${JSON.stringify(from)} ${answer.status} ${answer.text.slice(0, 200)}`;
        assert.equal(answer.status, 403, said);
        assert.deepEqual(answer.headers.getSetCookie(), [], said);
        assert.match(answer.text, /CROSS_SITE_DENIED|another site/i, said);
      }
    });
  }
  const me = await send("/auth/me", { headers: { cookie, accept: "application/json" } });
  assert.match(me.text, /eve@example\.com/, "and the session is as it was");
});

test("a script of another site can't send the same as JSON, nor as plain text", async () => {
  const cookie = await member("jay@example.com");
  for (const from of elsewhere.slice(0, 3)) {
    const json = await send("/auth/password", {
      json: { password: "a new password of mine" },
      headers: { ...from, cookie },
    });
    assert.equal(json.status, 403, json.text);
    assert.equal(json.headers.get("access-control-allow-origin"), null);
  }
  const text = await fetch(`${club.url}/auth/password`, {
    method: "POST",
    headers: { "content-type": "text/plain", cookie, origin: "https://evil.example" },
    body: '{"password":"a new password of mine"}',
  });
  assert.equal(text.status, 403);
});

test("what a link does is shown, not done: GET never changes anything", async () => {
  const cookie = await member("kim@example.com");
  await send("/auth/magic-link", { json: { email: "kim@example.com" }, headers: own() });
  const link = new URL(await club.link("kim@example.com", "magic-link"));
  const path = `${link.pathname}${link.search}`;
  for (let times = 0; times < 3; times++) {
    const looked = await send(path);
    assert.equal(looked.status, 200);
    assert.deepEqual(looked.headers.getSetCookie(), []);
  }
  const ticket = link.searchParams.get("ticket") ?? "";
  const done = await send("/auth/magic-link/confirm", { form: { ticket }, headers: own() });
  assert.equal(done.status, 303, done.text);
  for (const [path] of forms) {
    const answer = await send(path, { headers: { cookie } });
    assert.notEqual(answer.status, 500, path);
  }
  const me = await send("/auth/me", { headers: { cookie, accept: "application/json" } });
  assert.match(me.text, /kim@example\.com/);
});

test("no page may be framed, sniffed, cached or tell its address to others", async () => {
  const cookie = await member("lou@example.com");
  const paths = ["/auth/sign-in", "/auth/sign-up", "/auth/reset/confirm?ticket=x", "/auth/nowhere"];
  for (const path of [...paths, "/auth/account", "/auth/security", "/auth/sessions"]) {
    const { headers, status, text } = await send(path, { headers: { cookie } });
    if (status === 404) continue;
    const policy = headers.get("content-security-policy") ?? "";
    if (status === 303) continue;
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.match(policy, /default-src 'none'/, path);
    assert.match(policy, /base-uri 'none'/, path);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval/, path);
    assert.equal(headers.get("x-frame-options"), "DENY", path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("referrer-policy"), "same-origin", path);
    assert.equal(headers.get("cache-control"), "no-store", path);
    assert.doesNotMatch(text, /\son\w+=|javascript:/iv, path);
  }
});

/** Markup that would run where it is not text. */
const markup = [
  `"><script>alert(1)</script>`,
  `'"><img src=x onerror=alert(1)>`,
  `</title><svg onload=alert(1)>`,
  `javascript:alert(1)`,
  `</style><script>alert(1)</script>`,
] as const;

test("words of people and of addresses are text on every page", async () => {
  for (const [index, word] of markup.entries()) {
    const cookie = await member(`mo${index}@example.com`, word);
    const headers = { ...own(), cookie };
    await send("/auth/keys", { form: { name: word }, headers });
    await send("/auth/orgs", { form: { name: word, slug: `org-${index}` }, headers });
    const asked = encodeURIComponent(word);
    const pages = [
      await send(`/auth/sign-in?next=${asked}&again=1`, { headers }),
      await send(`/auth/sign-in?next=${asked}`),
      await send(`/auth/sign-up?next=${asked}`),
      await send(`/auth/reset/confirm?ticket=${asked}&next=${asked}`),
      await send(`/auth/second-factor?ticket=${asked}&next=${asked}`),
      await send(`/auth/invitations/accept?token=${asked}`, { headers }),
      await send(`/auth/security?done=${asked}`, { headers }),
      await send("/auth/sign-in", { form: { email: word, password: word }, headers: own() }),
      await send("/auth/sign-up", {
        form: { email: word, password: word, name: word, plan: word },
        headers: own(),
      }),
      await send("/auth/totp/confirm", {
        form: { uri: `otpauth://${word}`, secret: word, code: "1" },
        headers,
      }),
      await send("/auth/keys", { headers }),
      await send("/auth/orgs", { headers }),
      await send("/auth/sessions", { headers: { ...headers, "user-agent": word } }),
      await send("/auth/events", { headers }),
      await send("/auth/account", { headers }),
    ];
    for (const { text, status } of pages) {
      assert.notEqual(status, 500);
      assert.doesNotMatch(text, /<script>alert|<img src=x|<svg onload|<\/style><script/iv, word);
      assert.doesNotMatch(text, /(?:href|action|src|data-next)="\s*javascript:/iv, word);
    }
  }
});

test("a page leads to no place that is not on the list, however it is written", async () => {
  await member("pat@example.com");
  const places = [
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "https:evil.example",
    "http://localhost@evil.example/",
    `${club.url}.evil.example/`,
    `${club.url}@evil.example/`,
    "javascript:alert(1)",
    "data:text/html,hi",
    "/.//evil.example",
    "/%2e%2e//evil.example",
    "/a\r\nset-cookie: x=y",
  ];
  for (const place of places) {
    const path = `/auth/sign-in?next=${encodeURIComponent(place)}`;
    const form = { email: "pat@example.com", password };
    const { status, location, headers } = await send(path, { form, headers: own() });
    assert.equal(status, 303, place);
    const target = new URL(location ?? "", club.url);
    assert.equal(target.origin, club.url, `${place} -> ${location}`);
    assert.ok(!headers.getSetCookie().some((cookie) => cookie.startsWith("x=")), place);
  }
});

test("a name, an address or an organisation is no header and no recipient of a mail", async () => {
  const refused = [
    "a@example.com\r\nBcc: b@example.com",
    "a@example.com, b@example.com",
    "a@example.com b@example.com",
    "<a@example.com>",
    "a@example.com%0d%0aBcc:b@example.com\n",
    '"a\r\nSubject: x"@example.com',
    "a@exam\u0000ple.com",
  ];
  for (const email of refused) {
    for (const path of ["/auth/sign-up", "/auth/reset", "/auth/magic-link", "/auth/email-code"]) {
      const form = { email, ...(path === "/auth/sign-up" ? { password } : {}) };
      const { status } = await send(path, { form, headers: own() });
      assert.equal(status, 422, `${path} ${JSON.stringify(email)}`);
    }
  }
  const name = "Free money\r\nBcc: b@example.com\r\n\r\nhttps://evil.example/";
  const cookie = await member("quin@example.com", "Quin");
  const headers = { ...own(), cookie };
  const made = await send("/auth/orgs", { json: { name, slug: "money" }, headers });
  if (made.status < 300) {
    const { id } = JSON.parse(made.text) as { readonly id: string };
    const invite = { email: "rob@example.com", role: "member" };
    await send(`/auth/orgs/${id}/invitations`, { json: invite, headers });
    const mail = await club.mail("rob@example.com", "invitation");
    assert.doesNotMatch(mail.subject, /[\r\n]/v);
    assert.doesNotMatch(mail.text, /evil\.example/v);
  } else {
    assert.equal(made.status, 422, made.text);
  }
});

test("a host that was asked for does not get into a letter of a server that knows its own", async (context) => {
  const known = await openClub(context, { publicUrl: "https://club.example" });
  const asked = request(`${known.server.url}/auth/magic-link`, {
    method: "POST",
    headers: {
      ...{ "content-type": "application/json", host: "evil.example" },
      ...{ "x-forwarded-host": "evil.example", forwarded: "host=evil.example" },
    },
  });
  asked.end('{"email":"sam@example.com"}');
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  response.resume();
  assert.equal(response.statusCode, 202);
  const mail = await known.mail("sam@example.com", "magic-link");
  assert.match(mail.text, /https:\/\/club\.example\/auth\/magic-link/v);
  assert.doesNotMatch(`${mail.text}${mail.html}`, /evil\.example/v);
});

test("where the app says that it is reached by https, a cookie that a neighbouring host set is none", async (context) => {
  const guild = await openGuild(context, { url: "https://guild.example" });
  const made = await guild.person().post("/auth/guest");
  const [line = ""] = made.headers.getSetCookie();
  const [, value = ""] = /^__Host-keelson_session=([^;]+); .*Secure/v.exec(line) ?? [];
  assert.notEqual(value, "", line);
  const asked = async (cookie: string) => {
    const headers = { cookie, "content-type": "application/json" };
    const answer = await guild.person().ask("POST", "/api/fn/who.am", { headers, body: "{}" });
    return answer.json["id"];
  };
  assert.equal(await asked(`__Host-keelson_session=${value}`), made.json["user"]);
  assert.equal(await asked(`keelson_session=${value}`), null);
});
