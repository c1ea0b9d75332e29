// JSON at the doors: parsed once, with limits, and never with a key that reaches a prototype.
import type { Json } from "./json.ts";
import { PlatformError } from "./platform-error.ts";

/** Keys that JSON from outside never has: with them, code that copies objects can be led to a prototype. */
export const forbiddenKeys: ReadonlySet<string> = new Set([
  "__proto__",
  "constructor",
  "prototype",
]);

/**
 * Parses untrusted JSON text.
 * @param depthMax nesting allowed, counted in arrays and objects.
 * @throws JSON_INVALID when the text is no JSON; JSON_TOO_DEEP; JSON_KEY_FORBIDDEN for `__proto__` and its kin.
 */
export function parseJson(text: string, depthMax: number): Json {
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch (cause) {
    throw new PlatformError("JSON_INVALID", {}, { cause });
  }
  assertShape(value, depthMax);
  return value;
}

function assertShape(value: Json, depthLeft: number): void {
  if (value === null || typeof value !== "object") return;
  if (depthLeft === 0) throw new PlatformError("JSON_TOO_DEEP", {});
  if (Array.isArray(value)) {
    for (const item of value) assertShape(item as Json, depthLeft - 1);
    return;
  }
  for (const key of Object.keys(value)) {
    if (forbiddenKeys.has(key)) throw new PlatformError("JSON_KEY_FORBIDDEN", { key });
    assertShape((value as Record<string, Json>)[key] as Json, depthLeft - 1);
  }
}
