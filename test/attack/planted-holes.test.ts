// A few of the planted holes, on every run: each must be shown, and its repaired twin must be silent. All of them:
// node fixtures/holes/attack/score.ts
import assert from "node:assert/strict";
import { test } from "node:test";
import { plantedHoles, scoreHole } from "../../fixtures/holes/attack/score.ts";

const seed = 1;
const tried = ["stock falls below zero", "reviews can be given away"];

for (const name of tried) {
  test(`an attack shows the planted hole "${name}", and nothing in its twin`, async () => {
    const planted = plantedHoles.find((hole) => hole.name === name);
    assert.ok(planted);
    const score = await scoreHole(planted, seed);
    assert.equal(score.isFound, true);
    assert.deepEqual(score.falseOnes, []);
  });
}
