// The report for a terminal: the matrix in a few lines for each table, then holes, then what stayed open.
import {
  openOf,
  type AttackFinding,
  type AttackReport,
  type CellVerdict,
} from "./attack-report.ts";

const marks: Readonly<Record<CellVerdict, string>> = {
  all: "all",
  some: "some",
  none: "-",
  unknown: "?",
};
const operations = ["read", "create", "update", "delete"] as const;

/** Lays a report out. @param tone colours a text; default: none. */
export function attackText(
  report: AttackReport,
  tone: (tone: "red" | "green" | "yellow" | "dim" | "bold", text: string) => string = (
    _tone,
    text,
  ) => text,
): readonly string[] {
  const lines: string[] = [];
  const tables = [...new Set(report.matrix.map(({ table }) => table))];
  for (const table of tables) {
    lines.push("", tone("bold", table));
    const names = report.identities.map(({ name }) => name);
    const width = Math.max(...names.map((name) => name.length), 9);
    lines.push(
      tone(
        "dim",
        `  ${"".padEnd(width)}  read    create  update  delete  fields that are not read`,
      ),
    );
    for (const name of names) {
      const cells = operations.map((operation) => {
        const cell = report.matrix.find(
          (one) => one.table === table && one.identity === name && one.operation === operation,
        );
        const verdict = cell?.verdict ?? "unknown";
        const text = marks[verdict].padEnd(8);
        if (verdict === "none") return tone("dim", text);
        return verdict === "unknown" ? tone("yellow", text) : text;
      });
      const read = report.matrix.find(
        (one) => one.table === table && one.identity === name && one.operation === "read",
      );
      const closed =
        read === undefined || read.allowed === 0
          ? []
          : Object.entries(read.fields)
              .filter(([, verdict]) => verdict !== "all")
              .map(([field, verdict]) => (verdict === "some" ? `${field} (some)` : field));
      lines.push(
        `  ${name.padEnd(width)}  ${cells.join("")}${tone("dim", closed.join(", "))}`.trimEnd(),
      );
    }
  }
  const holes = report.findings.filter(({ accepted }) => accepted === null);
  const accepted = report.findings.filter(({ accepted }) => accepted !== null);
  lines.push("");
  for (const finding of holes) lines.push(...findingLines(finding, tone), "");
  for (const { code, subject, says, accepted: reason } of accepted) {
    lines.push(
      tone("dim", `accepted  ${code} ${subject}: ${says}`),
      tone("dim", `          because: ${reason ?? ""}`),
      "",
    );
  }
  for (const { subject, says, accepted: reason } of report.inconclusive) {
    if (reason === null) lines.push(tone("yellow", `open      ${subject}: ${says}`));
    else {
      lines.push(tone("dim", `accepted  open ${subject}: ${says}`));
      lines.push(tone("dim", `          because: ${reason}`));
    }
  }
  if (report.inconclusive.length > 0) lines.push("");
  lines.push(verdictLine(report, holes.length, tone));
  lines.push(tone("dim", `seed ${report.seed}: --seed=${report.seed} does the same again`));
  return lines;
}

function findingLines(
  finding: AttackFinding,
  tone: (tone: "red" | "dim" | "bold", text: string) => string,
): readonly string[] {
  const { code, title, subject, says, identities, at, clause, fix, curl, leaked, changed, why } =
    finding;
  const lines = [
    `${tone("red", "hole")}  ${code} ${tone("bold", title)}`,
    `      ${says}.`,
    tone("dim", `      ${why}`),
    `      who    ${identities.join(", ")}`,
  ];
  if (leaked !== null)
    lines.push(
      `      leaks  ${leaked.table} ${leaked.id}: ${leaked.field} = ${JSON.stringify(leaked.value)}`,
    );
  if (changed !== null)
    lines.push(`      row    ${changed.table} ${changed.id}: ${changeText(finding)}`);
  lines.push(`      show   ${curl}`);
  if (at !== null)
    lines.push(
      `      where  ${at.file}:${at.line}:${at.column}  ${clause.split("\n")[0]?.slice(0, 120) ?? subject}`,
    );
  lines.push(`      fix    ${fix}`);
  return lines;
}

/** What changed of a row, field by field. */
export function changeText({ changed }: Pick<AttackFinding, "changed">): string {
  if (changed === null) return "";
  const { before, after } = changed;
  if (before === null) return "was created";
  if (after === null) return "was deleted";
  return Object.keys(after)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `${field} ${JSON.stringify(before[field])} -> ${JSON.stringify(after[field])}`)
    .join(", ");
}

function verdictLine(
  report: AttackReport,
  holes: number,
  tone: (tone: "red" | "green" | "yellow", text: string) => string,
): string {
  const facts = `${report.requests.toLocaleString("en-US")} requests as ${report.identities.length} identities in ${(report.ms / 1_000).toFixed(1)} s`;
  switch (report.verdict) {
    case "clean":
      return tone(
        "green",
        `No hole was found, and everything that was tried could be shown: ${facts}.`,
      );
    case "holes":
      return tone("red", `${holes} ${holes === 1 ? "hole" : "holes"}: ${facts}.`);
    case "inconclusive":
      return tone(
        "yellow",
        `No hole was found, but ${openOf(report).length} things could not be shown either way: ${facts}.`,
      );
    default:
      return report.verdict satisfies never;
  }
}
