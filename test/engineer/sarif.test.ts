// Both reports of the engineer as SARIF, held against the schema of OASIS: sarif-schema-2.1.0.json is the file of
// github.com/oasis-tcs/sarif-spec, sarif-2.1/schema/, commit e058381 (only its white space is ours).
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { test } from "node:test";
import draft04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import { attackSarif } from "../../packages/server/src/attack.ts";
import { checkAppFolder, sarifReport } from "../../packages/server/src/check.ts";
import { attackFolder, shopWithHoles } from "./shop-with-holes.case.ts";

const schema = JSON.parse(
  readFileSync(new URL("./sarif-schema-2.1.0.json", import.meta.url), "utf8"),
) as object;
const Ajv = draft04 as unknown as typeof draft04.default;
const ajv = new Ajv({ strict: false, allErrors: true });
(addFormats as unknown as (to: typeof ajv) => void)(ajv);
const isSarif = ajv.compile(schema);

function assertSarif(report: object): void {
  isSarif(report);
  assert.deepEqual(isSarif.errors ?? [], []);
}

test("the schema refuses what is no SARIF", () => {
  assert.equal(isSarif({ version: "2.1.0", runs: [{ results: [] }] }), false);
  const results = [{ message: { text: "x" }, level: "terrible" }];
  const runs = [{ tool: { driver: { name: "x" } }, results }];
  assert.equal(isSarif({ version: "2.1.0", runs }), false);
});

test("keelson check and keelson attack write SARIF 2.1.0, with what is allowed as suppressed", async () => {
  const appDir = shopWithHoles();
  try {
    const { report } = await checkAppFolder({ appDir, dataDir: null, against: null });
    const { findings, allowed } = report;
    assert.ok(findings.length > 0);
    assertSarif(sarifReport({ tool: "keelson check", version: "0.1.0", findings, allowed }));
    assertSarif(
      sarifReport({ tool: "keelson check", version: "0.1.0", findings: [], allowed: [] }),
    );

    const attack = await attackFolder(appDir, 1);
    assert.ok(attack.findings.some(({ accepted }) => accepted === null));
    assert.ok(attack.findings.some(({ accepted }) => accepted !== null));
    assertSarif(attackSarif(attack, "0.1.0") as object);
  } finally {
    rmSync(appDir, { recursive: true, force: true });
  }
});
