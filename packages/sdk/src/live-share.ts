// Structural sharing: a new value takes over every part of the old one that did not change, so that whoever
// compares by reference (React, memo) sees what changed and nothing else. Values are frozen: they are shared.

/**
 * Makes `after` of the parts of `before` that are equal to it.
 * @param after parsed JSON that nobody else holds, or a value made of parts of `before`; it is changed and frozen.
 * @returns `before` itself when both are equal.
 */
export function shareValue(before: unknown, after: unknown): unknown {
  if (Object.is(before, after) || typeof after !== "object" || after === null) return after;
  if (Array.isArray(after)) return shareArray(Array.isArray(before) ? before : [], after);
  const isSameKind = typeof before === "object" && before !== null && !Array.isArray(before);
  return shareObject((isSameKind ? before : {}) as Values, after as Values);
}

type Values = Record<string, unknown>;

function shareObject(before: Values, after: Values): Values {
  if (Object.isFrozen(after)) return after;
  const keys = Object.keys(after);
  let isSame = keys.length === Object.keys(before).length;
  for (const key of keys) {
    const old = Object.hasOwn(before, key) ? before[key] : undefined;
    const shared = shareValue(old, after[key]);
    if (shared !== old || !Object.hasOwn(before, key)) isSame = false;
    if (shared !== after[key]) after[key] = shared;
  }
  return isSame && Object.isFrozen(before) ? before : Object.freeze(after);
}

function shareArray(before: readonly unknown[], after: unknown[]): readonly unknown[] {
  if (Object.isFrozen(after)) return after;
  let byId: ReadonlyMap<string, unknown> | null = null;
  let isSame = before.length === after.length;
  for (const [index, item] of after.entries()) {
    const id = idOf(item);
    let old = before[index];
    // Rows are told by their ids, wherever they stand now; anything else by its place.
    if (id !== null && idOf(old) !== id) old = (byId ??= indexById(before)).get(id);
    const shared = shareValue(old, item);
    if (shared !== before[index]) isSame = false;
    after[index] = shared;
  }
  return isSame && Object.isFrozen(before) ? before : Object.freeze(after);
}

function indexById(rows: readonly unknown[]): ReadonlyMap<string, unknown> {
  const byId = new Map<string, unknown>();
  for (const row of rows) {
    const id = idOf(row);
    if (id !== null) byId.set(id, row);
  }
  return byId;
}

/** The id of a row, or null. */
export function idOf(row: unknown): string | null {
  if (typeof row !== "object" || row === null || !("id" in row)) return null;
  return typeof row.id === "string" ? row.id : null;
}
