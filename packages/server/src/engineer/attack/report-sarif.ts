// The report as SARIF 2.1.0, for code scanning. Accepted findings are there as suppressed, with their reasons.
import type { Json } from "../../base/json.ts";
import type { AttackReport } from "./attack-report.ts";
import { holeKinds } from "./hole-codes.ts";

/** @param version of keelson. */
export function attackSarif(report: AttackReport, version: string): Json {
  const codes = [...new Set(report.findings.map(({ code }) => code))];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "keelson attack",
            version,
            rules: codes.map((code) => ({
              id: code,
              shortDescription: { text: holeKinds[code].title },
              fullDescription: { text: holeKinds[code].why },
              help: { text: holeKinds[code].fix },
              properties: { category: holeKinds[code].category, "security-severity": "8.0" },
            })),
          },
        },
        properties: { seed: report.seed, verdict: report.verdict, requests: report.requests },
        results: report.findings.map((finding) => ({
          ruleId: finding.code,
          level: "error",
          message: { text: `${finding.says}. ${finding.fix}\n\n${finding.curl}` },
          partialFingerprints: {
            hole: `${finding.code}/${finding.subject}/${finding.fields.join()}`,
          },
          locations:
            finding.at === null
              ? []
              : [
                  {
                    physicalLocation: {
                      artifactLocation: { uri: finding.at.file },
                      region: { startLine: finding.at.line, startColumn: finding.at.column },
                    },
                  },
                ],
          suppressions:
            finding.accepted === null
              ? []
              : [{ kind: "inSource", justification: finding.accepted }],
        })),
      },
    ],
  };
}
