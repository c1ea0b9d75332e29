// A query in a function as the JSON that it will send, with examples in the place of values that are known only
// at run time: enough for the engine to say how it would answer. What can't be told in full is not asked.
import { fieldExample } from "../../model/field-example.ts";
import type { FieldSpec, Manifest, TableModel } from "../../model/manifest.ts";
import type { DbOp, Value } from "./flow-value.ts";

/** A list query as JSON. */
export type Form = { [key: string]: unknown };

const operators: ReadonlySet<string> = new Set([
  "eq",
  "not",
  "gt",
  "gte",
  "lt",
  "lte",
  "in",
  "notIn",
  "startsWith",
  "contains",
]);

/** The form of a read; null when a part of it that matters is not known. */
export function formOf(manifest: Manifest, op: DbOp): Form | null {
  const table = manifest.tables[op.table];
  if (table === undefined) return null;
  if (op.query === null) return {};
  const { thing } = op.query;
  if (thing.kind !== "object") return null;
  const form: Form = {};
  const where = thing.fields.get("where");
  if (where !== undefined) {
    const filter = filterOf(where, table);
    if (filter === null) return null;
    form["where"] = filter;
  }
  const search = thing.fields.get("search");
  if (search !== undefined) form["search"] = "word";
  const order = thing.fields.get("orderBy");
  if (order !== undefined) {
    const terms = textsOf(order);
    if (terms === null) return null;
    form["orderBy"] = terms;
  }
  const limit = thing.fields.get("limit")?.thing;
  if (limit?.kind === "literal" && typeof limit.value === "number") form["limit"] = limit.value;
  return form;
}

function filterOf(value: Value, table: TableModel): Form | null {
  const { thing } = value;
  if (thing.kind !== "object" || thing.open) return null;
  const filter: Form = {};
  for (const [name, part] of thing.fields) {
    if (name === "and" || name === "or") {
      if (part.thing.kind !== "list") return null;
      const parts = part.thing.items.map((item) => filterOf(item, table));
      if (parts.includes(null)) return null;
      filter[name] = parts;
    } else if (name === "not") {
      const inner = filterOf(part, table);
      if (inner === null) return null;
      filter[name] = inner;
    } else {
      const spec = table.fields[name];
      const condition = spec === undefined ? null : conditionOf(part, spec);
      if (condition === null) return null;
      filter[name] = condition;
    }
  }
  return filter;
}

function conditionOf(value: Value, spec: FieldSpec): unknown {
  const { thing } = value;
  if (thing.kind !== "object") return operand(value, spec);
  const condition: Form = {};
  for (const [name, part] of thing.fields) {
    if (!operators.has(name)) return null;
    const example = name === "in" || name === "notIn" ? [operand(part, spec)] : operand(part, spec);
    if (example === null || (Array.isArray(example) && example[0] === null)) return null;
    condition[name] = name === "startsWith" || name === "contains" ? textExample(spec) : example;
  }
  return thing.open ? null : condition;
}

/** Only its kind matters to a plan. */
function operand(value: Value, spec: FieldSpec): unknown {
  const { thing } = value;
  if (thing.kind === "literal" && thing.value !== null) return thing.value;
  return fieldExample(spec) ?? null;
}

function textExample(spec: FieldSpec): unknown {
  return spec.kind === "list" ? (fieldExample(spec.item) ?? "a") : "a";
}

function textsOf({ thing }: Value): readonly string[] | null {
  if (thing.kind === "literal" && typeof thing.value === "string") return [thing.value];
  if (thing.kind !== "list") return null;
  const texts = thing.items.map((item) =>
    item.thing.kind === "literal" ? item.thing.value : null,
  );
  return texts.every((text) => typeof text === "string") ? texts : null;
}
