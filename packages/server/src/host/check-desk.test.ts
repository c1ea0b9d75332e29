// Every code's page has a bad and a good example: the bad one is found at its marked line and nothing else is;
// in the good one nothing is found.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { checkCodes } from "../engineer/check/codes.ts";
import { exampleFiles } from "../engineer/check/example-app.ts";
import type { Finding } from "../engineer/finding.ts";
import { checkExample } from "./check-example.case.ts";

const folder = mkdtempSync(join(tmpdir(), "keelson-check-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [name, { bad, good }] of Object.entries(checkCodes)) {
  test(`${name} is found in its bad example, at the marked line, and nothing else is`, async () => {
    const { mark } = exampleFiles(bad);
    assert.ok(mark, "no line is marked");
    const { report } = await checkExample(folder, `${name}-bad`, bad);
    assert.deepEqual(report.findings.map(shown), [`${name} ${mark.file}:${mark.line}`]);
    const [finding] = report.findings;
    assert.ok(finding);
    assert.ok(finding.evidence.length > 0);
    assert.notEqual(finding.fix, "");
    assert.notEqual(finding.frame, "");
    assert.deepEqual(report.looked.unread, []);
  });

  test(`${name} is not found in its good example, and nothing else is`, async () => {
    const { report } = await checkExample(folder, `${name}-good`, good);
    assert.deepEqual(report.findings.map(shown), []);
    assert.deepEqual(report.looked.unread, []);
  });
}

function shown({ code, at }: Finding): string {
  return `${code} ${at.file}:${at.line}`;
}
