// Order among rows that are written at once: rows that an upsert finds by the same value follow each other,
// so that the last one of a file is what stays.
import type { Row } from "./data-door.ts";

/**
 * Writes all rows at once, but those with the same value in a field one after the other.
 * @param field null: no row waits for another. @returns what `write` gave, in the order of the rows.
 */
export function writeInTurn<Write extends { readonly value: Row }, Outcome>(
  rows: readonly Write[],
  field: string | null,
  write: (row: Write) => Promise<Outcome>,
): Promise<Outcome[]> {
  if (field === null) return Promise.all(rows.map(write));
  const last = new Map<string, Promise<Outcome>>();
  const all = rows.map((row) => {
    const name = JSON.stringify(row.value[field] ?? null);
    const before = last.get(name);
    const written = before === undefined ? write(row) : before.then(() => write(row));
    last.set(name, written);
    return written;
  });
  return Promise.all(all);
}
