// Expansions: `with` as people write it, to WithTerms.
//   "film,customer"                       references of this table, by the field's name
//   { film: true }                        the same; the row stands under `film` in place of the id
//   { booking: { limit: 10 } }            rows of `booking` that refer to this row, under `booking`
//   { sold: { from: "booking", via: "screening", where: {...}, with: {...} } }   spelled out
//
// Rights: `many` touches the field of the other table that holds the reference (it decides which rows
// come). `one` touches nothing: whoever filters the answer takes the expansion away together with `via`
// when the caller may not read that field of that row.
import { assert } from "../base/assert.ts";
import { didYouMean, isPlainObject } from "./field-issue.ts";
import { namePattern } from "./field-name.ts";
import { below, type QueryContext } from "./query-context.ts";
import type { WithTerm } from "./query-form.ts";
import { checkLimit, checkOrderBy, checkSelect } from "./query-order.ts";
import { queryTable, type QueryTable } from "./query-table.ts";
import { checkWhere } from "./query-where.ts";

const termKeys: readonly string[] = ["from", "via", "where", "orderBy", "limit", "select", "with"];
const manyKeys: readonly string[] = ["where", "orderBy", "limit"];

/** Checks `with`. @param depth 1 for the outermost. */
export function checkWith(
  context: QueryContext,
  table: QueryTable,
  value: unknown,
  path: string,
  depth = 1,
): readonly WithTerm[] | undefined {
  const entries = withEntries(value);
  if (entries === null) {
    return context.refuse(path, 'must be names, or an object like { "film": true }');
  }
  if (depth > context.limits.withDepthMax) {
    return context.refuse(path, `is nested more than ${context.limits.withDepthMax} levels`);
  }
  const terms: WithTerm[] = [];
  for (const [name, term] of entries) {
    if (--context.withTermsLeft < 0) {
      return context.refuse(path, `has more than ${context.limits.withTermsMax} expansions`);
    }
    const place = below(path, name);
    if (terms.some((other) => other.name === name)) {
      context.refuse(place, "stands twice");
      continue;
    }
    const checked = checkTerm(context, table, name, term, place, depth);
    if (checked !== undefined) terms.push(checked);
  }
  return terms.length === 0 ? undefined : terms;
}

/** Every way to write it as names with their options. */
function withEntries(value: unknown): readonly (readonly [string, unknown])[] | null {
  if (typeof value === "string") {
    return value.split(",").map((name) => [name.trim(), true] as const);
  }
  if (Array.isArray(value)) {
    if (!value.every((name) => typeof name === "string")) return null;
    return value.map((name) => [name, true] as const);
  }
  if (!isPlainObject(value)) return null;
  return Object.entries(value).filter(([, term]) => term !== undefined && term !== false);
}

function checkTerm(
  context: QueryContext,
  table: QueryTable,
  name: string,
  term: unknown,
  path: string,
  depth: number,
): WithTerm | undefined {
  if (!namePattern.test(name)) return context.refuse(path, "is no name");
  const options = term === true ? {} : term;
  if (!isPlainObject(options)) return context.refuse(path, "must be true or an object");
  for (const key of Object.keys(options)) {
    if (termKeys.includes(key)) continue;
    const hint = didYouMean(key, termKeys) || ` (there are ${termKeys.join(", ")})`;
    context.refuse(below(path, key), `is not known here${hint}`);
  }
  const target = findTarget(context, table, name, options, path);
  if (target === undefined) return undefined;
  const { kind, via, other } = target;
  if (kind === "one") {
    for (const key of manyKeys) {
      if (options[key] === undefined) continue;
      context.refuse(below(path, key), "cannot be used here: a reference leads to one row");
    }
  }
  // Nobody reads what it leads to: the names of its fields are nobody's business either.
  const parts = context.knows(other.model.name)
    ? checkTermParts(context, other, options, path, depth)
    : {};
  const limit =
    kind === "many" ? checkLimit(context, options["limit"], below(path, "limit")) : null;
  return {
    name,
    table: other.model.name,
    kind,
    via,
    ...parts,
    ...(limit === null ? {} : { limit }),
  };
}

function checkTermParts(
  context: QueryContext,
  other: QueryTable,
  options: Readonly<Record<string, unknown>>,
  path: string,
  depth: number,
): Pick<WithTerm, "where" | "orderBy" | "select" | "with"> {
  const given = (key: string) => options[key] !== undefined;
  const at = (key: string) => below(path, key);
  const where = given("where")
    ? checkWhere(context, other, options["where"], at("where"))
    : undefined;
  const orderBy = given("orderBy")
    ? checkOrderBy(context, other, options["orderBy"], at("orderBy"))
    : undefined;
  const select = given("select")
    ? checkSelect(context, other, options["select"], at("select"))
    : undefined;
  const nested = given("with")
    ? checkWith(context, other, options["with"], at("with"), depth + 1)
    : undefined;
  return {
    ...(where === undefined ? {} : { where }),
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(select === undefined ? {} : { select }),
    ...(nested === undefined ? {} : { with: nested }),
  };
}

interface Target {
  readonly kind: "one" | "many";
  readonly via: string;
  readonly other: QueryTable;
}

/** Where an expansion leads: along a reference of this table, or back along one of another. */
function findTarget(
  context: QueryContext,
  table: QueryTable,
  name: string,
  options: Readonly<Record<string, unknown>>,
  path: string,
): Target | undefined {
  const { from, via } = options;
  if (from !== undefined && typeof from !== "string") {
    return context.refuse(below(path, "from"), "must be the name of a table");
  }
  if (via !== undefined && typeof via !== "string") {
    return context.refuse(below(path, "via"), "must be the name of a field");
  }
  const isOwn = from === undefined && refsOf(context, table).includes(via ?? name);
  if (isOwn) return findOne(context, table, { name, via: via ?? name, path });
  if (context.names(table).includes(name)) {
    return context.refuse(path, "is a field of this table; give the expansion another name");
  }
  const { manifest } = context;
  assert(manifest !== null, "expansions are of queries, which have a manifest");
  const other = context.knows(from ?? name) ? queryTable(manifest, from ?? name) : null;
  if (other !== null) return findMany(context, table, other, { via, path });
  if (from !== undefined) {
    const hint = didYouMean(from, context.tables());
    return context.refuse(below(path, "from"), `is no table${hint}`);
  }
  const hint = didYouMean(name, [...refsOf(context, table), ...context.tables()]);
  return context.refuse(
    path,
    `is no reference of ${table.model.name} and no table that refers to it${hint}`,
  );
}

function findOne(
  context: QueryContext,
  table: QueryTable,
  { name, via, path }: { readonly name: string; readonly via: string; readonly path: string },
): Target | undefined {
  const field = context.field(table, via, path);
  if (field === undefined || field.spec.kind !== "ref") return undefined;
  if (name !== via && context.names(table).includes(name)) {
    return context.refuse(path, "is a field of this table; give the expansion another name");
  }
  const other = context.manifest === null ? null : queryTable(context.manifest, field.spec.table);
  return other === null ? undefined : { kind: "one", via, other };
}

function findMany(
  context: QueryContext,
  table: QueryTable,
  other: QueryTable,
  { via, path }: { readonly via: string | undefined; readonly path: string },
): Target | undefined {
  const back = refsOf(context, other).filter((name) => {
    const spec = other.fields.get(name)?.spec;
    return spec?.kind === "ref" && spec.table === table.model.name;
  });
  const tables = `${other.model.name} to ${table.model.name}`;
  const chosen = via ?? (back.length === 1 ? back[0] : undefined);
  if (chosen === undefined) {
    return back.length === 0
      ? context.refuse(path, `cannot be expanded: no reference leads from ${tables}`)
      : context.refuse(path, `needs "via": ${back.join(" or ")} lead from ${tables}`);
  }
  if (!back.includes(chosen)) {
    const known = back.length === 0 ? "" : `; there is ${back.join(", ")}`;
    return context.refuse(below(path, "via"), `is no reference from ${tables}${known}`);
  }
  context.touch(other, chosen);
  return { kind: "many", via: chosen, other };
}

function refsOf(context: QueryContext, table: QueryTable): readonly string[] {
  return context.names(table).filter((name) => table.fields.get(name)?.spec.kind === "ref");
}
