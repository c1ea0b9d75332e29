import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { killRun, type KillReport } from "./kill-run.ts";

const acknowledgedMin = 100;

async function run(
  context: TestContext,
  rounds: number,
  plant: string | null,
): Promise<KillReport> {
  const seed = Number(process.env["KEELSON_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(
    `repeat: node test/kill/main.ts --seed=${seed} --rounds=${rounds} --clients=8`,
  );
  const folder = mkdtempSync(join(tmpdir(), "keelson-kill-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return killRun({
    rounds,
    acknowledgedMin: acknowledgedMin + 1,
    seed,
    clients: 8,
    threads: null,
    plant,
    loadMsMax: 300,
    verifyEvery: 5,
    folder,
    say: (line) => context.diagnostic(line),
  });
}

test("a server killed five times under load keeps every acknowledged write, once", async (context) => {
  const report = await run(context, 5, null);
  assert.deepEqual(report.violations, []);
  assert.ok(report.kills >= 5);
  assert.ok(report.acknowledged > acknowledgedMin, JSON.stringify(report));
});

const found = {
  "early-answer": /was acknowledged and is lost|must be/,
  "forget-keys": /its repeat|is there twice/,
  "no-undo": /was refused and is there|accounts of 1000 hold/,
};
for (const [plant, sign] of Object.entries(found)) {
  test(`the checker finds a server with a planted fault: ${plant}`, async (context) => {
    const { violations } = await run(context, 5, plant);
    assert.match(violations.join("\n"), sign);
  });
}
