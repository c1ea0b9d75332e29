// A few of the planted holes, end to end, and the apps that must be clean. All of them: npm run engineer:score.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { plantedHoles, scoreHole } from "../../fixtures/holes/attack/score.ts";
import { attackApp, openAttackTarget } from "../../packages/server/src/attack-host.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const some = [
  "orders are open to every account",
  "any account edits reviews",
  "orders can be given away",
  "users set their own role",
  "strangers make themselves members",
  "visits of all clinics are open to every account",
  "a function lists every order",
  "check and act in two transactions",
];

async function attacked(appDir: string, seed: number) {
  const target = await openAttackTarget({ appDir });
  try {
    return await attackApp(target, {
      seed,
      openLimited: () => openAttackTarget({ appDir, rateLimits: "declared" }),
    });
  } finally {
    await target.close();
  }
}

test("there are sixty planted holes at least, each with a name of its own", () => {
  assert.ok(plantedHoles.length >= 60);
  assert.equal(new Set(plantedHoles.map(({ name }) => name)).size, plantedHoles.length);
});

for (const name of some) {
  test(`attack shows: ${name}, and nothing in the repaired twin`, async () => {
    const planted = plantedHoles.find((one) => one.name === name);
    assert.ok(planted);
    const { isFound, also, falseOnes } = await scoreHole(planted, 1);
    assert.ok(isFound, `it said: ${also.join("; ") || "nothing"}`);
    assert.deepEqual(falseOnes, []);
  });
}

test("a new app is proved clean, whatever the seed", async () => {
  for (const seed of [1, 2]) {
    const report = await attacked(join(root, "packages", "cli", "template"), seed);
    assert.deepEqual(report.findings, []);
    assert.deepEqual(report.inconclusive, []);
    assert.equal(report.verdict, "clean");
  }
});

test("the cinema has no hole that is not explained, and every denial a control", async () => {
  const report = await attacked(join(root, "examples", "cinema"), 1);
  const open = report.findings.filter(({ accepted }) => accepted === null);
  assert.deepEqual(
    open.map(({ says }) => says),
    [],
  );
  assert.deepEqual(report.inconclusive, []);
  assert.ok(
    report.findings.some(({ accepted }) => accepted !== null),
    "one is accepted with a reason",
  );
  for (const { verdict, control } of report.matrix) {
    if (verdict === "none") assert.notEqual(control, "");
  }
});
