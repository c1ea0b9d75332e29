// A short hash of text for names and cursors: tells shapes apart, protects nothing.

/** FNV-1a over UTF-16 code units, 32 bits, as 8 hexadecimal digits. @see draft-eastlake-fnv */
export function textHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
