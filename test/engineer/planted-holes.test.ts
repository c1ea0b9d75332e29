// A few of the planted holes, on every run: each must be shown, and its repaired twin must be silent. All of them:
// npm run engineer:score
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { appointments } from "../../fixtures/holes/attack/base-appointments.ts";
import { clinic } from "../../fixtures/holes/attack/base-clinic.ts";
import { courses } from "../../fixtures/holes/attack/base-courses.ts";
import { invoices } from "../../fixtures/holes/attack/base-invoices.ts";
import { market } from "../../fixtures/holes/attack/base-market.ts";
import { shop } from "../../fixtures/holes/attack/base-shop.ts";
import { team } from "../../fixtures/holes/attack/base-team.ts";
import { codesThatShow, reviewed } from "../../fixtures/holes/attack/check-hole.ts";
import { patched, type BaseApp, type Patch } from "../../fixtures/holes/attack/hole.ts";
import { plantedHoles, scoreHole, type HoleScore } from "../../fixtures/holes/attack/score.ts";

const seed = 1;

function planted(name: string) {
  const hole = plantedHoles.find((each) => each.name === name);
  assert.ok(hole, name);
  return hole;
}

async function scored(name: string): Promise<HoleScore> {
  const score = await scoreHole(planted(name), seed);
  assert.equal(score.isFound, true);
  assert.deepEqual([score.falseOnes, score.checkFalse, score.unclear], [[], [], []]);
  return score;
}

test("stock that falls below zero is shown, and nothing in its twin", async () => {
  await scored("stock falls below zero");
});

test("a row that can be given away is shown by attack and by check, and nothing in its twin", async () => {
  const { checkCodes } = await scored("reviews can be given away");
  assert.deepEqual(checkCodes, ["K104"]);
});

test("an answer that tells by its time alone is shown, and the twin that does the same work is not", async () => {
  await scored("a reset tells by its time who has an account");
});

test("a webhook that takes any signature is shown; the sound one is proved with a rightful delivery", async () => {
  await scored("any signature opens a webhook");
});

for (const name of [
  "signatures of webhooks are not looked at",
  "the function behind a webhook has an address of its own",
  "identity takes tokens of every wrong kind",
  "signing in says that the password is wrong",
  "a login of the app's own says who has an account",
]) {
  test(`at the doors: ${name}, which is shown, and nothing in its twin`, async () => {
    await scored(name);
  });
}

// One of each kind: all of them are in `npm run engineer:score`.
for (const name of [
  "students grade their own work",
  "visits are booked for whom the page says",
  "a plan is chosen without paying",
  "lines are read by all, their invoice by few",
]) {
  test(`in whole apps: ${name}, which is shown, and nothing in its twin`, async () => {
    await scored(name);
  });
}

async function review(base: BaseApp, patches: readonly Patch[]): Promise<ReadonlySet<string>> {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-planted-"));
  try {
    mkdirSync(join(appDir, "keelson"));
    for (const [file, text] of Object.entries(patched(base, patches))) {
      writeFileSync(join(appDir, "keelson", file), text);
    }
    return await reviewed(appDir);
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
}

test("check says nothing of the sound apps", async () => {
  for (const base of [shop, team, clinic, invoices, market, courses, appointments]) {
    assert.deepEqual([...(await review(base, []))], [], base.name);
  }
});

for (const [name, code] of [
  ["lines in another's order", "K105"],
  ["patients of another clinic can be made", "K105"],
  ["lines can be moved to another's order", "K104"],
  ["patients can be moved to another clinic", "K104"],
  ["tasks can be moved to another team", "K104"],
  ["a function lists every order", "K107"],
  ["the contact form has no limit", "K406"],
  ["the function behind a webhook has an address of its own", "K121"],
] as const) {
  test(`check says ${code} of "${name}", and not of its twin`, async () => {
    const { base, hole, twin = [], expect } = planted(name);
    const [open, sound] = [await review(base, hole), await review(base, twin)];
    assert.deepEqual(codesThatShow(expect[0], open, sound), [code]);
    assert.deepEqual([...sound], []);
  });
}
