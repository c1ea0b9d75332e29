// Requests of `http` functions in and out: raw both ways, except for what belongs to one hop of the
// connection (RFC 9110 section 7.6.1), which node writes itself.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RawAnswer, RawRequest } from "../isolate/raw-http.ts";
import type { FlatHeaders } from "./http-head.ts";
import type { HttpExchange } from "./http-exchange.ts";

const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Headers that the door writes itself. */
const doorsOwn: ReadonlySet<string> = new Set([
  "content-length",
  "date",
  "x-request-id",
  "x-content-type-options",
]);

const headerName = /^[!#$%&'*+\-.^_`|~\w]+$/;
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/v;

/** A host with or without a port. Anything else in its place would move where the path begins. */
const authority = /^(?:[\w\-.]+|\[[\da-f:.]+\])(?::\d{1,5})?$/iv;

/**
 * Builds what an http function is given.
 * @param isSecure whether the caller came over https.
 * @throws REQUEST_INVALID when the host that was asked is none: the function's URL would not be the one that was asked.
 */
export function rawRequestOf(
  exchange: HttpExchange,
  body: Uint8Array,
  isSecure: boolean,
): RawRequest {
  const { request, head } = exchange;
  const headers: [string, string][] = [];
  const raw = request.rawHeaders;
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] as string).toLowerCase();
    if (!hopByHop.has(name)) headers.push([name, raw[index + 1] as string]);
  }
  const scheme = isSecure ? "https" : "http";
  return {
    method: request.method ?? "GET",
    url: absoluteUrl(request.url ?? "/", scheme, head.host),
    headers,
    body:
      body.length === 0
        ? null
        : Buffer.from(body.buffer, body.byteOffset, body.length).toString("base64"),
  };
}

/** @param target in origin or absolute form; its own host counts more than the header's (RFC 9112, 3.2.2). */
function absoluteUrl(target: string, scheme: string, hostHeader: string | null): string {
  const [, own] = /^https?:\/\/([^\/?#]*)/iv.exec(target) ?? [];
  const host = own ?? (hostHeader === null || hostHeader === "" ? "localhost" : hostHeader);
  const url = own === undefined ? `${scheme}://${host}${target}` : target;
  if (authority.test(host) && URL.canParse(url)) return url;
  throw new PlatformError("REQUEST_INVALID", { header: "host", problem: "is no host" });
}

/** What to write of an http function's answer. */
export interface RawReply {
  readonly status: number;
  readonly headers: FlatHeaders;
  readonly body: Uint8Array | null;
}

/**
 * Reads an http function's answer.
 * @param json a RawAnswer as JSON text. @throws RESULT_INVALID when it can't be sent as HTTP.
 */
export function rawReplyOf(json: string): RawReply {
  const answer = JSON.parse(json) as RawAnswer;
  if (!Number.isInteger(answer.status) || answer.status < 200 || answer.status > 599) {
    throw invalid({ status: answer.status });
  }
  const headers: string[] = [];
  for (const [name, value] of answer.headers) {
    const key = name.toLowerCase();
    if (hopByHop.has(key) || doorsOwn.has(key)) continue;
    if (!headerName.test(key) || !headerValue.test(value)) throw invalid({ header: key });
    headers.push(key, value);
  }
  if (!headers.includes("cache-control")) headers.push("cache-control", "no-store");
  const isBodiless = answer.body === null || answer.status === 204 || answer.status === 304;
  return {
    status: answer.status,
    headers,
    body: isBodiless ? null : Buffer.from(answer.body, "base64"),
  };
}

function invalid(details: { readonly [key: string]: Json }): PlatformError {
  return new PlatformError("RESULT_INVALID", details);
}
