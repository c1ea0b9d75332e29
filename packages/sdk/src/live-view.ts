// A live query as somebody sees it: the value of its subscription, read as `list`, `page`, `count` ... do,
// with optimistic layers on top. Several views may stand on one subscription.
import type { KeelsonError } from "./client-error.ts";
import type { ClientStep } from "./client-request.ts";

/** What is known of a live query. Another object when, and only when, something changed. */
export interface LiveState<T> {
  /** The value; undefined while loading and after an error. The same reference where nothing changed. */
  readonly data: T | undefined;
  readonly error: KeelsonError | null;
  /** There is neither a value nor an error yet. */
  readonly isLoading: boolean;
  /** `data` is what the query before this one showed, and this one loads: only with `keepPreviousData` of `useLive`. */
  readonly isPreviousData: boolean;
}

/** Before anything came. */
export const loadingState: LiveState<never> = Object.freeze({
  data: undefined,
  error: null,
  isLoading: true,
  isPreviousData: false,
});

/** What a live query asks, and how its answer is read. */
export interface LivePlan {
  readonly step: ClientStep;
  /** Which reading: `"list"` and `"page"` of one query are two views of one subscription. */
  readonly reading: string;
  readonly read: (answer: unknown) => unknown;
  /** From an error to a value; throws the error otherwise. */
  readonly recover?: (error: unknown) => unknown;
}

/** What the server said last. */
export type LiveBase =
  | { readonly kind: "none" }
  /** `caller`: for whom it was answered (LiveSocket.caller). */
  | { readonly kind: "value"; readonly value: unknown; readonly caller: object | null }
  | { readonly kind: "error"; readonly error: KeelsonError };

/** A change that is shown before the server confirmed it. */
export type LiveChangeOf = (value: unknown) => unknown;

/** One view of one subscription. */
export class LiveView {
  /** Of its subscription. */
  readonly key: string;
  readonly plan: LivePlan;
  readonly listeners = new Set<() => void>();
  /** By layer, oldest first. */
  readonly changes = new Map<object, LiveChangeOf>();
  state: LiveState<unknown>;
  /** For whom the server answered what is shown; null: it did not, or it is not known. */
  caller: object | null = null;

  /** @param loading the state before anything came. */
  constructor(key: string, plan: LivePlan, loading: LiveState<never>) {
    this.key = key;
    this.plan = plan;
    this.state = loading;
  }

  /** Takes up what the server said and what is on top of it. @returns whether the state is another one. */
  refresh(base: LiveBase, loading: LiveState<never>): boolean {
    this.caller = base.kind === "value" ? base.caller : null;
    const next = this.#stateOf(base, loading);
    const { data, error, isLoading } = this.state;
    const isSame = next.data === data && next.error === error && next.isLoading === isLoading;
    if (next === this.state || (isSame && !isLoading)) return false;
    this.state = Object.freeze(next);
    return true;
  }

  #stateOf(base: LiveBase, loading: LiveState<never>): LiveState<unknown> {
    switch (base.kind) {
      case "none":
        return loading;
      case "value":
        return this.#shown(this.plan.read(base.value));
      case "error":
        return this.#failed(base.error);
      default:
        return base satisfies never;
    }
  }

  #failed(error: KeelsonError): LiveState<unknown> {
    try {
      if (this.plan.recover !== undefined) return this.#shown(this.plan.recover(error));
    } catch {
      // Not an error that stands for a value.
    }
    return { data: undefined, error, isLoading: false, isPreviousData: false };
  }

  #shown(value: unknown): LiveState<unknown> {
    let data = value;
    for (const change of this.changes.values()) data = changed(data, change);
    return { data, error: null, isLoading: false, isPreviousData: false };
  }
}

/** A change that does not fit what the server says now is left out. */
function changed(value: unknown, change: LiveChangeOf): unknown {
  try {
    return change(value);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return value;
  }
}
