// The network that an address belongs to, for limits that one person with many addresses can't step around: a /24 of
// IPv4, a /48 of IPv6.
import { addressKey } from "../gate/address-key.ts";

/** The key of an address's network. */
export function networkKey(address: string): string {
  const key = addressKey(address);
  if (key.endsWith("::/64"))
    return `${key.slice(0, -"::/64".length).split(":").slice(0, 3).join(":")}::/48`;
  const parts = key.split(".");
  return parts.length === 4 ? `${parts.slice(0, 3).join(".")}.0/24` : key;
}
