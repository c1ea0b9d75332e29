// Parameters of a request, read by type. A parameter that nobody asked for is refused, as Stripe does.
import type { FormValue } from "../http/form-decode.ts";
import { badParam } from "./stripe-error.ts";

/** Parameters of one request. */
export class StripeParams {
  readonly #values: Readonly<Record<string, FormValue>>;
  readonly #asked = new Set<string>(["expand"]);
  readonly #ignored = new Set<string>();
  readonly #at: string;
  readonly #inner: StripeParams[] = [];

  constructor(values: Readonly<Record<string, FormValue>>, at = "") {
    this.#values = values;
    this.#at = at;
  }

  /** A text, or null. */
  text(name: string): string | null {
    const value = this.#take(name);
    if (value === undefined || value === "") return null;
    if (typeof value === "string") return value;
    throw badParam(this.#path(name), `Invalid string: ${name}`);
  }

  /** A text that must be there. */
  needed(name: string): string {
    const value = this.text(name);
    if (value !== null) return value;
    throw badParam(
      this.#path(name),
      `Missing required param: ${this.#path(name)}.`,
      "parameter_missing",
    );
  }

  /** A whole number, or null. */
  int(name: string): number | null {
    const value = this.text(name);
    if (value === null) return null;
    if (/^-?\d{1,15}$/.test(value)) return Number(value);
    throw badParam(this.#path(name), `Invalid integer: ${value}`, "parameter_invalid_integer");
  }

  /** An amount in the smallest unit, at least 1. */
  amount(name: string): number {
    const value = this.int(name);
    if (value === null) this.needed(name);
    if (value !== null && value >= 1 && value <= 99_999_999) return value;
    throw badParam(this.#path(name), "Invalid positive integer", "parameter_invalid_integer");
  }

  flag(name: string): boolean | null {
    const value = this.text(name);
    if (value === null) return null;
    if (value === "true" || value === "false") return value === "true";
    throw badParam(this.#path(name), `Invalid boolean: ${value}`);
  }

  /** One of these words. */
  oneOf<T extends string>(name: string, words: readonly T[]): T | null {
    const value = this.text(name);
    if (value === null) return null;
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    throw badParam(this.#path(name), `Invalid ${name}: must be one of ${words.join(", ")}`);
  }

  /** Texts by name: metadata. */
  map(name: string): Readonly<Record<string, string>> {
    const value = this.#take(name);
    if (value === undefined || value === "") return {};
    if (typeof value !== "object" || Array.isArray(value)) {
      throw badParam(this.#path(name), "Invalid object");
    }
    return Object.fromEntries(
      Object.entries(value).map(([key, text]) => {
        if (typeof text === "string") return [key, text];
        throw badParam(`${this.#path(name)}[${key}]`, "Invalid string");
      }),
    );
  }

  /** Parameters inside a parameter, or null. */
  object(name: string): StripeParams | null {
    const value = this.#take(name);
    if (value === undefined || value === "") return null;
    if (typeof value === "object" && !Array.isArray(value)) return this.#within(value, name);
    throw badParam(this.#path(name), "Invalid object");
  }

  /** A list of parameters. */
  objects(name: string): readonly StripeParams[] {
    const value = this.#take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw badParam(this.#path(name), "Invalid array");
    return value.map((item, index) => {
      if (typeof item === "object" && !Array.isArray(item))
        return this.#within(item, `${name}[${index}]`);
      throw badParam(`${this.#path(name)}[${index}]`, "Invalid object");
    });
  }

  /** A list of texts. */
  texts(name: string): readonly string[] {
    const value = this.#take(name);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw badParam(this.#path(name), "Invalid array");
  }

  /** Skips parameters that this simulator takes and makes nothing of. */
  ignore(...names: readonly string[]): void {
    for (const name of names) {
      this.#asked.add(name);
      this.#ignored.add(name);
    }
  }

  /** Names that were asked for so far, and those that were taken and made nothing of: `items[0][price]` is `items[price]`. */
  names(): { readonly takes: readonly string[]; readonly ignores: readonly string[] } {
    const takes: string[] = [];
    const ignores: string[] = [];
    for (const name of this.#asked) {
      if (name === "expand") continue;
      (this.#ignored.has(name) ? ignores : takes).push(this.#path(name));
    }
    for (const inner of this.#inner) {
      const names = inner.names();
      takes.push(...names.takes);
      ignores.push(...names.ignores);
    }
    return { takes: plain(takes), ignores: plain(ignores) };
  }

  /** @throws StripeError for a parameter that nobody asked for. */
  done(): void {
    for (const name of Object.keys(this.#values)) {
      if (this.#asked.has(name)) continue;
      throw badParam(
        this.#path(name),
        `Received unknown parameter: ${this.#path(name)}`,
        "parameter_unknown",
      );
    }
    for (const inner of this.#inner) inner.done();
  }

  #within(values: Record<string, FormValue>, name: string): StripeParams {
    const inner = new StripeParams(values, this.#path(name));
    this.#inner.push(inner);
    return inner;
  }

  #take(name: string): FormValue | undefined {
    this.#asked.add(name);
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #path(name: string): string {
    return this.#at === "" ? name : `${this.#at}[${name}]`;
  }
}

function plain(names: readonly string[]): readonly string[] {
  const inner = names.map((name) => name.replaceAll(/\[\d+\]/g, ""));
  return [...new Set(inner)].toSorted();
}
