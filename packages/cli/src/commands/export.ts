// `keelson export`: the rows of one table, or of all, as files that `keelson import` reads back.
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { appFlag, dataFlag, tokenFlag, urlFlag } from "../flags/command-spec.ts";
import { exits, usageFailure, type Exit } from "../flags/failure.ts";
import type { Flags } from "../flags/flag-parse.ts";
import { makeProgress } from "../terminal/progress.ts";
import { counted } from "../terminal/table-text.ts";
import type { DataDoor, DoorTable } from "../data/data-door.ts";
import type { TextTarget } from "../data/row-export.ts";
import { formats, type Format } from "../data/source-record.ts";
import type { Command, Io } from "./command.ts";
import { tableNamed } from "./table-named.ts";
import { openDoor } from "./open-door.ts";

/** Exports a table or all. */
export const exportCommand: Command = {
  spec: {
    name: "export",
    summary: "Writes the rows of a table as CSV, TSV, NDJSON or JSON.",
    about: [
      "Writes every row in the order of ids, with every field: private ones too, because you are the operator (with --url: what the token may read). Keep such a file as safe as the database.",
      "What is written can be imported again, ids included. The file appears under its name when it is whole. Works while the server runs; rows that change meanwhile are written as they were when their page was read. For one consistent moment use keelson backup.",
    ],
    words: [
      { name: "table", optional: true, help: "The table to write. Left out with --all." },
      { name: "file", optional: true, help: "Where to. Default: standard output, as NDJSON." },
    ],
    flags: [
      {
        name: "all",
        kind: "text",
        value: "<folder>",
        help: "Writes every table into this folder, one file each.",
      },
      {
        name: "format",
        kind: "text",
        value: `<${formats.join("|")}>`,
        oneOf: formats,
        help: "Default: as the file's name ends, else ndjson.",
      },
      { name: "overwrite", kind: "switch", help: "Replaces files that are there." },
      appFlag,
      dataFlag,
      urlFlag,
      tokenFlag,
    ],
    examples: [
      {
        line: "keelson export film films.csv",
        happens: "Writes all films, with a header, to films.csv.",
      },
      {
        line: "keelson export film | head -3",
        happens: "Prints the first three rows, one JSON object a line.",
      },
      {
        line: "keelson export --all=copy --format=csv",
        happens: "Writes copy/film.csv, copy/user.csv and so on.",
      },
    ],
  },
  run: async (flags, io) => {
    assertWords(flags);
    const door = await openDoor(flags, io);
    try {
      const tables = await door.tables();
      const folder = flags.text("all");
      if (folder !== null) return await exportAll(flags, io, { door, tables, folder });
      const tableName = flags.needWord("table");
      return await exportOne(flags, io, { door, tableName, table: tableNamed(tables, tableName) });
    } finally {
      await door.close();
    }
  },
};

/** Every command is known to the command line; what only this one needs is loaded when it runs. */
async function loaded(): Promise<
  Pick<typeof import("../data/record-source.ts"), "formatOf"> &
    typeof import("../data/row-export.ts")
> {
  const { formatOf } = await import("../data/record-source.ts");
  return { formatOf, ...(await import("../data/row-export.ts")) };
}

function assertWords(flags: Flags): void {
  const isAll = flags.text("all") !== null;
  if (isAll !== (flags.word("table") !== null)) return;
  throw usageFailure({
    code: isAll ? "WORD_UNKNOWN" : "WORD_MISSING",
    what: isAll ? "A table and --all don't go together." : "Nothing says which table to write.",
    why: "One table is named as a word; all of them with --all=<folder>.",
    fix: "Write keelson export <table> [file], or keelson export --all=<folder>.",
  });
}

async function exportOne(
  flags: Flags,
  io: Io,
  what: { readonly door: DataDoor; readonly tableName: string; readonly table: DoorTable },
): Promise<Exit> {
  const { formatOf, makeStreamTarget, openFileTarget } = await loaded();
  const written = flags.word("file");
  const told = flags.text("format");
  if (written === null || written === "-") {
    const format = told === null ? "ndjson" : formatOf("-", told);
    await write(io, { ...what, format, target: makeStreamTarget(process.stdout) });
    return exits.done;
  }
  const format = formatOf(written, told);
  const target = await openFileTarget(resolve(io.cwd, written), flags.on("overwrite"));
  const count = await write(io, { ...what, format, target });
  io.terminal.note(`${what.tableName}: ${counted(count, "row")} written to ${written}.`);
  return exits.done;
}

async function exportAll(
  flags: Flags,
  io: Io,
  what: {
    readonly door: DataDoor;
    readonly tables: Readonly<Record<string, DoorTable>>;
    readonly folder: string;
  },
): Promise<Exit> {
  const { formatOf, openFileTarget } = await loaded();
  const format = formatOf("-", flags.text("format") ?? "ndjson");
  const folder = resolve(io.cwd, what.folder);
  mkdirSync(folder, { recursive: true });
  for (const [tableName, table] of Object.entries(what.tables)) {
    const target = await openFileTarget(
      join(folder, `${tableName}.${format}`),
      flags.on("overwrite"),
    );
    const count = await write(io, { door: what.door, tableName, table, format, target });
    io.terminal.note(
      `${tableName}: ${counted(count, "row")} written to ${join(what.folder, `${tableName}.${format}`)}.`,
    );
  }
  return exits.done;
}

async function write(
  io: Io,
  what: {
    readonly door: DataDoor;
    readonly tableName: string;
    readonly table: DoorTable;
    readonly format: Format;
    readonly target: TextTarget;
  },
): Promise<number> {
  const { exportRows } = await loaded();
  const progress = makeProgress(io.terminal, `export ${what.tableName}`, io.nowMs);
  const all = await what.door.count(what.tableName);
  try {
    return await exportRows({
      ...what,
      onProgress: (rows) => progress.show(all === 0 ? null : rows / all, counted(rows, "row")),
    });
  } finally {
    progress.end();
  }
}
