// Where a webhook may be sent: to public addresses over https. What the app names itself (a server in its own network,
// this machine in development) is the only exception; names are looked up again, and checked, on every delivery.
import { isIP } from "node:net";
import { PlatformError } from "../base/platform-error.ts";
import { isPublicAddress } from "../isolate/egress-policy.ts";

/** @param privateHosts `localhost:9000`: hosts that are allowed in spite of all that. @throws ENDPOINT_INVALID. */
export function endpointUrl(text: string, privateHosts: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw refused("it is no URL");
  if (url.username !== "" || url.password !== "") throw refused("it holds a name or password");
  if (url.hash !== "") throw refused("it holds a fragment");
  if (privateHosts.includes(url.host) || privateHosts.includes(url.hostname)) return url;
  if (url.protocol !== "https:") throw refused("it is not https");
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const isPublic = isIP(hostname) === 0 ? isPublicName(hostname) : isPublicAddress(hostname);
  if (!isPublic) throw refused("it leads to a private address");
  return url;
}

/** Names with a dot, but for those that stand for a machine or a network of one's own (RFC 6761, RFC 8375). */
function isPublicName(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  return (
    name.includes(".") &&
    !/\.(?:localhost|local|internal|home\.arpa|test|invalid|onion)$/.test(name)
  );
}

function refused(problem: string): PlatformError {
  return new PlatformError("ENDPOINT_INVALID", { problem });
}
