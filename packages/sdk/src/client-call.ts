// A call in the making: a promise that is sent on the next microtask. Until then `api.batch([...])` can
// take it over and send it together with others.
import type { CallOptions } from "./client-send.ts";
import type { ClientRequest, ClientStep } from "./client-request.ts";

const parts: unique symbol = Symbol("keelson.call");

/** A call that was made: await it, or hand it to `batch` at once. */
export interface Call<T> extends Promise<T> {
  readonly [parts]: CallParts;
}

interface CallParts {
  readonly step: ClientStep;
  readonly read: (answer: unknown) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  state: "new" | "sent";
}

/** Sends a request. */
export type Send = (request: ClientRequest, options: CallOptions) => Promise<unknown>;

/** What a call is, and what becomes of its answer. */
export interface CallPlan<T> {
  readonly step: ClientStep;
  readonly options: CallOptions;
  /** From the server's answer to what the caller gets. */
  readonly read: (answer: unknown) => T;
  /** From an error to what the caller gets instead; throws the error otherwise. Default: throws it. */
  readonly recover?: (error: unknown) => T;
}

/** Makes a call that is sent unless a batch takes it first. */
export function makeCall<T>(send: Send, plan: CallPlan<T>): Call<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const call: CallParts = { step: plan.step, read: plan.read, resolve, reject, state: "new" };
  queueMicrotask(() => {
    if (call.state === "sent") return;
    call.state = "sent";
    const answered = send(plan.step, plan.options).then(plan.read);
    (plan.recover === undefined ? answered : answered.catch(plan.recover)).then(resolve, reject);
  });
  Object.defineProperty(promise, parts, { value: call });
  return promise as Call<T>;
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
    throw new TypeError("A call of this batch was sent already: make it inside batch([...]).");
  }
  for (const call of taken) call.state = "sent";
  if (taken.length === 0) return [];
  try {
    const answer = await send({ kind: "batch", steps: taken.map(({ step }) => step) }, options);
    const values = results(answer).map((result, index) => taken[index]?.read(result));
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
