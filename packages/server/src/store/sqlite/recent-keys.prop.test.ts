// A key that was used is never called new, whatever came in between.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RecentKeys } from "./recent-keys.ts";

const key = fc.string({ minLength: 1, maxLength: 3, unit: fc.constantFrom("a", "b", "y", "z") });
const step = fc.oneof(
  fc.record({ kind: fc.constant("use" as const), key }),
  fc.record({ kind: fc.constant("ask" as const), key }),
  /** Another process uses it, and this one is told before it asks again. */
  fc.record({ kind: fc.constant("other" as const), key }),
);

test("a key that was used is never new; one that is above all that were used is", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const used = new Set<string>();
      const greatest = () => [...used].toSorted().at(-1) ?? "";
      const keys = new RecentKeys(greatest);
      for (const { kind, key } of steps) {
        if (kind === "ask") {
          const isNew = keys.isNew(key);
          if (used.has(key)) assert.equal(isNew, false);
          else if (key > greatest()) assert.equal(isNew, true);
          continue;
        }
        if (kind === "other") keys.forget();
        used.add(key);
        if (kind === "use") keys.add(key);
      }
    }),
    { numRuns: 500 },
  );
});

test("with more keys than are remembered none that was used is new, and those that grow stay known", () => {
  const used: string[] = [];
  const keys = new RecentKeys(() => "");
  assert.equal(keys.isNew("0"), true);
  const random = (index: number) => `${((index * 7_919) % 65_521).toString(16)}-random`;
  const growing = (index: number) => `t${String(index).padStart(8, "0")}`;
  let asked = 0;
  for (let index = 0; index < 100_000; index++) {
    const next = index % 2 === 0 ? random(index) : growing(index);
    if (index % 2 === 1 && !keys.isNew(next)) asked += 1;
    keys.add(next);
    used.push(next);
  }
  assert.equal(asked, 0);
  for (const key of used) assert.equal(keys.isNew(key), false, key);
});
