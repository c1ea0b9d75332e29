// The operators of rules on two values. Absent (null) in, unknown (null) out; values of different types
// compare as unknown, so that a claim of the wrong type never allows and never denies the opposite.
import type { Json } from "../base/json.ts";
import type { ArithmeticOp, CompareOp, TextOp } from "./rule-ast.ts";

/** True, false, or unknown. */
export type Truth = true | false | null;

type Decide = (a: Json, b: Json) => Truth;

/** The function of a comparison. */
export function ruleComparison(op: CompareOp): Decide {
  switch (op) {
    case "==":
      return equal;
    case "!=":
      return (a, b) => {
        const same = equal(a, b);
        return same === null ? null : !same;
      };
    case "<":
      return (a, b) => ordered(a, b) && order(a, b) < 0;
    case "<=":
      return (a, b) => ordered(a, b) && order(a, b) <= 0;
    case ">":
      return (a, b) => ordered(a, b) && order(a, b) > 0;
    case ">=":
      return (a, b) => ordered(a, b) && order(a, b) >= 0;
    default:
      return op satisfies never;
  }
}

/** The function of an arithmetic operator: doubles as in JavaScript; division by zero and NaN are absent. */
export function ruleArithmetic(op: ArithmeticOp): (a: Json, b: Json) => number | null {
  switch (op) {
    case "+":
      return (a, b) => numbers(a, b, (x, y) => x + y);
    case "-":
      return (a, b) => numbers(a, b, (x, y) => x - y);
    case "*":
      return (a, b) => numbers(a, b, (x, y) => x * y);
    case "/":
      return (a, b) => (b === 0 ? null : numbers(a, b, (x, y) => x / y));
    case "%":
      return (a, b) => numbers(a, b, (x, y) => x % y);
    default:
      return op satisfies never;
  }
}

/** The function of a text operator; case-sensitive. */
export function ruleText(op: TextOp): Decide {
  switch (op) {
    case "startsWith":
      return (a, b) => (typeof a === "string" && typeof b === "string" ? a.startsWith(b) : null);
    case "endsWith":
      return (a, b) => (typeof a === "string" && typeof b === "string" ? a.endsWith(b) : null);
    case "includes":
      return (a, b) => (typeof a === "string" && typeof b === "string" ? a.includes(b) : null);
    default:
      return op satisfies never;
  }
}

/** `list.includes(value)`; a claim that is text answers as text does. */
export function ruleListHas(list: Json, value: Json): Truth {
  if (list === null || value === null || typeof value === "object") return null;
  if (Array.isArray(list)) return list.includes(value);
  return typeof list === "string" && typeof value === "string" ? list.includes(value) : null;
}

/** Orders text by code points, as UTF-8 databases do. @returns below, equal to or above zero. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const x = a.charCodeAt(index);
    const y = b.charCodeAt(index);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above every other unit, so they rank last. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

function equal(a: Json, b: Json): Truth {
  if (a === null || b === null) return null;
  if (typeof a !== typeof b || typeof a === "object") return null;
  return a === b;
}

/** Null when the two have no order; else true, so that `&&` goes on to the order. */
function ordered(a: Json, b: Json): true | null {
  if (typeof a === "string") return typeof b === "string" ? true : null;
  return typeof a === "number" && typeof b === "number" ? true : null;
}

function order(a: Json, b: Json): number {
  if (typeof a === "string") return compareText(a, b as string);
  const x = a as number;
  const y = b as number;
  if (x === y) return 0;
  return x < y ? -1 : 1;
}

function numbers(a: Json, b: Json, run: (x: number, y: number) => number): number | null {
  if (typeof a !== "number" || typeof b !== "number") return null;
  const result = run(a, b);
  return Number.isNaN(result) ? null : result;
}
