// Writes the reference pages that are tables of the code: `node tools/reference.ts`. reference.test.ts fails
// when a page is not what this writes.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCodes, type ErrorRow, type Fault } from "../packages/server/src/base/error-codes.ts";
import { limitTable, type Limit } from "../packages/server/src/base/limits.ts";
import { codeIndex, codePage } from "../packages/server/src/engineer/check/code-page.ts";
import { checkCodeNames } from "../packages/server/src/engineer/check/codes.ts";
import type { CallFidelity } from "../packages/simulators/src/http/simulated-call.ts";
import { plaidFidelity } from "../packages/simulators/src/plaid/plaid-fidelity.ts";
import { stripeFidelity } from "../packages/simulators/src/stripe/stripe-fidelity.ts";

/** Where the pages are. */
export const referenceFolder = join(
  dirname(dirname(fileURLToPath(import.meta.url))),
  "docs",
  "reference",
);

const made =
  "<!-- Made by tools/reference.ts. Change the table in the code, then run `node tools/reference.ts`. -->";

const faults: Readonly<Record<Fault, string>> = { caller: "caller", app: "app", host: "server" };

/** The text of every generated page, by file name. */
export function referencePages(): Readonly<Record<string, string>> {
  const codes = checkCodeNames.map(
    (name) => [`checks/${name}.md`, withNote(codePage(name))] as const,
  );
  return {
    "errors.md": errorsPage(errorCodes),
    "limits.md": limitsPage(limitTable),
    "simulators.md": simulatorsPage(),
    "checks/index.md": withNote(codeIndex()),
    ...Object.fromEntries(codes),
  };
}

/** @param rows the table of codes. */
export function errorsPage(rows: Readonly<Record<string, ErrorRow>>): string {
  const lines = Object.entries(rows).map(
    ([code, { status, fault, retry, text }]) =>
      `| \`${code}\` | ${status} | ${faults[fault]} | ${retry} | ${cell(text)} |`,
  );
  return page(
    "Error codes",
    `Every refusal and failure has a code. Codes are for ever; texts may change, so programs match codes. Over HTTP an error is a
problem of RFC 9457 with its code in \`code\` ([http.md](http.md#refusals)); in functions it is an error with \`code\` and \`details\`.

- *Whose*: the caller's mistake, the app's (its code or design), or the server's. What is the app's or the server's is reported to
  whoever runs it, and in production the answer says no more than the code.
- *Again*: whether the same request may be sent again: \`never\` (it fails again), \`later\` (wait, as long as \`Retry-After\` says
  where it is sent), or \`now\` (a fresh attempt may pass).
- Codes about values (\`VALUE_INVALID\`, \`ARGUMENT_INVALID\`, \`FIELD_UNKNOWN\`, \`FIELD_IMMUTABLE\`, \`QUERY_INVALID\`) tell all that is wrong
  at once: \`details.issues\` is a list of \`{ path, problem }\`, at most 20.`,
    "| code | status | whose | again | what it says |\n| --- | --- | --- | --- | --- |",
    lines,
  );
}

/** @param rows the table of limits. */
export function limitsPage(rows: Readonly<Record<string, Limit>>): string {
  const lines = Object.entries(rows).map(
    ([name, { value, unit, reason, min, max }]) =>
      `| \`${name}\` | ${shown(value, unit)}${named(unit)} | ${shown(min, unit)} to ${shown(max, unit)} | ${cell(reason)} |`,
  );
  return page(
    "Limits",
    `Everything has a limit. These are the ones of the server; fields carry their own ([fields.md](fields.md)), and functions and tables
their rates. The bounds are what it may be set to.`,
    "| limit | default | bounds | what it is of |\n| --- | --- | --- | --- |",
    lines,
  );
}

/** What the simulators of Stripe and Plaid have, call by call. */
export function simulatorsPage(): string {
  const words = (names: readonly string[]): string =>
    names.length === 0 ? "" : names.map((name) => `\`${name}\``).join(" ");
  const lines = (rows: readonly CallFidelity[]) =>
    rows.map(
      ({ name, takes, ignores, less }) =>
        `| \`${name}\` | ${words(takes)} | ${words(ignores)} | ${cell(less)} |`,
    );
  const head =
    "| call | takes | makes nothing of | is less than the real one |\n| --- | --- | --- | --- |";
  return page(
    "Simulators",
    `Every call that the simulators of [Stripe](../payments.md#without-a-key) and Plaid have; a test makes each of them by the official SDK and
holds what it looks for against this page. A call or a parameter that is not here is refused by Stripe's (404; 400
\`parameter_unknown\`); Plaid's refuses calls, and leaves parameters alone, as Plaid does. Objects have the fields that the call sets and those that
every one has; what Stripe adds beyond is not there.

For all calls of Stripe's: API keys, form bodies, errors with type, code and parameter, idempotency keys (the same answer, 400 for
other parameters), \`expand\`, lists from the newest on with \`limit\`, \`starting_after\` and \`ending_before\`, events for what they change.

## Stripe`,
    head,
    [...lines(stripeFidelity), "", "## Plaid", "", head, ...lines(plaidFidelity)],
  );
}

/** A page that was made elsewhere, with the note below its title. */
function withNote(text: string): string {
  return text.replace("\n\n", `\n\n${made}\n\n`);
}

function page(title: string, intro: string, head: string, lines: readonly string[]): string {
  return `# ${title}\n\n${made}\n\n${intro}\n\n${head}\n${lines.join("\n")}\n`;
}

/** Units that numbers do not carry by themselves. */
function named(unit: Limit["unit"]): string {
  return unit === "levels" || unit === "characters" ? ` ${unit}` : "";
}

/** A number with its unit, in the largest unit that divides it. */
function shown(value: number, unit: Limit["unit"]): string {
  if (unit === "bytes")
    return scaled(value, [
      ["GiB", 2 ** 30],
      ["MiB", 2 ** 20],
      ["KiB", 1_024],
      ["bytes", 1],
    ]);
  if (unit === "ms") {
    return scaled(value, [
      ["d", 86_400_000],
      ["h", 3_600_000],
      ["min", 60_000],
      ["s", 1_000],
      ["ms", 1],
    ]);
  }
  const number = value.toLocaleString("en-US");
  return number;
}

function scaled(value: number, units: readonly (readonly [string, number])[]): string {
  const [name, size] = units.find(([, each]) => value !== 0 && value % each === 0) ?? ["", 1];
  return `${(value / size).toLocaleString("en-US")} ${name}`.trim();
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

if (import.meta.main) {
  for (const [file, text] of Object.entries(referencePages())) {
    mkdirSync(dirname(join(referenceFolder, file)), { recursive: true });
    writeFileSync(join(referenceFolder, file), text);
    console.error(`wrote docs/reference/${file}`);
  }
}
