// The tables that the store's tests share: every kind of field, references of every sort, a circle, uniques
// full and partial, a full-text index; rules written as data; ids that sort as they are made.
import type { FieldSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import type { TableModel } from "../model/manifest.ts";
import type { CompareOp, RuleExpr, RuleValue } from "../model/rule-ast.ts";
import type { ListQuery, Where } from "../model/query-form.ts";
import type { Commit, Guard, MutationMeta, MutationOutcome, Row, Store, WriteTx } from "./store.ts";

const at = Object.freeze({ file: "rules.ts", start: 0, end: 0 });
const text = (max = 200): FieldSpec => ({ kind: "text", min: 0, max });

/** The parts of a table that a store reads; the rest is empty. */
export function tableModel(
  name: string,
  fields: Readonly<Record<string, FieldSpec>>,
  more: Partial<Pick<TableModel, "indexes" | "search">> = {},
): TableModel {
  return {
    name,
    fields: { id: { kind: "id", table: name, immutable: true }, ...fields },
    indexes: more.indexes ?? [],
    search: more.search ?? [],
    checks: [],
    rules: { fields: {} },
    limits: {},
  };
}

/** Tables of a ticket office, and `node` that refers to itself twice. */
export const storeTables: Readonly<Record<string, TableModel>> = {
  user: tableModel("user", {
    name: { ...text(), optional: true },
    email: { ...text(320), optional: true, unique: true },
  }),
  film: tableModel(
    "film",
    {
      title: text(),
      plot: { ...text(1_000), optional: true },
      released: { kind: "date", optional: true },
      rating: { kind: "number", optional: true },
      votes: { kind: "int", min: -1_000, max: 1_000_000, optional: true },
      color: { kind: "bool", optional: true },
      tags: { kind: "list", item: text(20), min: 0, max: 9, optional: true },
      made: { kind: "object", fields: { country: text(2) }, optional: true },
      extra: { kind: "json", maxBytes: 100_000, optional: true },
      poster: { kind: "bytes", max: 100, optional: true },
      owner: { kind: "ref", table: "user", onDelete: "clear", optional: true },
    },
    {
      indexes: [{ fields: ["rating"] }, { fields: ["color", "votes"] }],
      search: ["title", "plot"],
    },
  ),
  screening: tableModel(
    "screening",
    {
      film: { kind: "ref", table: "film", onDelete: "cascade" },
      startsAt: { kind: "time" },
      price: { kind: "money", currency: "EUR" },
    },
    { indexes: [{ fields: ["film", "startsAt"] }] },
  ),
  booking: tableModel(
    "booking",
    {
      screening: { kind: "ref", table: "screening", onDelete: "cascade" },
      seat: text(4),
      customer: { kind: "ref", table: "user", onDelete: "refuse", optional: true },
      status: { kind: "oneOf", values: ["held", "paid", "cancelled"] },
    },
    {
      indexes: [
        { fields: ["screening", "seat"], unique: true, where: { status: { not: "cancelled" } } },
        { fields: ["customer"] },
      ],
    },
  ),
  node: tableModel("node", {
    name: text(),
    parent: { kind: "ref", table: "node", onDelete: "cascade", optional: true },
    keeper: { kind: "ref", table: "node", onDelete: "refuse", optional: true },
    friend: { kind: "ref", table: "node", onDelete: "clear", optional: true },
  }),
};

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** The `index`-th id of a table: a TypeID that sorts by its index. */
export function idOf(table: string, index: number): string {
  let tail = "";
  for (let rest = index, digit = 0; digit < 10; digit++, rest = Math.floor(rest / 32)) {
    tail = (alphabet[rest % 32] ?? "0") + tail;
  }
  return `${table}_01h455vb4pex5vsk${tail}`;
}

/** A complete row: absent fields are null. */
export function rowOf(table: string, index: number, values: Row = {}): Row {
  const row: { [field: string]: Json } = {};
  for (const field of Object.keys(storeTables[table]?.fields ?? {})) row[field] = null;
  return { ...row, ...required[table], ...values, id: idOf(table, index) };
}

const required: Readonly<Record<string, Row>> = {
  film: { title: "untitled" },
  screening: { startsAt: "2026-01-31T20:15:00.000Z", price: 1_250 },
  booking: { seat: "A1", status: "held" },
  node: { name: "node" },
};

/** What a mutation brings with it. */
export function metaOf(more: Partial<MutationMeta> = {}): MutationMeta {
  return {
    by: null,
    cause: "test",
    requestId: "req_1",
    atMs: 1_700_000_000_000,
    idempotency: null,
    ...more,
  };
}

/** Commits one mutation in a group of its own. @throws what the body threw. */
export async function write(
  store: Store,
  body: (tx: WriteTx) => Later<unknown>,
): Promise<Commit | null> {
  const group = await store.openGroup();
  const outcome = await group.mutate(metaOf(), (tx) => andThen(body(tx), () => "null"));
  if (outcome.kind === "failed") {
    group.abort();
    throw outcome.error;
  }
  await group.commit();
  return outcome.kind === "done" ? outcome.commit : null;
}

/** A list query. */
export function listOf(from: string, more: Partial<ListQuery> = {}): ListQuery {
  return { kind: "list", from, orderBy: [], limit: 100, ...more };
}

/** `field op value` as a filter. */
export function whereOf(field: string, condition: (Where & { kind: "field" })["condition"]): Where {
  return { kind: "field", field, condition };
}

/** A guard with a rule per table; tables that are not named are hidden. */
export function guardOf(
  me: { readonly [claim: string]: Json },
  rules: Readonly<Record<string, RuleExpr>>,
): Guard {
  return {
    bindings: { me, now: "2026-06-01T00:00:00.000Z" },
    readRule: (table) => rules[table] ?? false,
  };
}

/** `row.screening.film` as a rule's value. @param through the tables that the steps lead to. */
export function rowPath(steps: readonly string[], through: readonly string[] = []): RuleValue {
  return { kind: "path", root: { kind: "row" }, steps, through, at };
}

/** `alias.field`. */
export function itemPath(alias: string, field: string): RuleValue {
  return { kind: "path", root: { kind: "item", alias }, steps: [field], through: [], at };
}

/** `me.id`. */
export function claim(name: string): RuleValue {
  return { kind: "path", root: { kind: "me" }, steps: [name], through: [], at };
}

export function literal(value: boolean | number | string): RuleValue {
  return { kind: "literal", value, at };
}

export function compare(op: CompareOp, left: RuleValue, right: RuleValue): RuleExpr {
  return { kind: "compare", op, left, right, at };
}

export function anyOf(...parts: readonly RuleExpr[]): RuleExpr {
  return { kind: "or", parts, at };
}

export function someRow(table: string, alias: string, where: RuleExpr): RuleExpr {
  return { kind: "some", table, alias, where, at };
}

export const everyRow: RuleExpr = { kind: "constant", value: true, at };

/** The error of an outcome, as `{ code, details }`. */
export function failureOf(outcome: MutationOutcome): unknown {
  return outcome.kind === "failed" ? outcome.error : null;
}
