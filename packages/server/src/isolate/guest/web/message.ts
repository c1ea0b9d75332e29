// Request and Response (WHATWG Fetch, sections 5.4 and 5.5), and their plain forms at the border.
import type { RawAnswer, RawRequest } from "../../raw-http.ts";
import { asText, toJson } from "../primordials.ts";
import { Body, contentOf, type Content } from "./body.ts";
import { base64Of, bytesFrom } from "./bytes.ts";
import type { AbortSignal } from "./events.ts";
import { Headers } from "./headers.ts";
import { URL } from "./url.ts";

interface RequestInit {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly redirect?: "follow" | "manual" | "error";
  readonly signal?: AbortSignal | null;
}

const methodPattern = /^[A-Za-z]{1,20}$/;
const forbiddenMethods = /^(CONNECT|TRACE|TRACK)$/i;
const known = /^(DELETE|GET|HEAD|OPTIONS|POST|PUT|PATCH)$/i;

/** A request. */
export class Request extends Body {
  readonly url: string;
  readonly method: string;
  readonly redirect: "follow" | "manual" | "error";
  readonly signal: AbortSignal | null;

  constructor(input: unknown, init: RequestInit = {}) {
    const from = input instanceof Request ? input : null;
    const { body, method: given = from?.method ?? "GET" } = init;
    const method = known.test(given) ? given.toUpperCase() : given;
    if (!methodPattern.test(method) || forbiddenMethods.test(method)) {
      throw new TypeError(`${asText(given).slice(0, 40)} is no method.`);
    }
    if ((method === "GET" || method === "HEAD") && body !== undefined && body !== null) {
      throw new TypeError(`A ${method} has no body.`);
    }
    const content: Content =
      body === undefined && from !== null
        ? { bytes: Body.peek(from), type: null }
        : contentOf(body);
    super(content, new Headers(init.headers ?? from?.headers));
    this.method = method;
    this.url = from === null ? new URL(input).href : from.url;
    this.redirect = init.redirect ?? from?.redirect ?? "follow";
    this.signal = init.signal ?? from?.signal ?? null;
  }

  clone(): Request {
    return new Request(this);
  }
}

interface ResponseInit {
  readonly status?: number;
  readonly statusText?: string;
  readonly headers?: unknown;
}

const nullBody: ReadonlySet<number> = new Set([101, 204, 205, 304]);
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An answer. */
export class Response extends Body {
  readonly status: number;
  readonly statusText: string;
  readonly type = "default";
  url = "";
  redirected = false;

  constructor(body?: unknown, init: ResponseInit = {}) {
    const { status = 200, statusText = "" } = init;
    if (!(Number.isInteger(status) && status >= 200 && status <= 599)) {
      throw new RangeError(`A Response has a status of 200 to 599, not ${asText(status)}.`);
    }
    if (nullBody.has(status) && body !== undefined && body !== null) {
      throw new TypeError(`A Response of status ${status} has no body.`);
    }
    super(contentOf(body), new Headers(init.headers));
    this.status = status;
    this.statusText = asText(statusText);
  }

  static json(value: unknown, init: ResponseInit = {}): Response {
    const text = toJson(value);
    if (text === undefined) throw new TypeError("The value cannot be written as JSON.");
    const response = new Response(text, init);
    if (new Headers(init.headers).has("content-type")) return response;
    response.headers.set("content-type", "application/json");
    return response;
  }

  static redirect(url: unknown, status = 302): Response {
    if (!redirects.has(status)) throw new RangeError(`${status} is no status of a redirect.`);
    return new Response(null, { status, headers: { location: new URL(url).href } });
  }

  static error(): never {
    throw new TypeError("Throw an error, or answer with a status of your choice.");
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  clone(): Response {
    const { status, statusText, headers } = this;
    return new Response(Body.peek(this), { status, statusText, headers });
  }
}

/** The Request of an http function. */
export function readRequest(raw: RawRequest): Request {
  const { method, url, headers, body } = raw;
  const bytes = body === null || method === "GET" || method === "HEAD" ? null : bytesFrom(body);
  return new Request(url, { method, headers, ...(bytes === null ? {} : { body: bytes }) });
}

/** A Request as plain data. */
export function rawRequestOf(request: Request): RawRequest {
  const bytes = Body.peek(request);
  return {
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    body: bytes === null ? null : base64Of(bytes),
  };
}

/** The answer of an http function as JSON text. @throws TypeError when it is no Response. */
export function rawAnswerOf(value: unknown): string {
  if (!(value instanceof Response)) {
    throw new TypeError(
      "An http function gives back a Response: Response.json(value), or new Response(text).",
    );
  }
  const bytes = Body.peek(value);
  const answer: RawAnswer = {
    status: value.status,
    headers: [...value.headers],
    body: bytes === null ? null : base64Of(bytes),
  };
  return toJson(answer) ?? "null";
}
