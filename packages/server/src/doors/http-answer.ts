// Writes answers: head and body in one go with their length, so that an answer is one packet and one system
// call. Every exchange is ended here and nowhere else.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import { errorCodes, type ErrorCode } from "../base/error-codes.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Trace } from "../gate/trace-log.ts";
import { hasBody } from "./http-body.ts";
import { chooseCoding, compress, type Coding } from "./http-compress.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { FlatHeaders } from "./http-head.ts";
import type { HttpMetrics } from "./http-metrics.ts";
import { problemOf, type HttpMode } from "./http-problem.ts";
import { tellRefusal, traceOfTold } from "./http-told.ts";
import { WholeConnection } from "./whole-connection.ts";

/** What writing answers needs. */
export interface HttpAnswererParts {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly mode: HttpMode;
  readonly metrics: HttpMetrics;
  /** Whether connections are to be closed after their answer. */
  isDraining(): boolean;
  /** Told of every failure that is not the caller's. */
  report(error: unknown, requestId: string): void;
  /** Told of a request that does not pass the gate. */
  record(finished: Trace): void;
  /** Told once when an exchange is over. */
  ended(exchange: HttpExchange): void;
}

/** Writes answers. */
export interface HttpAnswerer {
  /** An answer of the API: JSON, never cached. */
  json(exchange: HttpExchange, status: number, json: string, extra?: FlatHeaders): void;
  /** A refusal or failure, as problem details. */
  refuse(exchange: HttpExchange, error: unknown, extra?: FlatHeaders): void;
  /** Anything else. @param headers as they are to be sent, without length. @param body null for none. */
  raw(
    exchange: HttpExchange,
    status: number,
    headers: FlatHeaders,
    body: string | Uint8Array | null,
  ): void;
  /** The client went away before there was anything to answer. */
  gone(exchange: HttpExchange): void;
}

/** Nginx's number for a client that went away; it is counted, never sent. */
const statusGone = 499;

/** Who sends so much is not heard further: as for headers, whose sender node's parser gives up on (http-broken.ts). */
const lastCodes: ReadonlySet<ErrorCode> = new Set(["BODY_TOO_LARGE", "URL_TOO_LONG"]);

/** What the server says of itself in its time: nothing failed. */
const timelyCodes: ReadonlySet<ErrorCode> = new Set(["NOT_READY", "SHUTTING_DOWN"]);

/** Makes the one writer of answers of a door. */
export function openHttpAnswerer(parts: HttpAnswererParts): HttpAnswerer {
  return { json, refuse, raw, gone };

  function json(exchange: HttpExchange, status: number, text: string, extra?: FlatHeaders): void {
    sendJson(exchange, status, "application/json", text, extra);
  }

  function refuse(exchange: HttpExchange, error: unknown, extra?: FlatHeaders): void {
    const { requestId } = exchange;
    if (isFailure(error)) parts.report(error, requestId);
    tellRefusal(exchange.told, error);
    const problem = problemOf(error, requestId, parts.mode);
    if (lastCodes.has(problem.code)) exchange.isLast = true;
    const headers = extra === undefined ? [] : [...extra];
    if (problem.retryAfterSeconds !== null) headers.push("retry-after", problem.retryAfterSeconds);
    if (problem.status === 401) headers.push("www-authenticate", "Bearer");
    sendJson(exchange, problem.status, "application/problem+json", problem.json, headers);
  }

  function sendJson(
    exchange: HttpExchange,
    status: number,
    type: string,
    text: string,
    extra: FlatHeaders | undefined,
  ): void {
    const bytes = Buffer.byteLength(text);
    const headers: (string | number)[] = ["content-type", type, "cache-control", "no-store"];
    if (extra !== undefined) headers.push(...extra);
    if (bytes < parts.limits.compressBytesMin) {
      write(exchange, status, headers, text, bytes);
      return;
    }
    headers.push("vary", "accept-encoding");
    const coding = chooseCoding(exchange.head.acceptEncoding);
    if (coding === null) write(exchange, status, headers, text, bytes);
    else writeCompressed(exchange, status, headers, { text, bytes, coding });
  }

  function writeCompressed(
    exchange: HttpExchange,
    status: number,
    headers: (string | number)[],
    plain: { text: string; bytes: number; coding: Coding },
  ): void {
    compress(plain.text, plain.coding, (compressed) => {
      if (compressed === null || compressed.length >= plain.bytes) {
        write(exchange, status, headers, plain.text, plain.bytes);
        return;
      }
      headers.push("content-encoding", plain.coding);
      write(exchange, status, headers, compressed, compressed.length);
    });
  }

  function raw(
    exchange: HttpExchange,
    status: number,
    headers: FlatHeaders,
    body: string | Uint8Array | null,
  ): void {
    const bytes = body === null ? 0 : Buffer.byteLength(body);
    write(exchange, status, [...headers], body, bytes);
  }

  function write(
    exchange: HttpExchange,
    status: number,
    headers: (string | number)[],
    body: string | Uint8Array | null,
    bytes: number,
  ): void {
    const { request, response, head } = exchange;
    if (exchange.isEnded) return;
    if (response.destroyed) {
      gone(exchange);
      return;
    }
    headers.push("x-content-type-options", "nosniff", "x-request-id", exchange.requestId);
    if (status !== 204 && status !== 304) headers.push("content-length", bytes);
    if (head.origin !== null || exchange.app.cors.varies) pushCors(exchange, headers);
    const isLast = exchange.isLast || parts.isDraining();
    if (response instanceof WholeConnection) {
      response.send({ status, headers, body, bytes, isLast });
      end(exchange, status, bytes);
      return;
    }
    const isUnread = !request.complete && hasBody(head);
    if (isUnread || isLast) headers.push("connection", "close");
    response.writeHead(status, headers as string[]);
    if (isUnread) linger(request, response, body);
    else if (body === null) response.end();
    // As many bytes as characters: ASCII, which goes out as it is instead of being encoded.
    else if (typeof body === "string" && body.length === bytes) response.end(body, "latin1");
    else response.end(body);
    end(exchange, status, bytes);
  }

  /**
   * Sends the whole answer, then reads on for a moment before closing. Closing at once, with bytes of the
   * request unread, makes TCP reset the connection and the client may never see the answer (RFC 9112, 9.6).
   */
  function linger(
    request: IncomingMessage,
    response: ServerResponse,
    body: string | Uint8Array | null,
  ): void {
    if (body !== null) response.write(body);
    const close = () => {
      cancel();
      if (!response.writableEnded) response.end();
    };
    const cancel = parts.clock.after(parts.limits.lingerMs, close);
    request.once("end", close).once("close", close).resume();
  }

  function gone(exchange: HttpExchange): void {
    end(exchange, statusGone, 0);
  }

  function end(exchange: HttpExchange, status: number, bytesOut: number): void {
    if (exchange.isEnded) return;
    exchange.isEnded = true;
    const { told } = exchange;
    if (told !== null) parts.record(traceOfTold(told, exchange, parts.clock, bytesOut));
    parts.metrics.count(exchange.route, status, parts.clock.monotonicUs() - exchange.startedUs);
    parts.ended(exchange);
  }
}

function pushCors(exchange: HttpExchange, headers: (string | number)[]): void {
  const { cors } = exchange.app;
  if (cors.varies) headers.push("vary", "origin");
  const { origin } = exchange.head;
  // An http function that sets its own CORS headers, or a preflight, has them already.
  if (origin === null || headers.includes("access-control-allow-origin")) return;
  const granted = cors.headers(origin);
  if (granted !== null) headers.push(...granted);
}

/** Whether the operator is to hear of it. */
function isFailure(error: unknown): boolean {
  if (!(error instanceof PlatformError)) return true;
  return errorCodes[error.code].fault === "host" && !timelyCodes.has(error.code);
}
