// Where in the app a system call stood that was refused. The refusal goes on as it was, so its place is kept beside
// it, while developing, for the terminal.
import type { MappedPlace } from "./bundle-map.ts";

const places = new WeakMap<object, MappedPlace>();

/** Keeps the place of a refusal. That of the innermost function stays: it made the call. */
export function keepFailurePlace(error: object, place: MappedPlace | null): void {
  if (place !== null && !places.has(error)) places.set(error, place);
}

/** Where a refusal came from, or null: no function's call, or not while developing. */
export function failurePlace(error: object): MappedPlace | null {
  return places.get(error) ?? null;
}
