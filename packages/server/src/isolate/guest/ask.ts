// System calls and effects from inside: a promise for each. An answer that is there at once makes a
// promise that is settled already; one that comes later is settled when the host comes back with it.
import { lastReadCall, numberedCalls, rowCall, type SystemCallName } from "../system-calls.ts";
import { host, mailWords } from "./link.ts";
import { create, freeze, parse, part, RealPromise, rejected, unitAt } from "./primordials.ts";
import type { Call } from "./running.ts";

const exclamation = 33;

interface Waiting {
  readonly call: Call;
  readonly read: (answer: string) => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const waiting = new Map<number, Waiting>();
const refusals = new WeakMap<object, number>();

/** What the host says of a refusal. `i` finds the original again on the host's side. */
interface WireRefusal {
  readonly i: number;
  readonly code: string;
  readonly text: string;
  readonly details: unknown;
}

/** A refused system call, as user code sees it. */
class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;
  readonly details: unknown;

  constructor(wire: WireRefusal) {
    super(wire.text);
    this.code = wire.code;
    this.details = wire.details;
    refusals.set(this, wire.i);
  }
}

/** Where the host keeps the original of an error that a system call threw; undefined for any other value. */
export function refusalIndex(error: unknown): number | undefined {
  return typeof error === "object" && error !== null ? refusals.get(error) : undefined;
}

/** A system call. @param payload JSON text. */
export function ask(call: Call, operation: SystemCallName, payload: string): Promise<unknown> {
  const { system, limits, mail } = host();
  if (payload.length > limits.payloadCharsMax) return askEffect(call, "oversized", operation);
  const { head } = mail;
  head[mailWords.asker] = call.id;
  const number = numbers[operation];
  if (number === undefined || number > lastReadCall) call.ahead?.drop();
  head[mailWords.operation] = number ?? 0;
  const answer = system(number === undefined ? `${operation}\n${payload}` : payload);
  return answered(call, answer, parse);
}

/** A system call that is always answered at once. @throws what the host refuses. */
export function askAtOnce(call: Call, operation: SystemCallName, payload: string): unknown {
  const { system, limits, mail } = host();
  if (payload.length > limits.payloadCharsMax) return askNow(call, "oversized", operation);
  call.ahead?.drop();
  const { head } = mail;
  head[mailWords.asker] = call.id;
  head[mailWords.operation] = 0;
  const answer = system(`${operation}\n${payload}`);
  if (typeof answer !== "string") throw new TypeError(`${operation} was not answered`);
  if (unitAt(answer, 0) === exclamation) throw refusalOf(answer);
  return parse(answer);
}

/** `db.row`. @param target from HostLink.target. */
export function askRow(call: Call, target: number, id: string): Promise<unknown> {
  const { system, limits, mail } = host();
  if (call.ahead !== null) {
    const row = call.ahead.take(target, id);
    if (row !== undefined) return held(row);
  }
  if (id.length > limits.payloadCharsMax) return askEffect(call, "oversized", "db.get");
  const { head } = mail;
  head[mailWords.asker] = call.id;
  head[mailWords.operation] = rowCall;
  head[mailWords.target] = target;
  return answered(call, system(id), parse);
}

/** By name, without a prototype that user code could add names to. */
const numbers = create(null) as Record<string, number | undefined>;
for (let index = 1; index < numberedCalls.length; index++) {
  numbers[numberedCalls[index] as string] = index;
}
freeze(numbers);

/** An effect of the isolate's own host. @param read makes the value of the answer's text. */
export function askEffect(
  call: Call,
  operation: string,
  payload: string,
  read: (answer: string) => unknown = parse,
): Promise<unknown> {
  return answered(call, host().effect(call.id, operation, payload), read);
}

/** An effect that is always answered at once. @throws what the host refuses. */
export function askNow(call: Call, operation: string, payload: string): string {
  const answer = host().effect(call.id, operation, payload);
  if (typeof answer !== "string") throw new TypeError(`${operation} was not answered`);
  if (unitAt(answer, 0) === exclamation) throw refusalOf(answer);
  return answer;
}

function answered(
  call: Call,
  answer: string | number,
  read: (answer: string) => unknown,
): Promise<unknown> {
  if (typeof answer === "string") {
    if (unitAt(answer, 0) === exclamation) return rejected(refusalOf(answer));
    return held(read(answer));
  }
  return new RealPromise((resolve, reject) => {
    waiting.set(answer, { call, read, resolve, reject });
  });
}

/** A promise that holds a value: the language's own, which is quicker than to ask its constructor for one. */
async function held(value: unknown): Promise<unknown> {
  return value;
}

/** Settles what waits for `token`. @returns the call it belongs to, or null when nobody waits any more. */
export function waiterOf(token: number): Waiting | null {
  const found = waiting.get(token);
  if (found === undefined) return null;
  waiting.delete(token);
  return found;
}

/** Hands an answer to its waiter. */
export function settle(waiter: Waiting, answer: string): void {
  if (unitAt(answer, 0) === exclamation) {
    waiter.reject(refusalOf(answer));
    return;
  }
  waiter.resolve(waiter.read(answer));
}

/** Forgets everything that a call waits for. */
export function forget(callId: number): void {
  for (const [token, { call }] of waiting) if (call.id === callId) waiting.delete(token);
}

function refusalOf(answer: string): SystemCallError {
  return new SystemCallError(parse(part(answer, 1)) as WireRefusal);
}
