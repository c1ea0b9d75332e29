import assert from "node:assert/strict";
import { test } from "node:test";
import { CallerAddress } from "./caller-address.ts";
import { readHead } from "./http-head.ts";

const forwarded = readHead(["X-Forwarded-For", "198.51.100.1, 203.0.113.7"]);
const direct = readHead([]);

function openScene(trustProxy: boolean) {
  const told: string[] = [];
  const addresses = new CallerAddress(trustProxy, ({ code, details }) =>
    told.push(`${code} ${String(details["address"])}`),
  );
  return { addresses, told };
}

test("a proxy that is not trusted is told once, however many requests it passes on", () => {
  const { addresses, told } = openScene(false);
  for (const peer of ["127.0.0.1", "::1", "10.0.0.9"]) {
    assert.equal(addresses.of(forwarded, peer), peer);
  }
  assert.deepEqual(told, ["PROXY_NOT_TRUSTED 127.0.0.1"]);
});

for (const [peer, isOwn] of [
  ["::ffff:172.17.0.1", true],
  ["192.168.4.4", true],
  ["100.64.0.1", true],
  ["fd12::1", true],
  ["fe80::1%eth0", true],
  ["203.0.113.9", false],
  ["172.32.0.1", false],
  ["::ffff:203.0.113.9", false],
  ["2001:db8::1", false],
  ["", false],
] as const) {
  test(`headers of a proxy that come from ${peer} are ${isOwn ? "one's own" : "a stranger's"}`, () => {
    const { addresses, told } = openScene(false);
    addresses.of(forwarded, peer);
    assert.equal(told.length, isOwn ? 1 : 0);
  });
}

test("other headers that proxies add tell of one as well; without any there is none", () => {
  const { addresses, told } = openScene(false);
  addresses.of(direct, "127.0.0.1");
  assert.deepEqual(told, []);
  addresses.of(readHead(["Forwarded", "for=203.0.113.7"]), "127.0.0.1");
  assert.equal(told.length, 1);
});

test("a trusted proxy says who asks, with the last entry, which it wrote itself", () => {
  const { addresses, told } = openScene(true);
  assert.equal(addresses.of(forwarded, "127.0.0.1"), "203.0.113.7");
  assert.equal(addresses.of(direct, "127.0.0.1"), "127.0.0.1");
  assert.deepEqual(told, []);
});
