// Passwords that everybody tries first: a list that comes along (packages/server/data), so that asking it tells nobody
// anything. A common password in disguise is one too: other capitals, digits for letters, a year or a mark at its ends,
// one piece again and again, or a row of the keyboard or the alphabet.

/** Tells passwords that are known to be common. */
export interface PasswordList {
  /** Whether this password, or what is left of it without its disguise, is on the list. */
  has(password: string): boolean;
}

/** Digits and marks that stand for letters. */
const letters: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  "5": "s",
  "7": "t",
  "@": "a",
  $: "s",
  "!": "i",
};
const rows = [
  "abcdefghijklmnopqrstuvwxyz",
  "qwertzuiopasdfghjklyxcvbnm",
  "qwertyuiopasdfghjklzxcvbnm",
  "0123456789",
];
const newline = 10;
/** What may be put on before and after a common word without making it another. */
const trimmedMax = 6;

/** Opens the list. @param load its bytes: lower case, sorted by bytes, one a line. Called when it is first asked. */
export function openPasswordList(load: () => Uint8Array): PasswordList {
  let bytes: Buffer | null = null;
  const isListed = (word: string): boolean => {
    bytes ??= Buffer.from(load());
    return word !== "" && hasLine(bytes, Buffer.from(word));
  };
  return {
    has(password) {
      const word = password.toLowerCase();
      const plain = word.replaceAll(/[013457@$!]/g, (mark) => letters[mark] ?? mark);
      if (isListed(word) || isListed(plain) || isRepeated(word) || isRow(word)) return true;
      const bare = word.replace(/^[^a-z]+/, "").replace(/[^a-z]+$/, "");
      const bareOfPlain = plain.replace(/^[^a-z]+/, "").replace(/[^a-z]+$/, "");
      const isDressed = (left: string) =>
        left.length >= 4 && word.length - left.length <= trimmedMax;
      return [bare, bareOfPlain].some((left) => isDressed(left) && (isListed(left) || isRow(left)));
    },
  };
}

/** Whether it is one piece of at most a third of it, again and again. */
function isRepeated(word: string): boolean {
  for (let length = 1; length * 3 <= word.length; length++) {
    if (
      word ===
      word
        .slice(0, length)
        .repeat(Math.ceil(word.length / length))
        .slice(0, word.length)
    )
      return true;
  }
  return false;
}

/** Whether it runs along a row, forwards or backwards. */
function isRow(word: string): boolean {
  const backwards = word.split("").toReversed().join("");
  return rows.some((row) => `${row}${row}`.includes(word) || `${row}${row}`.includes(backwards));
}

/** Binary search over lines. */
function hasLine(bytes: Buffer, word: Buffer): boolean {
  let from = 0;
  let to = bytes.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const start = bytes.lastIndexOf(newline, middle - 1) + 1;
    const lineStart = middle === 0 ? 0 : start;
    const newlineAt = bytes.indexOf(newline, lineStart);
    const end = newlineAt === -1 ? bytes.length : newlineAt;
    const order = bytes.subarray(lineStart, end).compare(word);
    if (order === 0) return true;
    if (order < 0) from = end + 1;
    else to = lineStart;
  }
  return false;
}
