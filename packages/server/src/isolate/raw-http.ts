// A request and its answer as plain data: what http functions are given and give, and what `fetch` sends.

/** A request. */
export interface RawRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Base64; null for none. */
  readonly body: string | null;
}

/** An answer. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** Base64; null for none. */
  readonly body: string | null;
}
