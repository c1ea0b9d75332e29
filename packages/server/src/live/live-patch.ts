// How one value becomes the next in few bytes: docs/reference/live.md says how a client applies it.
// Invariant: applied to the value before, a patch gives the value after, as JSON texts that are equal.
import type { Json } from "../base/json.ts";

/** A patch is sent when it is shorter than this part of the value. */
const worthPart = 2 / 3;
/** Shorter values are sent whole: nothing is won. */
const charsMin = 64;

type JsonObject = { readonly [key: string]: Json };

/** @returns the patch as JSON text, or null when the whole value is no longer or only a little. */
export function livePatch(before: string, after: string): string | null {
  if (after.length < charsMin) return null;
  const from = JSON.parse(before) as Json;
  const to = JSON.parse(after) as Json;
  const patch = patchOf(from, to);
  if (patch === null) return null;
  const text = JSON.stringify(patch);
  return text.length < after.length * worthPart ? text : null;
}

function patchOf(from: Json, to: Json): Json {
  if (Array.isArray(from) && Array.isArray(to)) {
    return (
      rowsPatch(from as readonly Json[], to as readonly Json[], null, {}) ??
      itemsPatch(from as readonly Json[], to as readonly Json[])
    );
  }
  if (!isObject(from) || !isObject(to)) return null;
  const fromRows = from["rows"];
  const toRows = to["rows"];
  if (Array.isArray(fromRows) && Array.isArray(toRows)) {
    const { rows: _, ...was } = from;
    const { rows: __, ...is } = to;
    const fields = fieldsPatch(was, is);
    if (fields.unset === undefined) {
      const patch = rowsPatch(
        fromRows as readonly Json[],
        toRows as readonly Json[],
        "rows",
        fields,
      );
      if (patch !== null) return patch;
    }
  }
  return { kind: "fields", ...fieldsPatch(from, to) };
}

/** Null when these are no rows with ids of their own. */
function rowsPatch(
  from: readonly Json[],
  to: readonly Json[],
  at: "rows" | null,
  fields: { readonly set?: JsonObject },
): Json {
  const was = rowsById(from);
  const is = rowsById(to);
  if (was === null || is === null) return null;
  const remove = [...was.keys()].filter((id) => !is.has(id));
  const upsert = [...is].filter(([id, row]) => was.get(id)?.text !== row.text);
  // The order that a client comes to by itself.
  const order = [...was.keys()].filter((id) => is.has(id));
  for (const [id] of upsert) if (!was.has(id)) order.push(id);
  const wanted = [...is.keys()];
  const isOrdered = wanted.every((id, index) => order[index] === id);
  return {
    kind: "rows",
    at,
    ...(remove.length > 0 && { remove }),
    ...(upsert.length > 0 && { upsert: upsert.map(([, { row }]) => row) }),
    ...(!isOrdered && { order: wanted }),
    ...fields,
  };
}

function rowsById(
  items: readonly Json[],
): ReadonlyMap<string, { readonly row: JsonObject; readonly text: string }> | null {
  const rows = new Map<string, { readonly row: JsonObject; readonly text: string }>();
  for (const item of items) {
    const id = isObject(item) ? item["id"] : undefined;
    if (!isObject(item) || typeof id !== "string" || rows.has(id)) return null;
    rows.set(id, { row: item, text: JSON.stringify(item) });
  }
  return rows;
}

function itemsPatch(from: readonly Json[], to: readonly Json[]): Json {
  const set: [number, Json][] = [];
  for (const [index, item] of to.entries()) {
    if (index < from.length && JSON.stringify(from[index]) === JSON.stringify(item)) continue;
    set.push([index, item]);
  }
  return { kind: "items", length: to.length, set };
}

function fieldsPatch(
  from: JsonObject,
  to: JsonObject,
): { readonly set?: JsonObject; readonly unset?: readonly string[] } {
  const set: Record<string, Json> = {};
  for (const [key, value] of Object.entries(to)) {
    if (!Object.hasOwn(from, key) || JSON.stringify(from[key]) !== JSON.stringify(value)) {
      set[key] = value;
    }
  }
  const unset = Object.keys(from).filter((key) => !Object.hasOwn(to, key));
  return {
    ...(Object.keys(set).length > 0 && { set }),
    ...(unset.length > 0 && { unset }),
  };
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
