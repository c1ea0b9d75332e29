import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isDeeper } from "./json-depth.ts";

function depthOf(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test("the depth of a text is the depth of its value", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 0, max: 9 }), (value, levels) => {
      assert.equal(isDeeper(JSON.stringify(value), levels), depthOf(value) > levels);
    }),
    { numRuns: 2_000 },
  );
});

test("brackets and quotes inside of texts are no levels", () => {
  assert.equal(isDeeper(JSON.stringify({ "[[[[": '{{{{"\\' }), 1), false);
  assert.equal(isDeeper(JSON.stringify(['\\"', '[["\\\\"']), 1), false);
});
