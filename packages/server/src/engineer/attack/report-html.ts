// The report as one page that needs nothing else: who reaches what, at a glance; each hole as a story with the
// request that shows it. Light and dark as the reader's system is.
import type { AttackFinding, AttackReport, MatrixCell } from "./attack-report.ts";
import { pageStyle } from "./report-style.ts";
import { changeText } from "./report-text.ts";

const operations = ["read", "create", "update", "delete"] as const;
const words = {
  all: "every row",
  some: "some rows",
  none: "no row",
  unknown: "not shown",
} as const;

/** @param app how the app is called. @param at when, as text. */
export function attackHtml(
  report: AttackReport,
  { app, at }: { readonly app: string; readonly at: string },
): string {
  const holes = report.findings.filter(({ accepted }) => accepted === null);
  const accepted = report.findings.filter((finding) => finding.accepted !== null);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(app)}: who can reach what</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
<header>
<p class="eyebrow">keelson attack</p>
<h1>Who can reach what in ${text(app)}</h1>
${verdict(report, holes.length)}
<dl class="facts">
<div><dt>Requests</dt><dd>${report.requests.toLocaleString("en-US")}</dd></div>
<div><dt>Identities</dt><dd>${report.identities.length}</dd></div>
<div><dt>Tables</dt><dd>${new Set(report.matrix.map(({ table }) => table)).size}</dd></div>
<div><dt>Time</dt><dd>${(report.ms / 1_000).toFixed(1)} s</dd></div>
<div><dt>Seed</dt><dd>${report.seed}</dd></div>
<div><dt>When</dt><dd>${text(at)}</dd></div>
</dl>
</header>
${holes.length === 0 ? "" : `<section><h2>Holes</h2>${holes.map(story).join("")}</section>`}
${matrix(report)}
${accepted.length === 0 ? "" : `<section><h2>Accepted with a reason</h2><ul class="plain">${accepted.map(({ code, says, accepted: reason, at: place }) => `<li><span class="code">${code}</span> ${text(says)}.<br><span class="quiet">Because ${text(reason ?? "")} (${text(place?.file ?? "")}:${place?.line ?? ""})</span></li>`).join("")}</ul></section>`}
${report.inconclusive.length === 0 ? "" : `<section><h2>What could not be shown</h2><p class="quiet">Neither a pass nor a hole: look at these yourself, or give the app what they need.</p><ul class="plain">${report.inconclusive.map(({ subject, says }) => `<li><b>${text(subject)}</b> ${text(says)}</li>`).join("")}</ul></section>`}
<section><h2>What was tried</h2>
<p class="quiet">Every refusal counts only beside a request of the same kind that succeeded. Every answer was searched, byte by byte, for values that stand nowhere else.</p>
<div class="probes">${Object.entries(report.probes)
    .map(([probe, count]) => `<span>${text(probe)} <b>${count}</b></span>`)
    .join("")}</div>
</section>
</main>
</body>
</html>
`;
}

function verdict(report: AttackReport, holes: number): string {
  if (report.verdict === "clean") {
    return `<p class="verdict good"><b>No hole was found.</b> Everything that was tried could be shown.</p>`;
  }
  if (report.verdict === "inconclusive") {
    return `<p class="verdict open"><b>No hole was found,</b> but ${report.inconclusive.length} things could not be shown either way.</p>`;
  }
  return `<p class="verdict bad"><b>${holes} ${holes === 1 ? "hole" : "holes"}.</b> Each one is shown below by a request that anybody can send.</p>`;
}

function matrix(report: AttackReport): string {
  const tables = [...new Set(report.matrix.map(({ table }) => table))];
  const head = operations.map((operation) => `<th scope="col">${operation}</th>`).join("");
  return `<section><h2>Access</h2>
<p class="legend"><span class="cell all"></span>every row <span class="cell some"></span>some rows <span class="cell none"></span>none <span class="cell unknown"></span>not shown. <span class="quiet">Rest on a cell for how it was shown; open a table for its fields.</span></p>
<div class="tables">${tables.map((table) => tableMatrix(report, table, head)).join("")}</div>
</section>`;
}

function tableMatrix(report: AttackReport, table: string, head: string): string {
  const cells = report.matrix.filter((cell) => cell.table === table);
  const rows = report.identities.map(({ name, kind }) => {
    const own = operations.map((operation) =>
      cellHtml(cells.find((cell) => cell.identity === name && cell.operation === operation)),
    );
    return `<tr><th scope="row"><span class="who ${text(kind)}">${text(name)}</span></th>${own.join("")}</tr>`;
  });
  return `<article class="table"><h3>${text(table)}</h3>
<table><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>
${fieldsHtml(report, cells)}</article>`;
}

function cellHtml(cell: MatrixCell | undefined): string {
  if (cell === undefined) return "<td></td>";
  const { verdict, allowed, denied, unclear, control } = cell;
  const how = `${words[verdict]}: ${allowed} let through, ${denied} refused${unclear > 0 ? `, ${unclear} refused for another reason` : ""}. Control: ${control}.`;
  return `<td title="${text(how)}"><span class="cell ${verdict}" role="img" aria-label="${text(how)}"></span></td>`;
}

/** Fields by identity: only where somebody reads less than all. */
function fieldsHtml(report: AttackReport, cells: readonly MatrixCell[]): string {
  const reads = cells.filter(({ operation }) => operation === "read");
  const fields = [...new Set(reads.flatMap((cell) => Object.keys(cell.fields)))];
  if (fields.length === 0) return "";
  const head = fields.map((field) => `<th scope="col">${text(field)}</th>`).join("");
  const rows = report.identities.map(({ name }) => {
    const read = reads.find(({ identity }) => identity === name);
    const write = cells.find((cell) => cell.identity === name && cell.operation === "update");
    const own = fields.map((field) => {
      const seen =
        read?.allowed === 0
          ? "none"
          : (read?.fields[field] ?? (read?.verdict === "none" ? "none" : "unknown"));
      const written = write?.fields[field] === "all" || write?.fields[field] === "some";
      const how = `read: ${words[seen]}${written ? "; can be written" : ""}`;
      return `<td title="${text(how)}"><span class="cell ${seen}${written ? " written" : ""}" role="img" aria-label="${text(how)}"></span></td>`;
    });
    return `<tr><th scope="row">${text(name)}</th>${own.join("")}</tr>`;
  });
  return `<details><summary>${fields.length} fields</summary><div class="scroll"><table class="fields"><thead><tr><th></th>${head}</tr></thead><tbody>${rows.join("")}</tbody></table></div><p class="quiet">A ring: the field can be written.</p></details>`;
}

function story(finding: AttackFinding): string {
  const { code, title, why, says, identities, leaked, changed, at, clause, fix, curl, test, by } =
    finding;
  return `<article class="hole" id="${code}-${text(finding.subject)}">
<p class="code">${code}</p><h3>${text(title)}</h3>
<p class="says">${text(says)}. <span class="quiet">${text(why)}</span></p>
<p class="who-line">Got through: ${identities.map((name) => `<span class="who">${text(name)}</span>`).join(" ")}</p>
${leaked === null ? "" : `<p class="proof"><b>Leaked</b> <code>${text(leaked.table)}.${text(leaked.field)}</code> of <code>${text(leaked.id)}</code>: <mark>${text(JSON.stringify(leaked.value))}</mark></p>`}
${changed === null ? "" : `<p class="proof"><b>Changed</b> <code>${text(changed.id)}</code>: <mark>${text(changeText(finding))}</mark></p>`}
<p class="label">Shown by, as ${text(by)}</p><pre>${text(curl)}</pre>
${at === null ? "" : `<p class="label">${text(at.file)}:${at.line}:${at.column}</p><pre>${text(clause)}</pre>`}
<p class="fix"><b>Fix</b> ${text(fix).replace(/`([^`]+)`/g, "<code>$1</code>")}</p>
<details><summary>As a test for your suite</summary><pre>${text(test)}</pre></details>
</article>`;
}

function text(value: string): string {
  return value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
