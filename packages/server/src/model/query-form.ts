// The one query form (law 4): what REST filters, db.* in functions, live queries and the other doors
// compile to. JSON; validated against the manifest before an engine sees it (query-check.ts).
import type { Json } from "../base/json.ts";

/** Conditions on one field. Every present one must hold. Absent values match only `{ eq: null }`. */
export interface FieldCondition {
  readonly eq?: Json;
  readonly not?: Json;
  readonly gt?: Json;
  readonly gte?: Json;
  readonly lt?: Json;
  readonly lte?: Json;
  readonly in?: readonly Json[];
  readonly notIn?: readonly Json[];
  /** Text: case-sensitive prefix; uses an index. */
  readonly startsWith?: string;
  /** Text: substring; list: has this item. */
  readonly contains?: Json;
}

/** A checked filter: an AST of its own, so that engines do not parse. */
export type Where =
  | { readonly kind: "field"; readonly field: string; readonly condition: FieldCondition }
  | { readonly kind: "and"; readonly parts: readonly Where[] }
  | { readonly kind: "or"; readonly parts: readonly Where[] }
  | { readonly kind: "not"; readonly part: Where };

export interface OrderTerm {
  readonly field: string;
  readonly descending: boolean;
}

/** An expansion: a reference of this table (`film`), or rows of another that refer to it (`booking by screening`). */
export interface WithTerm {
  /** The name in the answer. */
  readonly name: string;
  readonly table: string;
  /** `one`: this row's field `via` holds the target's id. `many`: the other table's field `via` holds this row's id. */
  readonly kind: "one" | "many";
  readonly via: string;
  readonly where?: Where;
  readonly orderBy?: readonly OrderTerm[];
  /** Many: rows per parent, at most limits.pageRowsMax. */
  readonly limit?: number;
  readonly select?: readonly string[];
  readonly with?: readonly WithTerm[];
}

export type AggregateOp = "count" | "sum" | "min" | "max" | "avg";

/** One computed value; `field` is absent for the count of rows. */
export interface AggregateTerm {
  readonly name: string;
  readonly op: AggregateOp;
  readonly field?: string;
}

/** A checked list query. */
export interface ListQuery {
  readonly kind: "list";
  readonly from: string;
  readonly where?: Where;
  /** Full-text search in the table's search fields; ranks by relevance when `orderBy` is empty. */
  readonly search?: string;
  /** Ends in `id` (added when absent), so that pages never overlap; empty for a search by relevance. */
  readonly orderBy: readonly OrderTerm[];
  readonly limit: number;
  /** Cursor of the last row of the page before. */
  readonly after?: string;
  readonly select?: readonly string[];
  readonly with?: readonly WithTerm[];
}

/** A checked aggregate query: one answer row per group. */
export interface AggregateQuery {
  readonly kind: "aggregate";
  readonly from: string;
  readonly where?: Where;
  readonly search?: string;
  readonly groupBy: readonly string[];
  readonly values: readonly AggregateTerm[];
  /** Groups at most. Above limits.pageRowsMax: none was given, and an answer of so many is refused. */
  readonly limit: number;
}

/** The JSON that callers send, before it is checked. */
export interface QueryForm {
  readonly where?: Json;
  readonly search?: string;
  /** `"-rating,id"` or `["-rating", "id"]`. */
  readonly orderBy?: string | readonly string[];
  readonly limit?: number;
  readonly after?: string;
  /** `"film"`, `["film"]`, or `{ film: true, booking: { via: "screening", limit: 10 } }`. */
  readonly with?: Json;
  readonly select?: readonly string[];
  /** `{ total: "count", spent: { sum: "price" } }`. */
  readonly aggregate?: Json;
  readonly groupBy?: string | readonly string[];
}
