// What a run stood on, as things that a commit can touch. Invariant: a commit that changes the answer of a
// query touches one of the dependencies of its last run; the other way round it need not be.
import type { Change, Row } from "../store/store.ts";
import { sameValue } from "../store/change-set.ts";
import type { IndexKeys } from "./index-key.ts";

/** One thing that a run read. */
export type Dependency =
  /** A row by id, there or not. */
  | { readonly kind: "row"; readonly table: string; readonly id: string }
  /** The rows of a table that match something. */
  | RowsDependency
  /** Fields of rows that rules look at through references. */
  | { readonly kind: "lookup"; readonly table: string; readonly fields: ReadonlySet<string> };

/** The rows of a table that match something. */
export interface RowsDependency {
  readonly kind: "rows";
  readonly table: string;
  /** A row that matches has one of these; null: any may. */
  readonly keys: IndexKeys;
  /** Whether a row could match. Null: any row. */
  readonly mayMatch: ((row: Row) => boolean) | null;
  /** Fields whose change matters while a row goes on matching; null: all. */
  readonly fields: ReadonlySet<string> | null;
  /** Whether a row stands past the end of a full page that is followed by more; null: there is no such end. */
  readonly isBeyond: ((row: Row) => boolean) | null;
  /** Fields that say whether a row matches where `mayMatch` can't: of a search, of rules. Empty: it always can. */
  readonly matching: ReadonlySet<string>;
}

/** Where `mayMatch` can always say. */
export const noFields: ReadonlySet<string> = new Set();

/** A change, or a row whose time was reached: nothing of it changed but what `now` says of it. */
export interface Touch extends Change {
  readonly timeField?: string;
}

/** Whether a change touches a dependency of its table. */
export function touches(dependency: Dependency, change: Touch): boolean {
  if (dependency.table !== change.table) return false;
  switch (dependency.kind) {
    case "row":
      return dependency.id === change.id;
    case "rows":
      return touchesRows(dependency, change);
    case "lookup":
      return touchesLookup(dependency.fields, change);
    default:
      return dependency satisfies never;
  }
}

function touchesRows(rows: RowsDependency, change: Touch): boolean {
  const { mayMatch, fields, isBeyond, matching } = rows;
  const { before, after } = change;
  const was = before !== null && (mayMatch === null || mayMatch(before));
  const is = after !== null && (mayMatch === null || mayMatch(after));
  if (!was && !is) return false;
  if (change.timeField !== undefined) return true;
  if (was && is && fields !== null && !changesOne(fields, before, after)) return false;
  // A row that ends up behind the last one, and was not before it, changes nothing that is shown. One that
  // is gone from there may, or that may have ceased to match: nothing may follow any more.
  if (isBeyond === null || !is || !isBeyond(after)) return true;
  return was && (!isBeyond(before) || changesOne(matching, before, after));
}

function touchesLookup(fields: ReadonlySet<string>, change: Touch): boolean {
  const { before, after, timeField } = change;
  if (timeField !== undefined) return fields.has(timeField);
  // A row that is new has no reference to it yet, but for rows that change themselves.
  if (before === null) return false;
  return after === null || changesOne(fields, before, after);
}

function changesOne(fields: ReadonlySet<string>, before: Row, after: Row): boolean {
  for (const field of fields) {
    if (!sameValue(before[field] ?? null, after[field] ?? null)) return true;
  }
  return false;
}
