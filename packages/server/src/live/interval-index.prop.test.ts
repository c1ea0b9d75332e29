import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareValues } from "../store/memory/where-match.ts";
import { prefixRange } from "./index-key.ts";
import { IntervalIndex, type Interval, type IntervalValue } from "./interval-index.ts";

function isIn({ low, high }: Interval, value: IntervalValue): boolean {
  const isAbove = low === null || compareValues(low, value) <= 0;
  return isAbove && (high === null || compareValues(value, high) <= 0);
}

/** Intervals of which many overlap, are equal, or hold nothing. */
function stepsOf(value: fc.Arbitrary<IntervalValue>) {
  const interval = fc.record({
    low: fc.option(value, { freq: 4 }),
    high: fc.option(value, { freq: 4 }),
  });
  return fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.record({ do: fc.constant("add" as const), interval }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("drop" as const), at: fc.nat(99) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("ask" as const), value }) },
    ),
    { maxLength: 200 },
  );
}

// Numbers of rows and filters are finite: JSON has no others.
for (const [kind, value] of Object.entries({
  numbers: fc.oneof(
    fc.integer({ min: -9, max: 9 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  ),
  texts: fc.oneof(
    fc.constantFrom("", "a", "ab", "b", "\u{1f600}", "\uffff"),
    fc.string({ unit: "binary", maxLength: 3 }),
  ),
})) {
  test(`intervals of ${kind} hold what a walk over all of them finds`, () => {
    fc.assert(
      fc.property(stepsOf(value as fc.Arbitrary<IntervalValue>), (steps) => {
        const index = new IntervalIndex<number>();
        const naive: { readonly interval: Interval; readonly item: number }[] = [];
        for (const [item, step] of steps.entries()) {
          if (step.do === "add") {
            naive.push({ interval: step.interval, item });
            index.add(step.interval, item);
          } else if (step.do === "drop") {
            const [gone] = naive.splice(step.at % Math.max(1, naive.length), 1);
            if (gone !== undefined) index.delete(gone.interval, gone.item);
          } else {
            const found: number[] = [];
            index.visit(step.value, (items) => found.push(...items));
            const wanted = naive.filter(({ interval }) => isIn(interval, step.value));
            assert.deepEqual(
              found.toSorted((a, b) => a - b),
              wanted.map(({ item }) => item),
            );
          }
          assert.equal(index.size, naive.length);
        }
        const all: number[] = [];
        index.visitAll((items) => all.push(...items));
        assert.equal(all.length, naive.length);
      }),
      { numRuns: 300 },
    );
  });
}

test("whatever begins with a prefix is in its range", () => {
  const texts = fc.string({ unit: "binary", maxLength: 4 });
  const edges = fc.constantFrom(
    "",
    "\uffff",
    "\ud7ff",
    "\u{10ffff}",
    "a\u{10ffff}",
    "\ud800",
    "z\udfff",
  );
  fc.assert(
    fc.property(fc.oneof(texts, edges), fc.oneof(texts, edges), (prefix, rest) => {
      assert.ok(isIn(prefixRange(prefix), prefix + rest), JSON.stringify([prefix, rest]));
    }),
    { numRuns: 2_000 },
  );
  assert.ok(!isIn(prefixRange("be"), "bf1"));
});

test("of ten thousand intervals a value visits those that it is in", () => {
  const index = new IntervalIndex<number>();
  for (let item = 0; item < 10_000; item++)
    index.add({ low: item * 10, high: item * 10 + 9 }, item);
  const found: number[] = [];
  index.visit(55_555, (items) => found.push(...items));
  assert.deepEqual(found, [5_555]);
});
