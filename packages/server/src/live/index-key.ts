// What a row must have to matter to a subscription: a value of a field, or a value between two. Bounds are what
// the index files subscriptions under; they may let more rows through than matter, never fewer.
import type { Json } from "../base/json.ts";
import { compareValues } from "../store/memory/where-match.ts";
import type { Interval, IntervalValue } from "./interval-index.ts";

/** One thing that a row can have. */
export type IndexKey =
  | { readonly kind: "value"; readonly field: string; readonly value: Json }
  | { readonly kind: "range"; readonly field: string; readonly range: Interval };

/** A row that can matter has one of these; null: any row can. */
export type IndexKeys = readonly IndexKey[] | null;

/** Chooses the narrowest of several bounds that all hold. */
export type Narrowest = (bounds: readonly (readonly IndexKey[])[]) => IndexKeys;

/** Past it a bound is not worth the entries that it takes. */
export const keysMax = 500;

/** Bounds of which one must hold. */
export function unionOfKeys(parts: readonly IndexKeys[]): IndexKeys {
  const all: IndexKey[] = [];
  for (const part of parts) {
    if (part === null) return null;
    all.push(...part);
  }
  return all.length > keysMax ? null : all;
}

/** Bounds that all must hold: ranges of one field become one, then the narrowest counts. */
export function jointKeys(parts: readonly IndexKeys[], narrowest: Narrowest): IndexKeys {
  const bounds: (readonly IndexKey[])[] = [];
  const ranges = new Map<string, Interval>();
  for (const part of parts) {
    if (part === null) continue;
    const [only] = part;
    if (part.length !== 1 || only?.kind !== "range") {
      bounds.push(part);
      continue;
    }
    const before = ranges.get(only.field);
    const both = before === undefined ? only.range : overlap(before, only.range);
    // Nothing is in both.
    if (both === null) return [];
    ranges.set(only.field, both);
  }
  for (const [field, range] of ranges) bounds.push([{ kind: "range", field, range }]);
  return narrowest(bounds);
}

/** The range of a field, of bounds that need not be values with an order; null: no bound can be told. */
export function rangeKeys(field: string, low: Json, high: Json): IndexKeys {
  const from = isIntervalValue(low) ? low : null;
  const to = isIntervalValue(high) ? high : null;
  if (from === null && to === null) return null;
  // A range of two types is no range that an index has an order for.
  if (from !== null && to !== null && typeof from !== typeof to) return null;
  return [{ kind: "range", field, range: { low: from, high: to } }];
}

/** Texts that begin with `prefix`, in the order of code points. */
export function prefixRange(prefix: string): Interval {
  const points = Array.from(prefix, (char) => char.codePointAt(0) as number);
  for (;;) {
    const last = points.pop();
    if (last === undefined) return { low: prefix, high: null };
    if (last >= codePointMax) continue;
    // Surrogates are no characters: a text that has one alone ranks above all others.
    const next = last + 1 === 0xd800 ? 0xe000 : last + 1;
    if (last >= 0xd800 && last <= 0xdfff) return { low: prefix, high: null };
    return { low: prefix, high: String.fromCodePoint(...points, next) };
  }
}

const codePointMax = 0x10ffff;

function overlap(a: Interval, b: Interval): Interval | null {
  const some = a.low ?? a.high;
  const other = b.low ?? b.high;
  if (typeof some !== typeof other) return a;
  const low = higher(a.low, b.low);
  const high = lower(a.high, b.high);
  return low !== null && high !== null && compareValues(low, high) > 0 ? null : { low, high };
}

function higher(a: IntervalValue | null, b: IntervalValue | null): IntervalValue | null {
  if (a === null || b === null) return a ?? b;
  return compareValues(a, b) >= 0 ? a : b;
}

function lower(a: IntervalValue | null, b: IntervalValue | null): IntervalValue | null {
  if (a === null || b === null) return a ?? b;
  return compareValues(a, b) <= 0 ? a : b;
}

function isIntervalValue(value: Json): value is IntervalValue {
  return typeof value === "string" || typeof value === "number";
}
