// Filters evaluated on one row: the meaning that engines compile to. Three-valued: what compares with an
// absent value is unknown, also under `not`, so absent values match `{ eq: null }` only.
import type { Json } from "../../base/json.ts";
import type { FieldCondition, Where } from "../../model/query-form.ts";
import { compareText, type Truth } from "../../model/rule-operators.ts";
import type { Row } from "../store.ts";

/** Whether a row matches; null is unknown. */
export function matchWhere(where: Where, row: Row): Truth {
  switch (where.kind) {
    case "field":
      return every(
        Object.entries(where.condition).map(([operator, value]) =>
          matchOperator(operator as keyof FieldCondition, row[where.field] ?? null, value as Json),
        ),
      );
    case "and":
      return every(where.parts.map((part) => matchWhere(part, row)));
    case "or":
      return negate(every(where.parts.map((part) => negate(matchWhere(part, row)))));
    case "not":
      return negate(matchWhere(where.part, row));
    default:
      return where satisfies never;
  }
}

/** Orders two values of one field: absent first, text by code points, false before true. */
export function compareValues(a: Json, b: Json): number {
  if (a === null || b === null) return Number(a !== null) - Number(b !== null);
  if (typeof a === "string") return compareText(a, textOf(b));
  if (typeof a === "object") return compareText(JSON.stringify(a), JSON.stringify(b));
  return Number(a) - Number(b);
}

function matchOperator(operator: keyof FieldCondition, value: Json, wanted: Json): Truth {
  if (operator === "eq" && wanted === null) return value === null;
  if (operator === "not" && wanted === null) return value !== null;
  if (operator === "in") return among(value, wanted as readonly Json[]);
  if (operator === "notIn") return negate(among(value, wanted as readonly Json[]));
  if (value === null || wanted === null) return null;
  switch (operator) {
    case "eq":
      return compareValues(value, wanted) === 0;
    case "not":
      return compareValues(value, wanted) !== 0;
    case "gt":
      return compareValues(value, wanted) > 0;
    case "gte":
      return compareValues(value, wanted) >= 0;
    case "lt":
      return compareValues(value, wanted) < 0;
    case "lte":
      return compareValues(value, wanted) <= 0;
    case "startsWith":
      return textOf(value).startsWith(textOf(wanted));
    case "contains":
      return Array.isArray(value) ? value.includes(wanted) : textOf(value).includes(textOf(wanted));
    default:
      return operator satisfies never;
  }
}

function among(value: Json, options: readonly Json[]): Truth {
  return negate(every(options.map((option) => negate(matchOperator("eq", value, option ?? null)))));
}

function every(parts: readonly Truth[]): Truth {
  if (parts.includes(false)) return false;
  return parts.includes(null) ? null : true;
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function negate(truth: Truth): Truth {
  return truth === null ? null : !truth;
}
