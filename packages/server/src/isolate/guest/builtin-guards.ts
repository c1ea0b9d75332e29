// V8's own loops do not look whether they are to stop: `new Array(1e9).fill(0)` neither ends at the CPU
// limit nor dies of memory before the whole process does, and sorting something that says it has 2^53 items
// ends the process at once. Nothing longer than `itemsMax` fits into an isolate anyway, so these built-ins
// refuse it before they begin. What is left ends by itself, late: `f.apply` with a list of a hundred million, the
// arithmetic of huge BigInts and what makes texts of them (operators, which nothing can stand in front of), JSON of
// millions of small values. docs/internals/testing.md has the figures.
import { apply, defineProperty, methodOf } from "./primordials.ts";

/** V8 keeps longer arrays as dictionaries. */
const itemsMax = 33_554_432;
const jsonCharsMax = 16_777_216;
const { isArray } = Array;
const RealProxy = Proxy;
/** Proxies of arrays: to everybody else they are arrays, but their length is what they say. */
const proxied = new WeakSet<object>();
const hasProxied = methodOf(WeakSet.prototype, "has");
const { get } = Reflect;

const arrayMethods = [
  "at",
  "concat",
  "copyWithin",
  "fill",
  "flat",
  "includes",
  "indexOf",
  "join",
  "lastIndexOf",
  "reverse",
  "shift",
  "slice",
  "splice",
  "toLocaleString",
  "toReversed",
  "toSpliced",
  "toString",
  "unshift",
  "with",
] as const;

type Guard = (this: unknown, ...given: unknown[]) => unknown;
type Compare = ((left: unknown, right: unknown) => number) | undefined;

/** Puts a look at lengths before each of them. */
export function guardBuiltins(): void {
  const { prototype } = Array;
  for (const name of arrayMethods) {
    replace(prototype, name, (native) => {
      return function (...given) {
        const items = name === "concat" ? given.map(steady) : given;
        return apply(native, steady(this), items);
      };
    });
  }
  replace(prototype, "sort", (native) => {
    return function (compare) {
      return sortInPlace(this as ArrayLike<unknown>, native, compare as Compare);
    };
  });
  replace(prototype, "toSorted", (native) => {
    return function (compare) {
      const items = apply(methodOf(Array, "from"), Array, [steady(this)]) as unknown[];
      return apply(native, items, [compare]);
    };
  });
  for (const Class of [Array, Object.getPrototypeOf(Uint8Array) as object]) {
    replace(Class, "from", (native) => {
      return function (...given) {
        const [source] = given;
        const isLike =
          typeof source === "object" && source !== null && !(Symbol.iterator in source);
        return apply(native, this, isLike ? [steady(source), ...given.slice(1)] : given);
      };
    });
  }
  guardTexts();
  watchProxies();
}

/** Remembers which arrays are none. */
function watchProxies(): void {
  const watched = <P extends object>(target: unknown, proxy: P): P => {
    if (isArray(target)) proxied.add(proxy);
    return proxy;
  };
  const revocable = methodOf(RealProxy, "revocable");
  const GuestProxy = function (target: object, handler: ProxyHandler<object>): object {
    if (new.target === undefined) throw new TypeError("Constructor Proxy requires 'new'");
    return watched(target, new RealProxy(target, handler));
  };
  Reflect.deleteProperty(GuestProxy, "prototype");
  defineProperty(GuestProxy, "name", { value: "Proxy", configurable: true });
  defineProperty(GuestProxy, "revocable", {
    value: (target: object, handler: ProxyHandler<object>) => {
      const made = apply(revocable, RealProxy, [target, handler]) as { readonly proxy: object };
      watched(target, made.proxy);
      return made;
    },
    writable: true,
    configurable: true,
  });
  defineProperty(globalThis, "Proxy", { value: GuestProxy, writable: true, configurable: true });
}

function isProxied(value: object): boolean {
  return apply(hasProxied, proxied, [value]) as boolean;
}

function guardTexts(): void {
  const { prototype } = String;
  replace(prototype, "repeat", (native) => {
    return function (count) {
      assertLength(lengthOf(this) * Number(count));
      return apply(native, this, [count]);
    };
  });
  for (const name of ["padStart", "padEnd"] as const) {
    replace(prototype, name, (native) => {
      return function (length, ...given) {
        assertLength(Number(length));
        return apply(native, this, [length, ...given]);
      };
    });
  }
  replace(prototype, "split", (native) => {
    return function (...given) {
      assertLength(lengthOf(this));
      return apply(native, this, given);
    };
  });
  replace(JSON, "parse", (native) => {
    return function (...given) {
      if (typeof given[0] === "string" && given[0].length > jsonCharsMax) {
        throw new RangeError(`JSON.parse takes at most ${jsonCharsMax} characters here.`);
      }
      return apply(native, JSON, given);
    };
  });
}

/**
 * An array of a length that fits, as it is. Anything else that has a length: seen through a proxy whose
 * length does not change, and whose every step can be interrupted.
 */
function steady(value: unknown): unknown {
  if (isArray(value) && !isProxied(value)) {
    assertLength(value.length);
    return value;
  }
  if (typeof value !== "object" || value === null || !("length" in value)) return value;
  const { length } = value;
  assertLength(Number(length));
  return new RealProxy(value, {
    get: (target, key): unknown => (key === "length" ? length : get(target, key)),
  });
}

/** As ECMA-262 23.1.3.30 has it, on a copy: what is sorted must not lie about its length while it is sorted. */
function sortInPlace(
  array: ArrayLike<unknown>,
  native: (...given: unknown[]) => unknown,
  compare: Compare,
): unknown {
  const { length } = array;
  assertLength(length);
  const items: unknown[] = [];
  for (let index = 0; index < length; index++) if (index in array) items.push(array[index]);
  apply(native, items, [compare]);
  const target = array as unknown[];
  for (let index = 0; index < items.length; index++) target[index] = items[index];
  for (let index = items.length; index < length; index++) Reflect.deleteProperty(target, index);
  return array;
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}

function assertLength(length: number): void {
  if (length > itemsMax)
    throw new RangeError(`A length of ${length} is more than an isolate can hold.`);
}

function replace(
  target: object,
  name: string,
  make: (native: (...given: unknown[]) => unknown) => Guard,
): void {
  const native = methodOf(target, name);
  const guard = make(native);
  defineProperty(guard, "name", { value: name, configurable: true });
  defineProperty(guard, "length", { value: native.length, configurable: true });
  defineProperty(target, name, {
    value: guard,
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
