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
}

/** Before anything came. */
export const loadingState: LiveState<never> = Object.freeze({
  data: undefined,
  error: null,
  isLoading: true,
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
  | { readonly kind: "value"; readonly value: unknown }
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
  state: LiveState<unknown> = loadingState;

  constructor(key: string, plan: LivePlan) {
    this.key = key;
    this.plan = plan;
  }

  /** Takes up what the server said and what is on top of it. @returns whether the state is another one. */
  refresh(base: LiveBase): boolean {
    const next = this.#stateOf(base);
    const { data, error, isLoading } = this.state;
    if (next.data === data && next.error === error && next.isLoading === isLoading) return false;
    this.state = Object.freeze(next);
    return true;
  }

  #stateOf(base: LiveBase): LiveState<unknown> {
    switch (base.kind) {
      case "none":
        return loadingState;
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
    return { data: undefined, error, isLoading: false };
  }

  #shown(value: unknown): LiveState<unknown> {
    let data = value;
    for (const change of this.changes.values()) data = changed(data, change);
    return { data, error: null, isLoading: false };
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
