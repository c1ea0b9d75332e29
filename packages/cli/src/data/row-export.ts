// Moves the rows of a table into a file or to standard output, page by page, in the order of their ids. A
// file gets its name when it is whole: what was cut off is never taken for an export.
import { existsSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { fileUnwritable } from "../flags/file-failure.ts";
import { exits, Failure } from "../flags/failure.ts";
import type { DataDoor, DoorTable } from "./data-door.ts";
import { makeFormatter } from "./record-format.ts";
import type { Format } from "./source-record.ts";

const pageRows = 1_000;

/** Takes text; waits while whoever reads is slow. */
export interface TextTarget {
  write(text: string): Promise<void>;
  /** All was written. */
  done(): Promise<void>;
  /** Something failed: what was written is dropped. */
  drop(): Promise<void>;
}

/**
 * Writes all rows of a table. @returns how many.
 * @param onProgress rows so far.
 */
export async function exportRows(order: {
  readonly door: DataDoor;
  readonly tableName: string;
  readonly table: DoorTable;
  readonly format: Format;
  readonly target: TextTarget;
  readonly onProgress: (rows: number) => void;
}): Promise<number> {
  const { door, tableName, table, format, target, onProgress } = order;
  const formatter = makeFormatter(format, table.fields);
  let after: string | null = null;
  let count = 0;
  try {
    await target.write(formatter.head());
    for (;;) {
      const rows = await door.read(tableName, after);
      if (rows.length > 0) await target.write(formatter.rows(rows));
      count += rows.length;
      onProgress(count);
      if (rows.length < pageRows) break;
      after = rows.at(-1)?.["id"] as string;
    }
    await target.write(formatter.foot());
  } catch (error) {
    await target.drop();
    throw error;
  }
  await target.done();
  return count;
}

/**
 * A file that appears when it is whole. @param overwrite whether a file of that name may be replaced.
 * @throws Failure (exit 2) FILE_EXISTS; (exit 12) FILE_UNWRITABLE.
 */
export async function openFileTarget(file: string, overwrite: boolean): Promise<TextTarget> {
  if (!overwrite && existsSync(file)) {
    throw new Failure(exits.refused, {
      code: "FILE_EXISTS",
      what: `${file} is there already.`,
      why: "Nothing is written over without being told.",
      fix: "Choose another name, or add --overwrite.",
    });
  }
  const partial = `${file}.partial`;
  const handle = await open(partial, "w", 0o600).catch((cause: unknown) => {
    throw fileUnwritable(file, cause);
  });
  return {
    write: async (text) => {
      await handle.appendFile(text).catch((cause: unknown) => {
        throw fileUnwritable(file, cause);
      });
    },
    done: async () => {
      await handle.sync();
      await handle.close();
      await rename(partial, file);
    },
    drop: async () => {
      await handle.close();
      await rm(partial, { force: true });
    },
  };
}

/** A stream such as standard output. */
export function makeStreamTarget(stream: NodeJS.WritableStream): TextTarget {
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    done: async () => {},
    drop: async () => {},
  };
}
