// Tokens of a session for programs: a short access token that any holder of the public keys can check, and a refresh
// token, good once. A refresh token is the server's mark on the session's id and a count: an old one is known as ours,
// and so as used before.
import type { Row } from "../store/store.ts";
import type { AuthSecrets } from "./auth-secrets.ts";
import type { AuthDesk } from "./auth-desk.ts";
import { signToken } from "./token-sign.ts";

const label = "refresh token";
const pattern = /^kr\.(auth_session_[0-9a-z]{26})\.(\d{1,9})\.([\w-]{43})$/;

/** Which session a refresh token is of, and which of its tokens. */
export interface RefreshClaim {
  readonly session: string;
  readonly count: number;
}

/** The newest refresh token of a session. */
export function refreshTokenOf(secrets: AuthSecrets, session: Row): string {
  const text = `kr.${session["id"] as string}.${session["refreshCount"] as number}`;
  return `${text}.${secrets.mark(label, text)}`;
}

/** Reads a refresh token. @returns null when it was not made here. */
export function readRefreshToken(secrets: AuthSecrets, token: string): RefreshClaim | null {
  const found = pattern.exec(token);
  if (found === null) return null;
  const [, session = "", count = "", mark = ""] = found;
  if (!secrets.isMark(label, `kr.${session}.${count}`, mark)) return null;
  return { session, count: Number(count) };
}

/** An access token of a session (JWT): `sub`, `sid`, and who it is for. Its rights are read anew at every use. */
export function accessTokenOf(desk: AuthDesk, session: Row): Promise<string> {
  return signToken(
    desk.keys,
    {
      user: session["user"] as string,
      role: null,
      session: session["id"] as string,
      ttlMs: desk.limits.authAccessMs,
    },
    desk.clock.nowMs(),
  );
}
