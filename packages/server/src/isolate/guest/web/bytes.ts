// Bytes inside the guest. They cross the border as base64, which V8 itself reads and writes.
import { host } from "../link.ts";
import { part, unitAt } from "../primordials.ts";

/** V8 14 has these; the compiler's library does not yet, nor has V8 while it makes a snapshot. */
interface Base64Bytes {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}

interface Base64View {
  toBase64(): string;
}

const exclamation = 33;
const asciiCharsMax = 256;

/** Bytes of a base64 text. */
export function bytesFrom(base64: string): Uint8Array<ArrayBuffer> {
  return (Uint8Array as unknown as Base64Bytes).fromBase64(base64);
}

/** Bytes as base64. */
export function base64Of(bytes: Uint8Array): string {
  return (bytes as unknown as Base64View).toBase64();
}

/** A view's or buffer's bytes, not copied. @throws TypeError for anything else. */
export function viewOf(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  throw new TypeError(`${what} takes an ArrayBuffer or a view on one.`);
}

/** A text in UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.length > asciiCharsMax) return bytesFrom(compute("utf8.encode", text, ""));
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) {
    const unit = unitAt(text, index);
    if (unit > 127) return bytesFrom(compute("utf8.encode", text, ""));
    bytes[index] = unit;
  }
  return bytes;
}

/** UTF-8 as text; what is none becomes U+FFFD. */
export function utf8Text(bytes: Uint8Array): string {
  return part(compute("text.decode", base64Of(bytes), "utf-8"), 1);
}

/** A computation that the host does. @throws `failure` (default TypeError) with the host's words. */
export function compute(
  operation: string,
  first: string,
  second: string,
  failure: (message: string) => unknown = (message) => new TypeError(message),
): string {
  const answer = host().pure(operation, first, second);
  if (unitAt(answer, 0) === exclamation) throw failure(part(answer, 1));
  return answer;
}
