// Rows as JSON text. A row that an engine keeps is written out once, however often it is answered.
import type { Page, Row } from "./store.ts";

/** Texts of kept rows; null: kept, not written out yet. They go when the row goes. */
const texts = new WeakMap<Row, string | null>();

/** Says that a row will be answered again: its text is kept with it. @param row frozen. */
export function keepRowText(row: Row): void {
  texts.set(row, null);
}

/** A row as JSON text. */
export function rowText(row: Row): string {
  const known = texts.get(row);
  if (known === undefined) return JSON.stringify(row);
  if (known !== null) return known;
  const text = JSON.stringify(row);
  texts.set(row, text);
  return text;
}

/** A page as JSON text. */
export function pageText({ rows, next }: Page): string {
  let text = '{"rows":[';
  for (let index = 0; index < rows.length; index++) {
    text += index === 0 ? rowText(rows[index] as Row) : `,${rowText(rows[index] as Row)}`;
  }
  return `${text}],"next":${JSON.stringify(next)}}`;
}
