// Rows and pages as JSON text. What an engine keeps is written out once, however often it is answered.
import type { Page, Row } from "./store.ts";

/** Texts of what is kept; null: kept, not written out yet. They go when the row or page goes. */
const texts = new WeakMap<Row | Page, string | null>();

/** Says that a row will be answered again: its text is kept with it. @param row frozen. */
export function keepRowText(row: Row): void {
  if (!texts.has(row)) texts.set(row, null);
}

/** The same for a page. @param page frozen, with its rows. */
export function keepPageText(page: Page): void {
  texts.set(page, null);
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
export function pageText(page: Page): string {
  const known = texts.get(page);
  if (known !== undefined && known !== null) return known;
  const { rows, next } = page;
  let text = '{"rows":[';
  for (let index = 0; index < rows.length; index++) {
    text += index === 0 ? rowText(rows[index] as Row) : `,${rowText(rows[index] as Row)}`;
  }
  text += `],"next":${JSON.stringify(next)}}`;
  if (known === null) texts.set(page, text);
  return text;
}
