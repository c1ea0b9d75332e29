// Findings as SARIF 2.1.0: what code hosts and editors show beside the code. One run; a rule for every code that was
// found or allowed; what the source allows is there as suppressed, with its reason.
import type { AllowedFinding, Finding, Severity } from "./finding.ts";

/** Levels of SARIF. */
const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  hole: "error",
  risk: "warning",
  cost: "warning",
  advice: "note",
};

/** What a report is made of. */
export interface SarifParts {
  /** `keelson check`. */
  readonly tool: string;
  readonly version: string;
  readonly findings: readonly Finding[];
  readonly allowed: readonly AllowedFinding[];
}

/** The report as an object for JSON. Paths are relative to the app's folder. */
export function sarifReport({ tool, version, findings, allowed }: SarifParts): object {
  const all = [...findings, ...allowed.map(({ finding }) => finding)];
  const codes = [...new Set(all.map(({ code }) => code))].toSorted();
  const rules = codes.map((code) => ruleOf(all.find((finding) => finding.code === code)));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: tool, version, rules } },
        columnKind: "utf16CodeUnits",
        results: [
          ...findings.map((finding) => resultOf(finding, codes)),
          ...allowed.map(({ finding, reason }) => ({
            ...resultOf(finding, codes),
            suppressions: [{ kind: "inSource", justification: reason }],
          })),
        ],
      },
    ],
  };
}

function ruleOf(finding: Finding | undefined): object {
  if (finding === undefined) return {};
  const { code, title, why, severity, category } = finding;
  return {
    id: code,
    name: title,
    shortDescription: { text: title },
    fullDescription: { text: why },
    defaultConfiguration: { level: levels[severity] },
    properties: { severity, category, page: finding.page },
  };
}

function resultOf(finding: Finding, codes: readonly string[]): object {
  const { code, severity, says, why, fix, at, evidence } = finding;
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levels[severity],
    message: { text: `${says}\n${why}\nInstead: ${fix}` },
    locations: [{ physicalLocation: locationOf(at) }],
    relatedLocations: evidence.flatMap(({ text, at: place }, index) =>
      place === undefined
        ? []
        : [{ id: index, message: { text }, physicalLocation: locationOf(place) }],
    ),
    partialFingerprints: { keelson: `${code}:${at.file}:${says}` },
  };
}

function locationOf({ file, line, column }: Finding["at"]): object {
  return {
    artifactLocation: { uri: file.split("/").map(encodeURIComponent).join("/") },
    region: { startLine: line, startColumn: column },
  };
}
