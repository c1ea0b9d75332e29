// TextEncoder, TextDecoder (WHATWG Encoding), atob and btoa.
import { part } from "../primordials.ts";
import { base64Of, compute, utf8, viewOf } from "./bytes.ts";
import { DOMException } from "./events.ts";

/** UTF-8 of texts. */
export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(text: unknown = ""): Uint8Array<ArrayBuffer> {
    return utf8(String(text));
  }

  encodeInto(text: unknown, target: Uint8Array): { read: number; written: number } {
    let read = 0;
    let written = 0;
    for (const character of String(text)) {
      const bytes = utf8(character);
      if (written + bytes.length > target.length) break;
      target.set(bytes, written);
      written += bytes.length;
      read += character.length;
    }
    return { read, written };
  }
}

/** Texts from bytes, in the encodings that Node knows. */
export class TextDecoder {
  readonly #label: string;
  readonly #fatal: boolean;
  readonly #ignoreBom: boolean;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(label: unknown = "utf-8", options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    const refuse = (): RangeError => new RangeError(`There is no encoding ${String(label)}.`);
    this.#label = compute("text.label", String(label), "", refuse);
    this.#fatal = options.fatal === true;
    this.#ignoreBom = options.ignoreBOM === true;
  }

  get encoding(): string {
    return this.#label;
  }

  get fatal(): boolean {
    return this.#fatal;
  }

  get ignoreBOM(): boolean {
    return this.#ignoreBom;
  }

  /** @param options `stream`: more follows; a character cut in two is kept for the next call (UTF-8 only). */
  decode(input?: unknown, options: { stream?: boolean } = {}): string {
    const bytes = joined(
      this.#rest,
      input === undefined ? new Uint8Array(0) : viewOf(input, "decode"),
    );
    const whole =
      options.stream === true && this.#label === "utf-8" ? wholeLength(bytes) : bytes.length;
    this.#rest = bytes.slice(whole);
    const flags = `${this.#fatal ? "f" : ""}${this.#ignoreBom ? "b" : ""}`;
    const base64 = base64Of(bytes.subarray(0, whole));
    return part(compute("text.decode", base64, `${this.#label} ${flags}`), 1);
  }
}

function joined(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length === 0) return right;
  const both = new Uint8Array(left.length + right.length);
  both.set(left);
  both.set(right, left.length);
  return both;
}

/** Length without the beginning of a character that is cut off at the end. */
function wholeLength(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] as number;
    if ((byte & 0xc0) === 0x80) continue;
    let length = 1;
    if (byte >= 0xf0) length = 4;
    else if (byte >= 0xe0) length = 3;
    else if (byte >= 0xc0) length = 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

function invalidCharacter(message: string): DOMException {
  return new DOMException(message, "InvalidCharacterError");
}

/** Base64 to a text of code units below 256. */
export function atob(text: unknown): string {
  return part(compute("base64.decode", String(text), "", invalidCharacter), 1);
}

/** A text of code units below 256 as base64. */
export function btoa(text: unknown): string {
  return compute("base64.encode", String(text), "", invalidCharacter);
}
