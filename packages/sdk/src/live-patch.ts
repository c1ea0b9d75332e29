// Applies patches of live queries (docs/reference/live.md). Parts that a patch does not name are the same
// objects afterwards. Invariant, held by a property test: a patch of a server from a to b gives b.
import { idOf, shareValue } from "./live-share.ts";
import type { LivePatch } from "./live-protocol.ts";

type Values = Readonly<Record<string, unknown>>;
type RowsPatch = Extract<LivePatch, { readonly kind: "rows" }>;

/** @param value the last value of this subscription. @throws TypeError when the patch does not fit it. */
export function applyPatch(value: unknown, patch: LivePatch): unknown {
  switch (patch.kind) {
    case "rows":
      return patchRows(value, patch);
    case "items":
      return patchItems(listOf(value), patch.length, patch.set);
    case "fields":
      return patchFields(objectOf(value), patch.set ?? {}, patch.unset ?? []);
    default:
      return patch satisfies never;
  }
}

function patchRows(value: unknown, patch: RowsPatch): unknown {
  if (patch.at === null) return patchedRows(listOf(value), patch);
  const page = objectOf(value);
  const rows = patchedRows(listOf(page["rows"]), patch);
  return shareValue(page, { ...page, ...patch.set, rows });
}

function patchedRows(before: readonly unknown[], patch: RowsPatch): unknown {
  const removed = new Set(patch.remove);
  const rows = new Map<string, unknown>();
  for (const row of before) {
    const id = rowId(row);
    if (!removed.has(id)) rows.set(id, row);
  }
  // A Map keeps the place of a key that it has, and puts new ones at the end: as the protocol says.
  for (const row of patch.upsert ?? []) {
    const id = rowId(row);
    rows.set(id, shareValue(rows.get(id), row));
  }
  const list = patch.order === undefined ? [...rows.values()] : ordered(rows, patch.order);
  return shareValue(before, list);
}

function ordered(rows: ReadonlyMap<string, unknown>, order: readonly string[]): unknown[] {
  const list = order.map((id) => rows.get(id));
  if (list.length === rows.size && !list.includes(undefined)) return list;
  throw new TypeError("The order of a patch does not name each of its rows.");
}

function patchItems(
  before: readonly unknown[],
  length: number,
  set: readonly (readonly [index: number, value: unknown])[],
): unknown {
  const items = before.slice(0, length);
  for (const [index, item] of set) items[index] = shareValue(before[index], item);
  if (items.length !== length || items.includes(undefined)) {
    throw new TypeError("A patch leaves items of an array open.");
  }
  return shareValue(before, items);
}

function patchFields(before: Values, set: Values, unset: readonly string[]): unknown {
  const removed = new Set(unset);
  const kept = Object.entries(before).filter(([key]) => !removed.has(key));
  return shareValue(before, { ...Object.fromEntries(kept), ...set });
}

function rowId(row: unknown): string {
  const id = idOf(row);
  if (id === null) throw new TypeError("A patch of rows meets something without an id.");
  return id;
}

function listOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError("A patch for an array meets something else.");
}

function objectOf(value: unknown): Values {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Values;
  throw new TypeError("A patch for an object meets something else.");
}
