// Reads a request's body into memory, with a limit that holds whatever Content-Length says. Slow bodies are
// node's business (server.requestTimeout); this file never waits by a clock.
import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { parseJson } from "../base/json-parse.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { HttpHead } from "./http-head.ts";

/** What became of a body. `gone`: the client went away before its end. */
export type BodyOutcome =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "tooLarge" }
  | { readonly kind: "gone" };

const nothing = Buffer.alloc(0);

/** Whether the headers announce a body. */
export function hasBody(head: HttpHead): boolean {
  return (head.contentLength !== null && head.contentLength > 0) || head.transferEncoding !== null;
}

/**
 * Refuses bodies whose length or coding nobody here will read, before a byte is read.
 * @throws BODY_TOO_LARGE, BODY_TYPE_UNSUPPORTED, REQUEST_INVALID.
 */
export function assertBodyAccepted(head: HttpHead, bytesMax: number): void {
  if (head.contentLength !== null && head.contentLength > bytesMax) {
    throw new PlatformError("BODY_TOO_LARGE", { bytesMax });
  }
  if (head.contentEncoding !== null && head.contentEncoding.toLowerCase() !== "identity") {
    throw new PlatformError("BODY_TYPE_UNSUPPORTED", { problem: "send the body uncompressed" });
  }
  if (head.transferEncoding !== null && head.transferEncoding.toLowerCase() !== "chunked") {
    throw new PlatformError("REQUEST_INVALID", { problem: "a transfer coding other than chunked" });
  }
}

/** Reads the body. @param bytesMax counted as they come. @param done called once. */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  done: (outcome: BodyOutcome) => void,
): void {
  let chunks: Buffer[] | null = null;
  let first: Buffer = nothing;
  let bytes = 0;
  const settle = (outcome: BodyOutcome) => {
    request.off("data", onData).off("end", onEnd).off("close", onGone).off("error", onGone);
    // A later error of the socket has nobody else to listen for it.
    request.on("error", ignore);
    done(outcome);
  };
  const onData = (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) {
      settle({ kind: "tooLarge" });
      return;
    }
    if (first === nothing) first = chunk;
    else (chunks ??= [first]).push(chunk);
  };
  const onEnd = () =>
    settle({ kind: "read", bytes: chunks === null ? first : Buffer.concat(chunks, bytes) });
  const onGone = () => settle({ kind: "gone" });
  request.on("data", onData).on("end", onEnd).on("close", onGone).on("error", onGone);
}

/**
 * Reads bytes as JSON.
 * @throws BODY_TYPE_UNSUPPORTED unless the type is JSON in UTF-8; JSON_INVALID, JSON_TOO_DEEP, JSON_KEY_FORBIDDEN.
 */
export function parseJsonBody(bytes: Buffer, contentType: string | null, depthMax: number): Json {
  if (!isJsonType(contentType)) throw new PlatformError("BODY_TYPE_UNSUPPORTED", {});
  if (!isUtf8(bytes)) throw new PlatformError("JSON_INVALID", { problem: "not UTF-8" });
  return parseJson(bytes.toString("utf8"), depthMax);
}

function isJsonType(contentType: string | null): boolean {
  if (contentType === "application/json") return true;
  if (contentType === null) return false;
  const [type = "", ...parameters] = contentType.toLowerCase().split(";");
  const name = type.trim();
  if (name !== "application/json" && !/^application\/[\w.\-]+\+json$/v.test(name)) return false;
  return parameters.every((parameter) => {
    const [key = "", value = ""] = parameter.trim().split("=");
    return key !== "charset" || /^"?utf-?8"?$/v.test(value);
  });
}

function ignore(): void {}
