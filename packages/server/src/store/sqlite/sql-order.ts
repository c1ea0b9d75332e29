// Order and keyset pages. SQLite's own order of absent values (first ascending, last descending) is the
// order everywhere, so that indexes serve it. What comes after a cursor is one or two segments: the part
// with the first term's value bounded (an index range), and, past or before the absent values, the rest.
import type { Json } from "../../base/json.ts";
import { assert } from "../../base/assert.ts";
import type { FullOrder } from "../list-cursor.ts";
import { columnOf, type TableLayout } from "../table-layout.ts";
import { encodeValue } from "./row-codec.ts";
import { sqlName, type SqlParams, type SqlValue } from "./sql-text.ts";

/** A term of an order as SQL. */
export interface SqlTerm {
  /** `t."rating"`, or the relevance. */
  readonly sql: string;
  readonly descending: boolean;
  readonly optional: boolean;
  readonly encode: (value: Json) => SqlValue;
}

/** The terms of an order on the table of alias `t`. */
export function orderTerms(table: TableLayout, order: FullOrder): readonly SqlTerm[] {
  return order.map(({ field, descending }) => {
    const column = columnOf(table, field);
    return {
      sql: `t.${sqlName(field)}`,
      descending,
      optional: column.optional,
      encode: (value) => encodeValue(column.storage, value),
    };
  });
}

/** `t."rating" DESC, t."id" DESC`. */
export function orderSql(terms: readonly SqlTerm[]): string {
  return terms.map((term) => `${term.sql}${term.descending ? " DESC" : ""}`).join(", ");
}

/** A part of what is left after a cursor: its condition, written when its turn comes. */
export type Segment = (params: SqlParams) => string;

/**
 * What comes after the row with these values, in order: read a segment to its end before the next.
 * @param values one per term.
 */
export function segmentsAfter(
  terms: readonly SqlTerm[],
  values: readonly Json[],
): readonly Segment[] {
  const first = terms[0];
  assert(first !== undefined, "an order has a term");
  const value = values[0] ?? null;
  const rest = terms.slice(1);
  const restValues = values.slice(1);
  if (value === null) {
    const among: Segment = (params) =>
      `${first.sql} IS NULL AND (${afterSql(rest, restValues, params)})`;
    return first.descending ? [among] : [among, () => `${first.sql} IS NOT NULL`];
  }
  const bound = first.descending ? "<=" : ">=";
  const range: Segment = (params) =>
    `${first.sql} ${bound} ${params.bind(first.encode(value))} AND (${afterSql(terms, values, params)})`;
  return first.descending && first.optional ? [range, () => `${first.sql} IS NULL`] : [range];
}

/** Whether a row comes after the one with these values, absent ones placed as the order places them. */
function afterSql(terms: readonly SqlTerm[], values: readonly Json[], params: SqlParams): string {
  const term = terms[0];
  if (term === undefined) return "0";
  const value = values[0] ?? null;
  const rest = terms.slice(1);
  const restValues = values.slice(1);
  const beyond = beyondSql(term, value, params);
  if (rest.length === 0) return beyond;
  const same =
    value === null ? `${term.sql} IS NULL` : `${term.sql} = ${params.bind(term.encode(value))}`;
  return `${beyond} OR (${same} AND (${afterSql(rest, restValues, params)}))`;
}

function beyondSql(term: SqlTerm, value: Json, params: SqlParams): string {
  if (value === null) return term.descending ? "0" : `${term.sql} IS NOT NULL`;
  const mark = params.bind(term.encode(value));
  if (!term.descending) return `${term.sql} > ${mark}`;
  return term.optional ? `(${term.sql} < ${mark} OR ${term.sql} IS NULL)` : `${term.sql} < ${mark}`;
}
