// Texts of senders, made fit to be stored and looked for: no field of ours holds U+0000 or half of a surrogate pair
// (model/field-format.ts), and a sender's JSON may. What a sender calls a thing stays that thing's alone.
import { createHash } from "node:crypto";
import type { Json } from "../base/json.ts";
import { fitText, textProblem } from "../model/field-format.ts";

/**
 * `fitText` for every text and key of a value.
 * @param depthMax what is nested deeper stays as it is: whoever takes the value refuses it.
 */
export function fitJson(value: Json, depthMax: number): Json {
  if (typeof value === "string") return fitText(value);
  if (value === null || typeof value !== "object" || depthMax === 0) return value;
  if (Array.isArray(value)) return value.map((item: Json) => fitJson(item, depthMax - 1));
  const entries = Object.entries(value as { readonly [key: string]: Json });
  return Object.fromEntries(
    entries.map(([key, each]) => [fitText(key), fitJson(each, depthMax - 1)]),
  );
}

/**
 * What a sender calls a thing, as a text of a bounded length: as it is when that fits, its hash otherwise. Cut off,
 * two things would become one, and the second would be left out as known.
 */
export function fitName(name: string, charsMax: number): string {
  if (name.length <= charsMax && textProblem(name) === null) return name;
  // As JSON: UTF-8 has no form for half of a pair.
  return `sha256:${createHash("sha256").update(JSON.stringify(name)).digest("hex")}`;
}
