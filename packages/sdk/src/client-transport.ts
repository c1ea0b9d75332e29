// The port between the client and the wire. HTTP is one; a WebSocket that carries the same requests is
// another. A transport sends once: retries, keys and batches are decided above it.
import type { ClientRequest } from "./client-request.ts";

/** One attempt at one request. */
export interface TransportAttempt {
  readonly request: ClientRequest;
  /** The bearer token, or null for none. */
  readonly token: string | null;
  /** The same on every attempt; null for reads. */
  readonly idempotencyKey: string | null;
  /**
   * True when an earlier attempt got no answer, so that the request may have been done already. The server
   * refuses to run an action then (ACTION_MAYBE_DONE): its effects have no transaction to undo them.
   */
  readonly mayBeRepeat: boolean;
  /** Ends the attempt: the caller's wish, or its time is over. */
  readonly signal: AbortSignal;
}

/** Carries requests. */
export interface Transport {
  /**
   * Sends one attempt. @returns the answer's JSON value, undefined for none.
   * @throws KeelsonError: as the server refused, or CONNECTION_LOST when there was no answer.
   */
  send(attempt: TransportAttempt): Promise<unknown>;
}
