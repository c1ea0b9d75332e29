// The machine's clock and timers. The only place, with the rest of host/, that reads them.
import { performance } from "node:perf_hooks";
import type { Clock } from "../base/clock.ts";

// Durations of a thread begin when it did; what threads share needs one beginning for all.
const threadBeganUs = Math.round(
  Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000,
);

/** The clock of a real host, its monotonic time the same in every thread. A timer that is not cancelled keeps the process alive. */
export const realClock: Clock = Object.freeze({
  nowMs: () => Date.now(),
  monotonicUs: () => threadBeganUs + Math.floor(performance.now() * 1_000),
  threadCpuUs() {
    const { user, system } = process.threadCpuUsage();
    return user + system;
  },
  after(delayMs: number, run: () => void) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
});
