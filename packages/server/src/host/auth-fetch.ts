// How identity asks the servers of other providers: over the same network as the app's functions, so that a public name
// that leads to a private address is refused, and the connection goes to the address that was checked. Redirects are
// shown, not followed. A host that is written as an address, or as a name without a dot, is a private place that the app
// named itself, and so is one of `auth.internalHosts`: which of those a provider may name is checked before
// (auth/oidc-client/foreign-document.ts).
import type { AuthFetch } from "../auth/auth-desk.ts";
import { assert } from "../base/assert.ts";
import type { Egress } from "../isolate/egress.ts";

/** Somebody waits for the answer. */
const msMax = 10_000;
const bytesMax = 1_048_576;

/**
 * A `fetch` for identity: text goes, text comes. @param internalHosts names that may lead to private addresses.
 * @throws EGRESS_DENIED, EGRESS_FAILED.
 */
export function openAuthFetch(egress: Egress, internalHosts: readonly string[] = []): AuthFetch {
  return async (url, init = {}) => {
    const { body = null, method = "GET" } = init;
    assert(body === null || typeof body === "string", "identity sends texts");
    const answer = await egress.send({
      request: {
        method,
        url,
        headers: Object.entries((init.headers ?? {}) as Readonly<Record<string, string>>),
        body: body === null ? null : Buffer.from(body).toString("base64"),
      },
      redirect: "manual",
      hosts: [new URL(url).host],
      internalHosts,
      msMax,
      bytesMax,
      redirectsMax: 0,
      signal: init.signal ?? AbortSignal.timeout(msMax),
    });
    const { status, statusText, headers } = answer;
    const isBodiless = status < 200 || [204, 205, 304].includes(status);
    const bytes = answer.body === null || isBodiless ? null : Buffer.from(answer.body, "base64");
    return new Response(bytes, {
      status: Math.max(status, 200),
      statusText,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    });
  };
}
