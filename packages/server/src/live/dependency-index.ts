// From a change to the queries that it can touch, without walking them all: entries stand under the id of a
// row, under a value that a field must have or values that it must be between, or, when there is nothing
// narrower, under their table. What is found is then asked for sure (`touches`). A row that moves is found by
// what it was and by what it is.
import type { Json } from "../base/json.ts";
import type { Manifest, TableModel } from "../model/manifest.ts";
import { touches, type Dependency, type Touch } from "./dependency.ts";
import type { IndexKey, IndexKeys } from "./index-key.ts";
import { IntervalIndex, type Interval } from "./interval-index.ts";

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
  /** By field. */
  readonly ranges: Map<string, FieldRanges<Owner>>;
  readonly lookups: Map<string, Entries<Owner>>;
  readonly whole: Entries<Owner>;
}

/** Ranges of one field; values of two types have no order between them. */
interface FieldRanges<Owner> {
  readonly number: IntervalIndex<Entry<Owner>>;
  readonly string: IntervalIndex<Entry<Owner>>;
}

/** What a range may let through, beside the weights of values: more than most fields' values do. */
const rangeCost = 50;
const openRangeCost = 150;

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
    for (const entry of entries) this.#place(entry);
    return entries;
  }

  remove(entries: Indexed<Owner>): void {
    for (const entry of entries) this.#displace(entry);
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
    for (const [field, ranges] of table.ranges) {
      const before = change.before === null ? null : (change.before[field] ?? null);
      const after = change.after === null ? null : (change.after[field] ?? null);
      collectRanges(ranges, before, change, into);
      if (after !== before) collectRanges(ranges, after, change, into);
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

  /** Places in the index that are taken. */
  get size(): number {
    let size = 0;
    for (const { rows, values, ranges, lookups, whole } of this.#tables.values()) {
      size += whole.size;
      for (const entries of rows.values()) size += entries.size;
      for (const entries of lookups.values()) size += entries.size;
      for (const byValue of values.values()) {
        for (const entries of byValue.values()) size += entries.size;
      }
      for (const { number, string } of ranges.values()) size += number.size + string.size;
    }
    return size;
  }

  /** How many changes a bound lets through is not known; how its field is made tells most of it. */
  #costOf(table: string, key: IndexKey): number {
    if (key.kind === "range") {
      const { low, high } = key.range;
      return low === null || high === null ? openRangeCost : rangeCost;
    }
    const { field, value } = key;
    const shared = this.#tables.get(table)?.values.get(field)?.get(keyText(value))?.size ?? 0;
    return (this.#weights.get(table)?.get(field) ?? 1) * (1 + Math.min(shared, 10_000) / 10_000);
  }

  #place(entry: Entry<Owner>): void {
    const { dependency } = entry;
    const table = this.#tableOf(dependency.table);
    switch (dependency.kind) {
      case "row":
        placed(table.rows, dependency.id, newEntries).add(entry);
        return;
      case "lookup":
        placed(table.lookups, lookupKey(dependency.fields), newEntries).add(entry);
        return;
      case "rows":
        if (dependency.keys === null) table.whole.add(entry);
        else for (const key of dependency.keys) placeKey(table, key, entry);
        return;
      default:
        dependency satisfies never;
    }
  }

  #displace(entry: Entry<Owner>): void {
    const { dependency } = entry;
    const table = this.#tableOf(dependency.table);
    switch (dependency.kind) {
      case "row":
        dropFrom(table.rows, dependency.id, entry);
        return;
      case "lookup":
        dropFrom(table.lookups, lookupKey(dependency.fields), entry);
        return;
      case "rows":
        if (dependency.keys === null) table.whole.delete(entry);
        else for (const key of dependency.keys) displaceKey(table, key, entry);
        return;
      default:
        dependency satisfies never;
    }
  }

  #tableOf(name: string): TableEntries<Owner> {
    let table = this.#tables.get(name);
    if (table === undefined) {
      table = {
        rows: new Map(),
        values: new Map(),
        ranges: new Map(),
        lookups: new Map(),
        whole: new Set(),
      };
      this.#tables.set(name, table);
    }
    return table;
  }
}

function collect<Owner>(
  entries: ReadonlySet<Entry<Owner>> | undefined,
  change: Touch,
  into: Set<Owner>,
): void {
  if (entries === undefined) return;
  for (const { owner, dependency } of entries) {
    if (!into.has(owner) && touches(dependency, change)) into.add(owner);
  }
}

/** An absent value is in no range. */
function collectRanges<Owner>(
  { number, string }: FieldRanges<Owner>,
  value: Json,
  change: Touch,
  into: Set<Owner>,
): void {
  if (value === null) return;
  const found = (entries: ReadonlySet<Entry<Owner>>) => collect(entries, change, into);
  // What has another type than the values of a range may still be ordered against them as text.
  if (typeof value === "number") number.visit(value, found);
  else number.visitAll(found);
  if (typeof value === "string") string.visit(value, found);
  else string.visitAll(found);
}

function placeKey<Owner>(table: TableEntries<Owner>, key: IndexKey, entry: Entry<Owner>): void {
  if (key.kind === "range") {
    rangesOf(placed(table.ranges, key.field, newRanges), key.range).add(key.range, entry);
    return;
  }
  const byValue = placed(table.values, key.field, newValues<Owner>);
  placed(byValue, keyText(key.value), newEntries).add(entry);
}

function displaceKey<Owner>(table: TableEntries<Owner>, key: IndexKey, entry: Entry<Owner>): void {
  if (key.kind === "range") {
    const ranges = table.ranges.get(key.field);
    if (ranges === undefined) return;
    rangesOf(ranges, key.range).delete(key.range, entry);
    if (ranges.number.size + ranges.string.size === 0) table.ranges.delete(key.field);
    return;
  }
  const byValue = table.values.get(key.field);
  if (byValue === undefined) return;
  dropFrom(byValue, keyText(key.value), entry);
  if (byValue.size === 0) table.values.delete(key.field);
}

function rangesOf<Owner>(
  ranges: FieldRanges<Owner>,
  { low, high }: Interval,
): IntervalIndex<Entry<Owner>> {
  return typeof (low ?? high) === "number" ? ranges.number : ranges.string;
}

function placed<Key, Place>(places: Map<Key, Place>, key: Key, make: () => Place): Place {
  const known = places.get(key);
  if (known !== undefined) return known;
  const made = make();
  places.set(key, made);
  return made;
}

function dropFrom<Owner>(
  places: Map<string, Entries<Owner>>,
  key: string,
  entry: Entry<Owner>,
): void {
  const place = places.get(key);
  place?.delete(entry);
  if (place?.size === 0) places.delete(key);
}

function newEntries<Owner>(): Entries<Owner> {
  return new Set();
}

function newValues<Owner>(): Map<string, Entries<Owner>> {
  return new Map();
}

function newRanges<Owner>(): FieldRanges<Owner> {
  return { number: new IntervalIndex(), string: new IntervalIndex() };
}

function lookupKey(fields: ReadonlySet<string>): string {
  return [...fields].join();
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
