// Challenges of passkey ceremonies: random, marked with the server's key, and good for a few minutes. Nothing is kept of
// one that nobody answers, so asking for them fills no table; one that was answered is kept until it would have ended,
// so that an answer counts once.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import { timeOfMs } from "../../model/field-time.ts";
import { rowWith } from "../../store/row-find.ts";
import type { AuthDesk } from "../auth-desk.ts";

/** How long a person may look for their key. */
export const challengeMs = 300_000;
const purpose = "passkeySpent";
const pattern = /^([0-9a-z]{8,10})\.([\w\-]{43})\.([\w\-]{43})$/v;

/** What a challenge is for: registering, by whom; or signing in. */
export type PasskeyCeremony = `register ${string}` | "sign-in";

/** Makes a challenge. @returns the text whose bytes are the challenge. */
export function makeChallenge(
  { secrets }: Pick<AuthDesk, "secrets">,
  ceremony: PasskeyCeremony,
  nowMs: number,
): string {
  const text = `${nowMs.toString(36)}.${secrets.draw()}`;
  return `${text}.${secrets.mark(`passkey ${ceremony}`, text)}`;
}

/** Whether a challenge was made here, for this ceremony, and not too long ago. @param coded base64url of its bytes. */
export function isChallenge(
  { secrets }: Pick<AuthDesk, "secrets">,
  ceremony: PasskeyCeremony,
  { coded, nowMs }: { readonly coded: string; readonly nowMs: number },
): boolean {
  const found = pattern.exec(Buffer.from(coded, "base64url").toString("latin1"));
  if (found === null) return false;
  const [, at = "", random = "", mark = ""] = found;
  if (!secrets.isMark(`passkey ${ceremony}`, `${at}.${random}`, mark)) return false;
  const ageMs = nowMs - Number.parseInt(at, 36);
  return ageMs >= 0 && ageMs <= challengeMs;
}

/** Spends a challenge, in the transaction of what it allows. @throws PASSKEY_INVALID when it was spent before. */
export async function spendChallenge(scope: ProcedureScope, coded: string): Promise<void> {
  const { run, tx } = scope;
  if ((await rowWith(tx, "authTicket", { purpose, subject: coded })) !== null)
    throw new PlatformError("PASSKEY_INVALID");
  await tx.insert("authTicket", {
    id: run.app.newId("authTicket"),
    purpose,
    user: null,
    subject: coded,
    digest: "",
    data: null,
    tries: 0,
    createdAt: timeText(run.nowMs),
    expiresAt: timeOfMs(run.nowMs + challengeMs),
  });
}
