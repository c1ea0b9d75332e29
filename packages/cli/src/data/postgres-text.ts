// Forms that PostgreSQL gives values in CSV (COPY, psql --csv) and that no other value of a field has: bytes as
// `\xdeadbeef`, arrays as `{a,"b,c",NULL}`. Everything else is null here, and stays the text that it is.

/** Bytes in hex as base64. */
export function base64OfHex(text: string): string | null {
  const [, digits] = /^\\x((?:[0-9a-f]{2})*)$/i.exec(text) ?? [];
  return digits === undefined ? null : Buffer.from(digits, "hex").toString("base64");
}

/** An item of an array; null is NULL. */
export type ArrayItem = string | null | readonly ArrayItem[];

/** A piece of an array: a quoted item, one without quotes, or a sign. */
const piece = /\s*(?:"((?:[^"\\]|\\[^])*)"|((?:[^\s{},"\\]|\\[^])+)|([{},]))\s*/uy;
const depthMax = 32;

/** The items of an array, with those of its arrays. @example arrayItems('{a,"b,c",NULL}') // ["a", "b,c", null] */
export function arrayItems(text: string): readonly ArrayItem[] | null {
  if (!text.startsWith("{")) return null;
  const open: ArrayItem[][] = [];
  /** Whether an item or `}` may come; else a comma or `}`. */
  let wantsItem = true;
  piece.lastIndex = 0;
  for (let match = piece.exec(text); match !== null; match = piece.exec(text)) {
    const [, quoted, bare, sign] = match;
    const items = open.at(-1);
    if (sign === "{") {
      if (!wantsItem || open.length === depthMax) return null;
      const inner: ArrayItem[] = [];
      items?.push(inner);
      open.push(inner);
    } else if (items === undefined) return null;
    else if (sign === "}") {
      // A comma before it would promise an item.
      if (wantsItem && items.length > 0) return null;
      open.pop();
      wantsItem = false;
      if (open.length === 0) return piece.lastIndex === text.length ? items : null;
    } else if (sign === ",") {
      if (wantsItem) return null;
      wantsItem = true;
    } else {
      if (!wantsItem) return null;
      items.push(itemOf(quoted, bare ?? ""));
      wantsItem = false;
    }
  }
  return null;
}

function itemOf(quoted: string | undefined, bare: string): string | null {
  if (quoted === undefined && bare.toUpperCase() === "NULL") return null;
  return (quoted ?? bare).replaceAll(/\\([^])/gu, "$1");
}
