import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { allowAddresses, allowHost, isPublicAddress } from "./egress-policy.ts";

const closed = [
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::ffff:a9fe:a9fe",
  "::7f00:1",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "2001:0:53aa:64c:0:0:80ff:fffe",
  "fc00::1",
  "fd00:ec2::254",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "2001:db8::1",
  "nonsense",
  "",
];
const open = [
  "8.8.8.8",
  "1.1.1.1",
  "172.32.0.1",
  "100.128.0.1",
  "2606:4700:4700::1111",
  "2a00:1450::1",
];

test("addresses of this machine, of private networks and of clouds' metadata are closed", () => {
  for (const address of closed) assert.equal(isPublicAddress(address), false, address);
  for (const address of open) assert.equal(isPublicAddress(address), true, address);
});

test("no IPv4 address inside an IPv6 address is open", () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      assert.equal(isPublicAddress(`::ffff:${address}`), false);
    }),
  );
});

const reason = (url: string, hosts: readonly string[]): string => {
  try {
    allowHost(new URL(url), hosts);
    return "allowed";
  } catch (error) {
    const { code, details } = error as { code: string; details: { reason: string } };
    assert.equal(code, "EGRESS_DENIED");
    return details.reason;
  }
};

test("a host must be declared, by name, by wildcard, with its port and scheme", () => {
  const undeclared = "not declared in hosts";
  for (const [url, hosts, expected] of [
    ["https://api.example.com/x", ["api.example.com"], "allowed"],
    ["http://API.example.com./x", ["api.example.com"], "allowed"],
    ["https://api.example.com:444/x", ["api.example.com"], undeclared],
    ["https://api.example.com:444/x", ["api.example.com:444"], "allowed"],
    ["https://api.example.com/x", ["api.example.com:443"], "allowed"],
    ["http://api.example.com/x", ["https://api.example.com"], undeclared],
    ["https://a.b.example.com", ["*.example.com"], "allowed"],
    ["https://example.com", ["*.example.com"], undeclared],
    ["https://badexample.com", ["*.example.com"], undeclared],
    ["https://example.com.evil.org", ["example.com"], undeclared],
    ["https://user:pw@api.example.com", ["api.example.com"], "no names and passwords in addresses"],
    ["ftp://api.example.com", ["api.example.com"], "only http and https"],
    ["file:///etc/passwd", ["api.example.com"], "only http and https"],
    ["http://127.0.0.1:8080/", ["127.0.0.1:8080"], "allowed"],
    ["http://127.0.0.1:8080/", ["http://127.0.0.1:8080"], "allowed"],
    ["http://0x7f.1:8080/", ["127.0.0.1:8080"], "allowed"],
    ["http://2130706433/", ["example.com"], undeclared],
    ["http://[::1]:99/", ["[::1]:99"], "allowed"],
    ["http://127.0.0.1.nip.io/", ["*.nip.io"], "allowed"],
    ["https://example.com", [], undeclared],
  ] as const) {
    assert.equal(reason(url, hosts), expected, url);
  }
});

test("a private address is reached only where the declaration itself names a private place", () => {
  const reach = (url: string, hosts: readonly string[], addresses: readonly string[]): boolean => {
    try {
      allowAddresses(allowHost(new URL(url), hosts), addresses);
      return true;
    } catch {
      return false;
    }
  };
  assert.equal(reach("http://localhost:3000", ["localhost:3000"], ["127.0.0.1", "::1"]), true);
  assert.equal(reach("http://payments:3000", ["payments:3000"], ["10.0.0.7"]), true);
  assert.equal(reach("http://10.0.0.7", ["10.0.0.7"], ["10.0.0.7"]), true);
  assert.equal(reach("http://evil.example.com", ["evil.example.com"], ["127.0.0.1"]), false);
  assert.equal(
    reach("http://evil.example.com", ["evil.example.com"], ["8.8.8.8", "10.0.0.1"]),
    false,
  );
  assert.equal(reach("http://a.nip.io", ["*.nip.io"], ["169.254.169.254"]), false);
  assert.equal(reach("http://a.example.com", ["a.example.com"], ["8.8.8.8"]), true);
});
