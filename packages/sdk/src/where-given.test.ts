import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { withGiven } from "./where-given.ts";

const lost = { undefined: true };

void test("a condition that is undefined is told, wherever it stands", () => {
  assert.deepEqual(withGiven({ where: { owner: undefined, open: true }, limit: undefined }), {
    where: { owner: lost, open: true },
    limit: undefined,
  });
  assert.deepEqual(withGiven({ where: { at: { gte: undefined } } }), {
    where: { at: { gte: lost } },
  });
  const lines = { where: { or: [{ open: true }, { owner: undefined }] }, limit: undefined };
  assert.deepEqual(withGiven({ with: { lines, owner: true } }), {
    with: { lines: { ...lines, where: { or: [{ open: true }, { owner: lost }] } }, owner: true },
  });
});

void test("a query without one is the same object, and says what it said", () => {
  const at = new Date(0);
  for (const query of [
    {},
    { where: undefined, with: undefined },
    { where: { owner: null, at: { lt: at }, tags: { in: ["a"] } }, with: { owner: { with: {} } } },
  ]) {
    assert.equal(withGiven(query), query);
  }
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (where, others) => {
      const query = { where, with: others };
      assert.equal(withGiven(query), query);
    }),
  );
});
