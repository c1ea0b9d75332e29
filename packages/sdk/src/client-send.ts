// Sends a request until it is answered: attempts, deadlines, keys. One of these for each client.
import { KeelsonError } from "./client-error.ts";
import { isRead, type ClientRequest } from "./client-request.ts";
import { failureKind, retryDelayMs, type RetryPolicy } from "./client-retry.ts";
import { askToken, type TokenSource } from "./client-token.ts";
import type { Transport } from "./client-transport.ts";

/** Options of one call. */
export interface CallOptions {
  /** Gives the call up. The server may have done it. */
  readonly signal?: AbortSignal;
  /** Time for each attempt, and before it for the token, in ms. Default: the client's. */
  readonly timeoutMs?: number;
  /** For a write whose repeat you make yourself, also after a reload of the page. Default: a new one. */
  readonly idempotencyKey?: string;
}

/** What sending needs. */
export interface SenderParts {
  readonly transport: Transport;
  /** Calls back as soon as the transport has a connection again. @returns a function that ends it. */
  readonly whenOpen?: (callback: () => void) => () => void;
  readonly token: TokenSource;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Keys grow with time, so that those of one minute stand side by side in the server's index. */
function newKey(): string {
  return `${Date.now().toString(36)}-${crypto.randomUUID()}`;
}

/** @returns the answer. @throws KeelsonError; or the signal's reason when the caller gave up. */
export async function sendRequest(
  parts: SenderParts,
  request: ClientRequest,
  options: CallOptions,
): Promise<unknown> {
  const idempotencyKey = isRead(request) ? null : (options.idempotencyKey ?? newKey());
  let unanswered: KeelsonError | null = null;
  const token: TokenState = { last: null, expired: null };
  for (let made = 1; ; made++) {
    options.signal?.throwIfAborted();
    try {
      const mayBeRepeat = unanswered !== null && idempotencyKey !== null;
      return await attempt(parts, request, options, { idempotencyKey, mayBeRepeat }, token);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof KeelsonError)) throw error;
      // The server would not run the action again: all that is known is that the first answer was lost.
      if (error.code === "ACTION_MAYBE_DONE" && unanswered !== null) throw unanswered;
      if (isTokenRefused(error) && isRenewable(parts.token, token)) {
        token.expired = token.last;
        continue;
      }
      const kind = failureKind(error);
      const delayMs = retryDelayMs(error, made, parts.retry, parts.random);
      // That this attempt was not begun says nothing of those before it.
      const isNotDone = kind === "notDone" || !error.isSent;
      if (delayMs === null) throw isNotDone ? (unanswered ?? error) : error;
      if (kind === "unknown") unanswered = error;
      // A push of the next connection may show what was done: the answer is asked for with it, not later.
      const isLost = error.code === "CONNECTION_LOST";
      await sleep(delayMs, options.signal, isLost ? parts.whenOpen : undefined);
    }
  }
}

/** The tokens of one request. */
interface TokenState {
  last: string | null;
  /** Refused: the next attempt asks for another one. */
  expired: string | null;
}

function isTokenRefused({ code }: KeelsonError): boolean {
  return code === "TOKEN_EXPIRED" || code === "TOKEN_INVALID";
}

/** Once for each request: a source that gives expired tokens twice has no other. */
function isRenewable(source: TokenSource, token: TokenState): boolean {
  return typeof source === "function" && token.expired === null && token.last !== null;
}

async function attempt(
  parts: SenderParts,
  request: ClientRequest,
  options: CallOptions,
  state: { readonly idempotencyKey: string | null; readonly mayBeRepeat: boolean },
  tokens: TokenState,
): Promise<unknown> {
  const timeoutMs = options.timeoutMs ?? parts.timeoutMs;
  const wait = { timeoutMs, signal: options.signal };
  const token = await askToken(parts.token, tokens.expired, wait);
  tokens.last = token;
  const ending = new AbortController();
  const giveUp = () => ending.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", giveUp, { once: true });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    ending.abort();
  }, timeoutMs);
  try {
    return await parts.transport.send({ request, token, ...state, signal: ending.signal });
  } catch (error) {
    if (!isLate) throw error;
    throw new KeelsonError({
      code: "TIMED_OUT",
      message: `There was no answer within ${timeoutMs} ms.`,
      status: 0,
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", giveUp);
  }
}

/** @param whenOpen ends it early. */
function sleep(
  ms: number,
  signal: AbortSignal | undefined,
  whenOpen: SenderParts["whenOpen"],
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      stop?.();
      if (signal?.aborted === true) reject(signal.reason);
      else resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener("abort", end, { once: true });
    const stop = whenOpen?.(end);
  });
}
