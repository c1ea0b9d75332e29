// A new access token for a refresh token, which is good once. One that was used before says that two hold it: the session
// ends, for both. Only the moment after a use is forgiven: an answer can be lost on its way, and the next one is the same.
import { PlatformError } from "../../base/platform-error.ts";
import { timeText } from "../../gate/gate-app.ts";
import { msOfTime, timeOfMs } from "../../model/field-time.ts";
import { bodyOf, textField } from "../ask-body.ts";
import type { AuthDesk, AuthProcedure } from "../auth-desk.ts";
import { audit, placeOf, type AuthPlace } from "../auth-event.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { readRefreshToken } from "../session-tokens.ts";
import { sessionRow, tokensOf } from "../sign-in-answer.ts";

const tokenCharsMax = 400;

type RefreshInput = { readonly session: string; readonly count: number; readonly place: AuthPlace };

/** What became of it. */
export type Refreshed = "renewed" | "ended" | "reused";

/** Takes a refresh token that was found to be genuine. */
export const refreshSession: AuthProcedure<RefreshInput, Refreshed> = {
  name: "auth.refresh",
  async run(scope, { session, count, place }) {
    const { run, tx } = scope;
    const row = await tx.get("authSession", session, null);
    const now = timeText(run.nowMs);
    if (row === null || (row["expiresAt"] as string) <= now || (row["endsAt"] as string) <= now) {
      return "ended";
    }
    const newest = row["refreshCount"] as number;
    if (count === newest) {
      const { authSessionIdleMs } = run.app.limits;
      await tx.update("authSession", session, {
        refreshCount: newest + 1,
        refreshedAt: now,
        seenAt: now,
        expiresAt: timeOfMs(run.nowMs + authSessionIdleMs),
      });
      return "renewed";
    }
    const refreshedAt = row["refreshedAt"] as string | null;
    const sinceMs = refreshedAt === null ? Infinity : run.nowMs - msOfTime(refreshedAt);
    if (count === newest - 1 && sinceMs >= 0 && sinceMs <= run.app.limits.authRefreshGraceMs) {
      return "renewed";
    }
    await tx.delete("authSession", session);
    const user = row["user"] as string;
    await audit(scope, { kind: "refreshTokenReused", user, session, ...place });
    return "reused";
  },
};

async function handle(ask: AuthAsk, desk: AuthDesk): Promise<AuthAnswer> {
  const body = bodyOf(ask, ["refreshToken"]);
  const token = textField(body, "refreshToken", tokenCharsMax);
  const claim = readRefreshToken(desk.secrets, token);
  if (claim === null) throw new PlatformError("TOKEN_INVALID");
  const done = await desk.run(refreshSession, { ...claim, place: placeOf(ask) }, ask);
  if (done !== "renewed") throw new PlatformError("TOKEN_INVALID");
  const session = await sessionRow(desk, claim.session);
  const who = { user: session["user"] ?? null, session: claim.session };
  return { json: { ...who, ...(await tokensOf(desk, session)) } };
}

/** Their addresses. The token itself is the proof, so no cookie and no origin matters. */
export const refreshRoutes: readonly AuthRoute[] = [
  { method: "POST", path: "/auth/refresh", access: "anyone", kind: "protocol", handle },
];
