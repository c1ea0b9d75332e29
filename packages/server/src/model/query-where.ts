// Filters: from the JSON that people write to the AST that engines run.
//   { status: "held" }                 { rating: { gte: 8, lt: 9 } }      { customer: null }
//   { or: [{...}, {...}] }             { and: [...] }                     { not: {...} }
// Several keys of one object must all hold. Values are read by the field's kind, strictly: the answer to
// `{ "$ne": "" }` is an issue, never a different query.
// Nodes are not frozen one by one: a filter is made for every request and leaves by a readonly type.
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import { didYouMean, isPlainObject, issuesMax } from "./field-issue.ts";
import { recordError } from "./field-record.ts";
import type { TableModel } from "./manifest.ts";
import { below, QueryContext } from "./query-context.ts";
import type { FieldCondition, Where } from "./query-form.ts";
import { prepareTable, type QueryField, type QueryTable } from "./query-table.ts";

const lostText = "is undefined: leave the condition out, or ask for null";
const operators: readonly string[] = [
  "eq",
  "not",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "notIn",
  "startsWith",
  "contains",
];
type Operator = keyof FieldCondition;

/** Matches no row. */
const nothing: Where = Object.freeze({
  kind: "field",
  field: "id",
  condition: Object.freeze({ eq: null }),
});

/**
 * Checks a filter that stands alone: of a partial index, of a subscription. Private fields may be named.
 * @returns undefined for `{}`, which lets every row pass.
 * @throws QUERY_INVALID, details `{ issues: [{ path, problem }] }`.
 */
export function parseWhere(table: TableModel, where: unknown, limits: Limits): Where | undefined {
  const context = new QueryContext(null, limits, "system");
  const checked = checkWhere(context, prepareTable(table), where, "where");
  if (context.issues.length > 0) throw recordError(context.issues, "QUERY_INVALID");
  return checked;
}

/** Checks a filter as part of a query; what is wrong goes to the context. */
export function checkWhere(
  context: QueryContext,
  table: QueryTable,
  where: unknown,
  path: string,
): Where | undefined {
  if (!isPlainObject(where)) {
    return context.refuse(path, 'must be an object, like { "status": "held" }');
  }
  const parts: Where[] = [];
  for (const key in where) {
    const value = where[key];
    if (value === undefined) continue;
    if (isLost(value)) {
      context.refuse(below(path, key), lostText);
      continue;
    }
    if (!isCounted(context, key, path)) return undefined;
    const part = checkPart(context, table, key, value, below(path, key));
    if (part !== undefined) parts.push(part);
  }
  if (parts.length <= 1) return parts[0];
  return { kind: "and", parts };
}

/** Whether a caller had undefined there, which JSON can't say: see where-given.ts of the SDK. */
function isLost(value: unknown): boolean {
  return typeof value === "object" && value !== null && "undefined" in value;
}

/** Counts what stands under a key: a condition, or a group of them. */
function isCounted(context: QueryContext, key: string, path: string): boolean {
  const { whereNodesMax } = context.limits;
  if (key === "and" || key === "or" || key === "not") {
    if (--context.whereGroupsLeft >= 0) return true;
    context.refuse(path, `has more than ${whereNodesMax * 2} \`and\`, \`or\` and \`not\``);
    return false;
  }
  if (--context.whereNodesLeft >= 0) return true;
  context.refuse(path, `has more than ${whereNodesMax} conditions`);
  return false;
}

function checkPart(
  context: QueryContext,
  table: QueryTable,
  key: string,
  value: unknown,
  path: string,
): Where | undefined {
  if (key === "and" || key === "or") return checkParts(context, table, key, value, path);
  if (key === "not") {
    const part = checkWhere(context, table, value, path);
    if (part === undefined) return context.refuse(path, "must hold a condition");
    return { kind: "not", part };
  }
  const field = context.field(table, key, path);
  if (field === undefined) return undefined;
  context.touch(table, key);
  const condition = checkCondition(context, field, value, path);
  return condition === undefined ? undefined : { kind: "field", field: key, condition };
}

function checkParts(
  context: QueryContext,
  table: QueryTable,
  kind: "and" | "or",
  value: unknown,
  path: string,
): Where | undefined {
  if (!Array.isArray(value)) return context.refuse(path, "must be a list of filters");
  const parts: Where[] = [];
  for (const [index, each] of value.entries()) {
    const place = `${path}[${index}]`;
    const part = checkWhere(context, table, each, place);
    if (part !== undefined) parts.push(part);
    // In an `or` it would let every row pass: more likely a value that was lost on the way.
    else if (kind === "or") context.refuse(place, "must hold a condition");
    if (context.issues.length >= issuesMax) return undefined;
  }
  if (parts.length === 1) return parts[0];
  if (parts.length > 1) return { kind, parts };
  // An empty `and` lets every row pass, an empty `or` none: an id is never absent.
  return kind === "and" ? undefined : nothing;
}

function checkCondition(
  context: QueryContext,
  field: QueryField,
  value: unknown,
  path: string,
): FieldCondition | undefined {
  if (value === null) return { eq: null };
  if (typeof value !== "object") {
    const eq = checkValue(context, field, "eq", value, path);
    return eq === undefined ? undefined : { eq };
  }
  if (Array.isArray(value)) {
    return context.refuse(
      path,
      `must be a value or conditions; for several values write { "in": [...] }`,
    );
  }
  const condition: Partial<Record<Operator, Json>> = {};
  let count = 0;
  const given = value as Readonly<Record<string, unknown>>;
  for (const key in given) {
    if (given[key] === undefined) continue;
    count++;
    const place = below(path, key);
    if (!operators.includes(key)) {
      const hint = didYouMean(key, operators) || ` (there are ${operators.join(", ")})`;
      context.refuse(place, `is no operator${hint}`);
      continue;
    }
    if (count > 1 && --context.whereNodesLeft < 0) {
      return context.refuse(place, `has more than ${context.limits.whereNodesMax} conditions`);
    }
    const checked = checkOperator(context, field, key as Operator, given[key], place);
    if (checked !== undefined) condition[key as Operator] = checked;
  }
  if (count === 0) return context.refuse(path, "must hold a condition");
  return condition as FieldCondition;
}

function checkOperator(
  context: QueryContext,
  field: QueryField,
  operator: Operator,
  value: unknown,
  path: string,
): Json | undefined {
  if (isLost(value)) return context.refuse(path, lostText);
  if (operator === "in" || operator === "notIn") return checkMany(context, field, value, path);
  if (value === null && operator !== "eq" && operator !== "not") {
    return context.refuse(path, "must be a value; absence is asked by eq and not");
  }
  return checkValue(context, field, operator, value, path);
}

function checkMany(
  context: QueryContext,
  field: QueryField,
  value: unknown,
  path: string,
): Json | undefined {
  if (!Array.isArray(value)) return context.refuse(path, "must be a list of values");
  if (value.length > context.limits.inValuesMax) {
    return context.refuse(path, `has more than ${context.limits.inValuesMax} values`);
  }
  context.inValuesLeft -= value.length;
  if (context.inValuesLeft < 0) {
    const { inValuesQueryMax } = context.limits;
    return context.refuse(
      path,
      `makes more than ${inValuesQueryMax} values of \`in\` in one query`,
    );
  }
  const values: Json[] = [];
  for (const [index, each] of value.entries()) {
    const place = `${path}[${index}]`;
    if (each === null) {
      context.refuse(place, "must be a value; absence is asked by eq and not");
      continue;
    }
    const checked = checkValue(context, field, "eq", each, place);
    if (checked !== undefined) values.push(checked);
  }
  return values;
}

function checkValue(
  context: QueryContext,
  field: QueryField,
  operator: Exclude<Operator, "in" | "notIn">,
  value: unknown,
  path: string,
): Json | undefined {
  if (value === null) return null;
  const problem = operatorProblem(field, operator);
  if (problem !== null) return context.refuse(path, problem);
  const read = field.read(value, context.limits.filterCharsMax);
  return read.ok ? read.value : context.refuse(path, read.problem);
}

/** Why a field's kind does not take an operator with a value, or null when it does. */
function operatorProblem(
  { spec, comparable, ordered }: QueryField,
  operator: Exclude<Operator, "in" | "notIn">,
): string | null {
  switch (operator) {
    case "eq":
    case "not":
      if (comparable) return null;
      return spec.kind === "list"
        ? "cannot be used on a list; ask { contains: item } or null"
        : `cannot compare a ${spec.kind} field with a value; only null can be asked`;
    case "gt":
    case "gte":
    case "lt":
    case "lte":
      return ordered ? null : `cannot be used on a ${spec.kind} field, which has no order`;
    case "startsWith":
      return spec.kind === "text" ? null : "can be used on text fields only";
    case "contains":
      return spec.kind === "text" || (spec.kind === "list" && isScalar(spec.item.kind))
        ? null
        : "can be used on text and on lists of single values only";
    default:
      return operator satisfies never;
  }
}

function isScalar(kind: string): boolean {
  return kind !== "list" && kind !== "object" && kind !== "json" && kind !== "bytes";
}
