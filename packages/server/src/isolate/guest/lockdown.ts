// What calls share cannot be changed by them: once the app is loaded, every built-in, every web API and the
// global object are frozen. A prototype polluted through one user's data would otherwise stay for the next.
// Before that moment modules may add to built-ins (polyfills), as they can see no data yet.
//
// Freezing alone would break `error.name = "X"` and `row.toString = f` (assignment to an inherited
// read-only property fails), so these few become accessors that define the property on the receiver.
import {
  apply,
  defineProperty,
  freeze,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  ownKeys,
  preventExtensions,
} from "./primordials.ts";

/**
 * Everything that can be reached from the globals and from `roots`, collected before user code runs. Plain
 * methods are frozen right here, in the snapshot; what modules may add to (constructors, prototypes) is not.
 */
export function collectIntrinsics(roots: readonly object[]): readonly object[] {
  const found = new Set<object>();
  const queue: object[] = [globalThis, ...roots, ...hidden()];
  for (let item = queue.pop(); item !== undefined; item = queue.pop()) {
    if (found.has(item)) continue;
    found.add(item);
    const push = (value: unknown): void => {
      if ((typeof value === "object" && value !== null) || typeof value === "function") {
        queue.push(value);
      }
    };
    push(getPrototypeOf(item));
    for (const key of ownKeys(item)) {
      const descriptor = getOwnPropertyDescriptor(item, key);
      if (descriptor === undefined) continue;
      push(descriptor.value);
      push(descriptor.get);
      push(descriptor.set);
    }
  }
  found.delete(globalThis);
  return [...found].filter((item) => {
    const isMethod = typeof item === "function" && !Object.hasOwn(item, "prototype");
    if (isMethod) freeze(item);
    return !isMethod;
  });
}

/** Built-ins that no global leads to. */
function hidden(): object[] {
  const asyncFunction = async (): Promise<void> => undefined;
  const generator = function* (): Generator<void> {};
  const asyncGenerator = async function* (): AsyncGenerator<void> {};
  const { Iterator } = globalThis as unknown as { Iterator: { from(source: object): object } };
  const values = [].values() as unknown as { map(change: () => void): object };
  const iterators: object[] = [
    [][Symbol.iterator](),
    ""[Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    "".matchAll(/a/g),
    Iterator.from({ next: () => ({ done: true, value: undefined }) }),
    values.map(() => undefined),
  ];
  return [asyncFunction, generator, asyncGenerator, generator(), asyncGenerator(), ...iterators];
}

/** Inherited names that programs assign on their own objects. */
const assigned: readonly (readonly [object, readonly string[]])[] = [
  [
    Object.prototype,
    ["constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString"],
  ],
  [Object.prototype, ["toString", "valueOf"]],
  [Error.prototype, ["constructor", "name", "message", "toString"]],
  ...[EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError].map(
    ({ prototype }) => [prototype, ["constructor", "name", "message"]] as const,
  ),
];

/** Makes `object.name = value` go on working on objects that inherit a frozen `name`. */
function allowOverrides(): void {
  for (const [prototype, names] of assigned) {
    for (const name of names) {
      const found = getOwnPropertyDescriptor(prototype, name);
      if (found === undefined || !("value" in found) || !found.configurable) continue;
      const { value } = found;
      defineProperty(prototype, name, {
        configurable: false,
        enumerable: false,
        get: freeze(() => value as unknown),
        set: freeze(function (this: object, next: unknown) {
          if (this === prototype) throw new TypeError(`${name} of a built-in cannot be changed.`);
          defineProperty(this, name, {
            value: next,
            writable: true,
            enumerable: true,
            configurable: true,
          });
        }),
      });
    }
  }
}

/** Freezes all of it. Once, when the app is loaded. */
export function lockDown(intrinsics: readonly object[]): void {
  allowOverrides();
  for (let index = 0; index < intrinsics.length; index++) freeze(intrinsics[index]);
  const names = ownKeys(globalThis);
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as PropertyKey;
    const found = getOwnPropertyDescriptor(globalThis, name);
    if (found === undefined || !found.configurable) continue;
    const change = "value" in found ? { writable: false } : {};
    apply(defineProperty, undefined, [globalThis, name, { ...change, configurable: false }]);
  }
  preventExtensions(globalThis);
}
