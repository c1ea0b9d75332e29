// Which network address asks, and over which scheme: the socket's own, or what a trusted proxy in front says. A proxy
// that is not trusted makes one caller of all of its own, which share the limits of its address: told once.
import { BlockList } from "node:net";
import { PlatformError } from "../base/platform-error.ts";
import type { HttpHead } from "./http-head.ts";

/** Tells callers' addresses at one door. */
export class CallerAddress {
  readonly #trustProxy: boolean;
  readonly #report: (notice: PlatformError) => void;
  #isToldOnce = false;

  /**
   * @param trustProxy whether X-Forwarded-For tells the address, and X-Forwarded-Proto the scheme.
   * @param report told PROXY_NOT_TRUSTED, at most once.
   */
  constructor(trustProxy: boolean, report: (notice: PlatformError) => void) {
    this.#trustProxy = trustProxy;
    this.#report = report;
  }

  /** Network address of who sent a request. @param peer the other end of its socket. */
  of(head: HttpHead, peer: string): string {
    if (this.#trustProxy) {
      if (head.forwardedFor === null) return peer;
      // Only the last entry was written by the proxy in front of us; the others are the caller's word.
      return head.forwardedFor.slice(head.forwardedFor.lastIndexOf(",") + 1).trim();
    }
    if (head.forwarded && !this.#isToldOnce) this.#tell(peer);
    return peer;
  }

  /** Whether the caller came over https: this server speaks http, so only the proxy in front can tell. */
  isSecure(head: HttpHead): boolean {
    return this.#trustProxy && head.forwardedProto === "https";
  }

  /** Anybody can send the headers; from a network of one's own they are likely a proxy's. */
  #tell(peer: string): void {
    if (!isOwnNetwork(peer)) return;
    this.#isToldOnce = true;
    this.#report(new PlatformError("PROXY_NOT_TRUSTED", { address: peer }));
  }
}

/** Addresses that no stranger has on the Internet (RFC 6890): this machine, private, shared and link-local ones. */
const ownNetworks = new BlockList();
for (const [network, bits] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["100.64.0.0", 10],
  ["169.254.0.0", 16],
] as const) {
  ownNetworks.addSubnet(network, bits, "ipv4");
}
ownNetworks.addAddress("::1", "ipv6");
ownNetworks.addSubnet("fc00::", 7, "ipv6");
ownNetworks.addSubnet("fe80::", 10, "ipv6");

/** An IPv4 address that is mapped into IPv6 is looked up as the IPv4 address. */
function isOwnNetwork(address: string): boolean {
  return ownNetworks.check(address, address.includes(":") ? "ipv6" : "ipv4");
}
