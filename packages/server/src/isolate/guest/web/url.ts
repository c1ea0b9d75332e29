// URL (WHATWG URL, section 5). The host parses: it has the one parser that is right in every corner.
import { asText, parse } from "../primordials.ts";
import { compute } from "./bytes.ts";
import { changed, URLSearchParams } from "./url-search-params.ts";

interface Parts {
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
  readonly hash: string;
}

/** An address. */
export class URL {
  #parts: Parts;
  #params: URLSearchParams | null = null;

  constructor(url: unknown, base?: unknown) {
    this.#parts = parsed(asText(url), base === undefined ? "" : asText(base));
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return URL.parse(url, base) !== null;
  }

  static parse(url: unknown, base?: unknown): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  get searchParams(): URLSearchParams {
    if (this.#params === null) {
      this.#params = new URLSearchParams(this.#parts.search);
      this.#params[changed] = (text) => {
        this.#change("search", text);
      };
    }
    return this.#params;
  }

  get href(): string {
    return this.#parts.href;
  }

  set href(value: string) {
    this.#parts = parsed(asText(value), "");
    this.#refill();
  }

  get origin(): string {
    return this.#parts.origin;
  }

  get protocol(): string {
    return this.#parts.protocol;
  }

  set protocol(value: string) {
    this.#change("protocol", value);
  }

  get username(): string {
    return this.#parts.username;
  }

  set username(value: string) {
    this.#change("username", value);
  }

  get password(): string {
    return this.#parts.password;
  }

  set password(value: string) {
    this.#change("password", value);
  }

  get host(): string {
    return this.#parts.host;
  }

  set host(value: string) {
    this.#change("host", value);
  }

  get hostname(): string {
    return this.#parts.hostname;
  }

  set hostname(value: string) {
    this.#change("hostname", value);
  }

  get port(): string {
    return this.#parts.port;
  }

  set port(value: string) {
    this.#change("port", value);
  }

  get pathname(): string {
    return this.#parts.pathname;
  }

  set pathname(value: string) {
    this.#change("pathname", value);
  }

  get search(): string {
    return this.#parts.search;
  }

  set search(value: string) {
    this.#change("search", value);
    this.#refill();
  }

  get hash(): string {
    return this.#parts.hash;
  }

  set hash(value: string) {
    this.#change("hash", value);
  }

  toString(): string {
    return this.#parts.href;
  }

  toJSON(): string {
    return this.#parts.href;
  }

  #change(key: keyof Parts, value: unknown): void {
    const answer = compute("url.set", this.#parts.href, JSON.stringify([key, asText(value)]));
    this.#parts = parse(answer) as Parts;
  }

  #refill(): void {
    if (this.#params !== null) URLSearchParams.refill(this.#params, this.#parts.search);
  }
}

function parsed(url: string, base: string): Parts {
  const invalid = (): TypeError => new TypeError(`Invalid URL: ${url.slice(0, 200)}`);
  return parse(compute("url", url.toWellFormed(), base.toWellFormed(), invalid)) as Parts;
}
