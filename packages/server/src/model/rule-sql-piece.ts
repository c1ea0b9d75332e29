// Fragments of SQL that carry their parameters in the order of their question marks.
import type { RuleClass } from "./rule-type.ts";
import type { RuleExpr, RuleRoot, RuleValue } from "./rule-ast.ts";

/** What is bound to one `?`. */
export type RuleParam =
  /** A constant of the rule. */
  | { readonly kind: "literal"; readonly value: string | number }
  /**
   * A value that no row decides (`me.id`, `now`, `me.level + 1`). When it is not of class `as` it is bound
   * as absent, or, where it must only never be equal, as something of another class.
   */
  | {
      readonly kind: "value";
      readonly value: RuleValue;
      readonly as: RuleClass;
      readonly mismatch: "absent" | "other";
    }
  /** A truth that no row decides: 1, 0 or null. */
  | { readonly kind: "truth"; readonly expr: RuleExpr }
  /** A list claim as JSON, without items of another class; null when it is not a list. */
  | { readonly kind: "items"; readonly value: RuleValue; readonly as: RuleClass }
  /** A field of a row outside of the statement. */
  | { readonly kind: "field"; readonly root: RuleRoot; readonly field: string };

/** SQL text with its parameters. */
export interface SqlPiece {
  readonly sql: string;
  readonly params: readonly RuleParam[];
}

/** Joins text and pieces; text that is interpolated goes in as it is, so it must be safe. */
export function piece(
  text: TemplateStringsArray,
  ...parts: readonly (SqlPiece | string)[]
): SqlPiece {
  let sql = text[0] ?? "";
  const params: RuleParam[] = [];
  parts.forEach((part, index) => {
    sql += typeof part === "string" ? part : part.sql;
    sql += text[index + 1] ?? "";
    if (typeof part !== "string") params.push(...part.params);
  });
  return { sql, params };
}

/** Conditions joined by AND or OR, as a balanced tree: engines bound the depth of an expression. */
export function joinConditions(parts: readonly SqlPiece[], operator: "AND" | "OR"): SqlPiece {
  if (parts.length <= 32) return joinPieces(parts, ` ${operator} `);
  const half = Math.ceil(parts.length / 2);
  const left = joinConditions(parts.slice(0, half), operator);
  const right = joinConditions(parts.slice(half), operator);
  return piece`(${left}) ${operator} (${right})`;
}

/** Pieces with a separator between them. */
export function joinPieces(parts: readonly SqlPiece[], separator: string): SqlPiece {
  return {
    sql: parts.map((part) => part.sql).join(separator),
    params: parts.flatMap((part) => part.params),
  };
}
