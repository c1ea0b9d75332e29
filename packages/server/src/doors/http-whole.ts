// Requests that came whole in one piece: read here without the life of a stream, which is a sixth of what a read by id
// costs a door (docs/internals/performance.md). It takes only what every reader of HTTP/1.1 reads alike, and says null to all else, which
// node's parser then reads from its first byte: nothing is refused here, and nothing repaired.
//
// Taken is: one of four methods and a path, HTTP/1.1, header lines of visible characters with at most one
// space before their value, a host, a length that is there once and true. Not taken: anything that changes how the
// connection goes on (Connection but for keep-alive, Transfer-Encoding, Upgrade, Expect, Trailer, TE), and bytes left over.
import type { IncomingHttpHeaders } from "node:http";
import type { Socket } from "node:net";

/** What a request says. */
export interface WholeParts {
  readonly method: string;
  readonly url: string;
  /** Names at even places, values at odd ones, as node gives them. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** A request that is all there, with the names of node's `IncomingMessage`. */
export class WholeRequest implements WholeParts {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly socket: Socket;
  readonly complete = true;

  constructor({ method, url, rawHeaders, body }: WholeParts, socket: Socket) {
    this.method = method;
    this.url = url;
    this.rawHeaders = rawHeaders;
    this.body = body;
    this.socket = socket;
  }

  /** By name in lower case, as node makes them: of what was sent twice the first counts, or all do. */
  get headers(): IncomingHttpHeaders {
    const headers: Record<string, string | string[]> = {};
    const raw = this.rawHeaders;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = (raw[index] as string).toLowerCase();
      const value = raw[index + 1] as string;
      const before = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (name === "set-cookie") headers[name] = [before ?? [], value].flat();
      else if (before === undefined) headers[name] = value;
      else if (!single.has(name)) {
        headers[name] = `${String(before)}${name === "cookie" ? "; " : ", "}${value}`;
      }
    }
    return headers;
  }
}

/** Headers of which node keeps the first (its documentation of `message.headers`). */
const single: ReadonlySet<string> = new Set([
  "age",
  "authorization",
  "content-length",
  "content-type",
  "etag",
  "expires",
  "from",
  "host",
  "if-modified-since",
  "if-unmodified-since",
  "last-modified",
  "location",
  "max-forwards",
  "proxy-authorization",
  "referer",
  "retry-after",
  "server",
  "user-agent",
]);

/** Asked with `test` only: an array of what it found costs as much as looking. */
const headPattern =
  /^(?:GET|POST|PATCH|DELETE) \/[!-~]* HTTP\/1\.1\r\n(?:[!#$%'*+\-.^_`\|~\w\x26]+: ?(?:[!-~](?:[ -~]*[!-~])?)?\r\n)+\r\n$/v;
const headEnd = Buffer.from("\r\n\r\n");
const versionChars = " HTTP/1.1\r\n".length;
const lengthPattern = /^\d{1,9}$/v;
const noBytes = Buffer.alloc(0);

/**
 * Reads a request that is all of `bytes`.
 * @param headBytesMax of its first line and headers.
 * @returns null when it is not taken here: it is not whole, or node must say what it is.
 */
export function readWhole(bytes: Buffer, headBytesMax: number): WholeParts | null {
  const headBytes = bytes.indexOf(headEnd) + headEnd.length;
  if (headBytes < headEnd.length || headBytes > headBytesMax) return null;
  // Without the body: whoever keeps a part of this text keeps all of it.
  const text = bytes.toString("latin1", 0, headBytes);
  if (!headPattern.test(text)) return null;
  const urlAt = text.indexOf(" ") + 1;
  const urlEnd = text.indexOf(" ", urlAt);
  const rawHeaders: string[] = [];
  let hasHost = false;
  let length = -1;
  for (let at = urlEnd + versionChars; at < headBytes - 2;) {
    const colon = text.indexOf(":", at);
    const end = text.indexOf("\r", colon);
    const name = text.slice(at, colon);
    const value = text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1, end);
    at = end + 2;
    rawHeaders.push(name, value);
    switch (kindOf(name)) {
      case "host":
        hasHost = true;
        break;
      case "length":
        if (length !== -1 || !lengthPattern.test(value)) return null;
        length = Number(value);
        break;
      case "connection":
        if (value.toLowerCase() !== "keep-alive") return null;
        break;
      case "node's":
        return null;
      case "other":
        break;
    }
  }
  const bodyBytes = bytes.length - headBytes;
  if (!hasHost || bodyBytes !== Math.max(length, 0)) return null;
  const method = text.slice(0, urlAt - 1);
  if (bodyBytes > 0 && method === "GET") return null;
  const url = text.slice(urlAt, urlEnd);
  return { method, url, rawHeaders, body: bodyBytes === 0 ? noBytes : bytes.subarray(headBytes) };
}

/** Most names are told apart by their length alone. */
function kindOf(name: string): "host" | "length" | "connection" | "node's" | "other" {
  switch (name.length) {
    case 4:
      return name.toLowerCase() === "host" ? "host" : "other";
    case 14:
      return name.toLowerCase() === "content-length" ? "length" : "other";
    case 10:
      return name.toLowerCase() === "connection" ? "connection" : "other";
    case 2:
    case 6:
    case 7:
    case 16:
    case 17:
      return nodes.has(name.toLowerCase()) ? "node's" : "other";
    default:
      return "other";
  }
}

/** What changes how a connection goes on. */
const nodes: ReadonlySet<string> = new Set([
  "te",
  "expect",
  "trailer",
  "upgrade",
  "proxy-connection",
  "transfer-encoding",
]);
