// The addresses of identity, as identity lists them itself: what asks for a sign-in must have one, of the right kind; an
// account must not reach into another; an address that has an account must be answered as one that has none; guessing
// must end. The control of every refusal is somebody who signed in with a password, at the same address.
import type { Json } from "../../base/json.ts";
import type { IdentityAddress, WireRequest } from "./attack-target.ts";
import type { HoleCode } from "./hole-codes.ts";
import type { Identity } from "./identity-plan.ts";
import type { AttackSession, Observation, Probe } from "./session.ts";
import { asksToSignIn } from "./sign-in-asked.ts";

const password = "nine lanterns over cold water";
const guesses = 40;
const tokensPerAddress = 2;
const idsMax = 6;
/** Of all addresses together: identity holds back who sends more than it takes from one network. */
const hostileMax = 300;
const idPattern = /\b[a-z][a-z_]{0,62}_[0-7][0-9a-hjkmnp-tv-z]{25}\b/g;

const hostileBodies: readonly string[] = [
  "null",
  "[]",
  '"text"',
  "{",
  `{"email":1,"password":{},"name":[],"code":true}`,
  `{"__proto__":{"role":"admin"},"email":"a@b.c"}`,
  `{"email":"${"a".repeat(5_000)}@example.com","password":"${"b".repeat(5_000)}"}`,
  `{"email":"a\\u0000@example.com","password":"\\ud800"}`,
  `${'{"a":'.repeat(2_000)}1${"}".repeat(2_000)}`,
];

const ownSite = { "sec-fetch-site": "same-origin" };
const otherSite = { "sec-fetch-site": "cross-site", origin: "https://elsewhere.example" };

/** Somebody with an account. */
interface SignedIn {
  readonly by: Identity;
  readonly user: string;
  readonly email: string;
  /** Of a browser in which they signed in: `keelson_session=...`. */
  readonly cookie: string;
}

/** Probes identity. @returns whether the app has it. */
export async function probeIdentity(session: AttackSession): Promise<boolean> {
  const addresses = await session.target.identity.addresses();
  if (addresses.length === 0) return false;
  const [a, b] = session.people.filter(({ kind }) => kind === "owner");
  if (a === undefined || b === undefined) return true;
  const mine = await signIn(session, a, "owner.a@example.com");
  const theirs = await signIn(session, b, "owner.b@example.com");
  if (mine === null || theirs === null) {
    session.inconclusive(
      "identity",
      "nobody could sign in with a password, so refusals say nothing",
    );
    return true;
  }
  for (const address of addresses) await enumerated(session, address, mine);
  const ids = await idsOf(session, addresses, theirs);
  for (const address of addresses) {
    await closed(session, address, mine);
    await fromElsewhere(session, address, mine);
    await intoOthers(session, address, { mine, theirs, ids });
  }
  await hostile(session, addresses);
  await guessed(session, addresses, mine);
  return true;
}

async function signIn(
  session: AttackSession,
  by: Identity,
  email: string,
): Promise<SignedIn | null> {
  const { user } = by;
  if (user === null) return null;
  await session.target.identity.giveAccount(user, { email, password });
  await session.takeAndApply();
  const probe: Probe = {
    ...{ probe: "sign-in", method: "POST", path: "/auth/sign-in" },
    ...{ about: { kind: "other", name: "identity" } as const },
    body: { email, password, tokens: true },
  };
  const seen = await session.askAndKeep({ ...by, token: null }, probe);
  const token = seen.isOk ? textOf(seen.answer.text, "accessToken") : null;
  const inBrowser = { ...probe, body: { email, password } };
  const { answer } = await session.askAndKeep({ ...by, token: null }, inBrowser);
  const [cookie] = /\w*keelson_session=[^;]+/.exec(answer.headers["set-cookie"] ?? "") ?? [];
  if (token === null || cookie === undefined) return null;
  return { user, email, cookie, by: { ...by, token } };
}

/** Whether an address tells by its answer that somebody has an account. */
async function enumerated(
  session: AttackSession,
  address: IdentityAddress,
  mine: SignedIn,
): Promise<void> {
  if (address.method !== "POST" || address.access !== "anyone" || address.kind === "page") return;
  const nobody = nobodyOf(session);
  const common = { password: "not the one that it has" };
  const bodies: readonly Readonly<Record<string, Json>>[] = [
    {},
    common,
    { ...common, name: "Somebody" },
    { code: "000000" },
  ];
  for (const body of bodies) {
    const ask = async (email: string): Promise<Observation> =>
      session.ask(nobody, asked(address, "enumeration", { body: { email, ...body } }));
    const absent = await ask("nobody.has.it@example.com");
    if (absent.code === "ARGUMENT_INVALID") continue;
    const known = await ask(mine.email);
    const control = await ask("nobody.here.too@example.com");
    if (shape(absent) !== shape(control)) {
      session.inconclusive(
        "identity",
        `${address.path} answers two addresses that nobody has in two ways (${absent.answer.status}, ${control.answer.status})`,
      );
    } else if (shape(known) !== shape(absent)) {
      found(session, known, "A305", {
        aspect: address.path,
        alike: absent.request,
        says: `${address.path} answers an address that has an account otherwise than one that has none (${known.answer.status} ${known.code ?? ""}, ${absent.answer.status} ${absent.code ?? ""})`,
      });
    }
    return;
  }
}

/** What of an answer must not depend on whether there is an account: all but names that are drawn for each. */
function shape({ answer, code }: Observation): string {
  const { status, headers, text } = answer;
  const cookies = (headers["set-cookie"] ?? "").replaceAll(/=[^;]*/g, "");
  return JSON.stringify([status, code, cookies, status >= 400 ? wordsOf(text) : namesOf(text)]);
}

function wordsOf(text: string): Json {
  try {
    const { title = null, detail = null } = JSON.parse(text) as Record<string, Json>;
    return [title, detail];
  } catch {
    return text.length;
  }
}

function namesOf(text: string): Json {
  try {
    return Object.keys(JSON.parse(text) as object).toSorted();
  } catch {
    return text.length;
  }
}

/** What asks for a sign-in: refused to nobody and to wrong tokens, where a right one is not. */
async function closed(
  session: AttackSession,
  address: IdentityAddress,
  mine: SignedIn,
): Promise<void> {
  if (address.access === "anyone") return;
  const probe = asked(address, "identity, signed in");
  const control = await session.ask(mine.by, probe);
  if (asksToSignIn(control)) {
    session.inconclusive(
      "identity",
      `${address.method} ${address.path} refuses who signed in (${control.answer.status} ${control.code ?? ""})`,
    );
    return;
  }
  const nobody = await session.ask(nobodyOf(session), { ...probe, probe: "identity, nobody" });
  mustRefuse(session, address, nobody, "nobody", "A301");
  const { role, user } = mine.by;
  const bad = await session.target.badTokens({ user: user ?? "", role, claims: {} });
  for (const { kind, authorization } of session.random.shuffled(bad).slice(0, tokensPerAddress)) {
    const seen = await session.ask(mine.by, {
      ...probe,
      probe: "identity, bad token",
      headers: { ...probe.headers, authorization },
    });
    mustRefuse(session, address, seen, `a token that is ${kind}`, "A303");
  }
}

/** A page of another site has the browser of somebody who is signed in send a request. */
async function fromElsewhere(
  session: AttackSession,
  address: IdentityAddress,
  { by, cookie }: SignedIn,
): Promise<void> {
  if (address.method === "GET" || address.kind === "protocol") return;
  const probe = asked(address, "identity, from another site");
  const headers = { ...probe.headers, ...otherSite, cookie };
  const seen = await session.ask({ ...by, token: null }, { ...probe, headers });
  if (seen.changes.length === 0 && !seen.isOk) return;
  found(session, seen, "A301", {
    aspect: `${address.method} ${address.path} from another site`,
    says: `${address.method} ${address.path} takes what a page of another site has the browser of ${by.name} send (${seen.answer.status})`,
  });
}

function mustRefuse(
  session: AttackSession,
  { method, path }: IdentityAddress,
  seen: Observation,
  who: string,
  code: HoleCode,
): void {
  if (asksToSignIn(seen)) return;
  if (seen.answer.status === 429) {
    session.inconclusive("identity", `${method} ${path} holds the attack back by its limits`);
    return;
  }
  const says = `${method} ${path} asks for a sign-in, and answers ${who} with ${seen.answer.status} ${seen.code ?? ""}`;
  found(session, seen, code, { aspect: `${method} ${path} ${who}`, says });
}

/** Ids that somebody is told about what is theirs. */
async function idsOf(
  session: AttackSession,
  addresses: readonly IdentityAddress[],
  who: SignedIn,
): Promise<readonly string[]> {
  const ids = new Set<string>();
  for (const address of addresses) {
    if (address.method !== "GET" || address.kind === "page" || address.access === "anyone")
      continue;
    const seen = await session.ask(who.by, asked(address, "identity, own"));
    for (const [id] of seen.answer.text.matchAll(idPattern)) ids.add(id);
  }
  ids.delete(who.user);
  return [...ids].slice(0, idsMax);
}

/** Ids of another's sessions, keys and the like, at every address that takes one. */
async function intoOthers(
  session: AttackSession,
  address: IdentityAddress,
  {
    mine,
    theirs,
    ids,
  }: { readonly mine: SignedIn; readonly theirs: SignedIn; readonly ids: readonly string[] },
): Promise<void> {
  if (address.access === "anyone" || !address.path.includes("/:")) return;
  for (const id of ids) {
    const seen = await session.ask(mine.by, asked(address, "identity, of another", { id }));
    const changed = seen.changes.find(
      ({ before }) => before !== null && (before["user"] ?? null) === theirs.user,
    );
    const isTold = seen.isOk && seen.answer.text.includes(theirs.user);
    if (changed === undefined && !isTold) continue;
    found(session, seen, "A301", {
      aspect: `${address.method} ${address.path} of another`,
      says: `${address.method} ${address.path} lets ${mine.by.name} into the account of ${theirs.by.name}`,
    });
  }
}

/** Bodies that no address takes: none is answered with 5xx, as the oracles see. */
async function hostile(
  session: AttackSession,
  addresses: readonly IdentityAddress[],
): Promise<void> {
  const takers = addresses.filter(({ method, kind }) => method !== "GET" && kind !== "page");
  const each = Math.max(1, Math.floor(hostileMax / Math.max(1, takers.length)));
  for (const address of takers) {
    for (const rawBody of session.random.shuffled(hostileBodies).slice(0, each)) {
      const seen = await session.ask(nobodyOf(session), {
        ...asked(address, "identity, hostile"),
        rawBody,
      });
      const isOpen = address.access !== "anyone" && seen.isOk;
      if (isOpen) mustRefuse(session, address, seen, "nobody", "A301");
    }
  }
}

/** Wrong passwords for one account must come to an end. */
async function guessed(
  session: AttackSession,
  addresses: readonly IdentityAddress[],
  mine: SignedIn,
): Promise<void> {
  const address = addresses.find(
    ({ method, path, kind }) => method === "POST" && path === "/auth/sign-in" && kind === "api",
  );
  if (address === undefined) return;
  let seen: Observation | null = null;
  for (let sent = 0; sent < guesses; sent++) {
    const body = { email: mine.email, password: `guess ${sent} of many more` };
    seen = await session.ask(nobodyOf(session), asked(address, "identity, guess", { body }));
    if (seen.answer.status === 429) return;
  }
  if (seen === null) return;
  const says = `${guesses} wrong passwords of one account were tried, and nothing slowed them down`;
  found(session, seen, "A304", { aspect: "guess", says });
}

function found(
  session: AttackSession,
  seen: Observation,
  code: HoleCode,
  {
    aspect,
    says,
    alike,
  }: { readonly aspect: string; readonly says: string; readonly alike?: WireRequest },
): void {
  session.findings.add({
    ...{ code, subject: "identity", aspect, says, fields: [], by: seen.by },
    ...(alike === undefined ? {} : { alike }),
    ...{ request: seen.request, status: seen.answer.status },
  });
}

function nobodyOf(session: AttackSession): Identity {
  const found = session.people.find(({ kind }) => kind === "anonymous");
  if (found === undefined) throw new Error("an attack has somebody who is nobody");
  return found;
}

/** A request to an address. @param parts.id stands for what the path names. */
function asked(
  { method, path, kind }: IdentityAddress,
  probe: string,
  parts: { readonly id?: string; readonly body?: Json } = {},
): Probe {
  const { id = "nothing-of-that-name", body = {} } = parts;
  const about = { kind: "other", name: "identity" } as const;
  const common = { probe, method, path: path.replaceAll(/:\w+/g, id), about };
  if (kind !== "page") return method === "GET" ? common : { ...common, body };
  if (method === "GET") return { ...common, headers: { accept: "text/html" } };
  // As a browser sends the form of a page of this server.
  const type = "application/x-www-form-urlencoded";
  return { ...common, rawBody: "", headers: { "content-type": type, ...ownSite } };
}

function textOf(json: string, name: string): string | null {
  try {
    const value = (JSON.parse(json) as Record<string, unknown>)[name];
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
