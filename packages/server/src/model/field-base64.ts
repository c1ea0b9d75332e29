// Base64 as bytes fields carry it: RFC 4648 section 4, padded, canonical (unused bits are zero), so that
// equal bytes are equal text. A loop, not a RegExp: the text may be a megabyte.

/** Value of an ASCII character, 255 for any other. */
const sextetOf = new Uint8Array(128).fill(255);
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
for (let value = 0; value < 64; value++) sextetOf[alphabet.charCodeAt(value)] = value;

/** Whether text is canonical base64. */
export function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  const padding = paddingOf(text);
  const end = text.length - padding;
  let last = 0;
  for (let at = 0; at < end; at++) {
    const code = text.charCodeAt(at);
    last = code < 128 ? (sextetOf[code] ?? 255) : 255;
    if (last === 255) return false;
  }
  if (padding === 1) return (last & 3) === 0;
  return padding === 0 || (last & 15) === 0;
}

/** How many bytes base64 text stands for. @param text canonical base64. */
export function base64Bytes(text: string): number {
  return Math.ceil(text.length / 4) * 3 - paddingOf(text);
}

function paddingOf(text: string): number {
  if (!text.endsWith("=")) return 0;
  return text.endsWith("==") ? 2 : 1;
}
