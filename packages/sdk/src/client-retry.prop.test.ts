// The waits between attempts, over all the policies and failures that there can be.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeelsonError } from "./client-error.ts";
import { defaultRetry, failureKind, retryDelayMs } from "./client-retry.ts";

const policies = fc.record({
  attempts: fc.integer({ min: 1, max: 12 }),
  baseMs: fc.integer({ min: 1, max: 1_000 }),
  capMs: fc.integer({ min: 1, max: 60_000 }),
});
const codes = [
  "CONNECTION_LOST",
  "TIMED_OUT",
  "OVERLOADED",
  "RATE_LIMITED",
  "ANSWER_INVALID",
  "RULE_DENIED",
  "INTERNAL",
];
const errors = fc
  .record({
    code: fc.constantFrom(...codes),
    status: fc.constantFrom(0, 200, 403, 404, 408, 429, 500, 502, 503, 504),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 120_000 })),
  })
  .map((parts) => new KeelsonError({ ...parts, message: "" }));
const rolls = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

void test("a wait is what was asked for, and half of the policy's to all of it on top; attempts end", () => {
  fc.assert(
    fc.property(
      policies,
      errors,
      rolls,
      fc.integer({ min: 1, max: 20 }),
      (policy, error, roll, made) => {
        const delayMs = retryDelayMs(error, made, policy, () => roll);
        if (delayMs === null) {
          const asked = error.retryAfterMs ?? 0;
          assert.ok(
            made >= policy.attempts || failureKind(error) === "final" || asked > policy.capMs,
          );
          return;
        }
        assert.ok(made < policy.attempts);
        const most = Math.min(policy.capMs, policy.baseMs * 2 ** (made - 1));
        const own = delayMs - (error.retryAfterMs ?? 0);
        assert.ok(own >= most / 2 - 1e-6 && own <= most + 1e-6);
      },
    ),
  );
});

void test("a client that is told nothing outlasts a server that is away for six seconds, by whatever chance", () => {
  const lost = new KeelsonError({ code: "CONNECTION_LOST", status: 0, message: "" });
  const waits: number[] = [];
  for (;;) {
    const delayMs = retryDelayMs(lost, waits.length + 1, defaultRetry, () => 0);
    if (delayMs === null) break;
    waits.push(delayMs);
  }
  assert.ok(waits.reduce((sum, delayMs) => sum + delayMs, 0) > 6_000);
});

void test("a refusal of the server is final whatever its status; a proxy's silence is not", () => {
  const kind = (code: string, status: number) =>
    failureKind(new KeelsonError({ code, status, message: "" }));
  assert.equal(kind("RULE_DENIED", 403), "final");
  assert.equal(kind("STORE_FAILED", 500), "final");
  assert.equal(kind("OVERLOADED", 503), "notDone");
  assert.equal(kind("ANSWER_INVALID", 503), "unknown");
  assert.equal(kind("ANSWER_INVALID", 200), "final");
});
