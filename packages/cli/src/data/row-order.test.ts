import assert from "node:assert/strict";
import { test } from "node:test";
import { leadingTo, onCircles, targetsFirst } from "./row-order.ts";

const refs = ["a", "b"];

/** Rows by name, each with the names that it refers to. */
function rowsOf(targets: Readonly<Record<string, string>>) {
  return Object.entries(targets).map(([id, [a = null, b = null]]) => ({ value: { id, a, b } }));
}

const names = (rows: Iterable<{ readonly value: { readonly id: string } }>): string =>
  [...rows].map(({ value }) => value.id).join("");

test("rows come after those that they refer to, where there is such an order", () => {
  assert.equal(names(targetsFirst(rowsOf({ x: "y", y: "z", z: "" }), refs)), "zyx");
  assert.equal(names(targetsFirst(rowsOf({ x: "zy", y: "z", z: "z", w: "q" }), refs)), "zyxw");
  assert.equal(names(targetsFirst(rowsOf({ x: "y", y: "x" }), refs)), "yx", "each once");
  const long = Array.from({ length: 50_000 }, (_, index) => ({
    value: { id: `${index}`, a: `${index + 1}` },
  }));
  assert.equal(targetsFirst(long, refs)[0], long.at(-1), "however long the way is");
});

test("what leads to a row is found, and what is left of circles", () => {
  const rows = rowsOf({ x: "y", y: "z", z: "y", t: "x", s: "", r: "s" });
  assert.equal(names(onCircles(rows, refs)), "yz");
  const [, , , , s] = rows;
  assert.equal(names(leadingTo(rows, refs, s === undefined ? [] : [s])), "sr");
});
