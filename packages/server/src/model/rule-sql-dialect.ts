// What differs between SQL engines when rules become predicates. Every form here must give what
// rule-operators.ts gives, absent values included.
import type { ArithmeticOp, TextOp } from "./rule-ast.ts";
import { piece, type SqlPiece } from "./rule-sql-piece.ts";

/** An engine's spelling of the operators whose plain SQL would mean something else. */
export interface RuleSqlDialect {
  readonly name: "sqlite" | "postgres";
  /** A name as an identifier. */
  quote(name: string): string;
  /** A constant; null for unknown. */
  truth(value: boolean | null): string;
  /** Whether a bool value holds true; unknown when it is absent. */
  isTrue(value: SqlPiece): SqlPiece;
  /** Chooses on a truth: absent when it is unknown. */
  choose(when: SqlPiece, yes: SqlPiece, no: SqlPiece): SqlPiece;
  /** Arithmetic in doubles; division by zero and NaN are absent. */
  arithmetic(op: ArithmeticOp, left: SqlPiece, right: SqlPiece): SqlPiece;
  /** Length in UTF-16 code units. */
  textLength(value: SqlPiece): SqlPiece;
  listLength(value: SqlPiece): SqlPiece;
  /** Case-sensitive, no patterns. */
  text(op: TextOp, subject: SqlPiece, value: SqlPiece): SqlPiece;
  /** Whether a JSON list holds a value: false when either is absent. `alias` is fresh. */
  listHas(list: SqlPiece, value: SqlPiece, options: { alias: string; numbers: boolean }): SqlPiece;
}

/** SQLite: bool as 0 and 1, lists as JSON text, text in UTF-8 without U+0000. */
export const sqliteRules: RuleSqlDialect = {
  name: "sqlite",
  quote: (name) => `"${name.replaceAll('"', '""')}"`,
  truth: (value) => {
    if (value === null) return "NULL";
    return value ? "1" : "0";
  },
  isTrue: (value) => piece`${value} = 1`,
  choose: (when, yes, no) => piece`CASE (${when}) WHEN 1 THEN ${yes} WHEN 0 THEN ${no} END`,
  arithmetic: (op, left, right) => {
    // Integers would divide as integers and overflow into errors or doubles by size; `%` would truncate.
    const a = piece`CAST(${left} AS REAL)`;
    const b = piece`CAST(${right} AS REAL)`;
    return op === "%" ? piece`mod(${a}, ${b})` : piece`(${a} ${op} ${b})`;
  },
  textLength: (value) => {
    // Code points, and one more for each that takes two units: in UTF-8 exactly those start with F0 to F4.
    let rest = value;
    for (const lead of ["F0", "F1", "F2", "F3", "F4"]) {
      rest = piece`replace(${rest}, CAST(x'${lead}' AS TEXT), '')`;
    }
    return piece`(length(${value}) + octet_length(${value}) - octet_length(${rest}))`;
  },
  listLength: (value) => piece`json_array_length(${value})`,
  text: (op, subject, value) => {
    // Bytes: LIKE folds case and knows patterns; in UTF-8 a match of bytes is a match of characters.
    const a = piece`CAST(${subject} AS BLOB)`;
    const b = piece`CAST(${value} AS BLOB)`;
    // substr() of an empty blob is absent, so the subject gets a byte in front that is skipped.
    const filled = piece`CAST('.' || ${subject} AS BLOB)`;
    switch (op) {
      case "includes":
        return piece`(instr(${a}, ${b}) > 0)`;
      case "startsWith":
        return piece`(substr(${filled}, 2, length(${b})) = ${b})`;
      case "endsWith": {
        const from = piece`length(${a}) - length(${b}) + 2`;
        const end = piece`substr(${filled}, ${from}, length(${b})) = ${b}`;
        return piece`(length(${a}) >= length(${b}) AND ${end})`;
      }
      default:
        return op satisfies never;
    }
  },
  listHas: (list, value, { alias, numbers }) => {
    // A double that JSON spells like a large integer would otherwise be read as that integer, not the double.
    const item = numbers ? `CAST(${alias}.value AS REAL)` : `${alias}.value`;
    return piece`EXISTS (SELECT 1 FROM json_each(${list}) AS ${alias} WHERE ${item} = ${value})`;
  },
};
