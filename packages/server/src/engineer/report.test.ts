import assert from "node:assert/strict";
import { test } from "node:test";
import { compareFindings, type Finding } from "./finding.ts";
import { githubLines } from "./report-github.ts";
import { sarifReport } from "./report-sarif.ts";

const finding: Finding = {
  code: "K101",
  severity: "hole",
  category: "trust",
  title: "Identity, from an argument",
  says: "100 % of callers can be anybody.",
  why: "Whoever calls decides.",
  at: { file: "keelson/a b.ts", line: 3, column: 5 },
  frame: "",
  evidence: [
    { text: "here", at: { file: "keelson/a b.ts", line: 9, column: 1 } },
    { text: "no place" },
  ],
  fix: "me.id",
  page: "reference/checks/K101.md",
};
const advice: Finding = { ...finding, code: "K205", severity: "advice", title: "Size" };

interface Sarif {
  readonly version: string;
  readonly runs: readonly [
    {
      readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      readonly results: readonly {
        readonly ruleId: string;
        readonly ruleIndex: number;
        readonly level: string;
        readonly locations: readonly unknown[];
        readonly relatedLocations: readonly unknown[];
        readonly suppressions?: readonly { readonly justification: string }[];
      }[];
    },
  ];
}

test("SARIF names each code once, points at lines, and keeps what is allowed with its reason", () => {
  const allowed = [{ finding: advice, reason: "short texts", allowedAt: advice.at }];
  const report = sarifReport({
    tool: "keelson check",
    version: "1",
    findings: [finding, finding],
    allowed,
  }) as Sarif;
  const [run] = report.runs;
  assert.equal(report.version, "2.1.0");
  assert.deepEqual(
    run.tool.driver.rules.map(({ id }) => id),
    ["K101", "K205"],
  );
  assert.deepEqual(
    run.results.map(({ level }) => level),
    ["error", "error", "note"],
  );
  for (const { ruleId, ruleIndex } of run.results)
    assert.equal(run.tool.driver.rules[ruleIndex]?.id, ruleId);
  assert.equal(run.results[0]?.relatedLocations.length, 1);
  assert.deepEqual(run.results[0]?.locations, [
    {
      physicalLocation: {
        artifactLocation: { uri: "keelson/a%20b.ts" },
        region: { startLine: 3, startColumn: 5 },
      },
    },
  ]);
  assert.equal(run.results[2]?.suppressions?.[0]?.justification, "short texts");
});

test("annotations escape what GitHub's commands are made of", () => {
  const [line = ""] = githubLines([finding], "apps/one");
  assert.ok(
    line.startsWith(
      "::error file=apps/one/keelson/a b.ts,line=3,col=5,title=K101 Identity%2C from an argument::",
    ),
  );
  assert.ok(line.includes("100 %25 of callers"));
  assert.ok(line.includes("%0AInstead: me.id"));
  assert.equal(line.includes("\n"), false);
});

test("worse findings come first, then earlier places", () => {
  const later = { ...finding, at: { ...finding.at, line: 4 } };
  assert.deepEqual([advice, later, finding].toSorted(compareFindings), [finding, later, advice]);
});
