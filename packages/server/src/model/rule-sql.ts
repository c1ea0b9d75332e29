// Rules as SQL predicates: what guards lists, counts, expansions and `some`. Three-valued like the rules
// themselves, so `WHERE <predicate>` keeps exactly the rows that make the rule true.
// Invariant: agrees with rule-evaluate.ts on every row (rule.prop.test.ts).
//
// Where only `true` matters (the top, below `and` and `or`, inside `some`), a comparison across references
// becomes EXISTS over the referenced rows, or IN over the set of them that is the caller's (rule-sql-set.ts);
// elsewhere it is a scalar subquery by primary key, which keeps "unknown" apart from "false".
import { isRowFree } from "./rule-analyse.ts";
import type { RuleExpr, RuleValue } from "./rule-ast.ts";
import { sqliteRules } from "./rule-sql-dialect.ts";
import {
  joinConditions,
  joinPieces,
  piece,
  type RuleParam,
  type SqlPiece,
} from "./rule-sql-piece.ts";
import {
  column,
  commonClass,
  firstStep,
  freshAlias,
  isUntyped,
  literal,
  param,
  source,
  typeIn,
  type RuleSqlOptions,
  type RuleSqlRoot,
  type SqlScope,
} from "./rule-sql-scope.ts";
import { comparedSet, joinedSet } from "./rule-sql-set.ts";
import { classOf, type RuleClass } from "./rule-type.ts";

export type { RuleParam } from "./rule-sql-piece.ts";
export type { RuleSqlOptions, RuleSqlRoot } from "./rule-sql-scope.ts";

/** A predicate with its parameters in the order of its question marks. */
export interface RuleSql {
  readonly sql: string;
  /** Bind with `prepareRuleParams`. */
  readonly params: readonly RuleParam[];
}

/** Compiles a rule to a predicate in parentheses. Simplify it for the caller first: it keeps indexes usable. */
export function compileRuleSql(expr: RuleExpr, options: RuleSqlOptions): RuleSql {
  const scope: SqlScope = {
    access: options.access ?? "set",
    options,
    dialect: sqliteRules,
    items: options.roots.items ?? {},
    count: { aliases: 0 },
  };
  return piece`(${truth(expr, scope, true)})`;
}

/** @param positive whether unknown and false mean the same here. */
function truth(expr: RuleExpr, scope: SqlScope, positive: boolean): SqlPiece {
  const { dialect } = scope;
  if (expr.kind === "constant") return piece`${dialect.truth(expr.value)}`;
  if (isRowFree(expr)) return param({ kind: "truth", expr });
  switch (expr.kind) {
    case "truth":
      return dialect.isTrue(value(expr.value, scope, "bool"));
    case "compare":
      return compare(expr, scope, positive);
    case "presence": {
      const of = value(expr.of, scope, classOf(typeIn(expr.of, scope)));
      return piece`${of} IS ${expr.present ? "NOT NULL" : "NULL"}`;
    }
    case "and":
    case "or": {
      if (expr.parts.length === 0) return piece`${dialect.truth(expr.kind === "and")}`;
      const parts = expr.parts.map((part) => piece`(${truth(part, scope, positive)})`);
      return joinConditions(parts, expr.kind === "and" ? "AND" : "OR");
    }
    case "not":
      return piece`NOT (${truth(expr.part, scope, false)})`;
    case "among":
      return among(expr, scope, positive);
    case "contains":
      return contains(expr, scope, positive);
    case "text":
      return dialect.text(
        expr.op,
        value(expr.subject, scope, "text"),
        value(expr.value, scope, "text"),
      );
    case "some": {
      const alias = freshAlias(scope);
      const root: RuleSqlRoot = { kind: "alias", alias, table: expr.table };
      const inner = { ...scope, items: { ...scope.items, [expr.alias]: root } };
      const joined = positive ? joinedSet(expr, inner) : null;
      if (joined !== null) {
        const { outside, field, where } = joined;
        const found = column(scope, alias, expr.table, field);
        const at = value(outside, scope, "text");
        const from = piece`${source(scope, expr.table)} AS ${alias}`;
        return piece`${at} IN (SELECT ${found} FROM ${from} WHERE ${truth(where, inner, true)})`;
      }
      const from = piece`${source(scope, expr.table)} AS ${alias}`;
      return piece`EXISTS (SELECT 1 FROM ${from} WHERE ${truth(expr.where, inner, true)})`;
    }
    case "if":
      return dialect.choose(
        truth(expr.when, scope, false),
        truth(expr.yes, scope, positive),
        truth(expr.no, scope, positive),
      );
    default:
      return expr satisfies never;
  }
}

function compare(
  expr: RuleExpr & { kind: "compare" },
  scope: SqlScope,
  positive: boolean,
): SqlPiece {
  const { left, right, at } = expr;
  const split = splitUntyped(left, right, scope);
  if (split !== null) {
    const { chosen, build } = split;
    const [yes, no] = [build(chosen.yes), build(chosen.no)];
    const either: RuleExpr = {
      kind: "if",
      when: chosen.when,
      yes: { ...expr, ...yes },
      no: { ...expr, ...no },
      at,
    };
    return truth(either, scope, positive);
  }
  const as = commonClass([left, right], scope);
  const set = positive ? comparedSet(expr, scope, (node) => value(node, scope, as)) : null;
  if (set !== null) return set;
  const op = sqlOperator(expr.op);
  if (positive && isLong(left)) {
    return existing(left, scope, (end) => piece`${end} ${op} ${value(right, scope, as)}`);
  }
  if (positive && isLong(right)) {
    return existing(right, scope, (end) => piece`${value(left, scope, as)} ${op} ${end}`);
  }
  return piece`${value(left, scope, as)} ${op} ${value(right, scope, as)}`;
}

function among(expr: RuleExpr & { kind: "among" }, scope: SqlScope, positive: boolean): SqlPiece {
  const as = commonClass([expr.value], scope);
  if (isUntyped(expr.value, scope)) {
    const { at } = expr;
    const parts = expr.options.map((right): RuleExpr => ({
      kind: "compare",
      op: "==",
      left: expr.value,
      right,
      at,
    }));
    return truth({ kind: "or", parts, at }, scope, positive);
  }
  const [only] = expr.options;
  if (only !== undefined && expr.options.length === 1) {
    // `x IN ((SELECT ...))` would ask for the rows of the subquery, of which an absent value is none.
    return piece`${value(expr.value, scope, as)} = ${value(only, scope, as)}`;
  }
  const options = joinPieces(
    expr.options.map((option) => value(option, scope, as)),
    ", ",
  );
  return piece`${value(expr.value, scope, as)} IN (${options})`;
}

function contains(
  expr: RuleExpr & { kind: "contains" },
  scope: SqlScope,
  positive: boolean,
): SqlPiece {
  const listType = typeIn(expr.list, scope);
  if (listType.kind !== "list") {
    const { value: item } = expr;
    if (item.kind !== "choose" || !isUntyped(item, scope)) return claimHas(expr, scope);
    const yes: RuleExpr = { ...expr, value: item.yes };
    const no: RuleExpr = { ...expr, value: item.no };
    return truth({ kind: "if", when: item.when, yes, no, at: expr.at }, scope, positive);
  }
  const as = classOf(listType.item);
  const list = value(expr.list, scope, "list");
  const item = value(expr.value, scope, as, "other");
  const has = scope.dialect.listHas(list, item, {
    alias: freshAlias(scope),
    numbers: as === "number",
  });
  if (positive) return has;
  return piece`CASE WHEN ${list} IS NOT NULL AND ${item} IS NOT NULL THEN ${has} END`;
}

/** `me.teams.includes(row.team)`: the claim may be a list or a text. */
function claimHas(expr: RuleExpr & { kind: "contains" }, scope: SqlScope): SqlPiece {
  const as = commonClass([expr.value], scope);
  const items = param({ kind: "items", value: expr.list, as });
  const item = value(expr.value, scope, as);
  const has = scope.dialect.listHas(items, item, {
    alias: freshAlias(scope),
    numbers: as === "number",
  });
  const exact = piece`CASE WHEN ${item} IS NOT NULL THEN ${has} END`;
  if (as !== "text") return piece`CASE WHEN ${items} IS NOT NULL THEN ${exact} END`;
  const text = scope.dialect.text("includes", value(expr.list, scope, "text"), item);
  return piece`CASE WHEN ${items} IS NOT NULL THEN ${exact} ELSE ${text} END`;
}

function value(
  node: RuleValue,
  scope: SqlScope,
  as: RuleClass,
  mismatch: "absent" | "other" = "absent",
): SqlPiece {
  const { dialect } = scope;
  if (node.kind === "literal") return literal(node.value, dialect);
  if (isRowFree(node)) return param({ kind: "value", value: node, as, mismatch });
  switch (node.kind) {
    case "path":
      return path(node, scope);
    case "arithmetic":
      return dialect.arithmetic(
        node.op,
        value(node.left, scope, "number"),
        value(node.right, scope, "number"),
      );
    case "length": {
      const isList = typeIn(node.of, scope).kind === "list";
      const of = value(node.of, scope, isList ? "list" : "text");
      return isList ? dialect.listLength(of) : dialect.textLength(of);
    }
    case "choose":
      return dialect.choose(
        truth(node.when, scope, false),
        value(node.yes, scope, as, mismatch),
        value(node.no, scope, as, mismatch),
      );
    case "now":
      return param({ kind: "value", value: node, as, mismatch });
    default:
      return node satisfies never;
  }
}

/** A path as a value: nested subqueries by primary key. */
function path(node: RuleValue & { kind: "path" }, scope: SqlScope): SqlPiece {
  let at = firstStep(node, scope);
  node.through.forEach((table, index) => {
    const alias = freshAlias(scope);
    const end = column(scope, alias, table, node.steps[index + 1] ?? "id");
    const key = column(scope, alias, table, "id");
    at = piece`(SELECT ${end} FROM ${source(scope, table)} AS ${alias} WHERE ${key} = ${at})`;
  });
  return at;
}

/** A condition on the end of a path: EXISTS over the rows that it goes through. */
function existing(
  node: RuleValue & { kind: "path" },
  scope: SqlScope,
  condition: (end: SqlPiece) => SqlPiece,
): SqlPiece {
  let at = firstStep(node, scope);
  const from: string[] = [];
  const where: SqlPiece[] = [];
  node.through.forEach((table, index) => {
    const alias = freshAlias(scope);
    from.push(`${source(scope, table)} AS ${alias}`);
    where.push(piece`${column(scope, alias, table, "id")} = ${at}`);
    at = piece`${column(scope, alias, table, node.steps[index + 1] ?? "id")}`;
  });
  where.push(condition(at));
  return piece`EXISTS (SELECT 1 FROM ${from.join(", ")} WHERE ${joinPieces(where, " AND ")})`;
}

/** Between claims of no declared type the class is known per choice only, so the comparison is split. */
function splitUntyped(left: RuleValue, right: RuleValue, scope: SqlScope) {
  if (!isUntyped(left, scope) || !isUntyped(right, scope)) return null;
  if (left.kind === "choose") {
    return { chosen: left, build: (side: RuleValue) => ({ left: side, right }) };
  }
  if (right.kind === "choose") {
    return { chosen: right, build: (side: RuleValue) => ({ left, right: side }) };
  }
  return null;
}

function isLong(node: RuleValue): node is RuleValue & { kind: "path" } {
  return node.kind === "path" && node.through.length > 0;
}

function sqlOperator(op: (RuleExpr & { kind: "compare" })["op"]): string {
  if (op === "==") return "=";
  return op === "!=" ? "<>" : op;
}
