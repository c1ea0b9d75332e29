import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../base/json.ts";
import { applied } from "./live-client.case.ts";
import { livePatch } from "./live-patch.ts";

const long = fc.constantFrom("a".repeat(60), "b".repeat(70), "c".repeat(80));
const row = fc.record({
  id: fc.constantFrom("a_1", "a_2", "a_3", "a_4", "a_5", "a_6"),
  text: long,
  n: fc.option(fc.nat(3)),
});
const rows = fc.uniqueArray(row, { selector: ({ id }) => id });
const pages = fc.record({ rows, next: fc.option(fc.string({ maxLength: 5 })) });
const items = fc.array(fc.record({ seat: long, taken: fc.boolean() }), { maxLength: 9 });
const fields = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), long);
const pairs = fc.oneof(
  fc.tuple(rows, rows),
  fc.tuple(pages, pages),
  fc.tuple(items, items),
  fc.tuple(fields, fields),
  fc.tuple(fc.oneof(rows, pages, items, fields), fc.jsonValue()),
  fc.tuple(fc.jsonValue(), fc.oneof(rows, pages, items, fields)),
);

test("a patch makes the value after of the value before, and is shorter", () => {
  let patches = 0;
  fc.assert(
    fc.property(pairs, ([before, after]) => {
      const [from, to] = [JSON.stringify(before), JSON.stringify(after)];
      const patch = livePatch(from, to);
      if (patch === null) return;
      patches += 1;
      assert.ok(patch.length < to.length);
      const got = applied(JSON.parse(from) as Json, JSON.parse(patch));
      assert.deepEqual(got, JSON.parse(to));
    }),
    { numRuns: 3_000 },
  );
  assert.ok(patches > 50, `only ${patches} values were patched`);
});

test("one seat of three hundred, one row of a page travel alone", () => {
  const seats = Array.from({ length: 300 }, (_, seat) => ({ seat, taken: false }));
  const sold = seats.map((each) => (each.seat === 7 ? { seat: 7, taken: true } : each));
  assert.deepEqual(JSON.parse(livePatch(JSON.stringify(seats), JSON.stringify(sold)) ?? ""), {
    kind: "items",
    length: 300,
    set: [[7, { seat: 7, taken: true }]],
  });
  const page = (titles: readonly string[]) =>
    JSON.stringify({
      rows: titles.map((title) => ({ id: title, title, more: "x".repeat(50) })),
      next: null,
    });
  const patch = livePatch(page(["b", "c", "d", "e"]), page(["a", "b", "c", "d"]));
  assert.deepEqual(JSON.parse(patch ?? ""), {
    kind: "rows",
    at: "rows",
    remove: ["e"],
    upsert: [{ id: "a", title: "a", more: "x".repeat(50) }],
    order: ["a", "b", "c", "d"],
  });
});
