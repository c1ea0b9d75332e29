// Addresses of the second factor: setting up an authenticator app, recovery codes, and the second step of signing in.
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
import { answerSignIn, draftSignIn, readTicketText } from "../sign-in-answer.ts";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { drawRecoveryCodes, recoveryCodeDigest, recoveryCodesCount } from "./recovery-code.ts";
import {
  finishSecondFactor,
  secondFactorPurpose,
  type SecondFactorShown,
} from "./second-factor.ts";
import { matchTotp, totpSecretBytes, totpUri } from "./totp-code.ts";
import { beginTotp, confirmTotp, removeTotp, renewRecovery } from "./totp-setup.ts";

/**
 * Codes tried for one account, from anywhere. Only who has proved the first factor gets here, so it locks out nobody
 * who has lost no password; and a recovery code still opens.
 */
const codesOfUser: AuthRate = { name: "second factor of a user", quota: "30/hour" };
const recoveriesOfUser: AuthRate = { name: "recovery codes of a user", quota: "100/hour" };
const codesOfNetwork: AuthRate = { name: "second factors of a network", quota: "30/minute" };
const sealLabel = "totp";

const isOn = ({ totp }: AuthDesk["settings"]): boolean => totp;

/** The addresses. */
export const totpRoutes: readonly AuthRoute[] = [
  { method: "GET", path: "/auth/totp", access: "signed-in", takesWeak: true, isOn, handle: show },
  {
    method: "POST",
    path: "/auth/totp/begin",
    access: "fresh",
    takesWeak: true,
    isOn,
    handle: begin,
  },
  {
    method: "POST",
    path: "/auth/totp/confirm",
    access: "signed-in",
    takesWeak: true,
    isOn,
    handle: confirm,
  },
  { method: "DELETE", path: "/auth/totp", access: "fresh", isOn, handle: remove },
  { method: "POST", path: "/auth/recovery-codes", access: "fresh", isOn, handle: renew },
  { method: "POST", path: "/auth/second-factor", access: "anyone", isOn, handle: secondFactor },
];

function sessionOf({ session }: AuthAsk): string | null {
  return session === null ? null : (session["id"] as string);
}

/** `{ enabled, recoveryCodesLeft }`. */
async function show(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  return desk.store.read(async (tx) => {
    const row = await findOne({ tx }, "authTotp", "user", user);
    const codes = await findAll({ tx }, "authRecovery", "user", user, recoveryCodesCount);
    const enabled = row !== null && row["confirmedAt"] !== null;
    return { json: { enabled, recoveryCodesLeft: codes.length } };
  });
}

/** `{ secret, uri }`: shown once, for the app to scan. */
async function begin(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  await assertFirstFactor(ask, desk);
  const secret = desk.random.bytes(totpSecretBytes);
  const sealed = desk.secrets.seal(`${sealLabel} ${user}`, encodeBase32(secret));
  if (!(await desk.run(beginTotp, { user, sealed }, ask))) {
    throw new PlatformError("CONFLICT", { problem: "an authenticator app is set up already" });
  }
  const account = await desk.store.read((tx) => accountOf({ tx }, user));
  const { email } = account;
  const name = typeof email === "string" ? email : user;
  const uri = totpUri(secret, { issuer: desk.settings.name, account: name });
  return { json: { secret: encodeBase32(secret), uri } };
}

/** `{ code }`, answered by `{ recoveryCodes }`. */
async function confirm(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  await assertFirstFactor(ask, desk);
  desk.rates.take(codesOfUser, user);
  const row = await totpOf(desk, user);
  if (row === null || row["confirmedAt"] !== null) throw new PlatformError("TICKET_INVALID");
  const step = stepOf(ask, desk, row);
  if (step === null) throw new PlatformError("CODE_WRONG");
  const { codes, recoveryDigests } = drawn(desk);
  const input = {
    ...placeOf(ask),
    user,
    session: sessionOf(ask),
    totp: row["id"] as string,
    step,
    recoveryDigests,
  };
  if (!(await desk.run(confirmTotp, input, ask))) throw new PlatformError("TICKET_INVALID");
  await tellOwner(ask, desk, user);
  return { json: { recoveryCodes: codes } };
}

async function remove(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  if (!(await desk.run(removeTotp, { ...placeOf(ask), user }, ask)))
    throw new PlatformError("NOT_FOUND");
  await tellOwner(ask, desk, user);
  return {};
}

/** `{ recoveryCodes }`: those before are void. */
async function renew(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const user = userOf(ask);
  const { codes, recoveryDigests } = drawn(desk);
  if (!(await desk.run(renewRecovery, { ...placeOf(ask), user, recoveryDigests }, ask))) {
    throw new PlatformError("NOT_FOUND");
  }
  return { json: { recoveryCodes: codes } };
}

/** `{ ticket, code }` or `{ ticket, recoveryCode }`; answered as every sign-in. */
async function secondFactor(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  desk.rates.take(codesOfNetwork, networkKey(ask.address));
  const { id, secret } = readTicketText(ask.body["ticket"]);
  const digest = desk.secrets.digest(secret);
  const user = await ticketUser(desk, id, digest);
  const shown = await shownBy(ask, desk, user);
  const draft = draftSignIn(ask, desk);
  const outcome = await desk.run(
    finishSecondFactor,
    { ticket: id, digest, shown, device: draft.device },
    ask,
  );
  if (outcome.kind === "wrong") throw new PlatformError("CODE_WRONG");
  desk.rates.giveBack(shown.kind === "totp" ? codesOfUser : recoveriesOfUser, user);
  return answerSignIn(ask, desk, { outcome, draft });
}

/** Whom a ticket is for; looked up before the transaction, which looks again. @throws TICKET_INVALID. */
async function ticketUser(desk: AuthDesk, id: string, digest: string): Promise<string> {
  const row = await desk.store.read((tx) => tx.get("authTicket", id, null));
  if (row?.["purpose"] !== secondFactorPurpose || row["digest"] !== digest) {
    throw new PlatformError("TICKET_INVALID");
  }
  return row["user"] as string;
}

async function shownBy(ask: AuthAsk, desk: AuthDesk, user: string): Promise<SecondFactorShown> {
  const { recoveryCode } = ask.body;
  if (typeof recoveryCode === "string" && recoveryCode !== "") {
    desk.rates.take(recoveriesOfUser, user);
    return { kind: "recovery", digest: recoveryCodeDigest(recoveryCode) };
  }
  desk.rates.take(codesOfUser, user);
  const row = await totpOf(desk, user);
  return {
    kind: "totp",
    totp: (row?.["id"] ?? "") as string,
    step: row === null ? null : stepOf(ask, desk, row),
  };
}

function totpOf(desk: AuthDesk, user: string): Promise<Row | null> {
  return desk.store.read((tx) => findOne({ tx }, "authTotp", "user", user)) as Promise<Row | null>;
}

/** The step whose code the body holds. @throws CODE_WRONG, with what to do, when the secret can't be read any more. */
function stepOf(ask: AuthAsk, desk: AuthDesk, row: Row): number | null {
  const { code } = ask.body;
  if (typeof code !== "string") return null;
  const secret = decodeBase32(unsealed(desk, row));
  if (secret === null) return null;
  return matchTotp({ secret, code, nowMs: ask.nowMs, lastStep: row["lastStep"] as number });
}

function unsealed(desk: AuthDesk, row: Row): string {
  try {
    return desk.secrets.unseal(`${sealLabel} ${row["user"] as string}`, row["secret"] as string);
  } catch (cause) {
    // The database came to a server with other keys.
    throw new PlatformError(
      "CODE_WRONG",
      { problem: "sealed with another key" },
      {
        cause,
        text: "Codes of this authenticator app can't be checked any more: this server has other keys than the one where it was set up. Use a recovery code, and set the app up again.",
      },
    );
  }
}

function drawn(desk: AuthDesk) {
  const codes = drawRecoveryCodes(desk.random);
  return { codes, recoveryDigests: codes.map(recoveryCodeDigest) };
}

/** Whoever did not do this reads of it. */
async function tellOwner(ask: AuthAsk, desk: AuthDesk, user: string): Promise<void> {
  const { email } = await desk.store.read((tx) => accountOf({ tx }, user));
  if (typeof email !== "string") return;
  const link = linkOf(desk, ask, "/auth/account", {});
  desk.mail.send({ to: email, template: "second-factor-changed", data: { link } });
}
