// A place in a JSON value: `data.object.id`.
import type { Json } from "../base/json.ts";

/** What stands there, or null. */
export function placeIn(value: Json, path: string): Json {
  let at: Json = value;
  for (const step of path.split(".")) {
    if (at === null || typeof at !== "object" || !Object.hasOwn(at, step)) return null;
    at = (at as { readonly [key: string]: Json })[step] ?? null;
  }
  return at;
}
