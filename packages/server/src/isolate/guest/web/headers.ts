// Headers (WHATWG Fetch, section 5.1), without guards: there is no browser whose headers need protection.
const namePattern = /^[!#$%&'*+\-.^_`|~\w]+$/;
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Names and values of a message. */
export class Headers {
  /** By small name, in the order of their first coming. */
  readonly #values = new Map<string, string[]>();

  constructor(init?: unknown) {
    if (init === undefined || init === null) return;
    if (typeof init !== "object")
      throw new TypeError("Headers takes an object or a list of pairs.");
    const pairs =
      Symbol.iterator in init
        ? (init as Iterable<readonly [unknown, unknown]>)
        : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: unknown, value: unknown): void {
    const key = keyOf(name);
    const text = valueOf(value);
    const present = this.#values.get(key);
    if (present === undefined) this.#values.set(key, [text]);
    else present.push(text);
  }

  delete(name: unknown): void {
    this.#values.delete(keyOf(name));
  }

  get(name: unknown): string | null {
    return this.#values.get(keyOf(name))?.join(", ") ?? null;
  }

  getSetCookie(): string[] {
    return [...(this.#values.get("set-cookie") ?? [])];
  }

  has(name: unknown): boolean {
    return this.#values.has(keyOf(name));
  }

  set(name: unknown, value: unknown): void {
    this.#values.set(keyOf(name), [valueOf(value)]);
  }

  forEach(run: (value: string, name: string, headers: Headers) => void, self?: unknown): void {
    for (const [name, value] of this) run.call(self, value, name, this);
  }

  *entries(): Generator<[string, string]> {
    for (const name of [...this.#values.keys()].toSorted()) {
      const values = this.#values.get(name) ?? [];
      if (name !== "set-cookie") yield [name, values.join(", ")];
      else for (const value of values) yield [name, value];
    }
  }

  *keys(): Generator<string> {
    for (const [name] of this.entries()) yield name;
  }

  *values(): Generator<string> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): Generator<[string, string]> {
    return this.entries();
  }
}

function keyOf(name: unknown): string {
  const text = String(name);
  if (!namePattern.test(text)) throw new TypeError(`${text.slice(0, 100)} is no header's name.`);
  return text.toLowerCase();
}

function valueOf(value: unknown): string {
  const text = String(value).replaceAll(/^[\t\r\n ]+|[\t\r\n ]+$/g, "");
  if (!valuePattern.test(text))
    throw new TypeError("A header's value has a character that none may have.");
  return text;
}
