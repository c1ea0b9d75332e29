// Full-text search of the naive engine: every word occurs in the searched fields, the last one at least as
// the beginning of a word. Case and diacritics do not count.
import type { Row } from "../store.ts";

/** Whether a row is found. @param fields those that are searched. */
export function matchSearch(fields: readonly string[], text: string, row: Row): boolean {
  const wanted = wordsOf(text);
  const last = wanted.pop();
  if (last === undefined) return false;
  const words = fields.flatMap((field) => {
    const value = row[field] ?? "";
    return wordsOf(typeof value === "string" ? value : JSON.stringify(value));
  });
  return (
    wanted.every((word) => words.includes(word)) && words.some((word) => word.startsWith(last))
  );
}

function wordsOf(text: string): string[] {
  const plain = text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
  return plain.match(/[\p{L}\p{N}\p{Co}]+/gu) ?? [];
}
