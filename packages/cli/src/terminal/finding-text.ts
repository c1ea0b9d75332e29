// Findings as a person reads them: by severity, worst first, one group for each code with why it matters, then each
// place with its frame, what shows it, and what to write instead.
import { counted } from "./table-text.ts";

/** A finding as far as it is shown: the server's Finding. */
export interface ShownFinding {
  readonly code: string;
  readonly severity: string;
  readonly title: string;
  readonly says: string;
  readonly why: string;
  readonly at: ShownPlace;
  readonly frame: string;
  readonly evidence: readonly { readonly text: string; readonly at?: ShownPlace }[];
  readonly fix: string;
}

interface ShownPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** A finding that the source allows. */
export interface ShownAllowed {
  readonly finding: ShownFinding;
  readonly reason: string;
}

const headings: Readonly<Record<string, string>> = {
  hole: "Holes: somebody can read or change what they should not",
  risk: "Risks: data can become wrong or be lost",
  cost: "Costs: slow or expensive when it grows",
  advice: "Advice: decisions that nobody has written down",
};
const plurals: Readonly<Record<string, readonly [string, string]>> = {
  hole: ["hole", "holes"],
  risk: ["risk", "risks"],
  cost: ["cost", "costs"],
  advice: ["piece of advice", "pieces of advice"],
};

/** Everything, as lines. Findings come worst first. */
export function findingLines(findings: readonly ShownFinding[]): readonly string[] {
  const lines: string[] = [];
  for (const [severity, ofSeverity] of Map.groupBy(findings, (finding) => finding.severity)) {
    lines.push(headings[severity] ?? severity, "");
    for (const [code, ofCode] of Map.groupBy(ofSeverity, (finding) => finding.code)) {
      const [first] = ofCode;
      if (first === undefined) continue;
      lines.push(`  ${code}  ${first.title}`, `        ${first.why}`, "");
      for (const finding of ofCode) lines.push(...placeLines(finding), "");
    }
  }
  return lines;
}

/** What the source allows, one line each. */
export function allowedLines(allowed: readonly ShownAllowed[]): readonly string[] {
  if (allowed.length === 0) return [];
  const lines = allowed.map(
    ({ finding, reason }) => `  ${finding.code}  ${placeText(finding.at)}  ${reason}`,
  );
  return ["Allowed in the source", "", ...lines, ""];
}

/** `2 findings: 1 hole, 1 risk`. */
export function findingSummary(findings: readonly { readonly severity: string }[]): string {
  if (findings.length === 0) return "Nothing found.";
  const groups = Map.groupBy(findings, (finding) => finding.severity);
  const parts = [...groups].map(([severity, each]) => {
    const [one, many] = plurals[severity] ?? [severity, severity];
    return `${each.length} ${each.length === 1 ? one : many}`;
  });
  return `${counted(findings.length, "finding")}: ${parts.join(", ")}.`;
}

/** One line: for `keelson dev`. */
export function findingLine({ code, says, at }: ShownFinding): string {
  return `${code}  ${placeText(at)}  ${says}`;
}

function placeLines({ at, says, frame, evidence, fix }: ShownFinding): readonly string[] {
  return [
    `    ${placeText(at)}`,
    `    ${says}`,
    ...(frame === "" ? [] : frame.split("\n").map((line) => `      ${line}`.trimEnd())),
    ...evidence.map(
      ({ text, at: place }) =>
        `    - ${text}${place === undefined ? "" : ` (${placeText(place)})`}`,
    ),
    ...fix.split("\n").map((line, index) => `    ${index === 0 ? "write:" : "      "} ${line}`),
  ];
}

function placeText({ file, line, column }: ShownPlace): string {
  return `${file}:${line}:${column}`;
}
