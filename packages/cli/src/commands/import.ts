// `keelson import`: what it teaches. What it does is in import-run.ts.
import { appFlag, dataFlag, jsonFlag, tokenFlag, urlFlag } from "../flags/command-spec.ts";
import { formats } from "../data/source-record.ts";
import type { Command } from "./command.ts";
import { openDoor } from "./open-door.ts";

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
      "With --ref a column names the row that it refers to by a unique field of that row: the number or slug that the old system had. In the table's own file such rows wait for each other as those with ids do.",
      'CSV is read as RFC 4180 has it, in UTF-8; the first line names the columns. An empty cell is an absent value, "" is an empty text. Lists, objects and json are JSON in their cell. What PostgreSQL writes (COPY ... TO STDOUT WITH CSV HEADER) is taken as it is: times with a space and any offset, t and f, bytes as \\x..., arrays as {a,b}. A time without an offset is refused unless --zone says where its clock stood; so is one of an hour that the clocks there skipped or showed twice.',
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
        name: "ref",
        kind: "texts",
        value: "<field=unique field>",
        help: "Looks the reference up: its column holds the value of that unique field in the row that it refers to. May be repeated. Default: columns of references hold ids.",
      },
      {
        name: "zone",
        kind: "text",
        value: "<zone>",
        help: "The zone of times that name none: UTC, +02:00, Europe/Berlin. Default: such times are refused.",
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
        line: 'keelson import issue issues.csv --map "id=legacyId" --map "project_id=project" --ref project=legacyId --zone=UTC',
        happens:
          "Keeps the old number of each issue in legacyId, and refers to the project whose legacyId the column project_id holds. Times without an offset are in UTC.",
      },
      {
        line: "keelson import film prices.ndjson --upsert=slug",
        happens: "Updates films by their slug and adds those that are new.",
      },
    ],
  },
  run: async (flags, io) => {
    // Every command is known to the command line; what only this one needs is loaded here.
    const { runImport } = await import("./import-run.ts");
    const door = await openDoor(flags, io, "new");
    try {
      return await runImport(flags, io, door);
    } finally {
      await door.close();
    }
  },
};
