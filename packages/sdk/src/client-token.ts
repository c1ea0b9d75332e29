// Where a client has its token from. What the app gives for it may never answer; the client does not wait for ever.
import { KeelsonError } from "./client-error.ts";

/**
 * A token, or where to get it before each attempt. The function is given the token that the server refused
 * as expired, or null: a new one must be made then, whatever it remembers.
 */
export type TokenSource =
  | string
  | null
  | ((expired: string | null) => string | null | Promise<string | null>);

/** The code of a token that did not come. Not tried again: who waits has waited long enough. */
export const tokenTimedOutCode = "TOKEN_TIMED_OUT";

/** How long a token is waited for. */
export interface TokenWait {
  readonly timeoutMs: number;
  /** The caller's: ends the wait. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks for the token. @param refused the one that the server does not take any more, or null.
 * @throws TOKEN_TIMED_OUT; the signal's reason as soon as the caller gives up; what the app's function throws.
 */
export async function askToken(
  source: TokenSource,
  refused: string | null,
  { timeoutMs, signal }: TokenWait,
): Promise<string | null> {
  if (typeof source !== "function") return source;
  const over = Promise.withResolvers<never>();
  const giveUp = () => over.reject(signal?.reason);
  const timer = setTimeout(() => over.reject(timedOut(timeoutMs)), timeoutMs);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const token = await Promise.race([source(refused), over.promise]);
    signal?.throwIfAborted();
    return token;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

function timedOut(timeoutMs: number): KeelsonError {
  return new KeelsonError({
    code: tokenTimedOutCode,
    message: `The client's \`token\` gave none within ${timeoutMs} ms. Nothing was sent.`,
    status: 0,
    isSent: false,
  });
}
