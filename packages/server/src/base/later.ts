// A value that is there now (embedded engine) or comes later (an engine across the network).
// Code that handles both stays synchronous on the embedded engine, which isolates depend on:
// a system call answered at once costs about a microsecond, one answered later needs a re-entry.

/** A value now, or a promise of it. */
export type Later<T> = T | Promise<T>;

/** Continues with a value, at once when it is there. */
export function andThen<T, R>(value: Later<T>, next: (value: T) => Later<R>): Later<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Whether a value comes later. */
export function isLater<T>(value: Later<T>): value is Promise<T> {
  return value instanceof Promise;
}

/** Handles a failure of `run`, whether it comes now or later. @param handle answers in its place, or throws. */
export function recover<T>(run: () => Later<T>, handle: (error: unknown) => Later<T>): Later<T> {
  let value: Later<T>;
  try {
    value = run();
  } catch (error) {
    return handle(error);
  }
  return value instanceof Promise ? value.catch(handle) : value;
}

/** Many values, at once when all are there. */
export function allOf<T>(values: readonly Later<T>[]): Later<readonly T[]> {
  return values.some(isLater) ? Promise.all(values) : (values as readonly T[]);
}
