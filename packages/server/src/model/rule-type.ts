// The types of values in rules: what the reader checks comparisons by, and what the SQL compiler binds
// claims as. Derived from fields; claims of `me` beyond id and role have no declared type ("any").
import type { FieldSpec } from "@keelson/sdk/spec";
import type { RuleRoot, RuleValue } from "./rule-ast.ts";

/** What a value may be. */
export type RuleType =
  | { readonly kind: "text"; readonly values?: readonly string[] }
  | { readonly kind: "id"; readonly table: string }
  | { readonly kind: "number" | "bool" | "time" | "date" | "bytes" | "opaque" | "any" }
  | { readonly kind: "list"; readonly item: RuleType };

/** How values of a type are held and compared: absent when a claim is of another class. */
export type RuleClass = "text" | "number" | "bool" | "list" | "any";

/** The part of a table model that rules need. `id` may be left out of `fields`. */
export type RuleTables = Readonly<
  Record<string, { readonly fields: Readonly<Record<string, FieldSpec>> }>
>;

/** Tells the table of a root; null for `me`. */
export type RootTable = (root: RuleRoot) => string | null;

/** The type of a field's values. */
export function fieldType(field: FieldSpec): RuleType {
  switch (field.kind) {
    case "id":
    case "ref":
      return { kind: "id", table: field.table };
    case "text":
      return { kind: "text" };
    case "oneOf":
      return { kind: "text", values: field.values };
    case "int":
    case "number":
    case "money":
      return { kind: "number" };
    case "bool":
    case "time":
    case "date":
    case "bytes":
      return { kind: field.kind };
    case "json":
    case "object":
      return { kind: "opaque" };
    case "list":
      return { kind: "list", item: fieldType(field.item) };
    default:
      return field satisfies never;
  }
}

/** The field of a table, `id` included; null when there is none. */
export function tableField(tables: RuleTables, table: string, field: string): FieldSpec | null {
  if (!Object.hasOwn(tables, table)) return null;
  if (field === "id") return { kind: "id", table };
  const fields = tables[table]?.fields ?? {};
  return Object.hasOwn(fields, field) ? (fields[field] ?? null) : null;
}

/** The type of a value of a rule that was read against these tables. */
export function typeOfValue(value: RuleValue, tables: RuleTables, rootTable: RootTable): RuleType {
  switch (value.kind) {
    case "literal":
      return literalType(value.value);
    case "now":
      return { kind: "time" };
    case "arithmetic":
    case "length":
      return { kind: "number" };
    case "choose": {
      const yes = typeOfValue(value.yes, tables, rootTable);
      return yes.kind === "any" ? typeOfValue(value.no, tables, rootTable) : yes;
    }
    case "path": {
      if (value.root.kind === "me") return claimType(value.steps[0] ?? "");
      const table = value.through.at(-1) ?? rootTable(value.root);
      const field = table === null ? null : tableField(tables, table, value.steps.at(-1) ?? "");
      return field === null ? { kind: "any" } : fieldType(field);
    }
    default:
      return value satisfies never;
  }
}

/** The type of a claim: `id` is a user's, `role` is text, others may be anything. */
export function claimType(claim: string): RuleType {
  if (claim === "id") return { kind: "id", table: "user" };
  return { kind: claim === "role" ? "text" : "any" };
}

/** How values of a type are held. */
export function classOf(type: RuleType): RuleClass {
  switch (type.kind) {
    case "text":
    case "id":
    case "time":
    case "date":
    case "bytes":
      return "text";
    case "number":
    case "bool":
    case "list":
    case "any":
      return type.kind;
    case "opaque":
      return "any";
    default:
      return type satisfies never;
  }
}

function literalType(value: boolean | number | string | null): RuleType {
  if (typeof value === "string") return { kind: "text" };
  if (typeof value === "number") return { kind: "number" };
  return { kind: typeof value === "boolean" ? "bool" : "any" };
}
