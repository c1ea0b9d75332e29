// In which order rows that refer to each other, by their ids, can be written.
import type { Row } from "./data-door.ts";

interface HasRow {
  readonly value: Row;
}

/**
 * Rows so that each comes after those that it refers to, as far as there is such an order.
 * @param refs fields that hold ids of rows among these.
 */
export function targetsFirst<Each extends HasRow>(
  rows: readonly Each[],
  refs: readonly string[],
): readonly Each[] {
  const targetsOf = targetsAmong(rows, refs);
  const begun = new Set<Each>();
  const ordered: Each[] = [];
  for (const first of rows) {
    const path = begun.has(first) ? [] : [first];
    begun.add(first);
    for (let row = path.at(-1); row !== undefined; row = path.at(-1)) {
      const next = targetsOf(row).find((target) => !begun.has(target));
      if (next === undefined) ordered.push(path.pop() as Each);
      else {
        begun.add(next);
        path.push(next);
      }
    }
  }
  return ordered;
}

/** Rows that refer to one of these, or to a row that does, and these themselves. */
export function leadingTo<Each extends HasRow>(
  rows: readonly Each[],
  refs: readonly string[],
  ends: readonly Each[],
): ReadonlySet<Each> {
  const targetsOf = targetsAmong(rows, refs);
  const sources = new Map<Each, Each[]>();
  for (const row of rows) {
    for (const to of targetsOf(row)) {
      const known = sources.get(to);
      if (known === undefined) sources.set(to, [row]);
      else known.push(row);
    }
  }
  const found = new Set(ends);
  for (const row of found) for (const source of sources.get(row) ?? []) found.add(source);
  return found;
}

/** What is left when rows that no other of these refers to are taken away, until there are none: circles, and what lies between them. */
export function onCircles<Each extends HasRow>(
  rows: readonly Each[],
  refs: readonly string[],
): ReadonlySet<Each> {
  const targetsOf = targetsAmong(rows, refs);
  const needed = new Map<Each, number>(rows.map((row) => [row, 0]));
  const count = (row: Each) => needed.get(row) ?? 0;
  for (const row of rows) for (const to of targetsOf(row)) needed.set(to, count(to) + 1);
  const free = rows.filter((row) => count(row) === 0);
  for (let row = free.pop(); row !== undefined; row = free.pop()) {
    needed.delete(row);
    for (const to of targetsOf(row)) {
      needed.set(to, count(to) - 1);
      if (count(to) === 0) free.push(to);
    }
  }
  return new Set(needed.keys());
}

function targetsAmong<Each extends HasRow>(
  rows: readonly Each[],
  refs: readonly string[],
): (row: Each) => readonly Each[] {
  const byId = new Map(rows.map((row) => [row.value["id"] ?? null, row]));
  byId.delete(null);
  // A row that refers to itself waits for nobody.
  return (row) =>
    refs.flatMap((field) => {
      const target = byId.get(row.value[field] ?? null);
      return target === undefined || target === row ? [] : [target];
    });
}
