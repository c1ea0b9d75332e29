// The port to the network, for `fetch` inside actions. Which hosts a function declared is data that goes
// along; the real one (host/real-egress.ts) enforces it on every connection it opens, redirects included.
import type { RawAnswer, RawRequest } from "./raw-http.ts";

/** A request that a function sends. */
export interface EgressRequest {
  readonly request: RawRequest;
  readonly redirect: "follow" | "manual" | "error";
  /** The function's `hosts`. */
  readonly hosts: readonly string[];
  /** Names with dots, lower case, that may lead to private addresses. Default: none. */
  readonly internalHosts?: readonly string[];
  readonly msMax: number;
  /** Of the answer's body. */
  readonly bytesMax: number;
  readonly redirectsMax: number;
  /** Ends the request: the call that sent it is over. */
  readonly signal: AbortSignal;
}

/** What came back. */
export interface EgressAnswer extends RawAnswer {
  /** Of the request that was answered in the end. */
  readonly url: string;
  readonly redirected: boolean;
  readonly statusText: string;
}

/** The network. */
export interface Egress {
  /** @throws EGRESS_DENIED for a host or address that is not allowed; EGRESS_FAILED when nothing answered. */
  send(request: EgressRequest): Promise<EgressAnswer>;
}
