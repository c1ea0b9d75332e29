// From a change to the queries that it can touch, without walking them all: entries stand under the id of a
// row, under a value that a field must have, or, when there is nothing narrower, under their table. What is
// found is then asked for sure (`touches`). A row that moves is found by what it was and by what it is.
import type { Json } from "../base/json.ts";
import type { Manifest, TableModel } from "../model/manifest.ts";
import { touches, type Dependency, type Touch } from "./dependency.ts";
import type { IndexKey, IndexKeys } from "./rule-parts.ts";

/** One dependency of an owner. */
interface Entry<Owner> {
  readonly owner: Owner;
  readonly dependency: Dependency;
}

type Entries<Owner> = Set<Entry<Owner>>;

interface TableEntries<Owner> {
  readonly rows: Map<string, Entries<Owner>>;
  /** By field, then by value. */
  readonly values: Map<string, Map<string, Entries<Owner>>>;
  readonly lookups: Map<string, Entries<Owner>>;
  readonly whole: Entries<Owner>;
}

/** What an owner has put into the index; give it back to remove it. */
export type Indexed<Owner> = readonly Entry<Owner>[];

/** Dependencies of many owners. */
export class DependencyIndex<Owner> {
  readonly #tables = new Map<string, TableEntries<Owner>>();
  readonly #weights: ReadonlyMap<string, ReadonlyMap<string, number>>;

  constructor(manifest: Manifest) {
    this.#weights = new Map(
      Object.values(manifest.tables).map((table) => [table.name, weightsOf(table)]),
    );
  }

  add(owner: Owner, dependencies: readonly Dependency[]): Indexed<Owner> {
    const entries = dependencies.map((dependency) => ({ owner, dependency }));
    for (const entry of entries) {
      for (const place of this.#placesOf(entry.dependency, true)) place().add(entry);
    }
    return entries;
  }

  remove(entries: Indexed<Owner>): void {
    for (const entry of entries) {
      for (const place of this.#placesOf(entry.dependency, false)) place().delete(entry);
      this.#tidy(entry.dependency);
    }
  }

  /** Adds to `into` every owner that a change touches. */
  touched(change: Touch, into: Set<Owner>): void {
    const table = this.#tables.get(change.table);
    if (table === undefined) return;
    collect(table.rows.get(change.id), change, into);
    for (const [field, byValue] of table.values) {
      const before = change.before === null ? null : keyText(change.before[field]);
      const after = change.after === null ? null : keyText(change.after[field]);
      if (before !== null) collect(byValue.get(before), change, into);
      if (after !== null && after !== before) collect(byValue.get(after), change, into);
    }
    for (const entries of table.lookups.values()) {
      // All of one place look at the same fields: one answers for all.
      const [first] = entries;
      if (first === undefined || !touches(first.dependency, change)) continue;
      for (const { owner } of entries) into.add(owner);
    }
    collect(table.whole, change, into);
  }

  /** Of bounds that all hold the one that the fewest entries share; null when there is none. */
  narrowest(table: string, bounds: readonly IndexKeys[]): IndexKeys {
    let best: readonly IndexKey[] | null = null;
    let bestCost = Infinity;
    for (const bound of bounds) {
      if (bound === null) continue;
      let cost = 0;
      for (const key of bound) cost += this.#costOf(table, key);
      if (cost >= bestCost) continue;
      best = bound;
      bestCost = cost;
    }
    return best;
  }

  /** Entries in the index. */
  get size(): number {
    let size = 0;
    for (const { rows, values, lookups, whole } of this.#tables.values()) {
      size += whole.size;
      for (const entries of rows.values()) size += entries.size;
      for (const entries of lookups.values()) size += entries.size;
      for (const byValue of values.values()) {
        for (const entries of byValue.values()) size += entries.size;
      }
    }
    return size;
  }

  /** How many changes a bound lets through is not known; how its field is made tells most of it. */
  #costOf(table: string, { field, value }: IndexKey): number {
    const shared = this.#tables.get(table)?.values.get(field)?.get(keyText(value))?.size ?? 0;
    return (this.#weights.get(table)?.get(field) ?? 1) * (1 + Math.min(shared, 10_000) / 10_000);
  }

  *#placesOf(dependency: Dependency, makes: boolean): Iterable<() => Entries<Owner>> {
    const table = this.#tableOf(dependency.table);
    const none: Entries<Owner> = new Set();
    switch (dependency.kind) {
      case "row":
        yield () => placed(table.rows, dependency.id, makes, none);
        return;
      case "lookup":
        yield () => placed(table.lookups, [...dependency.fields].join(), makes, none);
        return;
      case "rows": {
        if (dependency.keys === null) {
          yield () => table.whole;
          return;
        }
        for (const { field, value } of dependency.keys) {
          const byValue = table.values.get(field) ?? new Map<string, Entries<Owner>>();
          if (makes) table.values.set(field, byValue);
          yield () => placed(byValue, keyText(value), makes, none);
        }
        return;
      }
      default:
        dependency satisfies never;
    }
  }

  #tidy(dependency: Dependency): void {
    const table = this.#tableOf(dependency.table);
    if (dependency.kind === "row") dropEmpty(table.rows, dependency.id);
    if (dependency.kind === "lookup") dropEmpty(table.lookups, [...dependency.fields].join());
    if (dependency.kind !== "rows" || dependency.keys === null) return;
    for (const { field, value } of dependency.keys) {
      const byValue = table.values.get(field);
      if (byValue === undefined) continue;
      dropEmpty(byValue, keyText(value));
      if (byValue.size === 0) table.values.delete(field);
    }
  }

  #tableOf(name: string): TableEntries<Owner> {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = { rows: new Map(), values: new Map(), lookups: new Map(), whole: new Set() };
      this.#tables.set(name, table);
    }
    return table;
  }
}

function collect<Owner>(
  entries: Entries<Owner> | undefined,
  change: Touch,
  into: Set<Owner>,
): void {
  if (entries === undefined) return;
  for (const { owner, dependency } of entries) {
    if (!into.has(owner) && touches(dependency, change)) into.add(owner);
  }
}

function placed<Owner>(
  places: Map<string, Entries<Owner>>,
  key: string,
  makes: boolean,
  none: Entries<Owner>,
): Entries<Owner> {
  const known = places.get(key);
  if (known !== undefined || !makes) return known ?? none;
  const made: Entries<Owner> = new Set();
  places.set(key, made);
  return made;
}

function dropEmpty<Owner>(places: Map<string, Entries<Owner>>, key: string): void {
  if (places.get(key)?.size === 0) places.delete(key);
}

/** Values that are equal for filters and rules have one text. */
function keyText(value: Json | undefined): string {
  return JSON.stringify(value ?? null);
}

/** How many rows share a value of a field, roughly, by what it is. */
function weightsOf(table: TableModel): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const unique = new Set(
    table.indexes.flatMap(({ fields, unique }) => (unique === true ? fields.slice(0, 1) : [])),
  );
  for (const [field, { kind }] of Object.entries(table.fields)) {
    if (field === "id") weights.set(field, 0.01);
    else if (kind === "bool" || kind === "oneOf") weights.set(field, 100);
    else weights.set(field, unique.has(field) ? 0.5 : 1);
  }
  return weights;
}
