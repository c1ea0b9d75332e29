// Rules evaluated on one row: an AST is compiled once into closures. Kleene logic; only `true` allows.
// Invariant: agrees with rule-sql.ts on every row, and with the JavaScript function on rows without
// absent values (rule.prop.test.ts), but for two things that JavaScript does otherwise: a division by
// zero is absent, and text is ordered by code points, as SQL orders it, not by UTF-16 code units.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import type { RuleExpr, RuleValue } from "./rule-ast.ts";
import {
  ruleArithmetic,
  ruleComparison,
  ruleListHas,
  ruleText,
  type Truth,
} from "./rule-operators.ts";

import { claimType } from "./rule-type.ts";

export type { Truth } from "./rule-operators.ts";

/** A row as rules see it: absent values as null; a missing field counts as absent. */
export type RuleRow = { readonly [field: string]: Json };

/** The rows and bindings that the `where` of a `some` may speak of besides its own row. */
export interface RuleOuterRows {
  readonly row: RuleRow | null;
  readonly next: RuleRow | null;
  readonly items: Readonly<Record<string, RuleRow>>;
  readonly bindings: { readonly me: { readonly [claim: string]: Json }; readonly now: string };
}

/** What a rule is evaluated on. A root that the rule does not use may be null. */
export interface RuleInput {
  /** The row as it is; null when there is none (create). */
  readonly row: RuleRow | null;
  /** The row as it would be; null when there is none (read, delete). */
  readonly next: RuleRow | null;
  readonly me: { readonly [claim: string]: Json };
  /** RFC 3339, UTC, milliseconds. */
  readonly now: string;
  /** Rows of enclosing `some`, by alias; `{}` at the top. */
  readonly items: Readonly<Record<string, RuleRow>>;
  /** The row of a reference, with the system's rights; null when it is gone. */
  lookup(table: string, id: string): Later<RuleRow | null>;
  /** Whether any row of `table`, as item `alias`, makes `where` true, with the system's rights. */
  some(table: string, alias: string, where: RuleExpr, outer: RuleOuterRows): Later<boolean>;
}

/** A compiled rule. Answers at once unless `lookup` or `some` answer later. */
export type RuleTest = (input: RuleInput) => Later<Truth>;
/** A compiled value; absent is null. */
export type RuleRead = (input: RuleInput) => Later<Json>;

/** Compiles a truth. The result may be kept as long as the expression. */
export function compileRule(expr: RuleExpr): RuleTest {
  switch (expr.kind) {
    case "constant": {
      const { value } = expr;
      return () => value;
    }
    case "truth": {
      const read = compileRuleValue(expr.value);
      return (input) => {
        const value = read(input);
        return value instanceof Promise ? value.then(asTruth) : asTruth(value);
      };
    }
    case "compare":
      return both(
        compileRuleValue(expr.left),
        compileRuleValue(expr.right),
        ruleComparison(expr.op),
      );
    case "presence": {
      const { present } = expr;
      const read = compileRuleValue(expr.of);
      return (input) => {
        const value = read(input);
        if (value instanceof Promise) return value.then((found) => (found !== null) === present);
        return (value !== null) === present;
      };
    }
    case "and":
      return inOrder(expr.parts.map(compileRule), false);
    case "or":
      return inOrder(expr.parts.map(compileRule), true);
    case "not": {
      const part = compileRule(expr.part);
      return (input) => {
        const truth = part(input);
        return truth instanceof Promise ? truth.then(negate) : negate(truth);
      };
    }
    case "among": {
      const value = compileRuleValue(expr.value);
      const equal = ruleComparison("==");
      return inOrder(
        expr.options.map((option) => both(value, compileRuleValue(option), equal)),
        true,
      );
    }
    case "contains":
      return both(compileRuleValue(expr.list), compileRuleValue(expr.value), ruleListHas);
    case "text":
      return both(compileRuleValue(expr.subject), compileRuleValue(expr.value), ruleText(expr.op));
    case "some": {
      const { table, alias, where } = expr;
      return (input) => {
        const { row, next, items, me, now } = input;
        return input.some(table, alias, where, { row, next, items, bindings: { me, now } });
      };
    }
    case "if": {
      const when = compileRule(expr.when);
      const yes = compileRule(expr.yes);
      const no = compileRule(expr.no);
      return (input) => choose(input, when(input), yes, no);
    }
    default:
      return expr satisfies never;
  }
}

/** Compiles a value: text, number, truth, list of these, or null for absent. */
export function compileRuleValue(value: RuleValue): RuleRead {
  switch (value.kind) {
    case "literal": {
      const constant = value.value;
      return () => constant;
    }
    case "now":
      return (input) => input.now;
    case "path":
      return compilePath(value);
    case "arithmetic":
      return both(
        compileRuleValue(value.left),
        compileRuleValue(value.right),
        ruleArithmetic(value.op),
      );
    case "length": {
      const read = compileRuleValue(value.of);
      return (input) => andThen(read(input), lengthOf);
    }
    case "choose": {
      const when = compileRule(value.when);
      const yes = compileRuleValue(value.yes);
      const no = compileRuleValue(value.no);
      return (input) => choose(input, when(input), yes, no);
    }
    default:
      return value satisfies never;
  }
}

function compilePath(path: RuleValue & { kind: "path" }): RuleRead {
  const [first = "id"] = path.steps;
  const start = compileRoot(path.root, first);
  if (path.through.length === 0) return start;
  const { steps, through } = path;
  const walk = (input: RuleInput, from: number, at: Json): Later<Json> => {
    let value = at;
    for (let index = from; index < through.length; index++) {
      const field = steps[index + 1] ?? "id";
      if (typeof value !== "string") return null;
      const found = input.lookup(through[index] ?? "", value);
      if (found instanceof Promise) {
        return found.then((row) => walk(input, index + 1, row?.[field] ?? null));
      }
      value = found?.[field] ?? null;
    }
    return value;
  };
  return (input) => andThen(start(input), (value) => walk(input, 0, value));
}

function compileRoot(
  root: (RuleValue & { kind: "path" })["root"],
  field: string,
): (input: RuleInput) => Json {
  switch (root.kind) {
    case "row":
      return (input) => (input.row === null ? null : (input.row[field] ?? null));
    case "next":
      return (input) => (input.next === null ? null : (input.next[field] ?? null));
    case "me":
      if (claimType(field).kind === "any") return (input) => claimValue(input.me[field]);
      return (input) => textClaim(input.me[field]);
    case "item": {
      const { alias } = root;
      return (input) => input.items[alias]?.[field] ?? null;
    }
    default:
      return root satisfies never;
  }
}

/** A claim as a value: malformed text would meet replacement characters in a database, so it is absent. */
function claimValue(claim: Json | undefined): Json {
  if (typeof claim === "string") return claim.isWellFormed() ? claim : null;
  if (typeof claim === "number" || typeof claim === "boolean") return claim;
  return Array.isArray(claim) ? (claim as readonly Json[]) : null;
}

/** `me.id` and `me.role` are text, whatever a token says. */
function textClaim(claim: Json | undefined): Json {
  return typeof claim === "string" && claim.isWellFormed() ? claim : null;
}

function asTruth(value: Json): Truth {
  return typeof value === "boolean" ? value : null;
}

function negate(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

function lengthOf(value: Json): Json {
  return typeof value === "string" || Array.isArray(value) ? value.length : null;
}

function both<Out>(
  left: RuleRead,
  right: RuleRead,
  decide: (a: Json, b: Json) => Out,
): (input: RuleInput) => Later<Out> {
  return (input) => {
    const a = left(input);
    const b = right(input);
    if (a instanceof Promise || b instanceof Promise) {
      return Promise.all([a, b]).then(([x, y]) => decide(x, y));
    }
    return decide(a, b);
  };
}

/** `and` (ends at false) and `or` (ends at true), left to right. */
function inOrder(parts: readonly RuleTest[], end: boolean): RuleTest {
  const run = (input: RuleInput, from: number, before: Truth): Later<Truth> => {
    let truth = before;
    for (let index = from; index < parts.length; index++) {
      const part = (parts[index] as RuleTest)(input);
      if (part instanceof Promise) {
        return part.then((value) => {
          if (value === end) return end;
          return run(input, index + 1, value === null ? null : truth);
        });
      }
      if (part === end) return end;
      if (part === null) truth = null;
    }
    return truth;
  };
  return (input) => run(input, 0, !end);
}

function choose<Out>(
  input: RuleInput,
  when: Later<Truth>,
  yes: (input: RuleInput) => Later<Out>,
  no: (input: RuleInput) => Later<Out>,
): Later<Out | null> {
  if (when instanceof Promise) return when.then((truth) => choose(input, truth, yes, no));
  if (when === null) return null;
  return when ? yes(input) : no(input);
}
