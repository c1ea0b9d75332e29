// The three ways to follow a live query: a callback, an async iterable, and a store (subscribe and
// getSnapshot, as React's useSyncExternalStore and most frameworks take it). The store is under both others.
import type { KeelsonError } from "./client-error.ts";
import { loadingState, type LivePlan, type LiveState } from "./live-view.ts";

/** Ends what was begun. Calling it again does nothing. */
export type Stop = () => void;

/** A live query as a store. Nothing is asked of the server until somebody subscribes. */
export interface LiveStore<T> {
  /** The same text for the same query of the same client, and for nothing else. */
  readonly key: string;
  /** @param changed called after each change, together with those of all other live queries of the client. */
  subscribe(changed: () => void): Stop;
  /** The same object until something changed. */
  getSnapshot(): LiveState<T>;
  /**
   * For whom the snapshot is, to tell callers apart and for nothing else: while it loads, whoever calls now; with data, whoever
   * the server answered it for; null: that is not known.
   */
  getCaller(): object | null;
}

/** Where stores get their states. */
export interface LiveSource {
  subscribe(plan: LivePlan, notify: () => void): Stop;
  stateOf(plan: LivePlan): LiveState<unknown>;
  callerOf(plan: LivePlan): object | null;
}

/** A store of what `plan` asks. @param client tells stores of several clients apart. */
export function openStore<T>(
  source: () => LiveSource,
  plan: LivePlan,
  client: number,
): LiveStore<T> {
  return Object.freeze({
    key: `${client} ${plan.reading} ${JSON.stringify(plan.step)}`,
    subscribe: (changed: () => void) => source().subscribe(plan, changed),
    getSnapshot: () => source().stateOf(plan) as LiveState<T>,
    getCaller: () => source().callerOf(plan),
  });
}

/** The store of a query that is not asked: it has an error, and nothing else ever. */
export function refusedStore(error: KeelsonError): LiveStore<never> {
  const state = Object.freeze({
    data: undefined,
    error,
    isLoading: false,
    isPreviousData: false,
  });
  return Object.freeze({
    key: `refused ${error.message}`,
    subscribe: () => () => undefined,
    getSnapshot: () => state,
    getCaller: () => null,
  });
}

/**
 * Calls back with the value that there is and with each one after it, never before it returns.
 * @param onError told of each error; the query goes on unless the server ended it. Default: console.error.
 */
export function follow<T>(
  store: LiveStore<T>,
  callback: (value: T) => void,
  onError: (error: KeelsonError) => void = printError,
): Stop {
  let shown: LiveState<T> = loadingState;
  let isStopped = false;
  const show = (): void => {
    const state = store.getSnapshot();
    if (isStopped || state === shown) return;
    shown = state;
    if (state.error !== null) onError(state.error);
    else if (!state.isLoading) callback(state.data as T);
  };
  const stop = store.subscribe(show);
  queueMicrotask(show);
  return () => {
    isStopped = true;
    stop();
  };
}

/**
 * Iterates over values as they come. Who is slow gets the newest and misses those in between; an error is
 * thrown and ends it, and so does the client's close, without an error.
 */
export function iterate<T>(store: LiveStore<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => new LiveIterator(store) };
}

/** Whoever closes a client knows: it is told only to those who asked for errors. */
const closedCode = "CLIENT_CLOSED";

function printError(error: KeelsonError): void {
  if (error.code !== closedCode) console.error(error);
}

class LiveIterator<T> implements AsyncIterator<T, undefined> {
  #next: { readonly value: T } | { readonly error: KeelsonError } | null = null;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  #isOver = false;
  readonly #stop: Stop;

  constructor(store: LiveStore<T>) {
    this.#stop = follow(
      store,
      (value) => this.#came({ value }),
      (error) => (error.code === closedCode ? this.#end() : this.#came({ error })),
    );
  }

  next(): Promise<IteratorResult<T, undefined>> {
    const waiting = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting.push(waiting);
    this.#pass();
    return waiting.promise;
  }

  return(): Promise<IteratorResult<T, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #came(next: { readonly value: T } | { readonly error: KeelsonError }): void {
    this.#next = next;
    this.#pass();
  }

  #pass(): void {
    if (this.#isOver) return this.#end();
    const next = this.#next;
    const waiting = next === null ? undefined : this.#waiting.shift();
    if (next === null || waiting === undefined) return undefined;
    this.#next = null;
    if ("value" in next) return waiting.resolve({ done: false, value: next.value });
    waiting.reject(next.error);
    return this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#stop();
    for (const waiting of this.#waiting.splice(0))
      waiting.resolve({ done: true, value: undefined });
  }
}
