// The built-ins that the guest itself stands on, taken before any user code runs. Guest code that runs
// beside user code uses these, never the globals, so that redefining a global changes user code only.
const { apply, construct, ownKeys, getOwnPropertyDescriptor, defineProperty, getPrototypeOf } =
  Reflect;
const { parse, stringify } = JSON;
const { freeze, preventExtensions, create } = Object;
const { imul } = Math;
const RealDate = globalThis.Date;
const RealPromise = Promise;
const RealInt32Array = Int32Array;
const RealProxy = Proxy;

type Method = (...given: unknown[]) => unknown;

/** A method without its object: for `apply`. */
function methodOf(target: object, name: string): Method {
  return Reflect.get(target, name) as Method;
}

const then = methodOf(Promise.prototype, "then");
const resolve = methodOf(Promise, "resolve");
const reject = methodOf(Promise, "reject");
const charCodeAt = methodOf(String.prototype, "charCodeAt");
const slice = methodOf(String.prototype, "slice");
const indexOf = methodOf(String.prototype, "indexOf");

export {
  apply,
  construct,
  create,
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  imul,
  methodOf,
  ownKeys,
  parse,
  preventExtensions,
  RealDate,
  RealInt32Array,
  RealPromise,
  RealProxy,
};

/** Text of a value as JSON; undefined for what JSON leaves out. */
export const toJson = stringify as (value: unknown) => string | undefined;

/** A value as text, as JavaScript makes it. @throws TypeError for symbols, and what `toString` throws. */
export function asText(value: unknown): string {
  return value as string;
}

/** A promise that holds `value`. */
export function resolved(value: unknown): Promise<unknown> {
  return apply(resolve, RealPromise, [value]) as Promise<unknown>;
}

/** A promise that failed. */
export function rejected(reason: unknown): Promise<never> {
  return apply(reject, RealPromise, [reason]) as Promise<never>;
}

/** `promise.then`, whatever has become of `Promise.prototype.then`. */
export function whenSettled(
  promise: Promise<unknown>,
  onValue: (value: unknown) => void,
  onError: (error: unknown) => void,
): void {
  apply(then, promise, [onValue, onError]);
}

/** Code unit at `index`, or NaN. */
export function unitAt(text: string, index: number): number {
  return apply(charCodeAt, text, [index]) as number;
}

/** Part of a text. */
export function part(text: string, from: number, to?: number): string {
  return apply(slice, text, [from, to]) as string;
}

/** Where `needle` begins in `text`, from `from` on, or -1. */
export function find(text: string, needle: string, from = 0): number {
  return apply(indexOf, text, [needle, from]) as number;
}
