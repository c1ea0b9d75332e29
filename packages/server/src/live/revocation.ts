// The end of somebody's rights before their token is over: told to live connections, which ask for no one's
// word again while they last. Whoever ends a session says it once; the host says it to every thread.
import type { Caller, Revocation } from "../gate/identity.ts";

/** Ends what was opened with these credentials. @returns when no thread sends anything more for them. */
export type Revoke = (what: Revocation) => Promise<void>;

/** Whether a caller is meant. */
export function isRevoked(what: Revocation, caller: Caller): boolean {
  if ("user" in what) return caller.id === what.user;
  return caller.session !== undefined && caller.session === what.session;
}
