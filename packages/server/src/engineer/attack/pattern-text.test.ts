import assert from "node:assert/strict";
import { test } from "node:test";
import { compilePattern } from "../../model/field-pattern.ts";
import { CanaryBook } from "./canary.ts";
import { patternText } from "./pattern-text.ts";
import { SeededRandom } from "./seeded-random.ts";
import { seedValue } from "./seed-value.ts";

/** Pattern, `min`, `max`. */
const fields: readonly (readonly [string, number, number])[] = [
  ["[A-Z]+", 2, 6],
  ["[A-Z]\\d{1,3}", 1, 4],
  ["#[0-9a-f]{6}", 0, 7],
  ["\\+?[0-9 ]{6,20}", 6, 21],
  ["(?:[a-z0-9]+-)*[a-z0-9]+", 8, 40],
  ["[A-Z]{2}\\d{2}[A-Z0-9]{11,30}", 15, 34],
  ["de|en|pt-BR", 5, 5],
  ["[^\\s@]+@[^\\s@]+\\.[a-z]{2,}", 10, 100],
  ["\\p{Lu}\\p{Ll}*", 3, 9],
  ["[äöü]+", 4, 4],
  ["\\d{4}-\\d{2}", 0, 7],
  [".*", 12, 50],
  ["(ab){2,}", 7, 8],
];

test("a text is drawn that a field's pattern and bounds take", () => {
  const random = new SeededRandom(3);
  for (const [pattern, min, max] of fields) {
    for (let count = 0; count < 50; count++) {
      const text = patternText(pattern, { random, min, max });
      const fits = compilePattern(pattern).test(text) && text.length >= min && text.length <= max;
      assert.ok(fits, `${pattern} ${min}..${max}: ${JSON.stringify(text)}`);
    }
  }
});

test("a pattern that no field could have gets some text", () => {
  const random = new SeededRandom(3);
  assert.equal(patternText("(?=a).{3}", { random, min: 2, max: 4 }).length, 4);
});

test("a field whose pattern has room for a canary carries one", () => {
  const random = new SeededRandom(7);
  const canaries = new CanaryBook(random);
  const parts = { random, canaries, nowMs: 1_800_000_000_000, variant: 0, reference: () => null };
  const text = { kind: "text", min: 0, max: 40 } as const;
  // A marker, or digits that stand nowhere else.
  const fields = {
    slug: { ...text, pattern: "[a-z0-9]+" },
    phone: { ...text, pattern: "\\+[0-9]{7,15}" },
  };
  const id = "post_01890a5dac96774bbcceb30209";
  const row = { id, slug: seedValue(fields.slug, parts), phone: seedValue(fields.phone, parts) };
  canaries.learn("post", row, fields);
  for (const field of ["slug", "phone"] as const) {
    const sights = canaries.find(JSON.stringify({ value: row[field] }), new Set());
    assert.deepEqual(
      sights.map(({ places }) => places),
      [[{ table: "post", id, field }]],
    );
  }
});
