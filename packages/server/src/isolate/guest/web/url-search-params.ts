// URLSearchParams (WHATWG URL, section 6).
import { asText } from "../primordials.ts";
import { utf8, utf8Text } from "./bytes.ts";

type Pair = [string, string];

const plus = 0x2b;
const percent = 0x25;
const space = 0x20;

/** Set by URL: what to do when the list changes. */
export const changed: unique symbol = Symbol("changed");

/** A list of names and values. */
export class URLSearchParams {
  #pairs: Pair[] = [];
  [changed]: ((text: string) => void) | null = null;

  constructor(init: unknown = "") {
    if (typeof init === "object" && init !== null) this.#fill(init);
    else this.#parse(asText(init));
    Object.defineProperty(this, changed, { enumerable: false });
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    this.#pairs.push([usv(name), usv(value)]);
    this.#update();
  }

  delete(name: string, value?: string): void {
    this.#pairs = this.#pairs.filter(
      ([key, item]) => key !== name || (value !== undefined && item !== value),
    );
    this.#update();
  }

  get(name: string): string | null {
    return this.#pairs.find(([key]) => key === name)?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([key]) => key === name).map(([, value]) => value);
  }

  has(name: string, value?: string): boolean {
    return this.#pairs.some(
      ([key, item]) => key === name && (value === undefined || item === value),
    );
  }

  set(name: string, value: string): void {
    const at = this.#pairs.findIndex(([key]) => key === name);
    if (at === -1) {
      this.append(name, value);
      return;
    }
    this.#pairs = this.#pairs.filter(([key], index) => key !== name || index === at);
    (this.#pairs[at] as Pair)[1] = usv(value);
    this.#update();
  }

  sort(): void {
    this.#pairs.sort(([left], [right]) => {
      if (left === right) return 0;
      return left < right ? -1 : 1;
    });
    this.#update();
  }

  forEach(
    run: (value: string, name: string, params: URLSearchParams) => void,
    self?: unknown,
  ): void {
    for (const [name, value] of this.#pairs) run.call(self, value, name, this);
  }

  *entries(): Generator<[string, string]> {
    for (const [name, value] of this.#pairs) yield [name, value];
  }

  *keys(): Generator<string> {
    for (const [name] of this.#pairs) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.#pairs) yield value;
  }

  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");
  }

  /** Another query took the place of this one. */
  static refill(params: URLSearchParams, query: string): void {
    params.#pairs = [];
    params.#parse(query);
  }

  #update(): void {
    this[changed]?.(this.toString());
  }

  #fill(init: object): void {
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<readonly unknown[]>) {
        const [name, value, ...more] = [...pair];
        if (value === undefined || more.length > 0) {
          throw new TypeError("Each pair of URLSearchParams is a name and a value.");
        }
        this.#pairs.push([usv(name), usv(value)]);
      }
      return;
    }
    for (const [name, value] of Object.entries(init)) {
      this.#pairs.push([usv(name), usv(value)]);
    }
  }

  #parse(query: string): void {
    const text = query.startsWith("?") ? query.slice(1) : query;
    for (const piece of text.split("&")) {
      if (piece === "") continue;
      const at = piece.indexOf("=");
      const name = at === -1 ? piece : piece.slice(0, at);
      this.#pairs.push([decoded(name), at === -1 ? "" : decoded(piece.slice(at + 1))]);
    }
  }
}

function usv(value: unknown): string {
  return asText(value).toWellFormed();
}

function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text.toWellFormed();
  const bytes = utf8(text);
  const out: number[] = [];
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] as number;
    const hex = byte === percent ? hexAt(bytes, index) : null;
    if (hex !== null) {
      out.push(hex);
      index += 2;
    } else out.push(byte === plus ? space : byte);
  }
  return utf8Text(new Uint8Array(out));
}

function hexAt(bytes: Uint8Array, index: number): number | null {
  const text = String.fromCharCode(bytes[index + 1] ?? 0, bytes[index + 2] ?? 0);
  return /^[0-9a-f]{2}$/i.test(text) ? Number.parseInt(text, 16) : null;
}

/** application/x-www-form-urlencoded. */
function encoded(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()~]/g, (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`);
}
