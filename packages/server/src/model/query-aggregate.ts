// Aggregates: `{ total: "count", spent: { sum: "price" } }` and `groupBy`.
import { isGiven, isPlainObject } from "./field-issue.ts";
import { namePattern } from "./field-name.ts";
import { below, type QueryContext } from "./query-context.ts";
import type { AggregateOp, AggregateTerm } from "./query-form.ts";
import { checkNames } from "./query-order.ts";
import type { QueryField, QueryTable } from "./query-table.ts";

const operations: readonly string[] = ["count", "sum", "min", "max", "avg"];

/** Checks `aggregate` and `groupBy`; one of them is there. */
export function checkAggregate(
  context: QueryContext,
  table: QueryTable,
  given: Readonly<Record<string, unknown>>,
): { readonly groupBy: readonly string[]; readonly values: readonly AggregateTerm[] } {
  const groupBy = isGiven(given["groupBy"]) ? checkGroupBy(context, table, given["groupBy"]) : [];
  const values = isGiven(given["aggregate"]) ? checkValues(context, table, given["aggregate"]) : [];
  for (const { name } of values) {
    if (groupBy.includes(name))
      context.refuse(`aggregate.${name}`, "is the name of a group's field");
  }
  if (groupBy.length === 0 && values.length === 0 && context.issues.length === 0) {
    context.refuse("aggregate", 'must name a value, like { "total": "count" }');
  }
  return { groupBy, values };
}

function checkGroupBy(context: QueryContext, table: QueryTable, value: unknown): readonly string[] {
  const names = checkNames(context, value, "groupBy");
  if (names === undefined) return [];
  if (names.length > context.limits.groupFieldsMax) {
    context.refuse("groupBy", `has more than ${context.limits.groupFieldsMax} fields`);
    return [];
  }
  for (const [index, name] of names.entries()) {
    const field = context.field(table, name, "groupBy");
    if (field === undefined) continue;
    if (names.indexOf(name) !== index) context.refuse("groupBy", `has ${name} twice`);
    if (!field.sortable)
      context.refuse("groupBy", `cannot group by ${name}, a ${field.spec.kind} field`);
    context.touch(table, name);
  }
  return names;
}

function checkValues(
  context: QueryContext,
  table: QueryTable,
  value: unknown,
): readonly AggregateTerm[] {
  if (!isPlainObject(value)) {
    context.refuse(
      "aggregate",
      'must be an object like { "total": "count", "spent": { "sum": "price" } }',
    );
    return [];
  }
  const entries = Object.entries(value).filter(([, term]) => term !== undefined);
  if (entries.length > context.limits.aggregateValuesMax) {
    context.refuse("aggregate", `has more than ${context.limits.aggregateValuesMax} values`);
    return [];
  }
  const terms: AggregateTerm[] = [];
  for (const [name, term] of entries) {
    const checked = checkValue(context, table, name, term, below("aggregate", name));
    if (checked !== undefined) terms.push(checked);
  }
  return terms;
}

function checkValue(
  context: QueryContext,
  table: QueryTable,
  name: string,
  term: unknown,
  path: string,
): AggregateTerm | undefined {
  if (!namePattern.test(name)) return context.refuse(path, "is no name");
  if (term === "count") return { name, op: "count" };
  const [entry, second] = isPlainObject(term) ? Object.entries(term) : [];
  if (entry === undefined || second !== undefined || typeof entry[1] !== "string") {
    return context.refuse(
      path,
      `must be "count" or one of ${operations.join(", ")} with a field, like { "sum": "price" }`,
    );
  }
  const [op, fieldName] = entry;
  if (!operations.includes(op)) {
    return context.refuse(below(path, op), `is no operation; there are ${operations.join(", ")}`);
  }
  const field = context.field(table, fieldName, below(path, op));
  if (field === undefined) return undefined;
  const problem = operationProblem(field, op as AggregateOp);
  if (problem !== null) return context.refuse(below(path, op), problem);
  context.touch(table, fieldName);
  return { name, op: op as AggregateOp, field: fieldName };
}

function operationProblem(field: QueryField, op: AggregateOp): string | null {
  switch (op) {
    case "count":
      return null;
    case "sum":
    case "avg":
      return field.summable ? null : `cannot be used on ${field.name}, which is no number`;
    case "min":
    case "max":
      return field.ordered ? null : `cannot be used on ${field.name}, which has no order`;
    default:
      return op satisfies never;
  }
}
