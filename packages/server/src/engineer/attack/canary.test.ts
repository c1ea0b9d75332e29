import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldSpec } from "../../model/manifest.ts";
import { CanaryBook } from "./canary.ts";
import { SeededRandom } from "./seeded-random.ts";
import { seedValue } from "./seed-value.ts";

const fields: Readonly<Record<string, FieldSpec>> = {
  title: { kind: "text", min: 0, max: 100 },
  mail: { kind: "text", min: 0, max: 100, format: "email" },
  price: { kind: "money", currency: "EUR" },
  born: { kind: "date" },
  at: { kind: "time" },
  tags: { kind: "list", item: { kind: "text", min: 0, max: 40 }, min: 0, max: 3 },
  data: { kind: "json", maxBytes: 1_000 },
  blob: { kind: "bytes", max: 100 },
};

function planted() {
  const random = new SeededRandom(7);
  const canaries = new CanaryBook(random);
  const parts = { random, canaries, nowMs: 1_800_000_000_000, variant: 0, reference: () => null };
  const row = Object.fromEntries(
    Object.entries(fields).map(([name, spec]) => [name, seedValue(spec, parts)]),
  );
  canaries.learn("thing", { id: "thing_01890a5dac96774bbcceb30209", ...row }, fields);
  return { canaries, row };
}

test("every kind with room for it carries a canary that is found in an answer", () => {
  const { canaries, row } = planted();
  for (const [field, value] of Object.entries(row)) {
    const sights = canaries.find(JSON.stringify({ any: [value] }), new Set());
    const where = sights.flatMap(({ places }) => places.map((place) => place.field));
    assert.deepEqual(where, [field], field);
  }
});

test("a canary is found inside a packed cursor, and not when the caller sent it", () => {
  const { canaries, row } = planted();
  const cursor = Buffer.from(JSON.stringify({ after: [row["title"], 1, "padding"] })).toString(
    "base64url",
  );
  assert.equal(canaries.find(`{"next":"${cursor}"}`, new Set()).length, 1);
  const own = canaries.tokens(String(row["title"]));
  assert.equal(canaries.find(String(row["title"]), own).length, 0);
});

test("what resembles a canary and was never planted is none", () => {
  const { canaries } = planted();
  const text =
    'kqaaaaaaaaaa 700137 "1850-01-02" 2027-01-15T08:00:00.001Z user_01890a5dac96774bbcceb30209';
  assert.deepEqual(canaries.find(text, new Set()), []);
});

test("a long text without word ends is looked through in no time", () => {
  const { canaries } = planted();
  const started = performance.now();
  canaries.tokens("a".repeat(500_000));
  canaries.find("9".repeat(500_000), new Set());
  assert.ok(performance.now() - started < 2_000);
});
