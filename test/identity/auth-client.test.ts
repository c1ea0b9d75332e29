// `api.auth` and `useMe` against a whole server: with tokens that the client keeps, and with the cookie of a browser.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Window } from "happy-dom";
import { WebSocket } from "ws";
import {
  createClient,
  KeelsonError,
  type Client,
  type ClientOptions,
  type MeState,
} from "keelson/client";
import type app from "./app/keelson/app.ts";
import { openClub, password, type Club } from "./people-scene.ts";

const window = new Window({ url: "http://localhost/" });
// Frameworks look for these when they are loaded, so they are imported after.
Object.assign(globalThis, { window, document: window.document });
const react = await import("react");
const { createRoot } = await import("react-dom/client");
const preact = await import("preact/compat");
const reactHooks = await import("keelson/react");
const preactHooks = await import("keelson/preact");

type ClubClient = Client<typeof app>;

function clientOf(context: TestContext, club: Club, options: ClientOptions): ClubClient {
  const client = createClient<typeof app>(club.server.url, { retry: false, ...options });
  context.after(() => client.close());
  return client;
}

/** What a browser does with cookies, for `fetch` of Node. */
function cookieFetch(): typeof fetch {
  return cookieBrowser().fetch;
}

/** The same for live connections, too: what pages of one browser have in common. */
function cookieBrowser() {
  const jar = new Map<string, string>();
  const cookies = () => [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const ask: typeof fetch = async (url, init) => {
    const headers = new Headers(init?.headers);
    headers.set("cookie", cookies());
    const response = await fetch(url, { ...init, headers });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "" || /max-age=0/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
  class PageSocket extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { headers: { cookie: cookies() } });
    }
  }
  return { fetch: ask, webSocket: PageSocket };
}

async function ticketOf(club: Club, to: string, template: string): Promise<string> {
  return new URL(await club.link(to, template)).searchParams.get("ticket") ?? "";
}

async function signUp(club: Club, client: ClubClient, email: string): Promise<void> {
  await client.auth.signUp({ email, password, name: "Ada", plan: "gold" });
  // Without a cookie the password shows that whoever follows the letter is who signed up.
  await client.auth.confirmEmail({
    ticket: await ticketOf(club, email, "verify-email"),
    password,
  });
}

/** Asks until it is so: for what comes with time. */
async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 1_500; tries++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`it never came: ${what}`);
}

const isCode = (code: string) => (error: unknown) =>
  error instanceof KeelsonError && error.code === code;

test("a client with tokens signs up, renews them once for all its calls, and outlasts a restart", async (context) => {
  const club = await openClub(context, { limits: { authAccessMs: 1_000 } });
  const kept: (string | null)[] = [];
  const refreshes: string[] = [];
  const options: ClientOptions = {
    auth: "tokens",
    tokenStorage: { load: () => kept.at(-1) ?? null, save: (text) => void kept.push(text) },
    fetch: (url, init) => {
      if (url.endsWith("/auth/refresh")) refreshes.push(url);
      return fetch(url, init);
    },
  };
  const ada = clientOf(context, club, options);
  assert.equal(await ada.auth.me(), null);
  await signUp(club, ada, "ada@example.com");
  const me = await ada.auth.me();
  assert.equal(me?.email, "ada@example.com");
  assert.equal(me?.emailVerified, true);
  const owner = me?.id ?? "user_";
  await ada.note.create({ text: "mine", owner });

  const before = kept.at(-1);
  await until(async () => {
    await Promise.all(Array.from({ length: 8 }, () => ada.note.list({ limit: 1 })));
    return kept.at(-1) !== before;
  }, "a renewed token");
  const renewals = kept.filter((text) => text !== null).length - 1;
  assert.ok(refreshes.length <= renewals + 1, `${refreshes.length} for ${renewals}`);

  const again = clientOf(context, club, options);
  assert.equal((await again.auth.me())?.id, owner);
  assert.equal((await again.note.list({ limit: 5 })).length, 1);
  assert.ok(!JSON.stringify(kept).includes(password), "no password is kept");

  await again.auth.signOut();
  assert.equal(kept.at(-1), null);
  assert.equal(await again.auth.me(), null);
  assert.deepEqual(await again.note.list({ limit: 5 }), []);
});

test("a session that is ended elsewhere ends here, and what is stored is forgotten", async (context) => {
  const club = await openClub(context);
  const kept: (string | null)[] = [];
  const phone = clientOf(context, club, {
    auth: "tokens",
    tokenStorage: { load: () => kept.at(-1) ?? null, save: (text) => void kept.push(text) },
  });
  const laptop = clientOf(context, club, { auth: "tokens" });
  await signUp(club, phone, "bea@example.com");
  await assert.rejects(
    laptop.auth.signIn({ email: "bea@example.com", password: "not it at all" }),
    isCode("SIGN_IN_FAILED"),
  );
  const done = await laptop.auth.signIn({ email: "bea@example.com", password });
  assert.equal(done.kind, "signed-in");
  const sessions = await laptop.auth.sessions();
  assert.deepEqual([sessions.length, sessions.filter(({ isThis }) => isThis).length], [2, 1]);
  await laptop.auth.endOtherSessions();
  assert.deepEqual(await phone.note.list({ limit: 1 }), []);
  assert.equal(phone.auth.store.getSnapshot().me, null);
  assert.equal(kept.at(-1), null);
  assert.equal(await phone.auth.me(), null);
  assert.equal((await laptop.auth.me())?.email, "bea@example.com");
  const { events, next } = await laptop.auth.events();
  assert.equal(next, null);
  const kinds = events.map(({ kind }) => kind);
  for (const kind of ["signUp", "signIn", "signInFailed", "sessionsRevoked"]) {
    assert.ok(kinds.includes(kind), `${kind} in ${kinds.join()}`);
  }
});

test("a client of a token of the app's own asks with it who is signed in", async (context) => {
  const club = await openClub(context, { limits: { authAccessMs: 1_000 } });
  const pairs: string[] = [];
  const phone = clientOf(context, club, {
    auth: "tokens",
    tokenStorage: { load: () => null, save: (text) => void (text !== null && pairs.push(text)) },
  });
  await signUp(club, phone, "cy@example.com");
  const tokenNow = () =>
    (JSON.parse(pairs.at(-1) ?? "") as { readonly accessToken: string }).accessToken;
  const old = tokenNow();
  const fixed = clientOf(context, club, { token: old });
  assert.equal((await fixed.auth.me())?.email, "cy@example.com");
  assert.equal((await fixed.auth.sessions()).length, 1);
  const nobody = clientOf(context, club, { token: () => null });
  assert.equal(await nobody.auth.me(), null);

  await until(async () => (await fixed.auth.me()) === null, "the end of a token that is a text");
  assert.equal((await phone.auth.me())?.email, "cy@example.com", "renews the token");
  assert.notEqual(tokenNow(), old);
  await assert.rejects(fixed.auth.sessions(), isCode("TOKEN_EXPIRED"));
  const told: (string | null)[] = [];
  const own = clientOf(context, club, {
    token: (expired) => {
      told.push(expired);
      return expired === null ? old : tokenNow();
    },
  });
  assert.equal((await own.auth.me())?.email, "cy@example.com");
  assert.deepEqual(told, [null, old]);
  assert.equal((await own.auth.sessions()).length, 1);
});

test("what happened to an account is read a page at a time", async (context) => {
  const club = await openClub(context);
  const phone = clientOf(context, club, { auth: "tokens" });
  await signUp(club, phone, "di@example.com");
  for (let at = 0; at < 110; at++) await phone.auth.endOtherSessions();
  const first = await phone.auth.events();
  assert.equal(first.events.length, 100);
  assert.ok(first.next !== null);
  const second = await phone.auth.events(first.next);
  assert.equal(second.next, null);
  const ids = [...first.events, ...second.events].map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(second.events.at(-1)?.kind, "signUp");
  assert.ok(ids.length > 110, String(ids.length));
});

test("with a cookie the store tells who is here, a guest stays the same user, and a link works once", async (context) => {
  const club = await openClub(context);
  const browser = cookieFetch();
  const ada = clientOf(context, club, { fetch: browser });
  const seen: MeState<unknown>[] = [];
  const stop = ada.auth.store.subscribe(() => seen.push(ada.auth.store.getSnapshot()));
  context.after(stop);
  assert.equal(ada.auth.store.getSnapshot().me, undefined);
  await until(() => seen.at(-1)?.me === null, "that nobody is here");
  const guest = await ada.auth.guest();
  assert.equal((await ada.auth.guest()).kind, "signed-in");
  const me = ada.auth.store.getSnapshot().me;
  assert.deepEqual([me?.guest, me?.id], [true, guest.kind === "signed-in" ? guest.user : ""]);
  await ada.note.create({ text: "a guest's", owner: me?.id ?? "user_" });

  await signUp(club, ada, "cleo@example.com");
  const member = ada.auth.store.getSnapshot().me;
  assert.deepEqual([member?.guest, member?.id], [false, me?.id], "the same user");
  assert.equal((await ada.note.list({ limit: 5 })).length, 1);
  await ada.auth.signOut();
  assert.equal(ada.auth.store.getSnapshot().me, null);

  await ada.auth.sendLink({ email: "cleo@example.com" });
  const ticket = await ticketOf(club, "cleo@example.com", "magic-link");
  await ada.auth.followLink({ ticket });
  await assert.rejects(ada.auth.followLink({ ticket }), isCode("TICKET_INVALID"));
  assert.equal(ada.auth.store.getSnapshot().me?.email, "cleo@example.com");
  await ada.auth.createOrg({ name: "Sailors", slug: "sailors" });
  const [org] = await ada.auth.orgs();
  await ada.auth.useOrg(org?.id ?? "");
  assert.equal(ada.auth.store.getSnapshot().me?.orgRole, "owner");
});

test("what a page follows goes on with the cookie that another page of its browser got", async (context) => {
  const club = await openClub(context);
  const browser = cookieBrowser();
  const one = clientOf(context, club, browser);
  const two = clientOf(context, club, browser);
  const guest = await one.auth.guest();
  const owner = (guest.kind === "signed-in" ? guest.user : "") as `user_${string}`;
  await one.note.create({ text: "a guest's", owner });
  const seen: string[][] = [];
  const errors: string[] = [];
  two.note.list().live(
    (notes) => seen.push(notes.map(({ text }) => text)),
    ({ code }) => errors.push(code),
  );
  context.after(two.auth.store.subscribe(() => undefined));
  await until(() => seen.at(-1)?.length === 1, "what the guest wrote");

  await signUp(club, one, "dora@example.com");
  await one.note.create({ text: "a member's", owner });
  await until(() => seen.at(-1)?.length === 2, "what the member wrote");
  await until(() => two.auth.store.getSnapshot().me?.guest === false, "that it is a member");

  await one.auth.signOut();
  await until(() => seen.at(-1)?.length === 0, "that nobody has notes");
  await until(() => two.auth.store.getSnapshot().me === null, "that nobody is here");
  assert.deepEqual(errors, []);
});

test("members, invitations, keys, consents and passwords are the client's business too", async (context) => {
  const club = await openClub(context);
  const ada = clientOf(context, club, { auth: "tokens" });
  const bob = clientOf(context, club, { auth: "tokens" });
  await signUp(club, ada, "ada@example.com");
  await signUp(club, bob, "bob@example.com");
  const { id: org } = await ada.auth.createOrg({ name: "Sailors", slug: "sailors" });
  await ada.auth.changeOrg(org, { name: "The Sailors" });
  const invited = await ada.auth.invite(org, { email: "bob@example.com", role: "member" });
  assert.deepEqual(
    (await ada.auth.invitations(org)).map(({ id, email, role }) => [id, email, role]),
    [[invited.id, "bob@example.com", "member"]],
  );
  const letter = new URL(await club.link("bob@example.com", "invitation"));
  await bob.auth.acceptInvitation({ token: letter.searchParams.get("token") ?? "" });
  await assert.rejects(bob.auth.invitations(org), isCode("CALL_DENIED"));
  const bobId = (await bob.auth.me())?.id ?? "";
  await ada.auth.setOrgRole(org, bobId, "admin");
  const { members, next } = await bob.auth.orgMembers(org);
  assert.deepEqual(
    [members.map(({ email, role }) => [email, role]), next],
    [
      [
        ["ada@example.com", "owner"],
        ["bob@example.com", "admin"],
      ],
      null,
    ],
  );
  const late = await bob.auth.invite(org, { email: "cat@example.com", role: "member" });
  await bob.auth.withdrawInvitation(org, late.id);
  assert.deepEqual(await bob.auth.invitations(org), []);
  await ada.auth.removeOrgMember(org, bobId);
  await assert.rejects(bob.auth.orgMembers(org), isCode("NOT_FOUND"));
  await ada.auth.useOrg(org);
  await ada.auth.deleteOrg(org);
  assert.deepEqual(await ada.auth.orgs(), []);
  assert.equal((await ada.auth.me())?.org, null);

  const { id, key } = await ada.auth.createKey({ name: "till", scopes: ["read"], days: 1 });
  const till = clientOf(context, club, { token: key });
  assert.deepEqual(await till.note.list({ limit: 1 }), []);
  const owner = (await ada.auth.me())?.id ?? "user_";
  await assert.rejects(till.note.create({ text: "x", owner }), isCode("SCOPE_DENIED"));
  assert.deepEqual(
    (await ada.auth.keys()).map(({ name, scopes }) => [name, scopes]),
    [["till", ["read"]]],
  );
  await ada.auth.endKey(id);
  assert.deepEqual(await ada.auth.keys(), []);
  assert.deepEqual(await ada.auth.totp(), { enabled: false, recoveryCodesLeft: 0 });
  assert.deepEqual(await ada.auth.consents(), []);
  await assert.rejects(ada.auth.withdrawConsent("kiosk"), isCode("NOT_FOUND"));
  assert.deepEqual([await ada.auth.providers(), await ada.auth.identities()], [[], []]);
});

/** What a framework needs to show who is signed in. */
interface Framework {
  create(kind: unknown): unknown;
  text(content: string): unknown;
  useMe(api: ClubClient): MeState<{ readonly email?: unknown }>;
  render(element: unknown, into: Element): () => void;
}

const frameworks: Readonly<Record<string, Framework>> = {
  React: {
    create: (kind) => react.createElement(kind as never),
    text: (content) => react.createElement("p", null, content),
    useMe: (api) => reactHooks.useMe(api),
    render: (element, into) => {
      const root = createRoot(into);
      root.render(element as never);
      return () => root.unmount();
    },
  },
  Preact: {
    create: (kind) => preact.createElement(kind as never, null),
    text: (content) => preact.createElement("p", null, content),
    useMe: (api) => preactHooks.useMe(api),
    render: (element, into) => {
      preact.render(element as never, into);
      return () => preact.unmountComponentAtNode(into);
    },
  },
};

for (const [name, framework] of Object.entries(frameworks)) {
  test(`useMe with ${name}: loading, nobody, somebody, nobody`, async (context) => {
    const club = await openClub(context);
    const api = clientOf(context, club, { auth: "tokens" });
    const shown: string[] = [];
    const Who = () => {
      const { me, isLoading } = framework.useMe(api);
      const text = isLoading ? "loading" : String(me?.email ?? "nobody");
      if (shown.at(-1) !== text) shown.push(text);
      return framework.text(text);
    };
    const box = window.document.createElement("div") as unknown as Element;
    const unmount = framework.render(framework.create(Who), box);
    context.after(unmount);
    await until(() => shown.at(-1) === "nobody", "nobody");
    await signUp(club, api, "ada@example.com");
    await until(() => shown.at(-1) === "ada@example.com", "Ada");
    await api.auth.signOut();
    await until(() => shown.at(-1) === "nobody", "nobody again");
    assert.deepEqual(shown, ["loading", "nobody", "ada@example.com", "nobody"]);
  });
}
