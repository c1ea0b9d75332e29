// Which addresses `fetch` may reach. Two questions, both asked for every request and every redirect: did the
// function declare the host, and does the name lead to an address that is open to the public? Addresses of
// this machine and of private networks are reached only when the declaration itself names them: an IP
// address, or a name without a dot (`localhost`, `payments`), which can't be anything public.
import { BlockList, isIP } from "node:net";
import { PlatformError } from "../base/platform-error.ts";

/** A host that is allowed. */
export interface AllowedHost {
  /** Without brackets. */
  readonly hostname: string;
  /** Whether the declaration names a private place itself. */
  readonly isPrivateAllowed: boolean;
}

const privateRanges = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.88.99.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 4, "ipv4"],
  ["240.0.0.0", 4, "ipv4"],
] as const;

/** The only IPv6 that is open to all (RFC 4291), less what tunnels or stands for something else inside it. */
const publicIpv6 = ["2000::", 3] as const;
const specialIpv6 = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const;

const blockedIpv4 = new BlockList();
for (const [network, prefix, family] of privateRanges)
  blockedIpv4.addSubnet(network, prefix, family);
const openIpv6 = new BlockList();
openIpv6.addSubnet(...publicIpv6, "ipv6");
const blockedIpv6 = new BlockList();
for (const [network, prefix] of specialIpv6) blockedIpv6.addSubnet(network, prefix, "ipv6");

/** Whether anybody on the internet could reach this address. IPv4 inside IPv6 counts as not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blockedIpv4.check(address, "ipv4");
    case 6:
      return openIpv6.check(address, "ipv6") && !blockedIpv6.check(address, "ipv6");
    default:
      return false;
  }
}

/**
 * Whether a function that declared `hosts` may ask for `url`.
 * @throws EGRESS_DENIED when it did not declare that host, or the address has no business in `fetch`.
 */
export function allowHost(url: URL, hosts: readonly string[]): AllowedHost {
  const denied = (reason: string): PlatformError =>
    new PlatformError("EGRESS_DENIED", { host: url.host, reason });
  if (url.protocol !== "http:" && url.protocol !== "https:") throw denied("only http and https");
  if (url.username !== "" || url.password !== "")
    throw denied("no names and passwords in addresses");
  const declared = hosts.find((entry) => fits(url, entry));
  if (declared === undefined) throw denied("not declared in hosts");
  const hostname = bare(url.hostname);
  const isNamed = !declared.includes("*");
  const isPrivatePlace = isIP(hostname) !== 0 || !hostname.includes(".");
  return { hostname, isPrivateAllowed: isNamed && isPrivatePlace };
}

/** @throws EGRESS_DENIED unless every address that the host's name leads to may be reached. */
export function allowAddresses(host: AllowedHost, addresses: readonly string[]): void {
  if (host.isPrivateAllowed) return;
  if (addresses.every(isPublicAddress)) return;
  throw new PlatformError("EGRESS_DENIED", {
    host: host.hostname,
    reason: "the name leads to a private address",
  });
}

/** @param entry `api.example.com`, `*.example.com`, `api.example.com:8443`, or with a scheme before it. */
function fits(url: URL, entry: string): boolean {
  const [, scheme, name = "", port = ""] =
    /^(?:(https?):\/\/)?(\*?[^:/*]+|\[[^\]]+\])(?::(\d+))?$/.exec(entry.toLowerCase()) ?? [];
  if (scheme !== undefined && url.protocol !== `${scheme}:`) return false;
  if (url.port !== port && !isDefaultPort(url, port)) return false;
  const hostname = bare(url.hostname).replace(/\.$/, "");
  if (!name.startsWith("*.")) return hostname === bare(name);
  return isIP(hostname) === 0 && hostname.endsWith(name.slice(1));
}

function isDefaultPort(url: URL, port: string): boolean {
  return url.port === "" && port === (url.protocol === "https:" ? "443" : "80");
}

function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
