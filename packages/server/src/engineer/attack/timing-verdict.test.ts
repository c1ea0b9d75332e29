import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { timingVerdict } from "./timing-verdict.ts";
import { SeededRandom } from "./seeded-random.ts";

/** Heavy-tailed noise around a difference: one answer in ten is slow by up to 20 ms, on either side. */
function noisy(differenceUs: number, count: number, seed: number): number[] {
  const random = new SeededRandom(seed);
  const part = (): number => random.next();
  return Array.from({ length: count }, () => {
    const slow = part() < 0.1 ? (part() - 0.5) * 40_000 : 0;
    return differenceUs + (part() - 0.5) * 300 + slow;
  });
}

test("noise alone is never a difference", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seed) => {
      assert.notEqual(timingVerdict(noisy(0, 60, seed), 500).kind, "different");
    }),
    { numRuns: 2_000 },
  );
});

test("a difference that a caller can tell is found in noise of ten times its size", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.boolean(), (seed, slower) => {
      const verdict = timingVerdict(noisy(slower ? 2_000 : -2_000, 200, seed), 500);
      assert.equal(verdict.kind, "different");
    }),
  );
});

test("what is too noisy to tell is open, and a small difference is none", () => {
  assert.equal(timingVerdict([-900, 900, -800, 800, -700, 700], 500).kind, "open");
  assert.equal(timingVerdict(noisy(20, 200, 1), 500).kind, "same");
});
