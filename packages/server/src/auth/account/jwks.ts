// The public keys that this app's tokens are checked with (RFC 7517), for other systems.
import type { Json } from "../../base/json.ts";
import type { AuthRoute } from "../auth-route.ts";
import type { TokenKeys } from "../token-keys.ts";

const cacheSeconds = 300;

/** The key set, as JSON. Public halves only. */
export function keySetOf(keys: TokenKeys): { readonly keys: Json[] } {
  return {
    keys: [...keys.byKid.values()].map(({ kid, publicKey }) => {
      const { crv, kty, x } = publicKey.export({ format: "jwk" });
      return { kty: kty ?? null, crv: crv ?? null, x: x ?? null, kid, alg: "EdDSA", use: "sig" };
    }),
  };
}

/** `/.well-known/jwks.json`. */
export const jwksRoutes: readonly AuthRoute[] = [
  {
    method: "GET",
    path: "/.well-known/jwks.json",
    access: "anyone",
    kind: "protocol",
    handle: (_ask, desk) => ({
      json: keySetOf(desk.keys),
      headers: [["cache-control", `public, max-age=${cacheSeconds}`]],
    }),
  },
];
