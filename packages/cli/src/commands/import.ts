// `keelson import`: rows of a file into a table, with nothing lost in silence.
import { openSync, writeSync, closeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { appFlag, dataFlag, jsonFlag, tokenFlag, urlFlag } from "../flags/command-spec.ts";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { suggestion } from "../flags/suggestion.ts";
import { makeProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/table-text.ts";
import { parseColumnMap } from "../data/column-map.ts";
import type { DataDoor, DoorTable } from "../data/data-door.ts";
import type { RefusedRecord } from "../data/refused-record.ts";
import type { ImportCount } from "../data/row-import.ts";
import { formats } from "../data/source-record.ts";
import type { Command, Io } from "./command.ts";
import { openDoor } from "./open-door.ts";

const shownRefusals = 5;
/** Of one record; the report has them all. */
const shownIssues = 3;

/** Imports a file. */
export const importCommand: Command = {
  spec: {
    name: "import",
    summary: "Puts the rows of a CSV, TSV, NDJSON or JSON file into a table.",
    about: [
      "Every row goes through the same validation, checks and constraints as any other write; rules are skipped, because you are the operator (with --url the token's rights hold). Each row is a transaction of its own, so a refused row takes no other with it.",
      "At the end it tells how many records it read, and that number is always imported + refused. Refused records go into a report file with their line and the reason; mend what stands under record there and import that file as it is.",
      "It is safe to start again after a crash or Ctrl-C. New rows are remembered for a day by their content, and by how many equal ones came before in the file: importing them again writes nothing, whatever became of the rows since (--again writes them anew). With --upsert nothing is remembered: every record makes its row what it says, in the order of the file; only records without a value in that field are new rows. Works while the server runs.",
      'A row may refer to a later row of its own table: it waits for it (128 MiB of rows can wait; then those whose rows did not come are refused). Rows that refer to each other in a circle are created without the optional references of the circle, which are set when all are there; circles of required or immutable references can\'t come in, and are refused with that reason. Between tables the order is yours: first the table that is referred to. Where two tables refer to each other, leave an optional reference out first (--map "film="), and import the same file again with --upsert=id when the other table is there.',
      'CSV is read as RFC 4180 has it, in UTF-8; the first line names the columns. An empty cell is an absent value, "" is an empty text. Lists, objects and json are JSON in their cell.',
    ],
    words: [
      { name: "table", help: "The table to fill." },
      { name: "file", help: "The file to read; - reads standard input (add --format)." },
    ],
    flags: [
      {
        name: "map",
        kind: "texts",
        value: "<column=field>",
        help: 'Puts a column into a field of another name; "column=" leaves it out. May be repeated.',
      },
      {
        name: "upsert",
        kind: "text",
        value: "<field>",
        help: "Updates the row that has the same value in this unique field (or id), and creates it when there is none. Default: every record is a new row.",
      },
      {
        name: "on-error",
        kind: "text",
        value: "<stop|skip>",
        oneOf: ["stop", "skip"],
        help: "stop (default): begins no further batch after a refused record. skip: goes on to the end.",
      },
      {
        name: "report",
        kind: "text",
        value: "<file>",
        help: "Where refused records go, as NDJSON. Default: <file>.refused.ndjson. Not written when there are none.",
      },
      {
        name: "format",
        kind: "text",
        value: `<${formats.join("|")}>`,
        oneOf: formats,
        help: "Default: as the file's name ends.",
      },
      {
        name: "delimiter",
        kind: "text",
        value: "<character>",
        help: "What stands between the cells of a CSV file. Default: a comma.",
      },
      {
        name: "again",
        kind: "switch",
        help: "Imports new rows also when the same rows were imported within a day. Upserts need it not.",
      },
      appFlag,
      dataFlag,
      urlFlag,
      tokenFlag,
      jsonFlag,
    ],
    examples: [
      {
        line: 'keelson import film movies.csv --map "Title=title" --map "Notes=" --on-error=skip',
        happens:
          "Puts the column Title into the field title, leaves Notes out, imports what is valid, and writes the rest with reasons to movies.csv.refused.ndjson. Exit status 2 when something was refused.",
      },
      {
        line: "keelson import film prices.ndjson --upsert=slug",
        happens: "Updates films by their slug and adds those that are new.",
      },
    ],
  },
  run: async (flags, io) => {
    const door = await openDoor(flags, io, "new");
    try {
      return await runImport(flags, io, door);
    } finally {
      await door.close();
    }
  },
};

async function runImport(flags: Flags, io: Io, door: DataDoor): Promise<Exit> {
  // Every command is known to the command line; what only this one needs is loaded here.
  const { assertFile, formatOf, openRecordSource } = await import("../data/record-source.ts");
  const { importRows } = await import("../data/row-import.ts");
  const tableName = flags.needWord("table");
  const written = flags.needWord("file");
  const file = written === "-" ? written : resolve(io.cwd, written);
  const table = tableNamed(await door.tables(), tableName);
  const upsert = checkedUpsert(flags.text("upsert"), table);
  if (file !== "-") assertFile(file);
  const format = formatOf(file, flags.text("format"));
  const source = openRecordSource(file, format, checkedDelimiter(flags.text("delimiter")));
  const report = openReport(reportFile(flags, io, file));
  const progress = makeProgress(io.terminal, `import ${tableName}`, io.nowMs);
  let last: ImportCount | null = null;
  let isDone = false;
  try {
    last = await importRows({
      door,
      source,
      tableName,
      table,
      upsert,
      map: parseColumnMap(flags.texts("map"), table.fields),
      onError: flags.text("on-error") === "skip" ? "skip" : "stop",
      salt: flags.on("again") ? randomUUID() : "",
      stop: io.untilStopped(),
      onProgress: (count) => {
        last = count;
        progress.show(source.part(), importedText(count));
      },
      onRefused: (refused) => report.add(refused),
    });
    isDone = true;
    return conclude(last, { flags, io, door, tableName, report });
  } finally {
    progress.end();
    report.close();
    if (!isDone && last !== null) io.terminal.note(`Before that: ${importedText(last)}.`);
  }
}

interface Conclusion {
  readonly flags: Flags;
  readonly io: Io;
  readonly door: DataDoor;
  readonly tableName: string;
  readonly report: Report;
}

function conclude(count: ImportCount, { flags, io, door, tableName, report }: Conclusion): Exit {
  const { terminal } = io;
  const { created, updated, unchanged, repeated, refused, read, isWhole } = count;
  if (flags.on("json")) {
    terminal.out(JSON.stringify({ table: tableName, ...count, report: report.path() }));
  } else {
    const parts = [
      `${counted(created, "row")} created`,
      ...(updated > 0 ? [`${updated.toLocaleString("en-US")} updated`] : []),
      ...(unchanged > 0 ? [`${unchanged.toLocaleString("en-US")} unchanged`] : []),
      ...(repeated > 0
        ? [`${repeated.toLocaleString("en-US")} there already from an earlier run`]
        : []),
      `${refused.toLocaleString("en-US")} refused`,
    ];
    terminal.out(`${tableName}: ${counted(read, "record")} read = ${parts.join(" + ")}.`);
  }
  terminal.note(terminal.tone("dim", `into ${door.place}`));
  for (const record of report.first()) {
    const { line, code } = record;
    terminal.note(`  ${terminal.tone("cyan", `line ${line}`)}  ${code}  ${whyRefused(record)}`);
  }
  if (refused > 0) terminal.note(`All refused records with their reasons: ${report.path()}`);
  if (!isWhole) {
    terminal.note(
      refused > 0
        ? "Stopped there; the rest of the file was not read. Mend it and run the same command again, or add --on-error=skip."
        : "Stopped when asked to. Run the same command again to go on: no row is written twice.",
    );
  }
  return refused > 0 || !isWhole ? exits.refused : exits.done;
}

function importedText({ read, refused }: ImportCount): string {
  const done = counted(read - refused, "row");
  return refused === 0 ? done : `${done}, ${refused.toLocaleString("en-US")} refused`;
}

/** @throws Failure (exit 1) TABLE_UNKNOWN. */
export function tableNamed(tables: Readonly<Record<string, DoorTable>>, name: string): DoorTable {
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (table !== undefined) return table;
  const near = suggestion(name, Object.keys(tables));
  throw usageFailure({
    code: "TABLE_UNKNOWN",
    what: `There is no table ${name}.`,
    why: `The tables are ${Object.keys(tables).join(", ")}.`,
    fix: near === null ? "Name one of them." : `Did you mean ${near}?`,
  });
}

function checkedUpsert(field: string | null, table: DoorTable): string | null {
  if (field === null || table.unique.includes(field)) return field;
  throw usageFailure({
    code: "UPSERT_FIELD_NOT_UNIQUE",
    what: `--upsert can't use ${field}.`,
    why: Object.hasOwn(table.fields, field)
      ? "Two rows may hold the same value in it, so it names none."
      : "The table has no such field.",
    fix: `Use one of ${table.unique.join(", ")}, or make the field .unique() in keelson/schema.ts.`,
  });
}

function checkedDelimiter(delimiter: string | null): string | null {
  const character = delimiter === String.raw`\t` ? "\t" : delimiter;
  if (character === null || (character.length === 1 && !/["\r\n]/.test(character)))
    return character;
  throw usageFailure({
    code: "FLAG_VALUE_INVALID",
    what: `--delimiter can't be "${character}".`,
    why: "It is one character, not a quote and not a line end.",
    fix: "For example: --delimiter=;",
  });
}

function reportFile(flags: Flags, io: Io, file: string): string {
  const told = flags.text("report");
  if (told !== null) return resolve(io.cwd, told);
  return file === "-" ? resolve(io.cwd, "stdin.refused.ndjson") : `${file}.refused.ndjson`;
}

/** The file of refused records: made at the first of them. */
interface Report {
  add(refused: RefusedRecord): void;
  first(): readonly RefusedRecord[];
  /** Null when nothing was refused. */
  path(): string | null;
  close(): void;
}

function openReport(path: string): Report {
  const first: RefusedRecord[] = [];
  let file: number | null = null;
  return {
    add: (refused) => {
      file ??= openForWriting(path);
      writeSync(file, `${JSON.stringify(refused)}\n`);
      if (first.length < shownRefusals) first.push(refused);
    },
    first: () => first,
    path: () => (first.length === 0 ? null : path),
    close: () => {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}

/** The fields that are wrong, where they are known; else the reason. */
function whyRefused({ reason, details }: RefusedRecord): string {
  const issues = (details as { readonly issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues) || issues.length === 0) return reason;
  const told = issues.slice(0, shownIssues) as readonly { path: string; problem: string }[];
  return told.map(({ path, problem }) => `${path} ${problem}`.trim()).join("; ");
}

function openForWriting(path: string): number {
  try {
    return openSync(path, "w");
  } catch (cause) {
    const what = `The report ${path} can't be written.`;
    throw fileUnwritable(path, cause, { what, fix: "Name another file with --report." });
  }
}
