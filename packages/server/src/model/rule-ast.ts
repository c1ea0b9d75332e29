// A rule as data: what the arrow function in rules.ts (or a table's `.check`) was read as.
//
// Logic is Kleene's: a comparison with an absent value is unknown; `!unknown` is unknown; a rule allows
// only when it is true. So a rule with an absent owner never matches an anonymous caller, also negated.
// SQL's three-valued logic is the same, so an expression compiles to SQL one to one.
// Nodes are frozen when made and carry the source range that they were read from.

/** Where a node stands in its source file: offsets in UTF-16 code units. */
export interface SourceRange {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/** What a path may start at. `item` is the row of the innermost or an outer `some`, named by `alias`. */
export type RuleRoot =
  | { readonly kind: "row" }
  | { readonly kind: "next" }
  | { readonly kind: "me" }
  | { readonly kind: "item"; readonly alias: string };

export type CompareOp = "==" | "!=" | "<" | "<=" | ">" | ">=";
export type ArithmeticOp = "+" | "-" | "*" | "/" | "%";
export type TextOp = "startsWith" | "endsWith" | "includes";

/** A value: text, number, truth, or absent. */
export type RuleValue = { readonly at: SourceRange } &
  /** `null` is the absent value; only simplification makes it, never a source. */
  (
    | { readonly kind: "literal"; readonly value: boolean | number | string | null }
    /**
     * `row.screening.film.owner`: every step but the last goes through a reference; `through` names the
     * table that each of those steps leads to. A path through an absent reference, or one whose row is
     * gone, is absent. `me.id`, `me.role`, `me.<claim>`.
     */
    | {
        readonly kind: "path";
        readonly root: RuleRoot;
        readonly steps: readonly string[];
        readonly through: readonly string[];
      }
    /** The time of the request (RFC 3339, milliseconds, UTC). */
    | { readonly kind: "now" }
    | {
        readonly kind: "arithmetic";
        readonly op: ArithmeticOp;
        readonly left: RuleValue;
        readonly right: RuleValue;
      }
    /** `.length` of a text or list. */
    | { readonly kind: "length"; readonly of: RuleValue }
    | {
        readonly kind: "choose";
        readonly when: RuleExpr;
        readonly yes: RuleValue;
        readonly no: RuleValue;
      }
  );

/** A truth: true, false or unknown. */
export type RuleExpr = { readonly at: SourceRange } &
  /** `null` is unknown; only simplification makes it, never a source. */
  (
    | { readonly kind: "constant"; readonly value: boolean | null }
    /** A bool field or claim used as a condition: true only when it holds true; absent is unknown. */
    | { readonly kind: "truth"; readonly value: RuleValue }
    | {
        readonly kind: "compare";
        readonly op: CompareOp;
        readonly left: RuleValue;
        readonly right: RuleValue;
      }
    /** `x === null`, `x === undefined` (`present: false`), `x !== null` (`present: true`): never unknown. */
    | { readonly kind: "presence"; readonly of: RuleValue; readonly present: boolean }
    | { readonly kind: "and"; readonly parts: readonly RuleExpr[] }
    | { readonly kind: "or"; readonly parts: readonly RuleExpr[] }
    | { readonly kind: "not"; readonly part: RuleExpr }
    /** `["a", "b"].includes(value)`. */
    | { readonly kind: "among"; readonly value: RuleValue; readonly options: readonly RuleValue[] }
    /** `row.tags.includes(value)` where `list` is a list field. */
    | { readonly kind: "contains"; readonly list: RuleValue; readonly value: RuleValue }
    | {
        readonly kind: "text";
        readonly op: TextOp;
        readonly subject: RuleValue;
        readonly value: RuleValue;
      }
    /** `db.table.some((alias) => where)`: whether any row of the table makes `where` true. Never unknown. */
    | {
        readonly kind: "some";
        readonly table: string;
        readonly alias: string;
        readonly where: RuleExpr;
      }
    | {
        readonly kind: "if";
        readonly when: RuleExpr;
        readonly yes: RuleExpr;
        readonly no: RuleExpr;
      }
  );

/** A rule with the text that a person wrote, for findings and explanations. */
export interface Rule {
  readonly expr: RuleExpr;
  readonly at: SourceRange;
  /** 1-based line and column of its start. */
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** Rights on one field. An absent rule means: as the row's. */
export interface FieldRules {
  readonly read?: Rule;
  /** Decides whether create and update may set this field. */
  readonly write?: Rule;
}

/** Rights on one table. An absent rule denies. `write` in the source stands for create, update and delete. */
export interface TableRules {
  readonly read?: Rule;
  readonly create?: Rule;
  readonly update?: Rule;
  readonly delete?: Rule;
  readonly fields: Readonly<Record<string, FieldRules>>;
}
