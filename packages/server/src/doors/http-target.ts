// The request target (the part after the method) taken apart without a URL object: path and query stay
// raw until a route wants a part decoded. Anything that two programs could read in two ways is refused:
// empty segments, dot segments, percent signs that decode to nothing, bytes outside visible ASCII.
import { PlatformError } from "../base/platform-error.ts";

/** A target. Both parts are still percent-encoded. */
export interface HttpTarget {
  /** Starts with a slash. */
  readonly path: string;
  /** Without the question mark; empty when there is none. */
  readonly query: string;
}

const slash = 0x2f;
const dot = 0x2e;

/**
 * Splits a target in origin form (`/a?b`) or absolute form (`http://host/a?b`, RFC 9112 section 3.2.2).
 * @param charsMax limits.urlCharsMax. @throws URL_TOO_LONG; REQUEST_INVALID.
 */
export function splitTarget(url: string, charsMax: number): HttpTarget {
  if (url.length > charsMax) throw new PlatformError("URL_TOO_LONG", { charsMax });
  const target = url.charCodeAt(0) === slash ? url : originForm(url);
  const mark = target.indexOf("?");
  const path = mark === -1 ? target : target.slice(0, mark);
  assertPath(path);
  return { path, query: mark === -1 ? "" : target.slice(mark + 1) };
}

/**
 * Decodes one path segment or query value.
 * @throws REQUEST_INVALID when a percent sign is not followed by UTF-8 in hex, or a NUL comes out.
 */
export function decodePart(part: string): string {
  if (!part.includes("%")) return part;
  let decoded: string;
  try {
    decoded = decodeURIComponent(part);
  } catch (cause) {
    throw new PlatformError("REQUEST_INVALID", { problem: "bad percent-encoding" }, { cause });
  }
  if (decoded.includes("\0")) throw malformed("a NUL in the address");
  return decoded;
}

/** The segments of a path, decoded. @throws REQUEST_INVALID also for an encoded dot segment. */
export function pathSegments(path: string): string[] {
  const segments = path.slice(1).split("/").map(decodePart);
  for (const segment of segments) {
    if (segment === "." || segment === "..") throw malformed("a dot segment");
  }
  return segments;
}

function originForm(url: string): string {
  const authority = /^https?:\/\/[^\/?#]+/iv.exec(url);
  if (authority === null) throw malformed("the target is neither a path nor an http address");
  const rest = url.slice(authority[0].length);
  return rest.startsWith("/") ? rest : `/${rest}`;
}

function assertPath(path: string): void {
  let before = 0;
  for (let index = 0; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (code <= 0x20 || code > 0x7e || code === 0x23 || code === 0x5c) {
      throw malformed("a character that has no place in a path");
    }
    if (before === slash) {
      if (code === slash) throw malformed("an empty segment");
      if (code === dot && isDotSegment(path, index)) throw malformed("a dot segment");
    }
    before = code;
  }
}

function isDotSegment(path: string, at: number): boolean {
  const end = path.indexOf("/", at);
  const segment = end === -1 ? path.slice(at) : path.slice(at, end);
  return segment === "." || segment === "..";
}

function malformed(problem: string): PlatformError {
  return new PlatformError("REQUEST_INVALID", { problem });
}
