// A log of JSON lines. Lines of one turn of the event loop are written together: a busy server would
// otherwise spend more on writing its log than on its requests.

/** How much a line matters. */
export type LogLevel = "info" | "warn" | "error";

/** A log. */
export interface Log {
  /** @param facts plain JSON. */
  write(level: LogLevel, event: string, facts: Readonly<Record<string, unknown>>): void;
  /** Writes what waits. */
  flush(): void;
}

/** @param out takes whole lines. */
export function makeLog(out: (text: string) => void, nowMs: () => number): Log {
  let waiting = "";
  const flush = (): void => {
    const text = waiting;
    waiting = "";
    if (text !== "") out(text);
  };
  return {
    flush,
    write: (level, event, facts) => {
      if (waiting === "") setImmediate(flush);
      const time = new Date(nowMs()).toISOString();
      waiting += `${JSON.stringify({ time, level, event, ...facts })}\n`;
    },
  };
}
