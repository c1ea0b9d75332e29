// The access matrix of the report's page: a card for each table, a square for each identity and operation. What a
// square stands for is in words too, below the card: for fingers, printers and screen readers.
import type { AttackReport, CellVerdict, MatrixCell } from "./attack-report.ts";
import { htmlText as text } from "./html-text.ts";

const operations = ["read", "create", "update", "delete"] as const;
const words: Readonly<Record<CellVerdict, string>> = {
  all: "every row",
  some: "some rows",
  none: "no row",
  unknown: "not shown",
};

/** The section with every table. */
export function matrixHtml(report: AttackReport): string {
  const tables = [...new Set(report.matrix.map(({ table }) => table))];
  const legend = (["all", "some", "none", "unknown"] as const).map(
    (verdict) => `<span><i class="cell ${verdict}"></i>${words[verdict]}</span>`,
  );
  return `<section aria-labelledby="access"><h2 id="access">Access</h2>
<p class="legend">${legend.join("")}</p>
<div class="tables">${tables.map((table) => tableHtml(report, table)).join("")}</div>
</section>`;
}

function tableHtml(report: AttackReport, table: string): string {
  const cells = report.matrix.filter((cell) => cell.table === table);
  const head = operations.map((operation) => `<th scope="col">${operation}</th>`).join("");
  const rows = report.identities.map(({ name }) => {
    const own = operations.map((operation) =>
      cellHtml(cells.find((cell) => cell.identity === name && cell.operation === operation)),
    );
    return `<tr><th scope="row">${text(name)}</th>${own.join("")}</tr>`;
  });
  return `<article class="table"><h3>${text(table)}</h3>
<table><thead><tr><th scope="col"><span class="aside">who</span></th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>
${fieldsHtml(report, cells)}${proofsHtml(cells)}</article>`;
}

function cellHtml(cell: MatrixCell | undefined): string {
  if (cell === undefined) return "<td></td>";
  return square(cell.verdict, `${words[cell.verdict]}: ${proof(cell)}`);
}

function square(look: string, how: string): string {
  return `<td title="${text(how)}"><span class="cell ${look}" role="img" aria-label="${text(how)}"></span></td>`;
}

function proof({ allowed, denied, unclear, control }: MatrixCell): string {
  const other = unclear > 0 ? `, ${unclear} refused for another reason` : "";
  return `${allowed} let through, ${denied} refused${other}; control: ${control}`;
}

/** How each square was shown, in words. */
function proofsHtml(cells: readonly MatrixCell[]): string {
  const lines = cells.map(
    (cell) =>
      `<li><b>${text(cell.identity)}</b> ${cell.operation}: ${words[cell.verdict]}. <span class="quiet">${text(proof(cell))}.</span></li>`,
  );
  return `<details><summary>How it was shown</summary><ul class="plain small">${lines.join("")}</ul></details>`;
}

/** Which fields each identity reads, and writes. */
function fieldsHtml(report: AttackReport, cells: readonly MatrixCell[]): string {
  const reads = cells.filter(({ operation }) => operation === "read");
  const fields = [...new Set(reads.flatMap((cell) => Object.keys(cell.fields)))];
  if (fields.length === 0) return "";
  const head = fields.map((field) => `<th scope="col"><span>${text(field)}</span></th>`).join("");
  const rows = report.identities.map(({ name }) => {
    const read = reads.find(({ identity }) => identity === name);
    const write = cells.find((cell) => cell.identity === name && cell.operation === "update");
    const own = fields.map((field) => {
      const seen = fieldVerdict(read, field);
      const isWritten = write?.fields[field] === "all" || write?.fields[field] === "some";
      return square(
        `${seen}${isWritten ? " written" : ""}`,
        `${field}: read in ${words[seen]}${isWritten ? ", can be written" : ""}`,
      );
    });
    return `<tr><th scope="row">${text(name)}</th>${own.join("")}</tr>`;
  });
  return `<details><summary>${fields.length} fields</summary><div class="scroll" tabindex="0" role="region" aria-label="Fields of ${text(cells[0]?.table ?? "")}"><table class="fields"><thead><tr><th scope="col"><span class="aside">who</span></th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div><p class="quiet small">A ring: the field can be written.</p></details>`;
}

function fieldVerdict(read: MatrixCell | undefined, field: string): CellVerdict {
  if (read?.allowed === 0) return "none";
  return read?.fields[field] ?? (read?.verdict === "none" ? "none" : "unknown");
}
