// Reads a file of rows from disk or standard input as a stream: text decoded strictly (a file in another
// encoding is refused, not mangled), records in file order, and how far reading is.
import { createReadStream, statSync } from "node:fs";
import { extname } from "node:path";
import { fileUnreadable } from "../flags/file-failure.ts";
import { Failure, exits } from "../flags/failure.ts";
import { makeCsvSplitter } from "./csv-split.ts";
import { makeJsonSplitter } from "./json-split.ts";
import { makeNdjsonSplitter } from "./ndjson-split.ts";
import { formats, type Format, type RecordSplitter, type SourceRecord } from "./source-record.ts";

/** An open file of rows. */
export interface RecordSource {
  readonly format: Format;
  /** Batches in file order; each is what one piece of the file completed. */
  records(): AsyncGenerator<readonly SourceRecord[]>;
  /** The header, for formats that have one, once the first records came. */
  columns(): readonly string[] | null;
  /** Read so far, 0 to 1; null when the size is unknown (standard input). */
  part(): number | null;
}

const extensions: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".tsv": "tsv",
  ".ndjson": "ndjson",
  ".jsonl": "ndjson",
  ".json": "json",
};

/**
 * The format of a file: as told, or by its name's ending. @param fix what to do when neither tells it.
 * @throws Failure (exit 1) FORMAT_UNKNOWN.
 */
export function formatOf(
  file: string,
  told: string | null,
  fix = `Add --format=${formats.join("|")}.`,
): Format {
  const format =
    told === null ? extensions[extname(file).toLowerCase()] : formats.find((f) => f === told);
  if (format !== undefined) return format;
  throw new Failure(exits.usage, {
    code: "FORMAT_UNKNOWN",
    what: `Nothing tells the format of ${file === "-" ? "standard input or output" : file}.`,
    why: `Names that end in ${Object.keys(extensions).join(", ")} are known.`,
    fix,
  });
}

/** Before anything else is said of a file. @throws Failure (exit 12) FILE_UNREADABLE when it is not there. */
export function assertFile(file: string): void {
  sizeOf(file);
}

/**
 * Opens a file of rows. @param file a path, or `-` for standard input. @param delimiter for csv; default a comma.
 * @throws Failure (exit 12) FILE_UNREADABLE.
 */
export function openRecordSource(
  file: string,
  format: Format,
  delimiter: string | null = null,
): RecordSource {
  const bytesAll = file === "-" ? null : sizeOf(file);
  const splitter = splitterOf(format, delimiter);
  let bytesRead = 0;
  async function* records(): AsyncGenerator<readonly SourceRecord[]> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const stream =
      file === "-" ? process.stdin : createReadStream(file, { highWaterMark: 262_144 });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      yield splitter.push(decoded(decoder, chunk, file, bytesRead));
      bytesRead += chunk.length;
    }
    yield splitter.push(decoded(decoder, null, file, bytesRead));
    yield splitter.end();
  }
  return {
    format,
    records,
    columns: () => splitter.columns(),
    part: () => (bytesAll === null || bytesAll === 0 ? null : bytesRead / bytesAll),
  };
}

function splitterOf(format: Format, delimiter: string | null): RecordSplitter {
  switch (format) {
    case "csv":
      return makeCsvSplitter(delimiter ?? ",");
    case "tsv":
      return makeCsvSplitter(delimiter ?? "\t");
    case "ndjson":
      return makeNdjsonSplitter();
    case "json":
      return makeJsonSplitter();
    default:
      return format satisfies never;
  }
}

function decoded(decoder: TextDecoder, chunk: Buffer | null, file: string, at: number): string {
  try {
    return chunk === null ? decoder.decode() : decoder.decode(chunk, { stream: true });
  } catch (cause) {
    throw new Failure(
      exits.refused,
      {
        code: "FILE_NOT_UTF8",
        what: `${file} is not UTF-8 text.`,
        why: `There are bytes after position ${at.toLocaleString("en-US")} that no UTF-8 text has.`,
        fix: "Convert it first, for example: iconv -f windows-1252 -t utf-8 in.csv > out.csv",
      },
      { cause },
    );
  }
}

function sizeOf(file: string): number {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) throw new Error("it is not a file");
    return stats.size;
  } catch (cause) {
    throw fileUnreadable(file, cause);
  }
}
