import assert from "node:assert/strict";
import { test } from "node:test";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { keyedHash } from "./keyed-hash.ts";
import { QuotaBuckets } from "./rate-quota.ts";
import { makeSharedQuotas, SharedBuckets } from "./shared-quota.ts";

const random = { bytes: (count: number) => new Uint8Array(count).fill(7) };
const quota = { count: 10, windowUs: 60_000_000 };

test("buckets in shared memory decide as those of one thread do", () => {
  const step = fc.record({
    key: fc.constantFrom("ann", "bob", "cleo"),
    afterUs: fc.integer({ min: 0, max: 9_000_000 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const shared = new SharedBuckets(quota, "x", makeSharedQuotas(1_000, random));
      const own = new QuotaBuckets(quota, { left: 1_000, secret: 1 });
      let nowUs = 1_000_000;
      for (const { key, afterUs } of steps) {
        nowUs += afterUs;
        const waitUs = own.waitUs(key, nowUs);
        assert.ok(Math.abs(shared.waitUs(key, nowUs) - waitUs) <= 20);
        if (waitUs > 1) {
          assert.equal(shared.take(key, nowUs), null);
          continue;
        }
        const taken = shared.take(key, nowUs);
        assert.ok(taken !== null);
        assert.equal(shared.remaining(taken), own.remaining(own.take(key, nowUs)));
      }
    }),
  );
});

test("what is given back can be taken again", () => {
  const buckets = new SharedBuckets(quota, "x", makeSharedQuotas(1_000, random));
  for (let index = 0; index < 10; index++) assert.notEqual(buckets.take("ann", 1), null);
  assert.equal(buckets.take("ann", 1), null);
  buckets.giveBack("ann");
  assert.notEqual(buckets.take("ann", 1), null);
  assert.equal(buckets.take("ann", 1), null);
});

test("limits of different names do not count each other's requests", () => {
  const memory = makeSharedQuotas(1_000, random);
  const one = new SharedBuckets(quota, "a", memory);
  const other = new SharedBuckets(quota, "b", memory);
  for (let index = 0; index < 10; index++) one.take("ann", 1);
  assert.equal(one.take("ann", 1), null);
  assert.notEqual(other.take("ann", 1), null);
});

test("with no room left, newcomers share buckets and nobody who is held back is forgotten", () => {
  const buckets = new SharedBuckets(quota, "x", makeSharedQuotas(64, random));
  for (let index = 0; index < 10; index++) buckets.take("held", 1);
  for (let index = 0; index < 20_000; index++) buckets.take(`flood ${index}`, 1);
  assert.equal(buckets.take("held", 1), null);
  let refused = 0;
  for (let index = 0; index < 30_000; index++) {
    if (buckets.take(`more ${index}`, 1) === null) refused += 1;
  }
  assert.ok(refused > 0, "what is shared runs out");
  // Once their buckets are full again, everybody's place is free.
  assert.notEqual(buckets.take("late", 61_000_000), null);
});

test("ten a minute over four threads are ten", { timeout: 30_000 }, async () => {
  const shared = makeSharedQuotas(1_000, { bytes: (count) => new Uint8Array(count).fill(3) });
  const gate = new SharedArrayBuffer(8);
  const word = new Int32Array(gate);
  const keys = Array.from({ length: 40 }, (_, index) => `user_${index}`);
  const file = new URL("./shared-quota-taker.case.ts", import.meta.url);
  const workerData = { shared, gate, tries: 40_000, keys, nowUs: 5_000_000 };
  const workers = Array.from({ length: 4 }, () => new Worker(file, { workerData }));
  const answers = workers.map((worker) => once(worker, "message"));
  for (let ready = 0; ready < 4; ready = Atomics.load(word, 1)) {
    const waiting = Atomics.waitAsync(word, 1, ready, 10_000);
    if (waiting.async) await waiting.value;
  }
  Atomics.store(word, 0, 1);
  Atomics.notify(word, 0);
  const passed = (await Promise.all(answers)).map(([counts]) => counts as number[]);
  for (const [index, key] of keys.entries()) {
    const sum = passed.reduce((sum, counts) => sum + (counts[index] as number), 0);
    assert.equal(sum, 10, key);
  }
});

test("the hash depends on every character, on their order, and on the key", () => {
  const texts = ["", "a", "b", "ab", "ba", "abc", "ab\0", "user_1", "user_2", "x".repeat(100)];
  const hashes = texts.map((text) => keyedHash(text, [1, 2]));
  assert.equal(new Set(hashes).size, texts.length);
  assert.notEqual(keyedHash("a", [1, 2]), keyedHash("a", [1, 3]));
  assert.equal(keyedHash("a", [1, 2]), keyedHash("a", [1, 2]));
});

test("a full memory of counts of a day holds up nobody of a limit by the minute", () => {
  const shared = makeSharedQuotas(1_000, random);
  const daily = new SharedBuckets({ count: 20, windowUs: 86_400_000_000 }, "daily", shared);
  const newcomers = new SharedBuckets(quota, "x", shared);
  let nowUs = 1_000_000_000;
  for (let at = 0; at < 60_000; at++) daily.take(`somebody ${at}`, nowUs);
  for (let at = 0; at < 200; at++) {
    assert.equal(newcomers.waitUs(`newcomer ${at}`, nowUs), 0);
    assert.ok(newcomers.take(`newcomer ${at}`, nowUs) !== null);
    // Full again: newcomers share buckets with each other.
    nowUs += 6_000_000;
  }
  // The limits of a day are still held to.
  assert.ok(daily.waitUs("one more", nowUs) > 0);
});
