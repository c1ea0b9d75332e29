// The rows that one mutation changed, merged per row: first state before, last state after. Both engines
// use it, so that the commit log is the same on each. A row that ends as it began is no change.
import type { Change, Row } from "./store.ts";

interface Entry {
  readonly table: string;
  readonly id: string;
  readonly before: Row | null;
  after: Row | null;
}

/** Up to so many rows are told apart by comparing, which needs no text made of table and id. */
const comparedMax = 8;

/** Collects the changes of one mutation, in the order in which rows were first touched. */
export class ChangeSet {
  readonly #entries: Entry[] = [];
  /** By table and id, when they are many. */
  #byKey: Map<string, Entry> | null = null;

  /** @param before null when created. @param after null when deleted. */
  add(table: string, id: string, before: Row | null, after: Row | null): void {
    const known = this.#find(table, id);
    if (known !== undefined) {
      known.after = after;
      return;
    }
    const entry = { table, id, before, after };
    this.#entries.push(entry);
    if (this.#byKey !== null) this.#byKey.set(keyOf(entry), entry);
    else if (this.#entries.length > comparedMax) {
      this.#byKey = new Map(this.#entries.map((entry) => [keyOf(entry), entry]));
    }
  }

  /** Every row that was touched, also those that ended as they began. */
  touched(): Iterable<{ readonly table: string; readonly id: string }> {
    return this.#entries;
  }

  /** How many rows each change adds to its table: 1, -1. */
  *sizes(): Iterable<{ readonly table: string; readonly size: number }> {
    for (const { table, before, after } of this.#entries) {
      const size = Number(after !== null) - Number(before !== null);
      if (size !== 0) yield { table, size };
    }
  }

  /** What is left to log. */
  changes(): readonly Change[] {
    return this.#entries.filter(({ before, after }) => !sameRow(before, after));
  }

  #find(table: string, id: string): Entry | undefined {
    if (this.#byKey !== null) return this.#byKey.get(keyOf({ table, id }));
    for (const entry of this.#entries) if (entry.id === id && entry.table === table) return entry;
    return undefined;
  }
}

function keyOf({ table, id }: { readonly table: string; readonly id: string }): string {
  return `${table} ${id}`;
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
