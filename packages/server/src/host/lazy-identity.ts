// Identity that is loaded when the first token comes: its library is a tenth of a second of a cold start, and
// the first requests of most servers are anonymous.
import { andThen, type Later } from "../base/later.ts";
import { anonymous, type Caller, type Identity } from "../gate/identity.ts";

/** @param load called once, when credentials come. */
export function lazyIdentity(load: () => Promise<Identity>): Identity {
  let identity: Identity | null = null;
  let loading: Promise<Identity> | null = null;
  const loaded = (): Later<Identity> => {
    if (identity !== null) return identity;
    loading ??= load().then((ready) => {
      identity = ready;
      return ready;
    });
    return loading;
  };
  return {
    known(authorization, cookie) {
      if (identity !== null) return identity.known(authorization, cookie);
      return authorization === null && cookie === null ? anonymous : null;
    },
    identify(authorization, cookie): Later<Caller> {
      if (authorization === null && cookie === null) return anonymous;
      return andThen(loaded(), (identity) => identity.identify(authorization, cookie));
    },
    revoke: (what) => identity?.revoke?.(what),
  };
}
