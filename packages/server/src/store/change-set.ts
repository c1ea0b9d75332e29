// The rows that one mutation changed, merged per row: first state before, last state after. Both engines
// use it, so that the commit log is the same on each. A row that ends as it began is no change.
import type { Change, Row } from "./store.ts";

interface Entry {
  readonly table: string;
  readonly id: string;
  readonly before: Row | null;
  after: Row | null;
}

/** Collects the changes of one mutation, in the order in which rows were first touched. */
export class ChangeSet {
  readonly #entries = new Map<string, Entry>();

  /** @param before null when created. @param after null when deleted. */
  add(table: string, id: string, before: Row | null, after: Row | null): void {
    const key = `${table} ${id}`;
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#entries.set(key, { table, id, before, after });
    else entry.after = after;
  }

  /** Every row that was touched, also those that ended as they began. */
  touched(): Iterable<{ readonly table: string; readonly id: string }> {
    return this.#entries.values();
  }

  /** How many rows each change adds to its table: 1, -1. */
  *sizes(): Iterable<{ readonly table: string; readonly size: number }> {
    for (const { table, before, after } of this.#entries.values()) {
      const size = Number(after !== null) - Number(before !== null);
      if (size !== 0) yield { table, size };
    }
  }

  /** What is left to log. */
  changes(): readonly Change[] {
    const changes: Change[] = [];
    for (const entry of this.#entries.values()) {
      if (!sameRow(entry.before, entry.after)) changes.push(Object.freeze(entry));
    }
    return changes;
  }
}

/** Whether two values are the same JSON; key order counts, as it does in the stored text. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  return JSON.stringify(a) === JSON.stringify(b);
}

function sameRow(a: Row | null, b: Row | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  for (const field in a) if (!sameValue(a[field], b[field])) return false;
  return true;
}
