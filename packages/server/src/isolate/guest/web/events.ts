// DOMException, Event, EventTarget, AbortController and AbortSignal (WHATWG DOM, sections 2 and 3), as far
// as code without a document needs them.
import { setGuestTimer } from "./timers.ts";

const codes: Readonly<Record<string, number>> = {
  InvalidCharacterError: 5,
  NotSupportedError: 9,
  InvalidAccessError: 15,
  AbortError: 20,
  TimeoutError: 23,
  DataCloneError: 25,
};

/** An error of a web API. */
export class DOMException extends Error {
  override readonly name: string;

  constructor(message = "", name: string | { name?: string } = "Error") {
    super(message);
    this.name = typeof name === "string" ? name : (name.name ?? "Error");
  }

  get code(): number {
    return codes[this.name] ?? 0;
  }
}

/** Something that happened. */
export class Event {
  readonly type: string;
  readonly cancelable: boolean;
  readonly bubbles = false;
  target: EventTarget | null = null;
  defaultPrevented = false;
  #isStopped = false;

  constructor(type: unknown, init: { cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = init.cancelable === true;
  }

  get currentTarget(): EventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopPropagation(): void {}

  stopImmediatePropagation(): void {
    this.#isStopped = true;
  }

  static isStopped(event: Event): boolean {
    return event.#isStopped;
  }
}

/** An event with a value. */
export class CustomEvent extends Event {
  readonly detail: unknown;

  constructor(type: unknown, init: { cancelable?: boolean; detail?: unknown } = {}) {
    super(type, init);
    this.detail = init.detail ?? null;
  }
}

type Listener = ((event: Event) => void) | { handleEvent(event: Event): void };

interface Listening {
  readonly type: string;
  readonly listener: Listener;
  readonly isOnce: boolean;
}

/** Something that events happen to. */
export class EventTarget {
  #listening: readonly Listening[] = [];

  addEventListener(
    type: string,
    listener: Listener | null,
    options: boolean | { once?: boolean; signal?: AbortSignal } = {},
  ): void {
    if (listener === null || listener === undefined) return;
    const { once, signal } = typeof options === "object" ? options : {};
    if (signal?.aborted === true) return;
    if (this.#listening.some((item) => item.type === type && item.listener === listener)) return;
    this.#listening = [...this.#listening, { type, listener, isOnce: once === true }];
    signal?.addEventListener("abort", () => {
      this.removeEventListener(type, listener);
    });
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#listening = this.#listening.filter(
      (item) => item.type !== type || item.listener !== listener,
    );
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const { type, listener, isOnce } of this.#listening) {
      if (type !== event.type || Event.isStopped(event)) continue;
      if (isOnce) this.removeEventListener(type, listener);
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

const making: unique symbol = Symbol("making");

/** Tells that something is to stop. */
export class AbortSignal extends EventTarget {
  onabort: ((event: Event) => void) | null = null;
  #aborted = false;
  #reason: unknown = undefined;

  constructor(key?: symbol) {
    if (key !== making) throw new TypeError("Illegal constructor");
    super();
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  static make(): AbortSignal {
    return new AbortSignal(making);
  }

  static fire(signal: AbortSignal, reason: unknown): void {
    if (signal.#aborted) return;
    signal.#aborted = true;
    signal.#reason =
      reason === undefined ? new DOMException("This operation was aborted", "AbortError") : reason;
    const event = new Event("abort");
    signal.onabort?.(event);
    signal.dispatchEvent(event);
  }

  static abort(reason?: unknown): AbortSignal {
    const signal = AbortSignal.make();
    AbortSignal.fire(signal, reason);
    return signal;
  }

  static timeout(ms: number): AbortSignal {
    const signal = AbortSignal.make();
    setGuestTimer(() => {
      const message = "The operation was aborted due to timeout";
      AbortSignal.fire(signal, new DOMException(message, "TimeoutError"));
    }, ms);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const all = [...signals];
    const aborted = all.find((signal) => signal.aborted);
    if (aborted !== undefined) return AbortSignal.abort(aborted.reason);
    const made = AbortSignal.make();
    for (const signal of all) {
      signal.addEventListener("abort", () => {
        AbortSignal.fire(made, signal.reason);
      });
    }
    return made;
  }
}

/** Tells others to stop. */
export class AbortController {
  readonly #signal = AbortSignal.make();

  get signal(): AbortSignal {
    return this.#signal;
  }

  abort(reason?: unknown): void {
    AbortSignal.fire(this.#signal, reason);
  }
}
