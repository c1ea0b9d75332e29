// structuredClone (WHATWG HTML, section 2.7) of what an isolate has: plain objects, arrays, Map, Set, Date,
// RegExp, errors, buffers and views, with cycles. `transfer` is not supported.
import { RealDate } from "../primordials.ts";
import { DOMException } from "./events.ts";

const errors: Readonly<Record<string, new (message: string) => Error>> = {
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** A deep copy. @throws DataCloneError for functions, symbols and other things that cannot be copied. */
export function structuredClone(value: unknown): unknown {
  return cloned(value, new Map());
}

function cloned(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === "function" || typeof value === "symbol") throw uncloneable(typeof value);
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const copy = copyOf(value, seen);
  seen.set(value, copy);
  fill(copy, value, seen);
  return copy;
}

function copyOf(value: object, seen: Map<object, unknown>): object {
  if (Array.isArray(value)) return Array.from({ length: value.length });
  if (value instanceof Map) return new Map();
  if (value instanceof Set) return new Set();
  if (value instanceof RealDate) return new RealDate(value.getTime());
  if (value instanceof RegExp) return new RegExp(value.source, value.flags);
  if (value instanceof ArrayBuffer) return value.slice(0);
  if (ArrayBuffer.isView(value)) return viewCopy(value, seen);
  if (value instanceof Error) {
    const copy = new (errors[value.name] ?? Error)(value.message);
    Object.defineProperty(copy, "stack", {
      value: value.stack,
      configurable: true,
      writable: true,
    });
    return copy;
  }
  for (const Boxed of [Boolean, Number, String, BigInt]) {
    if (value instanceof Boxed) return Object(value.valueOf()) as object;
  }
  for (const Refused of [Promise, WeakMap, WeakSet]) {
    if (value instanceof Refused) throw uncloneable(Refused.name);
  }
  return {};
}

function viewCopy(value: ArrayBufferView, seen: Map<object, unknown>): object {
  const buffer = cloned(value.buffer, seen) as ArrayBuffer;
  if (value instanceof DataView) return new DataView(buffer, value.byteOffset, value.byteLength);
  const { constructor, length } = value as Uint8Array;
  return new (constructor as Uint8ArrayConstructor)(buffer, value.byteOffset, length);
}

function fill(copy: object, value: object, seen: Map<object, unknown>): void {
  if (value instanceof Map) {
    for (const [key, item] of value) {
      (copy as Map<unknown, unknown>).set(cloned(key, seen), cloned(item, seen));
    }
    return;
  }
  if (value instanceof Set) {
    for (const item of value) (copy as Set<unknown>).add(cloned(item, seen));
    return;
  }
  const isPlain =
    Array.isArray(value) || Object.prototype.toString.call(value) === "[object Object]";
  if (!isPlain) return;
  for (const key of Object.keys(value)) {
    Object.defineProperty(copy, key, {
      value: cloned((value as Record<string, unknown>)[key], seen),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
}

function uncloneable(what: string): DOMException {
  return new DOMException(`A ${what} cannot be cloned.`, "DataCloneError");
}
