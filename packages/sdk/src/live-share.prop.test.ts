// Structural sharing and patches, over random values.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyPatch } from "./live-patch.ts";
import { shareValue } from "./live-share.ts";

const json = fc.jsonValue({ maxDepth: 4 });
const rows = fc.uniqueArray(
  fc.record({
    id: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
    n: fc.integer({ min: 0, max: 3 }),
    tags: fc.array(fc.constantFrom("x", "y"), { maxLength: 2 }),
  }),
  { selector: ({ id }) => id, maxLength: 8 },
);

void test("a value made of the parts of another one is equal to what came", () => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const old = shareValue(undefined, structuredClone(before));
      assert.deepEqual(shareValue(old, structuredClone(after)), after);
      assert.deepEqual(old, before);
    }),
  );
});

void test("an equal value is the same object, and an equal row in a changed list too", () => {
  fc.assert(
    fc.property(rows, rows, (before, after) => {
      const old = shareValue(undefined, structuredClone(before)) as typeof before;
      assert.equal(shareValue(old, structuredClone(before)), old);
      const next = shareValue(old, structuredClone(after)) as typeof after;
      for (const row of next) {
        const same = old.find(({ id }) => id === row.id);
        if (same === undefined) continue;
        const isEqual = same.n === row.n && same.tags.join() === row.tags.join();
        assert.equal(same === row, isEqual);
        if (same.tags.join() === row.tags.join()) assert.equal(same.tags, row.tags);
      }
    }),
  );
});

void test("values are frozen to the bottom", () => {
  const value = shareValue(undefined, { rows: [{ id: "a", tags: ["x"] }], next: null }) as {
    readonly rows: readonly { readonly tags: readonly string[] }[];
  };
  assert.ok(Object.isFrozen(value));
  assert.ok(Object.isFrozen(value.rows));
  assert.ok(Object.isFrozen(value.rows[0]?.tags));
});

void test("rows of a patch are dropped, replaced in place, appended and ordered, in this order", () => {
  const page = shareValue(undefined, {
    rows: [
      { id: "a", n: 1 },
      { id: "b", n: 2 },
      { id: "c", n: 3 },
    ],
    next: "x",
  }) as { readonly rows: readonly object[]; readonly next: string | null };
  const next = applyPatch(page, {
    kind: "rows",
    at: "rows",
    remove: ["a"],
    upsert: [
      { id: "c", n: 4 },
      { id: "d", n: 5 },
    ],
    set: { next: null },
  });
  assert.deepEqual(next, {
    rows: [
      { id: "b", n: 2 },
      { id: "c", n: 4 },
      { id: "d", n: 5 },
    ],
    next: null,
  });
  assert.equal((next as typeof page).rows[0], page.rows[1]);
  const ordered = applyPatch(page.rows, { kind: "rows", at: null, order: ["c", "a", "b"] });
  assert.deepEqual(ordered, [page.rows[2], page.rows[0], page.rows[1]]);
  // The cursor alone: the rows are the same array.
  const moved = applyPatch(page, { kind: "rows", at: "rows", set: { next: "y" } }) as typeof page;
  assert.equal(moved.rows, page.rows);
});

void test("items and fields are set, cut and dropped", () => {
  const seats = shareValue(undefined, [["A1"], ["A2"], ["A3"]]) as readonly unknown[];
  const cut = applyPatch(seats, { kind: "items", length: 2, set: [[1, ["B2"]]] }) as unknown[];
  assert.deepEqual(cut, [["A1"], ["B2"]]);
  assert.equal(cut[0], seats[0]);
  assert.deepEqual(applyPatch({ a: 1, b: 2 }, { kind: "fields", set: { c: 3 }, unset: ["a"] }), {
    b: 2,
    c: 3,
  });
});

void test("a patch that does not fit is a mistake, not a value", () => {
  assert.throws(() => applyPatch({}, { kind: "items", length: 0, set: [] }), TypeError);
  assert.throws(() => applyPatch([], { kind: "items", length: 2, set: [[1, "x"]] }), TypeError);
  assert.throws(() => applyPatch([], { kind: "fields", set: {} }), TypeError);
  assert.throws(() => applyPatch([1], { kind: "rows", at: null }), TypeError);
  assert.throws(() => applyPatch([], { kind: "rows", at: null, order: ["a"] }), TypeError);
});
