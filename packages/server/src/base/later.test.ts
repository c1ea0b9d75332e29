import { strict as assert } from "node:assert";
import { test } from "node:test";
import { andThen, isLater } from "./later.ts";

test("a value that is there is used at once, one that comes later when it comes", async () => {
  let seen = 0;
  assert.equal(
    andThen(1, (value) => (seen = value + 1)),
    2,
  );
  assert.equal(seen, 2);
  const later = andThen(Promise.resolve(5), (value) => value + 1);
  assert.ok(isLater(later));
  assert.equal(await later, 6);
});
