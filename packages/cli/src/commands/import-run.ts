// What `keelson import` does: reads a file into a table, counts every record, and keeps those that were refused.
import { openSync, writeSync, closeSync } from "node:fs";
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { makeProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/table-text.ts";
import { parseColumnMap } from "../data/column-map.ts";
import type { DataDoor, DoorTable } from "../data/data-door.ts";
import { notHere } from "../data/door-url.ts";
import { assertFile, formatOf, openRecordSource } from "../data/record-source.ts";
import { parseRefKeys } from "../data/ref-keys.ts";
import type { RefusedRecord } from "../data/refused-record.ts";
import { importRows, type ImportCount } from "../data/row-import.ts";
import { asFields } from "../data/source-record.ts";
import { isZone, lacksZone } from "../data/time-text.ts";
import type { Io } from "./command.ts";
import { tableNamed } from "./table-named.ts";

const shownRefusals = 5;
/** Of one record; the report has them all. */
const shownIssues = 3;

/** Imports what the command line says. @throws Failure. */
export async function runImport(flags: Flags, io: Io, door: DataDoor): Promise<Exit> {
  const tableName = flags.needWord("table");
  const written = flags.needWord("file");
  const file = written === "-" ? written : resolve(io.cwd, written);
  if (flags.texts("ref").length > 0 && flags.text("url") !== null)
    throw notHere("--ref", "nothing says which fields are unique");
  const tables = await door.tables();
  const table = tableNamed(tables, tableName);
  const refs = parseRefKeys(flags.texts("ref"), tables, tableName);
  const zone = checkedZone(flags.text("zone"));
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
      refs,
      zone,
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
  if (flags.text("zone") === null && report.first().some(isForZone))
    terminal.note("Times without an offset: say where their clock stood, --zone=UTC for example.");
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

/** @throws Failure (exit 1) FLAG_VALUE_INVALID. */
function checkedZone(zone: string | null): string | null {
  if (zone === null || isZone(zone)) return zone;
  throw usageFailure({
    code: "FLAG_VALUE_INVALID",
    what: `--zone=${zone} is no zone.`,
    why: "Zones are known by their names in the tz database.",
    fix: "For example: --zone=UTC, --zone=+02:00 or --zone=Europe/Berlin.",
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

/** Whether it was refused for a time that names no zone. */
function isForZone({ record, details }: RefusedRecord): boolean {
  const issues = (details as { readonly issues?: unknown } | null)?.issues;
  if (!Array.isArray(issues)) return false;
  const fields = asFields(record) ?? {};
  return (issues as readonly { path: string }[]).some(({ path }) => {
    const value = fields[path];
    return typeof value === "string" && lacksZone(value);
  });
}

function openForWriting(path: string): number {
  try {
    return openSync(path, "w");
  } catch (cause) {
    const what = `The report ${path} can't be written.`;
    throw fileUnwritable(path, cause, { what, fix: "Name another file with --report." });
  }
}
