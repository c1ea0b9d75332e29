// Reads CSV (RFC 4180) and TSV. csv-parse reads the cells; this file decides where records begin, so
// that one stray quote costs one line and not the rest of the file: a record that can't be read gives up
// its first line as broken and reading goes on at the next.
import { parse } from "csv-parse/sync";
import { Failure, exits } from "../flags/failure.ts";
import { delimiterOptions } from "./delimiter.ts";
import { makeLineQueue, type TextLine } from "./line-queue.ts";
import { recordCharsMax, type RecordSplitter, type SourceRecord } from "./source-record.ts";

type Cells = readonly (string | null)[];

/** Lines that make one record: quotes are even over all of them, or odd in a broken one. */
type RecordLines = readonly TextLine[];

const batchRecords = 256;

/**
 * @param delimiter one character.
 * @returns a splitter whose first record is the header; cells are texts, null when empty and unquoted.
 * Its `push` throws Failure (exit 2) COLUMNS_INVALID when the header can't be used.
 */
export function makeCsvSplitter(delimiter: string): RecordSplitter {
  const lines = makeLineQueue();
  let waiting: TextLine[] = [];
  let header: readonly string[] | null = null;

  const drain = (isEnd: boolean): SourceRecord[] => {
    const found: SourceRecord[] = [];
    for (;;) {
      const { records, rest } = takeRecords(waiting, isEnd);
      if (records.length === 0) return found;
      const { cells, unread } = readRecords(records, delimiter);
      waiting = [...unread, ...rest];
      for (const item of cells) {
        if ("reason" in item) {
          if (header === null) throw headerBroken(item.reason, item.text);
          found.push(item);
        } else if (header === null) header = checkedHeader(item.cells);
        else found.push(...recordOf(header, item.lines, item.cells));
      }
    }
  };
  return {
    columns: () => header,
    push(text) {
      waiting = waiting.concat(lines.push(text));
      return drain(false);
    },
    end() {
      waiting = waiting.concat(lines.end());
      return drain(true);
    },
  };
}

/** Takes up to a batch of records from the front. A record ends at a line end after an even number of quotes. */
function takeRecords(
  waiting: readonly TextLine[],
  isEnd: boolean,
): { readonly records: readonly RecordLines[]; readonly rest: readonly TextLine[] } {
  const records: RecordLines[] = [];
  let start = 0;
  let quotes = 0;
  let chars = 0;
  for (let index = 0; index < waiting.length && records.length < batchRecords; index++) {
    const { text } = waiting[index] as TextLine;
    quotes += quotesIn(text);
    chars += text.length;
    if (quotes % 2 !== 0 && chars <= recordCharsMax) continue;
    records.push(waiting.slice(start, index + 1));
    start = index + 1;
    quotes = 0;
    chars = 0;
  }
  // What is left at the end of the file has a quote that nothing closes: it is read, fails, and gives up
  // its first line.
  if (isEnd && records.length === 0 && start < waiting.length) {
    records.push(waiting.slice(start));
    start = waiting.length;
  }
  return { records, rest: waiting.slice(start) };
}

function quotesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('"'); at !== -1; at = text.indexOf('"', at + 1)) count++;
  return count;
}

type ReadRecord =
  | { readonly lines: RecordLines; readonly cells: Cells }
  | Extract<SourceRecord, { kind: "broken" }>;

/** Reads a batch at once, or record by record up to and including the first broken one. */
function readRecords(
  records: readonly RecordLines[],
  delimiter: string,
): { readonly cells: readonly ReadRecord[]; readonly unread: readonly TextLine[] } {
  const texts = records.map((record) => record.map(({ text }) => text).join(""));
  const together = parsed(texts.join(""), delimiter);
  if (typeof together !== "string" && together.length === records.length) {
    return {
      cells: records.map((lines, index) => ({ lines, cells: together[index] as Cells })),
      unread: [],
    };
  }
  const cells: ReadRecord[] = [];
  for (const [index, lines] of records.entries()) {
    const alone = parsed(texts[index] as string, delimiter);
    const one = typeof alone === "string" ? undefined : alone[0];
    if (one !== undefined) {
      cells.push({ lines, cells: one });
      continue;
    }
    const [first, ...others] = lines as [TextLine, ...TextLine[]];
    const reason = typeof alone === "string" ? alone : "The line can't be read.";
    cells.push({ kind: "broken", line: first.line, reason, text: withoutLineEnd(first.text) });
    return { cells, unread: [...others, ...records.slice(index + 1).flat()] };
  }
  return { cells, unread: [] };
}

/** @returns cells per record, or why the text can't be read. */
function parsed(text: string, delimiter: string): readonly Cells[] | string {
  try {
    return parse(text, {
      delimiter,
      record_delimiter: ["\r\n", "\n"],
      relax_column_count: true,
      cast: (value, { quoting }) => (value === "" && !quoting ? null : value),
    });
  } catch (error) {
    const { code } = error as { code?: string };
    return reasons[code ?? ""] ?? `The line can't be read: ${(error as Error).message}`;
  }
}

const reasons: Readonly<Record<string, string>> = {
  CSV_QUOTE_NOT_CLOSED: "A quote opens a cell and nothing closes it.",
  CSV_INVALID_CLOSING_QUOTE: "A quote inside a quoted cell is not doubled.",
  INVALID_OPENING_QUOTE: "A quote stands inside a cell that does not begin with one.",
};

function checkedHeader(cells: Cells): readonly string[] {
  const names = cells.map((cell) => cell ?? "");
  const empty = names.indexOf("");
  if (empty !== -1) throw columnsInvalid(`Column ${empty + 1} has no name.`);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw columnsInvalid(`Two columns are called "${twice}".`);
  return names;
}

/** Going on would take the first row for the header. */
function headerBroken(reason: string, text: string): Failure {
  const cut = [...delimiterOptions].find(([delimiter]) => text.includes(`"${delimiter}"`));
  if (cut === undefined) return columnsInvalid(reason);
  const [delimiter, option] = cut;
  return new Failure(exits.refused, {
    code: "COLUMNS_INVALID",
    what: "The first line of the file can't be read.",
    why: `${reason} Its cells seem to be separated by ${JSON.stringify(delimiter)}.`,
    fix: `Add ${option}`,
  });
}

function columnsInvalid(why: string): Failure {
  return new Failure(exits.refused, {
    code: "COLUMNS_INVALID",
    what: "The first line of the file does not name its columns.",
    why,
    fix: "Give every column its own name in the first line.",
  });
}

/** A blank line is no record, unless the file has one column: there it is an absent value. */
function recordOf(header: readonly string[], lines: RecordLines, cells: Cells): SourceRecord[] {
  const { line } = lines[0] as TextLine;
  if (cells.length === 1 && cells[0] === null && header.length > 1) return [];
  if (cells.length !== header.length) {
    const text = withoutLineEnd(lines.map((part) => part.text).join(""));
    const reason = `The line has ${cells.length} cells and the header has ${header.length}.`;
    return [{ kind: "broken", line, reason, text }];
  }
  const value = Object.fromEntries(header.map((name, index) => [name, cells[index] ?? null]));
  return [{ kind: "record", line, value }];
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, "");
}
