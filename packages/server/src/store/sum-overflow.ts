// The refusal of a sum that no number of JSON holds exactly. An engine may notice only that one of several
// sums is too large: then all that it may be are named, the same on every engine.
import { PlatformError } from "../base/platform-error.ts";
import type { AggregateQuery } from "../model/query-form.ts";
import { columnOf, type TableLayout } from "./table-layout.ts";

const tooLarge = "is larger than an exact number can hold (9,007,199,254,740,991)";

/** @param query one that sums whole numbers. @returns QUERY_INVALID, details `{ issues: [{ path, problem }] }`. */
export function sumOverflow(query: AggregateQuery, table: TableLayout): PlatformError {
  const sums = query.values.flatMap(({ name, op, field }) =>
    op === "sum" && field !== undefined && columnOf(table, field).storage === "integer"
      ? [{ path: `aggregate.${name}.sum`, field }]
      : [],
  );
  const fields = [...new Set(sums.map(({ field }) => field))].join(" or of ");
  const problem = `the sum of ${fields} ${tooLarge}`;
  const path = sums.length === 1 ? (sums[0]?.path ?? "") : "aggregate";
  const details = { issues: [{ path, problem: `cannot be answered: ${problem}` }] };
  return new PlatformError("QUERY_INVALID", details, { text: `T${problem.slice(1)}.` });
}
