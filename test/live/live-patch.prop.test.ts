// What the server makes a patch of, the client makes the value of: over random pairs of values.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyPatch } from "../../packages/sdk/src/live-patch.ts";
import type { LivePatch } from "../../packages/sdk/src/live-protocol.ts";
import { shareValue } from "../../packages/sdk/src/live-share.ts";
import { livePatch } from "../../packages/server/src/live/live-patch.ts";

const text = fc.string({ maxLength: 12 });
const row = fc.record({
  id: fc.integer({ min: 0, max: 30 }).map((number) => `film_${number}`),
  title: text,
  body: fc.constantFrom("x".repeat(40), "y".repeat(40)),
  tags: fc.array(fc.constantFrom("a", "b"), { maxLength: 3 }),
});
const rows = fc.uniqueArray(row, { selector: ({ id }) => id, maxLength: 20 });
const page = fc.record({ rows, next: fc.option(text) });
const items = fc.array(fc.oneof(text, fc.integer(), fc.array(text)), { maxLength: 20 });
const fields = fc.dictionary(
  fc.constantFrom("a", "b", "c", "d", "e", "f"),
  fc.oneof(text, rows, items),
);
const value = fc.oneof(page, rows, items, fields, fc.jsonValue());

/** A value that was made by changing another a little, and pairs that have nothing in common. */
const pairs = fc.oneof(
  fc.tuple(page, page),
  fc.tuple(rows, rows),
  fc.tuple(items, items),
  fc.tuple(fields, fields),
  fc.tuple(value, value),
  fc.tuple(page, rows).map(
    ([before, more]) =>
      [
        before,
        {
          ...before,
          rows: [
            ...before.rows.slice(1),
            ...more.filter(({ id }) => before.rows.every((other) => other.id !== id)),
          ],
        },
      ] as const,
  ),
  fc
    .tuple(rows, fc.integer({ min: 0, max: 19 }), text)
    .map(
      ([before, at, title]) =>
        [before, before.map((one, index) => (index === at ? { ...one, title } : one))] as const,
    ),
);

test("a patch from a to b, applied to a, gives b", () => {
  let patches = 0;
  fc.assert(
    fc.property(pairs, ([before, after]) => {
      const patch = livePatch(JSON.stringify(before), JSON.stringify(after));
      if (patch === null) return;
      patches++;
      const old = shareValue(undefined, JSON.parse(JSON.stringify(before)));
      const next = applyPatch(old, JSON.parse(patch) as LivePatch);
      assert.deepEqual(next, JSON.parse(JSON.stringify(after)));
      assert.deepEqual(old, JSON.parse(JSON.stringify(before)));
    }),
    { numRuns: 3_000 },
  );
  assert.ok(patches > 200, `only ${patches} of 3,000 were patches`);
});
