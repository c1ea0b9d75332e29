// Full-text search: any text a person types becomes a valid FTS5 expression. Every word must occur; the
// last one also as the beginning of a word, because the person may still be typing it.

/** Words after this many are left out: each is a look-up in the index. */
const wordsMax = 32;

/**
 * The FTS5 expression of a text.
 * @returns null when the text has no word: then nothing is found.
 */
export function searchExpression(text: string): string | null {
  const words = searchWords(text);
  if (words.length === 0) return null;
  const last = words.length - 1;
  return words.map((word, index) => `"${word}"${index === last ? "*" : ""}`).join(" AND ");
}

/** Letters, marks and digits between everything else, as the index's tokenizer splits text. */
export function searchWords(text: string): readonly string[] {
  const words = text.match(/[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu) ?? [];
  return words.slice(0, wordsMax);
}
