// The HTTP transport: requests to the addresses of the REST doors, answers and problem details back.
import { KeelsonError } from "./client-error.ts";
import type { ClientStep, RequestQuery } from "./client-request.ts";
import { stepForm } from "./client-step.ts";
import type { Transport, TransportAttempt } from "./client-transport.ts";
import type { Json } from "./spec.ts";

/** Longer addresses are sent as a batch of one: servers and proxies cut addresses at 8 KB. */
const addressCharsMax = 6_000;

/** The part of `fetch` that is used: what tests and other runtimes put in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** One request to an address of the server. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  /** Whether the answer is a batch's, and its only result is meant. */
  readonly unwrap?: true;
}

/** A transport over `fetch`. @param url where the server is, with or without a path before `/api`. */
export function httpTransport(url: string, fetch: Fetch): Transport {
  const base = url.replace(/\/+$/, "");
  return {
    async send(attempt) {
      const request = httpRequest(attempt.request);
      const answer = await askHttp(fetch, base, request, attempt);
      return request.unwrap ? firstResult(answer) : answer;
    },
  };
}

/** Sends one request. @param base the server's address without a slash at its end. @returns the answer's JSON value. @throws KeelsonError. */
export async function askHttp(
  fetch: Fetch,
  base: string,
  request: HttpRequest,
  attempt: Omit<TransportAttempt, "request">,
): Promise<unknown> {
  return readAnswer(await exchange(fetch, base, request, attempt));
}

/** The results of a batch's answer, in the order of its steps. @throws KeelsonError when it is no such answer. */
export function batchResults(answer: unknown): readonly unknown[] {
  const results = isObject(answer) ? answer["results"] : answer;
  if (Array.isArray(results)) return results;
  throw answerInvalid(200, null);
}

function firstResult(answer: unknown): unknown {
  return batchResults(answer)[0];
}

function httpRequest(request: TransportAttempt["request"]): HttpRequest {
  if (request.kind === "batch") {
    return { method: "POST", path: "/api/batch", body: { steps: request.steps.map(stepForm) } };
  }
  const single = stepRequest(request);
  if (single.path.length <= addressCharsMax) return single;
  return {
    method: "POST",
    path: "/api/batch",
    body: { steps: [stepForm(request)] },
    unwrap: true,
  };
}

function stepRequest(step: ClientStep): HttpRequest {
  switch (step.kind) {
    case "call":
      return { method: "POST", path: `/api/fn/${encodeURIComponent(step.name)}`, body: step.args };
    case "list":
      return { method: "GET", path: `${tablePath(step.table)}${queryString(step.query)}` };
    case "get":
      return { method: "GET", path: `${tablePath(step.table, step.id)}${queryString(step.query)}` };
    case "create":
      return { method: "POST", path: tablePath(step.table), body: step.value };
    case "update":
      return { method: "PATCH", path: tablePath(step.table, step.id), body: step.value };
    case "delete":
      return { method: "DELETE", path: tablePath(step.table, step.id) };
    default:
      return step satisfies never;
  }
}

function tablePath(table: string, id?: string): string {
  const path = `/api/tables/${encodeURIComponent(table)}`;
  return id === undefined ? path : `${path}/${encodeURIComponent(id)}`;
}

function queryString(query: RequestQuery): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue;
    params.set(name, paramText(name, value));
  }
  const text = params.toString();
  return text === "" ? "" : `?${text}`;
}

function paramText(name: string, value: unknown): string {
  // Names alone stand as they are: `with: "film"`.
  const isForm = name === "with" && typeof value !== "string";
  if (isForm || name === "where" || name === "aggregate") return JSON.stringify(value);
  return Array.isArray(value) ? value.join(",") : String(value);
}

async function exchange(
  fetch: Fetch,
  base: string,
  request: HttpRequest,
  attempt: Omit<TransportAttempt, "request">,
): Promise<Response> {
  const headers: Record<string, string> = { accept: "application/json" };
  if (request.body !== undefined) headers["content-type"] = "application/json";
  if (attempt.token !== null) headers["authorization"] = `Bearer ${attempt.token}`;
  if (attempt.idempotencyKey !== null) headers["idempotency-key"] = attempt.idempotencyKey;
  if (attempt.mayBeRepeat) headers["idempotency-repeat"] = "?1";
  const init: RequestInit = { method: request.method, headers, signal: attempt.signal };
  if (request.body !== undefined) init.body = JSON.stringify(request.body);
  try {
    return await fetch(base + request.path, init);
  } catch (error) {
    throw connectionLost(error);
  }
}

async function readAnswer(response: Response): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw connectionLost(error);
  }
  const answer = text === "" ? undefined : parse(text);
  if (!response.ok) throw refusal(response, answer);
  if (answer === notJson)
    throw answerInvalid(response.status, response.headers.get("x-request-id"));
  return answer;
}

const notJson = Symbol("not JSON");

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Another server answers at this address, or a proxy in between: told by the caller with the status.
    return notJson;
  }
}

/** A problem of RFC 9457 as an error. */
function refusal(response: Response, answer: unknown): KeelsonError {
  const requestId = response.headers.get("x-request-id");
  if (!isObject(answer) || typeof answer["code"] !== "string") {
    return answerInvalid(response.status, requestId, retryAfterMs(response));
  }
  const { detail, title, details, code } = answer;
  return new KeelsonError({
    code,
    message: [detail, title, code].find((text) => typeof text === "string") as string,
    status: response.status,
    ...(isObject(details) && { details: details as { readonly [key: string]: Json } }),
    requestId: typeof answer["requestId"] === "string" ? answer["requestId"] : requestId,
    retryAfterMs: retryAfterMs(response),
  });
}

/** Retry-After in seconds; its other form, a date, would trust two clocks to agree. */
function retryAfterMs(response: Response): number | null {
  const text = response.headers.get("retry-after");
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) * 1_000 : null;
}

function answerInvalid(
  status: number,
  requestId: string | null,
  retryAfterMs: number | null = null,
): KeelsonError {
  return new KeelsonError({
    code: "ANSWER_INVALID",
    message: isGateway(status)
      ? `Whoever stands before the server can't reach it (status ${status}).`
      : `The answer (status ${status}) is not one of Keelson's. Is this the right address?`,
    status,
    requestId,
    retryAfterMs,
  });
}

function connectionLost(cause: unknown): KeelsonError {
  return new KeelsonError({
    code: "CONNECTION_LOST",
    message: "There was no answer.",
    status: 0,
    cause,
  });
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a proxy says for a server that is down, that starts, or that does not answer it. */
function isGateway(status: number): boolean {
  return status === 502 || status === 503 || status === 504;
}
