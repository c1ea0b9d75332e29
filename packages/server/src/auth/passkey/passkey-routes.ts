// Addresses of passkeys: making one, signing in with one, and the list of one's own.
import { PlatformError } from "../../base/platform-error.ts";
import type { Row } from "../../store/store.ts";
import { accountOf, findAll, findOne } from "../account-find.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { placeOf } from "../auth-event.ts";
import type { AuthRate } from "../auth-rates.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { networkKey } from "../caller-network.ts";
import { linkOf } from "../letter-link.ts";
import { assertFirstFactor, userOf } from "../protocol-caller.ts";
import { answerSignIn, draftSignIn } from "../sign-in-answer.ts";
import { isChallenge, makeChallenge } from "./passkey-challenge.ts";
import { addPasskey, removePasskey, renamePasskey, signInByPasskey } from "./passkey-procedures.ts";
import {
  authenticationOptions,
  credentialOf,
  registrationOptions,
  userHandleOf,
  verifyAuthentication,
  verifyRegistration,
  type RelyingParty,
} from "./passkey-verify.ts";

const tries: AuthRate = { name: "passkeys of an address", quota: "60/minute" };
const isOn = ({ passkeys }: AuthDesk["settings"]): boolean => passkeys;
const nameCharsMax = 100;

/** The addresses. */
export const passkeyRoutes: readonly AuthRoute[] = [
  {
    method: "GET",
    path: "/auth/passkeys",
    access: "signed-in",
    takesWeak: true,
    isOn,
    handle: list,
  },
  {
    method: "POST",
    path: "/auth/passkeys/options",
    access: "fresh",
    takesWeak: true,
    isOn,
    handle: begin,
  },
  { method: "POST", path: "/auth/passkeys", access: "fresh", takesWeak: true, isOn, handle: add },
  { method: "PATCH", path: "/auth/passkeys/:id", access: "signed-in", isOn, handle: rename },
  { method: "DELETE", path: "/auth/passkeys/:id", access: "fresh", isOn, handle: remove },
  {
    method: "POST",
    path: "/auth/passkeys/sign-in/options",
    access: "anyone",
    isOn,
    handle: signInOptions,
  },
  { method: "POST", path: "/auth/passkeys/sign-in", access: "anyone", isOn, handle: signIn },
];

function partyOf(ask: AuthAsk, desk: AuthDesk): RelyingParty {
  const own = ask.origin;
  const id = new URL(own).hostname;
  const origins = [...desk.manifest.cors, ...desk.settings.redirects].flatMap((address) => {
    if (!URL.canParse(address)) return [];
    const { hostname, origin } = new URL(address);
    return hostname === id || hostname.endsWith(`.${id}`) ? [origin] : [];
  });
  return { id, name: desk.settings.name, origins: [...new Set([new URL(own).origin, ...origins])] };
}

/** `{ passkeys: [{ id, name, createdAt, lastUsedAt, backedUp }] }`. */
async function list(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const rows = await passkeysOf(desk, userOf(ask));
  const passkeys = rows.map(
    ({ id = null, name = null, createdAt = null, lastUsedAt = null, backedUp = null }) => ({
      id,
      name,
      createdAt,
      lastUsedAt,
      backedUp,
    }),
  );
  return { json: { passkeys } };
}

async function passkeysOf(desk: AuthDesk, user: string): Promise<readonly Row[]> {
  const { authPasskeysMax } = desk.limits;
  return desk.store.read((tx) => findAll({ tx }, "authPasskey", "user", user, authPasskeysMax));
}

/** `{ options }`: `PublicKeyCredentialCreationOptionsJSON`. */
async function begin(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  await assertFirstFactor(ask, desk);
  const kept = await passkeysOf(desk, user);
  const { email } = await desk.store.read((tx) => accountOf({ tx }, user));
  const options = await registrationOptions(partyOf(ask, desk), {
    challenge: makeChallenge(desk, `register ${user}`, ask.nowMs),
    user,
    account: typeof email === "string" ? email : user,
    kept: kept.map(({ credential, transports }) => ({
      credential: credential as string,
      transports: transports as readonly string[],
    })),
  });
  return { json: { options } };
}

/** `{ credential, name }`, answered by `{ id }`. `credential`: `RegistrationResponseJSON`. */
async function add(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  await assertFirstFactor(ask, desk);
  const { credential = null } = ask.body;
  const { challenge, ...made } = await verifyRegistration(partyOf(ask, desk), credential, (coded) =>
    isChallenge(desk, `register ${user}`, { coded, nowMs: ask.nowMs }),
  );
  const input = { ...placeOf(ask), user, challenge, name: nameOf(ask), made };
  const id = await desk.run(addPasskey, input, ask);
  await tellOwner(ask, desk, user);
  return { status: 201, json: { id } };
}

/** `{ name }`. */
async function rename(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const input = { user: userOf(ask), passkey: ask.params["id"] ?? "", name: nameOf(ask) };
  if (!(await desk.run(renamePasskey, input, ask))) throw new PlatformError("NOT_FOUND");
  return {};
}

async function remove(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const input = { ...placeOf(ask), user, passkey: ask.params["id"] ?? "" };
  if (!(await desk.run(removePasskey, input, ask))) throw new PlatformError("NOT_FOUND");
  await tellOwner(ask, desk, user);
  return {};
}

/** `{ options }`, `PublicKeyCredentialRequestOptionsJSON`: for any passkey of this server, so it tells nothing of who has one. */
async function signInOptions(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const challenge = makeChallenge(desk, "sign-in", ask.nowMs);
  return { json: { options: await authenticationOptions(partyOf(ask, desk), challenge) } };
}

/** `{ credential }`: `AuthenticationResponseJSON`; answered as every sign-in. */
async function signIn(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  desk.rates.take(tries, networkKey(ask.address));
  const { credential: answer = null } = ask.body;
  const credential = credentialOf(answer);
  const row = await desk.store.read((tx) =>
    findOne({ tx }, "authPasskey", "credential", credential),
  );
  const handle = userHandleOf(answer);
  if (row === null || (handle !== null && handle !== row["user"])) {
    throw new PlatformError("PASSKEY_INVALID");
  }
  const kept = {
    credential,
    publicKey: row["publicKey"] as string,
    transports: row["transports"] as readonly string[],
  };
  const shown = await verifyAuthentication(partyOf(ask, desk), { answer, kept }, (coded) =>
    isChallenge(desk, "sign-in", { coded, nowMs: ask.nowMs }),
  );
  const draft = draftSignIn(ask, desk);
  const input = { passkey: row["id"] as string, ...shown, device: draft.device };
  const outcome = await desk.run(signInByPasskey, input, ask);
  if (outcome === null) throw new PlatformError("PASSKEY_INVALID");
  return answerSignIn(ask, desk, { outcome, draft });
}

function nameOf({ body }: AuthAsk): string {
  const { name } = body;
  if (name === undefined || name === "") return "Passkey";
  // One line, as people write: it stands on pages and in letters.
  if (typeof name === "string" && name.length <= nameCharsMax && !/\p{Cc}/v.test(name)) return name;
  throw new PlatformError("ARGUMENT_INVALID", {
    issues: [{ path: "name", problem: "is no short text" }],
  });
}

/** Whoever did not do this reads of it. */
async function tellOwner(ask: AuthAsk, desk: AuthDesk, user: string): Promise<void> {
  const { email } = await desk.store.read((tx) => accountOf({ tx }, user));
  if (typeof email !== "string") return;
  const link = linkOf(desk, ask, "/auth/account", {});
  desk.mail.send({ to: email, template: "second-factor-changed", data: { link } });
}
