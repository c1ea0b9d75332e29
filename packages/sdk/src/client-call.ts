// A call in the making: a promise that is sent on the next microtask. Until then it can be taken over:
// by `api.batch([...])`, to be sent together with others; by `.live(...)` and its kin, to be followed
// instead of asked once; by `.optimistic(...)`, to show what it will change.
import type { KeelsonError } from "./client-error.ts";
import type { ClientRequest, ClientStep } from "./client-request.ts";
import type { CallOptions } from "./client-send.ts";
import type { LiveAnswer } from "./live-asks.ts";
import type { LiveLayer } from "./live-layers.ts";
import {
  follow,
  iterate,
  openStore,
  refusedStore,
  type LiveSource,
  type LiveStore,
  type Stop,
} from "./live-store.ts";
import type { LiveChangeOf, LivePlan } from "./live-view.ts";

const parts: unique symbol = Symbol("keelson.call");

/** A call that was made: await it, or hand it to `batch` at once. */
export interface Call<T> extends Promise<T> {
  readonly [parts]: CallParts;
}

/** A call that reads: await it for the answer of now, or follow the answer as it changes. */
export interface ReadCall<T> extends Call<T> {
  /**
   * Calls back with the answer, and again whenever it changed. All live queries of a client move together:
   * callbacks of one commit run one after the other, when every value is the new one already.
   * @param callback gets values that share all unchanged parts with the one before. Don't change them.
   * @param onError told of each error; the query goes on unless it was refused for good. Default: console.error.
   * @returns a function that ends it.
   * @example const stop = api.film.list({ orderBy: "-rating" }).live((films) => render(films));
   */
  live(callback: (value: T) => void, onError?: (error: KeelsonError) => void): Stop;
  /**
   * The same as an iterable: who is slow gets the newest value and misses those in between. Errors are thrown.
   * @example for await (const seats of api.cinema.seats({ screening }).watch()) render(seats);
   */
  watch(): AsyncIterable<T>;
  /** The same as a store with `subscribe` and `getSnapshot`, for frameworks. */
  store(): LiveStore<T>;
}

/** A call that writes. */
export interface WriteCall<T> extends Call<T> {
  /**
   * Sends the call now, and until the server shows its commit, shows in live queries what it will change. When it is refused the
   * changes are taken back. @param change names queries and how each will look; it must not change the old value. When it
   * throws, the call is not sent, nothing is shown, and awaiting the call throws what it threw.
   * @returns this call: await it for the answer.
   * @example
   * await api.note.delete(id).optimistic((show) => {
   *   show(api.note.list(), (notes) => notes.filter((note) => note.id !== id));
   * });
   */
  optimistic(change: (show: ShowChange) => void): this;
}

/** Shows what a query will answer. A query that nobody follows at the moment is left alone. */
export type ShowChange = <T>(query: ReadCall<T>, change: (value: T) => NoInfer<T>) => void;

interface CallParts {
  readonly plan: CallPlan<unknown>;
  readonly port: CallPort;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  /** `followed`: as often as one likes, and never sent. */
  state: "new" | "followed" | "taken";
}

/** Sends a request. */
export type Send = (request: ClientRequest, options: CallOptions) => Promise<unknown>;

/** What calls need of their client. */
export interface CallPort {
  readonly send: Send;
  /** Sends over the live connection. @returns the answer with its commit. */
  sendLive(request: ClientRequest, options: CallOptions): Promise<LiveAnswer>;
  readonly live: () => LiveSource & {
    addLayer(changes: readonly (readonly [plan: LivePlan, change: LiveChangeOf])[]): LiveLayer;
  };
  /** Tells clients apart. */
  readonly number: number;
}

/** What a call is, and what becomes of its answer. */
export interface CallPlan<T> extends LivePlan {
  readonly step: ClientStep;
  /** Why it is not sent at all: what it was called with can't be meant. */
  readonly refusal?: KeelsonError | undefined;
  readonly options: CallOptions;
  /** From the server's answer to what the caller gets. */
  readonly read: (answer: unknown) => T;
  /** From an error to what the caller gets instead; throws the error otherwise. Default: throws it. */
  readonly recover?: (error: unknown) => T;
}

class PendingCall<T> extends Promise<T> implements ReadCall<T>, WriteCall<T> {
  readonly [parts]: CallParts;

  /** What `then` gives is a promise, not a call. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  constructor(port: CallPort, plan: CallPlan<T>) {
    let settle: Pick<CallParts, "resolve" | "reject"> | undefined;
    super((resolve, reject) => (settle = { resolve, reject }));
    // The executor has run: a promise calls it before its constructor ends.
    const { resolve, reject } = settle as unknown as CallParts;
    this[parts] = { plan, port, resolve, reject, state: "new" };
  }

  live(callback: (value: T) => void, onError?: (error: KeelsonError) => void): Stop {
    return follow(this.store(), callback, onError);
  }

  watch(): AsyncIterable<T> {
    return iterate(this.store());
  }

  store(): LiveStore<T> {
    const { plan, port } = takeToFollow(this);
    if (plan.refusal !== undefined) return refusedStore(plan.refusal);
    return openStore(() => port.live(), plan, port.number);
  }

  optimistic(change: (show: ShowChange) => void): this {
    const { plan, port, resolve, reject } = take(this);
    let layer: LiveLayer;
    try {
      if (plan.refusal !== undefined) throw plan.refusal;
      layer = port.live().addLayer(changesOf(change));
    } catch (error) {
      // Not sent, and nothing was shown: whoever awaits the call hears of the mistake.
      reject(error);
      return this;
    }
    port
      .sendLive(plan.step, plan.options)
      .then(
        ({ value, seq }) => {
          layer.settle(seq);
          resolve(plan.read(value) as never);
        },
        (error: unknown) => {
          layer.drop();
          reject(error);
        },
      )
      .catch(reject);
    return this;
  }
}

/** What an optimistic change shows, all of it: what throws in the middle shows nothing. */
function changesOf(
  change: (show: ShowChange) => void,
): readonly (readonly [LivePlan, LiveChangeOf])[] {
  const changes: (readonly [LivePlan, LiveChangeOf])[] = [];
  change((query, changeOne) => {
    changes.push([takeToFollow(query).plan, changeOne as LiveChangeOf]);
  });
  return changes;
}

/** Makes a call that is sent unless something takes it first. */
export function makeCall<T>(port: CallPort, plan: CallPlan<T>): ReadCall<T> & WriteCall<T> {
  const call = new PendingCall(port, plan);
  const { resolve, reject } = call[parts];
  queueMicrotask(() => {
    if (call[parts].state !== "new") return undefined;
    call[parts].state = "taken";
    if (plan.refusal !== undefined) return reject(plan.refusal);
    const answered = port.send(plan.step, plan.options).then(plan.read);
    const read = plan.recover === undefined ? answered : answered.catch(plan.recover);
    return void read.then((value) => resolve(value as never), reject);
  });
  return call;
}

/** Takes a call over before it is sent. @throws TypeError when it was sent already. */
function take(call: Call<unknown>): CallParts {
  const taken = call[parts];
  if (taken.state !== "new") throw usedError();
  taken.state = "taken";
  return taken;
}

/**
 * The same for what is not sent at all. One call may be followed again and again: what memoizes the values of a component, as React's
 * compiler does, hands the call of one render to the next. @throws TypeError when it was sent already.
 */
function takeToFollow(call: Call<unknown>): CallParts {
  const taken = call[parts];
  if (taken.state === "taken") throw usedError();
  taken.state = "followed";
  return taken;
}

function usedError(): TypeError {
  return new TypeError("This call was used already: make it where it is used.");
}

/**
 * Sends calls as one transaction.
 * @param calls made just before, not yet sent. @throws TypeError when one was sent already.
 */
export async function sendBatch(
  send: Send,
  results: (answer: unknown) => readonly unknown[],
  calls: readonly Call<unknown>[],
  options: CallOptions,
): Promise<unknown[]> {
  const taken = calls.map((call) => call[parts]);
  for (const call of taken) {
    if (call.state === "new") continue;
    throw new TypeError("A call of this batch was used already: make it inside batch([...]).");
  }
  for (const call of taken) call.state = "taken";
  if (taken.length === 0) return [];
  try {
    const steps = taken.map(({ plan }) => {
      if (plan.refusal !== undefined) throw plan.refusal;
      return plan.step;
    });
    const answer = await send({ kind: "batch", steps }, options);
    const values = results(answer).map((result, index) => taken[index]?.plan.read(result));
    for (const [index, call] of taken.entries()) call.resolve(values[index] as never);
    return values;
  } catch (error) {
    for (const [index, call] of taken.entries()) {
      // Whoever awaits the batch hears of it; the single calls need no listener of their own.
      calls[index]?.catch(() => undefined);
      call.reject(error);
    }
    throw error;
  }
}
