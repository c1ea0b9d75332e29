// The signals that ask a process to stop. The first one asks; a second one of any kind means now.

const stopSignals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A signal that asks a process to stop. */
export type StopSignal = (typeof stopSignals)[number];

/**
 * Listens for them. @param stop called at the first signal. @param stopNow called at the second.
 * @returns a function that stops listening.
 */
export function onStopSignals(
  stop: (signal: StopSignal) => void,
  stopNow: (signal: StopSignal) => void,
): () => void {
  let asked = false;
  const listener = (signal: NodeJS.Signals) => {
    const ask = asked ? stopNow : stop;
    asked = true;
    ask(signal as StopSignal);
  };
  for (const signal of stopSignals) process.on(signal, listener);
  return () => {
    for (const signal of stopSignals) process.off(signal, listener);
  };
}
