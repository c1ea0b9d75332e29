// Which network address counts as one caller. IPv6 hands whoever asks 2^64 addresses, so a /64 is one
// caller; an IPv4 address mapped into IPv6 is the IPv4 address.

/** The key of an address for limits. @param address textual IPv4 or IPv6; anything else is its own key. */
export function addressKey(address: string): string {
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  if (tail !== undefined) {
    const after = tail === "" ? [] : tail.split(":");
    while (groups.length + after.length < 8) groups.push("0");
    groups.push(...after);
  }
  return `${groups.slice(0, 4).map(canonicalGroup).join(":")}::/64`;
}

function canonicalGroup(group: string): string {
  return group.toLowerCase().replace(/^0+(?=.)/, "");
}
