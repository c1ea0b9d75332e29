// The headers that the HTTP door acts on, picked out of node's raw list in one pass. Building node's
// `req.headers` object costs more than the rest of a read by id; nothing on the hot routes touches it.
import { PlatformError } from "../base/platform-error.ts";

/** Headers as a flat list: name, value, name, value. */
export type FlatHeaders = readonly (string | number)[];

/** What a request's headers say. Null: absent. */
export interface HttpHead {
  authorization: string | null;
  cookie: string | null;
  contentType: string | null;
  /** Bytes, as declared; null when not declared. */
  contentLength: number | null;
  contentEncoding: string | null;
  transferEncoding: string | null;
  acceptEncoding: string | null;
  accept: string | null;
  idempotencyKey: string | null;
  /** The client sent it before and got no answer. */
  mayBeRepeat: boolean;
  ifNoneMatch: string | null;
  origin: string | null;
  host: string | null;
  preflightMethod: string | null;
  forwardedFor: string | null;
  forwardedProto: string | null;
  /** Any header that a proxy adds. */
  forwarded: boolean;
}

/** The head of a request whose headers were not read. */
export const noHead: Readonly<HttpHead> = Object.freeze(newHead());

/**
 * Reads the raw header list of a request.
 * @param raw names at even places, values at odd ones, as node gives them.
 * @throws REQUEST_INVALID when a header that decides something is there twice.
 */
export function readHead(raw: readonly string[]): HttpHead {
  const head: HttpHead = newHead();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = raw[index] as string;
    if (isWanted(name.length)) take(head, name.toLowerCase(), raw[index + 1] as string);
  }
  return head;
}

/** One header that few requests are asked for: the first of the name, or null. @param name in lower case. */
export function headerIn(raw: readonly string[], name: string): string | null {
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const found = raw[index] as string;
    if (found.length === name.length && found.toLowerCase() === name)
      return raw[index + 1] as string;
  }
  return null;
}

/** Most headers of a browser are told apart by their length alone. */
function isWanted(length: number): boolean {
  switch (length) {
    case 3:
    case 4:
    case 6:
    case 9:
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 29:
      return true;
    default:
      return false;
  }
}

function take(head: HttpHead, name: string, value: string): void {
  switch (name) {
    case "host":
      head.host = once(head.host, name, value);
      return;
    case "authorization":
      head.authorization = once(head.authorization, name, value);
      return;
    case "cookie":
      head.cookie = head.cookie === null ? value : `${head.cookie}; ${value}`;
      return;
    case "content-type":
      head.contentType = once(head.contentType, name, value);
      return;
    case "content-length":
      head.contentLength = Number(value);
      return;
    case "content-encoding":
      head.contentEncoding = once(head.contentEncoding, name, value);
      return;
    case "transfer-encoding":
      head.transferEncoding = once(head.transferEncoding, name, value);
      return;
    case "accept-encoding":
      head.acceptEncoding = joined(head.acceptEncoding, value);
      return;
    case "accept":
      head.accept = joined(head.accept, value);
      return;
    case "idempotency-key":
      head.idempotencyKey = once(head.idempotencyKey, name, value);
      return;
    case "idempotency-repeat":
      // A structured field's boolean (RFC 9651): `?1` is yes.
      head.mayBeRepeat = value === "?1";
      return;
    case "if-none-match":
      head.ifNoneMatch = joined(head.ifNoneMatch, value);
      return;
    case "origin":
      head.origin = once(head.origin, name, value);
      return;
    case "access-control-request-method":
      head.preflightMethod = once(head.preflightMethod, name, value);
      return;
    case "x-forwarded-for":
      head.forwarded = true;
      head.forwardedFor = joined(head.forwardedFor, value);
      return;
    case "x-forwarded-proto":
      head.forwarded = true;
      head.forwardedProto = joined(head.forwardedProto, value);
      return;
    case "forwarded":
    case "via":
      head.forwarded = true;
      return;
    default:
  }
}

function joined(before: string | null, value: string): string {
  return before === null ? value : `${before}, ${value}`;
}

function once(before: string | null, header: string, value: string): string {
  if (before !== null)
    throw new PlatformError("REQUEST_INVALID", { header, problem: "sent twice" });
  return value;
}

function newHead(): HttpHead {
  return {
    authorization: null,
    cookie: null,
    contentType: null,
    contentLength: null,
    contentEncoding: null,
    transferEncoding: null,
    acceptEncoding: null,
    accept: null,
    idempotencyKey: null,
    mayBeRepeat: false,
    ifNoneMatch: null,
    origin: null,
    host: null,
    preflightMethod: null,
    forwardedFor: null,
    forwardedProto: null,
    forwarded: false,
  };
}
