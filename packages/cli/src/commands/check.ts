// `keelson check`: the design review of an app. What is looked at and what is found is the server's; here it is
// asked for and shown.
import { readFileSync, writeFileSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import type { CheckOrder, CheckReport } from "@keelson/server/check";
import { jsonFlag } from "../flags/command-spec.ts";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, Failure, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { suggestion } from "../flags/suggestion.ts";
import { allowedLines, findingLines, findingSummary } from "../terminal/finding-text.ts";
import { counted } from "../terminal/table-text.ts";
import { appPlace } from "./app-place.ts";
import type { Command, Io } from "./command.ts";
import { folderWord } from "./serve-flags.ts";

/** Reviews the design of an app. */
export const check: Command = {
  spec: {
    name: "check",
    summary: "Reviews the app's design: rules, data, queries, functions, changes.",
    about: [
      "Reads the tables, rules and functions, asks the engine how it would answer every query, and says what a backend engineer would say: with the place, what shows it, and what to write instead. It says only what it can show, needs neither network nor database, and says the same twice.",
      "With --data it also looks at a database: tables with few rows need no index, the migration that waits is judged, and the app that was started there last is what clients know. Nothing is changed.",
      "What is right as it is, is allowed with a reason, on the line or above it: // keelson-allow K205: titles are as long as people write them. Every report lists what is allowed. Codes are explained in the reference, and by --explain.",
    ],
    words: [folderWord],
    flags: [
      {
        name: "data",
        kind: "text",
        value: "<folder>",
        help: "Also looks at the rows, statistics and pending migration of this data. Default: no data.",
      },
      {
        name: "against",
        kind: "text",
        value: "<file>",
        help: "The app as clients know it: a file that --save wrote. Default: the app started last on --data.",
      },
      {
        name: "save",
        kind: "text",
        value: "<file>",
        help: "Also writes what the app is, for --against of a later check.",
      },
      {
        name: "explain",
        kind: "text",
        value: "<code>",
        help: "Explains a code, with an example of what is found and what is not; reviews nothing.",
      },
      jsonFlag,
      { name: "sarif", kind: "switch", help: "Prints SARIF 2.1.0, for code hosts and editors." },
      { name: "github", kind: "switch", help: "Prints annotations for GitHub's workflows." },
    ],
    examples: [
      {
        line: "keelson check",
        happens: "Prints what was found, worst first. Exit status 2 when something was.",
      },
      {
        line: "keelson check --explain K106",
        happens: "Prints the page of K106, with its examples.",
      },
      {
        line: "keelson check --data .keelson",
        happens: "Also says what deploying this app on that data would lose or stop at.",
      },
      {
        line: "keelson check --sarif",
        happens: "Prints a report to upload, what is allowed with its reasons.",
      },
    ],
  },
  run: async (flags, io) => {
    const code = flags.text("explain");
    if (code !== null) return explain(code, io);
    assertOneForm(flags);
    const { appDir } = appPlace(flags.word("folder"), flags, io);
    const data = flags.text("data");
    const { checkAppFolder } = await import("@keelson/server/check");
    const { manifest, report } = await checkAppFolder({
      appDir,
      dataDir: data === null ? null : resolve(io.cwd, data),
      against: readManifest(flags.text("against"), io),
    });
    const save = flags.text("save");
    if (save !== null) writeManifest(resolve(io.cwd, save), manifest);
    await print(report, { flags, io, appDir });
    return report.findings.length > 0 ? exits.refused : exits.done;
  },
};

async function print(
  { findings, allowed, looked }: CheckReport,
  { flags, io, appDir }: { readonly flags: Flags; readonly io: Io; readonly appDir: string },
): Promise<void> {
  const { terminal } = io;
  if (flags.on("json")) return terminal.out(JSON.stringify({ findings, allowed, looked }));
  if (flags.on("sarif")) {
    const { sarifReport } = await import("@keelson/server/check");
    const parts = { tool: "keelson check", version: io.version, findings, allowed };
    return terminal.out(JSON.stringify(sarifReport(parts), null, 2));
  }
  if (flags.on("github")) {
    const { githubLines } = await import("@keelson/server/check");
    const folder = relative(io.cwd, appDir).split(sep).join("/");
    for (const line of githubLines(findings, folder)) terminal.out(line);
    return;
  }
  for (const line of [...findingLines(findings), ...allowedLines(allowed)]) terminal.out(line);
  terminal.out(findingSummary(findings));
  const size = `${counted(looked.tables, "table")} and ${counted(looked.functions, "function")}`;
  const [first] = findings;
  terminal.note(
    first === undefined
      ? `Looked at ${size}.`
      : `Looked at ${size}. To know more: keelson check --explain ${first.code}`,
  );
  if (looked.unread.length > 0) {
    terminal.note(
      `The source of these was not found, so what they do was not looked at: ${looked.unread.join(", ")}`,
    );
  }
}

async function explain(code: string, { terminal }: Io): Promise<Exit> {
  const { checkCodeNames, codePage, isCheckCode } = await import("@keelson/server/check");
  const name = code.toUpperCase();
  if (isCheckCode(name)) {
    terminal.out(codePage(name).trimEnd());
    return exits.done;
  }
  const near = suggestion(name, checkCodeNames);
  throw usageFailure({
    code: "CODE_UNKNOWN",
    what: `There is no code ${code}.`,
    why: `The codes are ${checkCodeNames.join(", ")}.`,
    fix:
      near === null
        ? "See the reference of checks."
        : `Did you mean keelson check --explain ${near}?`,
  });
}

/** @throws Failure (exit 1) FLAGS_EXCLUDE. */
function assertOneForm(flags: Flags): void {
  const forms = ["json", "sarif", "github"].filter((name) => flags.on(name));
  if (forms.length < 2) return;
  throw usageFailure({
    code: "FLAGS_EXCLUDE",
    what: `--${forms.join(" and --")} exclude each other.`,
    why: "A report has one form.",
    fix: "Run the command once for each.",
  });
}

/** What `--save` writes. */
type SavedApp = CheckOrder["against"];

/** @throws Failure (exit 12) FILE_UNREADABLE. */
function readManifest(file: string | null, io: Io): SavedApp {
  if (file === null) return null;
  try {
    const saved = JSON.parse(readFileSync(resolve(io.cwd, file), "utf8")) as SavedApp;
    if (saved?.version === 1 && typeof saved.tables === "object") return saved;
  } catch (error) {
    throw unreadable(file, error);
  }
  throw unreadable(file, undefined);
}

function unreadable(file: string, cause: unknown): Failure {
  return new Failure(
    exits.fileFailed,
    {
      code: "FILE_UNREADABLE",
      what: `${file} is no saved app.`,
      why: cause instanceof Error ? cause.message : "It was not written by --save of this version.",
      fix: "Write one where the shipped version is: keelson check --save app.json",
    },
    { cause },
  );
}

/** @throws Failure (exit 12) FILE_UNWRITABLE. */
function writeManifest(file: string, manifest: object): void {
  try {
    writeFileSync(file, `${JSON.stringify(manifest)}\n`);
  } catch (error) {
    throw fileUnwritable(file, error);
  }
}
