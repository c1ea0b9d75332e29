import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { limits as defaultLimits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { LimitSpec, Manifest } from "../model/manifest.ts";
import { addressKey } from "./address-key.ts";
import type { GateOperation } from "./gate-request.ts";
import { anonymous, type Caller } from "./identity.ts";
import { openRateLimiter } from "./rate-limit.ts";
import { parseQuota, QuotaBuckets } from "./rate-quota.ts";

const second = 1_000_000;
const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };
const book: GateOperation = { kind: "call", name: "cinema.book", args: {} };

function manifestWith(limit: LimitSpec): Manifest {
  const fn = { name: "cinema.book", kind: "mutation", args: {}, allow: "anyone", limit } as const;
  return {
    version: 1,
    tables: {},
    functions: { "cinema.book": fn },
    invariants: [],
    cors: [],
    hash: "",
  };
}

function caller(id: string): Caller {
  return { id, role: null, me: { id, role: null } };
}

function refusal(run: () => unknown): PlatformError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof PlatformError);
    return error;
  }
  return assert.fail("it passed");
}

test("a user gets as many calls as declared and is told when to come again", () => {
  const limiter = openRateLimiter({
    manifest: manifestWith({ perUser: "3/minute" }),
    limits: defaultLimits,
    random,
  });
  const who = { caller: caller("user_1"), address: "192.0.2.1" };
  const left = [0, 1, 2].map((at) => limiter.admit(book, who, at).remaining);
  assert.deepEqual(left, [2, 1, 0]);
  const error = refusal(() => limiter.admit(book, who, 3));
  assert.equal(error.code, "RATE_LIMITED");
  assert.equal(error.details["policy"], "user");
  assert.equal(error.details["retryAfterSeconds"], 20);
  assert.equal(limiter.admit(book, who, 20 * second).remaining, 0);
  assert.equal(limiter.admit(book, { ...who, caller: caller("user_2") }, 3).remaining, 2);
});

test("somebody who is not signed in is limited by the address", () => {
  const limiter = openRateLimiter({
    manifest: manifestWith({ perUser: "1/minute" }),
    limits: defaultLimits,
    random,
  });
  limiter.admit(book, { caller: anonymous, address: "2001:db8::1" }, 0);
  const neighbour = { caller: anonymous, address: "2001:db8::2" };
  assert.equal(refusal(() => limiter.admit(book, neighbour, 0)).code, "RATE_LIMITED");
  limiter.admit(book, { caller: anonymous, address: "2001:db8:0:1::1" }, 0);
});

test("a refused call costs nothing of the other limits", () => {
  const limiter = openRateLimiter({
    manifest: manifestWith({ perUser: "1/minute", total: "2/minute" }),
    limits: defaultLimits,
    random,
  });
  const first = { caller: caller("user_1"), address: "192.0.2.1" };
  limiter.admit(book, first, 0);
  for (let times = 0; times < 5; times++) refusal(() => limiter.admit(book, first, 0));
  limiter.admit(book, { caller: caller("user_2"), address: "192.0.2.1" }, 0);
  const third = { caller: caller("user_3"), address: "192.0.2.1" };
  assert.equal(refusal(() => limiter.admit(book, third, 0)).details["policy"], "total");
});

test("everything has a default limit, also what does not exist", () => {
  const limits = { ...defaultLimits, anonymousPerMinuteMax: 2 };
  const limiter = openRateLimiter({ manifest: manifestWith({}), limits, random });
  const who = { caller: anonymous, address: "192.0.2.1" };
  const nothing: GateOperation = { kind: "get", table: "nothing", id: "x", query: {} };
  limiter.admit(nothing, who, 0);
  limiter.admit({ kind: "batch", steps: [] }, who, 0);
  assert.equal(refusal(() => limiter.admit(nothing, who, 0)).code, "RATE_LIMITED");
});

test("a batch counts as its steps", () => {
  const limiter = openRateLimiter({
    manifest: manifestWith({ perUser: "3/minute" }),
    limits: defaultLimits,
    random,
  });
  const who = { caller: caller("user_1"), address: "192.0.2.1" };
  const batch: GateOperation = { kind: "batch", steps: [book, book] };
  assert.equal(limiter.admit(batch, who, 0).remaining, 1);
  const { code, details } = refusal(() => limiter.admit(batch, who, 0));
  assert.deepEqual([code, details["step"], details["policy"]], ["RATE_LIMITED", 1, "user"]);
});

test("an address whose tokens fail has to wait", () => {
  const limits = { ...defaultLimits, badTokensPerMinuteMax: 2 };
  const limiter = openRateLimiter({ manifest: manifestWith({}), limits, random });
  for (let times = 0; times < 2; times++) {
    limiter.admitToken("192.0.2.1", 0);
    limiter.countBadToken("192.0.2.1", 0);
  }
  assert.equal(refusal(() => limiter.admitToken("192.0.2.1", 0)).details["policy"], "token");
  limiter.admitToken("192.0.2.2", 0);
  limiter.admitToken("192.0.2.1", 31 * second);
});

test("many new keys neither use up memory nor make it forget whom it holds back", () => {
  const room = { left: 100, secret: 99 };
  const buckets = new QuotaBuckets(parseQuota("2/hour"), room);
  buckets.take("punished", 0);
  buckets.take("punished", 0);
  for (let key = 0; key < 50_000; key++) buckets.take(`attacker ${key}`, 1);
  assert.equal(buckets.keys, 100);
  assert.ok(buckets.waitUs("punished", 2) > 0);
  // The flood shares its buckets: it is held back as one.
  assert.ok(buckets.waitUs("attacker 50001", 2) > 0);
  // When the flood's buckets are full again its keys go, and newcomers have buckets of their own.
  const later = 3_600_000_001;
  for (let key = 0; key < 200; key++) buckets.take(`guest ${key}`, later + key * 3_600_000_000);
  assert.ok(buckets.keys < 100);
});

test("no window ever lets more through than a burst and its refill", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.integer({ min: 0, max: 5 * second }), { minLength: 1, maxLength: 200 }),
      (count, gaps) => {
        const buckets = new QuotaBuckets({ count, windowUs: 10 * second }, { left: 10, secret: 1 });
        let now = 0;
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (buckets.waitUs("key", now) > 1) continue;
          buckets.take("key", now);
          passed.push(now);
        }
        for (const [index, start] of passed.entries()) {
          const within = passed.slice(index).filter((at) => at < start + 10 * second).length;
          assert.ok(within <= 2 * count, `${within} in a window of ${count}`);
        }
      },
    ),
  );
});

test("addresses that belong to one customer are one key", () => {
  const keys = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "2001:0db8:0000:0000:1::": "2001:db8:0:0::/64",
    "2001:DB8::5": "2001:db8:0:0::/64",
    "::1": "0:0:0:0::/64",
    "fe80::1%eth0": "fe80:0:0:0::/64",
  };
  for (const [address, key] of Object.entries(keys)) assert.equal(addressKey(address), key);
});
