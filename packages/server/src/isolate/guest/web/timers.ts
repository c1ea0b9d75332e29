// setTimeout and setInterval, in actions and http functions. The host waits; the guest runs.
import { askEffect, askNow } from "../ask.ts";
import { whenSettled } from "../primordials.ts";
import { callFor, type Call } from "../running.ts";

interface Timer {
  readonly id: number;
  readonly call: Call;
  isCleared: boolean;
}

const timers = new Map<number, Timer>();
const intervalMsMin = 10;
let ids = 0;

/** A number that no other timer or request of this isolate has. */
export function nextEffectId(): number {
  return ++ids;
}

/** Runs `run` later, once. @returns what clearTimeout takes. @throws TypeError outside of actions. */
export function setGuestTimer(run: () => void, delayMs: unknown): number {
  const timer = openTimer();
  wait(timer, delayOf(delayMs, 0), () => {
    timers.delete(timer.id);
    run();
  });
  return timer.id;
}

function setTimeout(run: unknown, delayMs?: unknown, ...given: unknown[]): number {
  if (typeof run !== "function") throw new TypeError("setTimeout takes a function.");
  return setGuestTimer(() => {
    Reflect.apply(run, undefined, given);
  }, delayMs);
}

function setInterval(run: unknown, delayMs?: unknown, ...given: unknown[]): number {
  if (typeof run !== "function") throw new TypeError("setInterval takes a function.");
  const timer = openTimer();
  const ms = delayOf(delayMs, intervalMsMin);
  const again = (): void => {
    wait(timer, ms, () => {
      again();
      Reflect.apply(run, undefined, given);
    });
  };
  again();
  return timer.id;
}

function clear(id: unknown): void {
  const timer = timers.get(Number(id));
  if (timer === undefined) return;
  timer.isCleared = true;
  timers.delete(timer.id);
  askNow(timer.call, "timer.cancel", `${timer.id}`);
}

function openTimer(): Timer {
  const call = callFor("Timers");
  if (!call.hosts) {
    throw new TypeError(`A ${call.kind} has no timers: its clock stands still. Use an action.`);
  }
  const timer = { id: nextEffectId(), call, isCleared: false };
  timers.set(timer.id, timer);
  return timer;
}

function wait(timer: Timer, ms: number, run: () => void): void {
  whenSettled(
    askEffect(timer.call, "timer", `${timer.id} ${ms}`),
    (isOver) => {
      if (isOver === true && !timer.isCleared) run();
    },
    (error) => {
      timers.delete(timer.id);
      throw error;
    },
  );
}

function delayOf(value: unknown, least: number): number {
  const ms = Number(value);
  return ms > least ? ms : least;
}

/** The functions that user code sees. */
export const timerFunctions = {
  setTimeout,
  setInterval,
  clearTimeout: clear,
  clearInterval: clear,
};
