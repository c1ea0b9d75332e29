// Requests that node's parser gave up on: too large, too slow, or not HTTP. There is no request object for
// them, so the answer is written to the socket by hand; then the connection ends.
//
// Invariant: an answer written here never takes the place of another one. While an earlier request of the
// connection is being answered, only that answer goes out.
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { problemOf, type HttpMode } from "./http-problem.ts";

/** Node keeps the answer that is being made on its socket. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  413: "Content Too Large",
  431: "Request Header Fields Too Large",
};

/** Node's codes for what went wrong; all others are bytes that are no HTTP. */
const brokenCodes: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: "HEADERS_TOO_LARGE",
  HPE_CHUNK_EXTENSIONS_OVERFLOW: "BODY_TOO_LARGE",
  ERR_HTTP_REQUEST_TIMEOUT: "REQUEST_TIMEOUT",
};

/**
 * Answers a connection whose request could not be read.
 * @param error of node's `clientError` event.
 * @returns the status sent, or null when nothing was.
 */
export function answerBroken(
  error: Error & { readonly code?: string },
  socket: HttpSocket,
  options: {
    readonly requestId: string;
    readonly mode: HttpMode;
    readonly limits: Limits;
    readonly clock: Clock;
  },
): number | null {
  // It was answered: what still comes is read, and is nobody's, until the connection ends.
  if (socket.writableEnded && error.code !== "ECONNRESET") return null;
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return null;
  }
  const underway = socket._httpMessage ?? null;
  if (underway !== null && (underway.headersSent || underway.req.complete)) {
    // Its own answer goes out, is the last, and closes the connection.
    if (underway.headersSent && !underway.writableEnded) underway.end();
    underway.shouldKeepAlive = false;
    return null;
  }
  const problem = problemOf(refusalOf(error), options.requestId, options.mode);
  const head = [
    `HTTP/1.1 ${problem.status} ${statusTexts[problem.status] ?? "Bad Request"}`,
    "content-type: application/problem+json",
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `x-request-id: ${options.requestId}`,
    `content-length: ${Buffer.byteLength(problem.json)}`,
    "connection: close",
  ].join("\r\n");
  const text = `${head}\r\n\r\n${problem.json}`;
  if (underway === null) {
    socket.end(text);
    // Not at once, with bytes of the request unread: the client might never see the answer (RFC 9112, 9.6).
    const cancel = options.clock.after(options.limits.lingerMs, () => socket.destroy());
    socket.once("close", cancel);
  } else {
    // Whoever is at work on that request learns now that there is nobody to answer.
    socket.end(text, () => socket.destroy());
  }
  return problem.status;
}

function refusalOf(error: Error & { readonly code?: string }): PlatformError {
  const code = brokenCodes[error.code ?? ""] ?? "REQUEST_INVALID";
  return new PlatformError(code, {}, { cause: error });
}
