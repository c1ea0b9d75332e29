// The clock and timers as a port (law 6). Real ones are built in host/ only; simulations move a SimClock.

/** Time as seen by the server. */
export interface Clock {
  /** Milliseconds since the epoch; may step backwards when the machine's clock is set. */
  nowMs(): number;
  /** Microseconds of a clock that never steps; for durations only. */
  monotonicUs(): number;
  /** CPU time that this thread has used, microseconds. Absent where nobody knows. */
  threadCpuUs?(): number;
  /** Calls `run` once, `delayMs` from now. @returns a function that cancels it. */
  after(delayMs: number, run: () => void): () => void;
}
