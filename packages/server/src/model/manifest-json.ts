// The manifest as text: for the database, for worker threads, for tools. What comes out is frozen.
import { assert } from "../base/assert.ts";
import type { Manifest } from "./manifest.ts";

/** Writes a manifest. The order of tables and fields is kept: it is the order of declaration. */
export function manifestToJson(manifest: Manifest): string {
  return JSON.stringify(manifest);
}

/** Reads what manifestToJson wrote; text from anywhere else is no manifest. @param text of this server's own making. */
export function manifestFromJson(text: string): Manifest {
  const manifest = JSON.parse(text) as Manifest;
  assert(manifest.version === 1, "a manifest of version 1");
  assert(
    typeof manifest.hash === "string" && manifest.hash.length === 64,
    "a manifest with its hash",
  );
  return deepFreeze(manifest);
}

/** Freezes a value of plain objects and arrays, and everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

/** JSON with sorted keys: equal values are equal text. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(",")}]`;
  const entries = Object.entries(value)
    .filter(([, part]) => part !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, part]) => `${JSON.stringify(key)}:${canonicalJson(part)}`);
  return `{${entries.join(",")}}`;
}
