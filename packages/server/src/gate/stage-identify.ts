// The stage "identify": who calls. An address whose tokens keep failing has to wait before more of them
// are looked at: checking a signature costs more than sending a false one. Tokens that were verified
// before are not held up by it, so that nobody can shut out others behind the same address.
import { recover, type Later } from "../base/later.ts";
import type { GateRequest } from "./gate-request.ts";
import { anonymous, type Caller, type Identity } from "./identity.ts";
import type { RateLimiter } from "./rate-limit.ts";

/** @param nowUs monotonic. @throws TOKEN_INVALID, TOKEN_EXPIRED, RATE_LIMITED. */
export function identifyCaller(
  identity: Identity,
  limiter: RateLimiter,
  request: Pick<GateRequest, "authorization" | "cookie" | "address">,
  nowUs: number,
): Later<Caller> {
  const { authorization, cookie, address } = request;
  if (authorization === null && cookie === null) return anonymous;
  const known = identity.known(authorization, cookie);
  if (known !== null) return known;
  limiter.admitToken(address, nowUs);
  return recover(
    () => identity.identify(authorization, cookie),
    (error) => {
      limiter.countBadToken(address, nowUs);
      throw error;
    },
  );
}
