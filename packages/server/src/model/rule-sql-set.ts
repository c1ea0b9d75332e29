// Finds the conditions that are better asked the other way round: "is this row one of those that belong to
// the caller?" A row's own rules are cheap, but a list that knows nothing else would visit every row; with
// the set of the caller's rows first, which references' indexes give, it visits only what may be read.
// Only where unknown and false mean the same, and only through references, which always have an index.
import { analyseRule, isRowFree } from "./rule-analyse.ts";
import type { RuleExpr, RuleValue } from "./rule-ast.ts";
import { joinPieces, piece, type SqlPiece } from "./rule-sql-piece.ts";
import {
  column,
  findRoot,
  firstStep,
  freshAlias,
  source,
  type SqlScope,
} from "./rule-sql-scope.ts";
import { tableField } from "./rule-type.ts";

type Path = RuleValue & { kind: "path" };
type Compare = RuleExpr & { kind: "compare" };

/**
 * `row.screening.film.owner === me.id` as `screening IN (SELECT id ... WHERE film IN (SELECT id ...))`.
 * @returns null when the comparison is not of this form.
 */
export function comparedSet(
  expr: Compare,
  scope: SqlScope,
  compile: (value: RuleValue) => SqlPiece,
): SqlPiece | null {
  if (scope.access === "row" || expr.op !== "==") return null;
  const sides = [
    [expr.left, expr.right],
    [expr.right, expr.left],
  ] as const;
  for (const [path, other] of sides) {
    if (path.kind !== "path" || path.through.length === 0 || !isRowFree(other)) continue;
    if (findRoot(path.root, scope)?.kind === "alias" && endsInRef(path, scope)) {
      return setOf(path, scope, compile(other));
    }
  }
  return null;
}

/** What a `some` over the caller's rows says of the row outside. */
export interface JoinedSet {
  /** The reference or id outside that must be in the set. */
  readonly outside: RuleValue;
  /** The field of the other table that makes up the set. */
  readonly field: string;
  /** What rows of the other table must make true; speaks of them and the caller only. */
  readonly where: RuleExpr;
}

/**
 * `db.member.some((m) => m.room === row.room && m.user === me.id)`: `room` must be in the set of `m.room`.
 * @param scope with the alias of the `some`. @returns null when it is not of this form.
 */
export function joinedSet(some: RuleExpr & { kind: "some" }, scope: SqlScope): JoinedSet | null {
  if (scope.access === "row") return null;
  const parts = some.where.kind === "and" ? some.where.parts : [some.where];
  const joins = parts.filter((part) => !speaksOfItemOnly(part, some.alias));
  const [join] = joins;
  if (join === undefined || joins.length > 1 || parts.length === 1) return null;
  const rest = parts.filter((part) => part !== join);
  if (!rest.some((part) => isOwned(part, some.alias, scope))) return null;
  const sides = join.kind === "compare" && join.op === "==" ? [join.left, join.right] : [];
  const inside = sides.find((side) => isItemRef(side, some.alias, scope));
  const outside = sides.find((side) => side !== inside);
  if (inside?.kind !== "path" || outside?.kind !== "path") return null;
  if (outside.through.length > 0 || findRoot(outside.root, scope)?.kind !== "alias") return null;
  if (analyseRule(outside).freeItems.includes(some.alias)) return null;
  const where: RuleExpr = { kind: "and", parts: rest, at: some.where.at };
  return { outside, field: inside.steps[0] ?? "id", where };
}

function setOf(path: Path, scope: SqlScope, end: SqlPiece): SqlPiece {
  let inner = end;
  let operator = "=";
  for (let index = path.through.length - 1; index >= 0; index--) {
    const table = path.through[index] ?? "";
    const alias = freshAlias(scope);
    const field = column(scope, alias, table, path.steps[index + 1] ?? "id");
    const where = joinPieces([piece`${field}`, inner], ` ${operator} `);
    const id = column(scope, alias, table, "id");
    inner = piece`(SELECT ${id} FROM ${source(scope, table)} AS ${alias} WHERE ${where})`;
    operator = "IN";
  }
  return piece`${firstStep(path, scope)} IN ${inner}`;
}

function endsInRef(path: Path, scope: SqlScope): boolean {
  const table = path.through.at(-1) ?? "";
  return tableField(scope.options.tables, table, path.steps.at(-1) ?? "")?.kind === "ref";
}

/** `m.user === me.id`: what makes the set small. */
function isOwned(part: RuleExpr, alias: string, scope: SqlScope): boolean {
  if (part.kind !== "compare" || part.op !== "==") return false;
  const { left, right } = part;
  return (
    (isItemRef(left, alias, scope) && isRowFree(right)) ||
    (isItemRef(right, alias, scope) && isRowFree(left))
  );
}

/** Whether a value is a reference that a row of the `some` itself holds. */
function isItemRef(value: RuleValue, alias: string, scope: SqlScope): boolean {
  if (value.kind !== "path" || value.root.kind !== "item" || value.root.alias !== alias)
    return false;
  const table = findRoot(value.root, scope)?.table ?? "";
  const field = tableField(scope.options.tables, table, value.steps[0] ?? "");
  return value.through.length === 0 && field?.kind === "ref";
}

function speaksOfItemOnly(part: RuleExpr, alias: string): boolean {
  const { dependsOnRow, dependsOnNext, freeItems } = analyseRule(part);
  return !dependsOnRow && !dependsOnNext && freeItems.every((each) => each === alias);
}
