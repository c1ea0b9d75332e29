// The report as one page that needs nothing else: the verdict, each hole as a story with the request that shows it,
// who reaches what at a glance, what is accepted, what stayed open. Light and dark as the reader's system is.
import { openOf, type AttackFinding, type AttackReport } from "./attack-report.ts";
import { htmlText as text } from "./html-text.ts";
import { matrixHtml } from "./report-matrix.ts";
import { pageStyle } from "./report-style.ts";
import { changeText } from "./report-text.ts";

/** What each kind of identity stands for. */
const kinds: Readonly<Record<string, string>> = {
  anonymous: "no token at all",
  stranger: "an account that owns nothing and belongs to nothing",
  owner: "an account with rows of its own",
  member: "let in where rules look for members, and owns nothing",
  trusted: "a role or a claim that the rules name",
};
/** From this many holes on, they are listed before they are told. */
const contentsFrom = 3;

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
<p class="eyebrow">keelson attack</p>
<h1>Who can reach what in ${text(app)}</h1>
${verdict(report, holes.length, accepted.length + report.inconclusive.length - openOf(report).length)}
${facts(report, at)}
${contents(holes)}
${holes.length === 0 ? "" : section("holes", "Holes", holes.map(story).join(""))}
${matrixHtml(report)}
${accepted.length === 0 ? "" : section("accepted", "Accepted with a reason", acceptedList(accepted))}
${report.inconclusive.length === 0 ? "" : section("open", "What could not be shown", openList(report))}
${section("who", "Who attacked", whoList(report))}
${section("tried", "What was tried", tried(report))}
</main>
</body>
</html>
`;
}

function section(id: string, title: string, content: string): string {
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${content}</section>`;
}

function verdict(report: AttackReport, holes: number, accepted: number): string {
  const also = accepted === 0 ? "" : ` ${count(accepted, "finding")} accepted with a reason.`;
  if (report.verdict === "clean") {
    return `<p class="verdict good"><b>No hole was found.</b> Everything that was tried could be shown.${also}</p>`;
  }
  const open = openOf(report).length;
  if (report.verdict === "inconclusive") {
    return `<p class="verdict open"><b>No hole was found,</b> but ${count(open, "thing")} could not be shown either way.${also}</p>`;
  }
  const rest = open === 0 ? "" : ` ${count(open, "thing")} could not be shown either way.`;
  return `<p class="verdict bad"><b>${count(holes, "hole")}.</b> Each one is shown below by a request that anybody can send.${also}${rest}</p>`;
}

function count(number: number, name: string): string {
  return `${number} ${name}${number === 1 ? "" : "s"}`;
}

function facts(report: AttackReport, at: string): string {
  const list: readonly (readonly [name: string, value: string])[] = [
    ["Requests", report.requests.toLocaleString("en-US")],
    ["Identities", String(report.identities.length)],
    ["Tables", String(new Set(report.matrix.map(({ table }) => table)).size)],
    ["Time", `${(report.ms / 1_000).toFixed(1)} s`],
    ["Seed", String(report.seed)],
    ["When", text(at)],
  ];
  const items = list.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return `<dl class="facts">${items.join("")}</dl>`;
}

function contents(holes: readonly AttackFinding[]): string {
  if (holes.length < contentsFrom) return "";
  const items = holes.map(
    (finding, index) =>
      `<li><a href="#hole-${index + 1}"><span class="code">${finding.code}</span> ${text(finding.says)}</a></li>`,
  );
  return `<nav aria-label="Holes"><ol class="contents">${items.join("")}</ol></nav>`;
}

function acceptedList(accepted: readonly AttackFinding[]): string {
  const items = accepted.map(
    ({ code, says, accepted: reason, at }) =>
      `<li><span class="code calm">${code}</span> ${text(says)}.<br><span class="quiet">Because ${text(reason ?? "")} (${text(at?.file ?? "")}:${at?.line ?? ""})</span></li>`,
  );
  return `<ul class="plain">${items.join("")}</ul>`;
}

function openList(report: AttackReport): string {
  const items = report.inconclusive.map(
    ({ subject, says, accepted }) =>
      `<li><b>${text(subject)}</b> ${text(says)}${accepted === null ? "" : `<br><span class="quiet">Accepted, because ${text(accepted)}</span>`}</li>`,
  );
  return `<p class="quiet">Neither a pass nor a hole: look at these yourself, or give the app what they need.</p><ul class="plain">${items.join("")}</ul>`;
}

function whoList(report: AttackReport): string {
  const items = report.identities.map(
    ({ name, kind }) => `<div><dt>${text(name)}</dt><dd>${text(kinds[kind] ?? kind)}</dd></div>`,
  );
  return `<dl class="people">${items.join("")}</dl>`;
}

function tried(report: AttackReport): string {
  const probes = Object.entries(report.probes).map(
    ([probe, times]) => `<li>${text(probe)} <b>${times.toLocaleString("en-US")}</b></li>`,
  );
  return `<p>Doors: ${report.doors.map(text).join(", ")}.</p>
<p class="quiet">Every refusal counts only beside a request of the same kind that succeeded. Every answer was searched, byte by byte, for values that stand nowhere else.</p>
<ul class="probes">${probes.join("")}</ul>`;
}

function story(finding: AttackFinding, index: number): string {
  const { code, title, why, says, identities, leaked, changed, at, clause, fix, curl, test, by } =
    finding;
  const who = identities.map((name) => `<span class="who">${text(name)}</span>`).join(" ");
  return `<article class="hole" id="hole-${index + 1}">
<p class="code">${code}</p><h3>${text(title)}</h3>
<p class="says">${text(says)}. <span class="quiet">${text(why)}</span></p>
<p class="who-line">Got through: ${who}</p>
${leaked === null ? "" : `<p class="proof"><b>Leaked</b> <code>${text(leaked.table)}.${text(leaked.field)}</code> of <code>${text(leaked.id)}</code>: <mark>${text(JSON.stringify(leaked.value))}</mark></p>`}
${changed === null ? "" : `<p class="proof"><b>Changed</b> <code>${text(changed.id)}</code>: <mark>${text(changeText(finding))}</mark></p>`}
<p class="label">Shown by, as ${text(by)}</p><pre>${text(curl)}</pre>
${at === null ? "" : `<p class="label">${text(at.file)}:${at.line}:${at.column}</p><pre>${text(clause)}</pre>`}
<p class="fix"><b>Fix</b> ${text(fix).replace(/`([^`]+)`/g, "<code>$1</code>")}</p>
<details><summary>As a test for your suite</summary><pre>${text(test)}</pre></details>
</article>`;
}
