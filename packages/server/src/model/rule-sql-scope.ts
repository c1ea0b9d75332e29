// What the parts of the SQL compiler share: where roots are, what values are, names that are fresh.
import { assert } from "../base/assert.ts";
import type { RuleRoot, RuleValue } from "./rule-ast.ts";
import type { RuleSqlDialect } from "./rule-sql-dialect.ts";
import { piece, type RuleParam, type SqlPiece } from "./rule-sql-piece.ts";
import {
  classOf,
  typeOfValue,
  type RuleClass,
  type RuleTables,
  type RuleType,
} from "./rule-type.ts";

/** Where a root's fields come from: a table of the statement, or a row given as parameters. */
export type RuleSqlRoot =
  | { readonly kind: "alias"; readonly alias: string; readonly table: string }
  | { readonly kind: "bound"; readonly table: string };

/** How a rule meets its statement. */
export interface RuleSqlOptions {
  readonly dialect: "sqlite";
  readonly tables: RuleTables;
  /** Every root that the rule uses, but `me`. */
  readonly roots: {
    readonly row?: RuleSqlRoot;
    readonly next?: RuleSqlRoot;
    readonly items?: Readonly<Record<string, RuleSqlRoot>>;
  };
  /** SQL of a column. Default: `alias."field"`. */
  readonly column?: (alias: string, table: string, field: string) => string;
  /** SQL of a table behind FROM. Default: `"table"`. */
  readonly source?: (table: string) => string;
  /**
   * What the statement is likely to do. `set` (default) visits many rows: what belongs to a caller is found
   * once, through indexes, and rows are driven from it. `row` visits a few known rows: each is asked by itself.
   */
  readonly access?: "set" | "row";
  /** Start of the aliases that are made here; default `r`, giving `r1`, `r2`... Unique in the statement. */
  readonly aliasPrefix?: string;
}

/** Where a part of a rule is compiled. */
export interface SqlScope {
  readonly options: RuleSqlOptions;
  readonly dialect: RuleSqlDialect;
  readonly items: Readonly<Record<string, RuleSqlRoot>>;
  readonly count: { aliases: number };
  readonly access: "set" | "row";
}

/** The first field of a path: a column, or a parameter when its row is outside. */
export function firstStep(node: RuleValue & { kind: "path" }, scope: SqlScope): SqlPiece {
  const root = rootOf(node.root, scope);
  const field = node.steps[0] ?? "id";
  if (root.kind === "bound") return param({ kind: "field", root: node.root, field });
  return piece`${column(scope, root.alias, root.table, field)}`;
}

function rootOf(root: RuleRoot, scope: SqlScope): RuleSqlRoot {
  const found = findRoot(root, scope);
  assert(found !== undefined, `the statement has no place for the rule's ${root.kind}`);
  return found;
}

/** Where a root's fields are; undefined for `me` and for roots that the statement does not have. */
export function findRoot(root: RuleRoot, scope: SqlScope): RuleSqlRoot | undefined {
  switch (root.kind) {
    case "row":
      return scope.options.roots.row;
    case "next":
      return scope.options.roots.next;
    case "item":
      return scope.items[root.alias];
    case "me":
      return undefined;
    default:
      return root satisfies never;
  }
}

/** Whether a value may be a claim of no declared type. */
export function isUntyped(node: RuleValue, scope: SqlScope): boolean {
  if (node.kind === "choose") return isUntyped(node.yes, scope) || isUntyped(node.no, scope);
  return classOf(typeIn(node, scope)) === "any";
}

/** The class that values are compared in: that of the first whose type is declared. */
export function commonClass(values: readonly RuleValue[], scope: SqlScope): RuleClass {
  for (const each of values) {
    const found = classOf(typeIn(each, scope));
    if (found !== "any") return found;
  }
  return "any";
}

/** The type of a value here. */
export function typeIn(node: RuleValue, scope: SqlScope): RuleType {
  return typeOfValue(node, scope.options.tables, (root) => findRoot(root, scope)?.table ?? null);
}

/** A constant of the rule. */
export function literal(
  constant: boolean | number | string | null,
  dialect: RuleSqlDialect,
): SqlPiece {
  if (constant === null) return piece`NULL`;
  if (typeof constant === "boolean") return piece`${dialect.truth(constant)}`;
  // Plain text and whole numbers stand in the statement, where planners see them (partial indexes).
  if (typeof constant === "string" && /^[\w.:@+ -]*$/.test(constant)) return piece`'${constant}'`;
  if (Number.isSafeInteger(constant)) return piece`${String(constant)}`;
  return param({ kind: "literal", value: constant });
}

/** An alias that nothing else in the statement has. */
export function freshAlias(scope: SqlScope): string {
  scope.count.aliases += 1;
  return `${scope.options.aliasPrefix ?? "r"}${scope.count.aliases}`;
}

/** A column. */
export function column(scope: SqlScope, alias: string, table: string, field: string): string {
  return scope.options.column?.(alias, table, field) ?? `${alias}.${scope.dialect.quote(field)}`;
}

/** A table behind FROM. */
export function source(scope: SqlScope, table: string): string {
  return scope.options.source?.(table) ?? scope.dialect.quote(table);
}

/** A `?`. */
export function param(of: RuleParam): SqlPiece {
  return { sql: "?", params: [of] };
}
