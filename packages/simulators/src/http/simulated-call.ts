// What a simulator says of a call that it answered, and what its page says of every call: a test holds one against
// the other (simulator-fidelity.test.ts).

/** A call that was answered as asked. */
export interface SimulatedCall {
  /** `POST /v1/refunds`. */
  readonly name: string;
  /** Parameters that it looked for, by name. */
  readonly takes: readonly string[];
  /** Parameters that it would have taken and made nothing of. */
  readonly ignores: readonly string[];
}

/** How true to the service a call is. */
export interface CallFidelity extends SimulatedCall {
  /** What the real one does and this one does not. Empty: what it takes, it does as the real one. */
  readonly less: string;
}
