// The part of an OpenAPI document that is about one table: what its rules let anybody at all do. Changing
// and deleting need the right to read, since a row that may not be read does not exist for a caller.
import { limits } from "../base/limits.ts";
import type { Json } from "../base/json.ts";
import { recordExample } from "../model/field-example.ts";
import { fieldSchema, recordSchema } from "../model/field-schema.ts";
import type { FieldSpec, TableModel } from "../model/manifest.ts";
import {
  idempotencyKey,
  jsonBody,
  openSecurity,
  responses,
  type OpenApiPart,
} from "./openapi-parts.ts";

const orders: ReadonlySet<string> = new Set([
  "id",
  "text",
  "int",
  "number",
  "time",
  "date",
  "money",
]);
const wholes: ReadonlySet<string> = new Set(["list", "object", "json", "bytes"]);

/** What the rules of a table leave reachable. */
export interface TableReach {
  readonly read: boolean;
  readonly create: boolean;
  readonly update: boolean;
  readonly delete: boolean;
}

/** Whether and how a table can be reached; null when it can't. */
export function reachOf({ rules }: TableModel): TableReach | null {
  const read = rules.read !== undefined;
  const create = rules.create !== undefined;
  if (!read && !create) return null;
  return {
    read,
    create,
    update: read && rules.update !== undefined,
    delete: read && rules.delete !== undefined,
  };
}

/** Schemas of a table: the row under its name, the others behind a dot. */
export function tableSchemas(model: TableModel, reach: TableReach): OpenApiPart {
  const { name, fields, rules } = model;
  const ruled = Object.keys(rules.fields).filter(
    (field) => rules.fields[field]?.read !== undefined,
  );
  return {
    [name]: recordSchema(fields, "row", new Set(ruled)),
    ...(reach.read ? { [`${name}.where`]: whereSchema(model) } : {}),
    ...(reach.create ? { [`${name}.create`]: recordSchema(fields, "create") } : {}),
    ...(reach.update ? { [`${name}.update`]: recordSchema(fields, "update") } : {}),
  };
}

/** Paths of a table. */
export function tablePaths(model: TableModel, reach: TableReach): OpenApiPart {
  const { name } = model;
  const rows: Record<string, Json> = {};
  if (reach.read) rows["get"] = listOperation(model);
  if (reach.create) rows["post"] = createOperation(model, reach);
  const row: Record<string, Json> = {};
  if (reach.read) row["get"] = getOperation(model);
  if (reach.update) row["patch"] = updateOperation(model);
  if (reach.delete) row["delete"] = deleteOperation(model);
  const id = {
    name: "id",
    in: "path",
    required: true,
    schema: fieldSchema({ kind: "id", table: name }, "in"),
  };
  return {
    [`/api/tables/${name}`]: rows,
    ...(reach.read ? { [`/api/tables/${name}/{id}`]: { parameters: [id], ...row } } : {}),
  };
}

function listOperation(model: TableModel): OpenApiPart {
  const { name } = model;
  const page = {
    type: "object",
    properties: {
      rows: { type: "array", items: answerSchema(name) },
      next: { type: ["string", "null"], description: "Send it as `after` to get the next page." },
    },
    required: ["rows", "next"],
    additionalProperties: false,
  };
  return {
    operationId: `${name}.list`,
    tags: [name],
    summary: `Lists rows of ${name}, or computes values of them.`,
    security: openSecurity,
    parameters: [...listParameters(model), ...rowParameters(model)],
    responses: responses("200", "A page of rows; with `aggregate`, one row per group.", page),
  };
}

/** A row of an answer: `with` and `select` change what it has, so only its fields' types are sure. */
function answerSchema(name: string): OpenApiPart {
  return {
    anyOf: [
      { $ref: schemaRef(name) },
      { type: "object", description: "With `select`, `with` or `aggregate`: what they name." },
    ],
  };
}

function listParameters(model: TableModel): readonly Json[] {
  const { name, search } = model;
  const names = openFields(model).filter(([, spec]) => !wholes.has(spec.kind));
  const shown = names.map(([field]) => field);
  const byName = { type: "string", pattern: `^-?\\w+(?:,-?\\w+)*$` };
  const parameters: Json[] = [
    {
      name: "where",
      in: "query",
      description: "A filter.",
      content: { "application/json": { schema: { $ref: schemaRef(`${name}.where`) } } },
    },
    query("orderBy", "Fields to order by, `-` for descending.", { ...byName, default: "id" }),
    query(
      "limit",
      "Rows of a page; with `groupBy`, groups at most (default: all, refused above the maximum).",
      {
        type: "integer",
        minimum: 1,
        maximum: limits.pageRowsMax,
        default: limits.pageRowsDefault,
      },
    ),
    query("after", "`next` of the page before.", {
      type: "string",
      maxLength: limits.cursorCharsMax,
    }),
    {
      name: "aggregate",
      in: "query",
      description: 'Values to compute instead of rows, like `{ "total": "count" }`.',
      content: { "application/json": { schema: aggregateSchema(model) } },
    },
    query("groupBy", `Fields to compute them by: ${shown.join(", ")}.`, byName),
  ];
  if (search.length > 0) {
    const text = { type: "string", maxLength: limits.searchCharsMax };
    parameters.push(query("search", `Words to find in ${search.join(", ")}; empty: all.`, text));
  }
  return parameters;
}

function rowParameters(model: TableModel): readonly Json[] {
  const refs = openFields(model).flatMap(([field, spec]) => (spec.kind === "ref" ? [field] : []));
  const names = openFields(model).map(([field]) => field);
  const known = refs.length === 0 ? "" : ` References of this table: ${refs.join(", ")}.`;
  return [
    query("select", `Fields of the answer: ${names.join(", ")}.`, {
      type: "string",
      pattern: "^\\w+(?:,\\w+)*$",
    }),
    query("with", `Rows to bring along: names with commas between, or JSON.${known}`, {
      type: "string",
    }),
  ];
}

function query(name: string, description: string, schema: Json): OpenApiPart {
  return { name, in: "query", description, schema };
}

function createOperation(model: TableModel, reach: TableReach): OpenApiPart {
  const { name, fields } = model;
  const only = {
    type: "object",
    properties: { id: fieldSchema({ kind: "id", table: name }, "out") },
  };
  const answer = reach.read ? { anyOf: [{ $ref: schemaRef(name) }, only] } : only;
  return {
    operationId: `${name}.create`,
    tags: [name],
    summary: `Creates a row of ${name}.`,
    security: openSecurity,
    parameters: [idempotencyKey],
    requestBody: jsonBody({ $ref: schemaRef(`${name}.create`) }, recordExample(given(fields))),
    responses: responses("201", "The row, or its id when it may not be read.", answer, {
      written: true,
    }),
  };
}

/** What a person would send: everything that may be sent on create. */
function given(fields: Readonly<Record<string, FieldSpec>>): Readonly<Record<string, FieldSpec>> {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, spec]) => name !== "id" && spec.private !== true),
  );
}

function getOperation(model: TableModel): OpenApiPart {
  const { name } = model;
  return {
    operationId: `${name}.get`,
    tags: [name],
    summary: `Reads one row of ${name}.`,
    security: openSecurity,
    parameters: rowParameters(model),
    responses: responses("200", "The row.", answerSchema(name)),
  };
}

function updateOperation({ name }: TableModel): OpenApiPart {
  return {
    operationId: `${name}.update`,
    tags: [name],
    summary: `Changes fields of a row of ${name}; those not sent stay.`,
    security: openSecurity,
    parameters: [idempotencyKey],
    requestBody: jsonBody({ $ref: schemaRef(`${name}.update`) }, null),
    responses: responses("200", "The row after.", { $ref: schemaRef(name) }, { written: true }),
  };
}

function deleteOperation({ name }: TableModel): OpenApiPart {
  return {
    operationId: `${name}.delete`,
    tags: [name],
    summary: `Deletes a row of ${name}.`,
    security: openSecurity,
    parameters: [idempotencyKey],
    responses: responses("200", "It is gone.", { type: "null" }, { written: true }),
  };
}

/** Filters as query-where.ts takes them. */
function whereSchema(model: TableModel): OpenApiPart {
  const self = { $ref: schemaRef(`${model.name}.where`) };
  const properties = Object.fromEntries(
    openFields(model).map(([name, spec]) => [name, conditionSchema(spec)]),
  );
  return {
    type: "object",
    description: "Every key must hold. A value stands for `{ eq: value }`; null asks for absence.",
    properties: { ...properties, and: list(self), or: list(self), not: self },
    additionalProperties: false,
  };
}

function conditionSchema(spec: FieldSpec): OpenApiPart {
  const value = valueSchema(spec.kind === "list" ? spec.item : spec);
  const absent = { type: "null" };
  const whole = wholes.has(spec.kind);
  const orNull = whole ? absent : { anyOf: [value, absent] };
  const many = { ...list(value), maxItems: limits.inValuesMax };
  const conditions: Record<string, Json> = { eq: orNull, not: orNull };
  if (!whole) Object.assign(conditions, { in: many, notIn: many });
  if (orders.has(spec.kind)) for (const op of ["gt", "gte", "lt", "lte"]) conditions[op] = value;
  if (spec.kind === "text") Object.assign(conditions, { startsWith: value, contains: value });
  if (spec.kind === "list" && !wholes.has(spec.item.kind)) conditions["contains"] = value;
  const object = {
    type: "object",
    properties: conditions,
    minProperties: 1,
    additionalProperties: false,
  };
  return { anyOf: whole ? [absent, object] : [value, absent, object] };
}

/** A value of a filter: of the field's type, not within its bounds. */
function valueSchema(spec: FieldSpec): OpenApiPart {
  const { kind } = spec;
  if (kind === "text") return { type: "string", maxLength: limits.filterCharsMax };
  if (kind === "int" || kind === "money") return { type: "integer" };
  if (kind === "number") return { type: "number" };
  const { optional: _, default: __, ...plain } = spec;
  return fieldSchema(plain, "in");
}

function aggregateSchema(model: TableModel): OpenApiPart {
  const fields = openFields(model);
  const names = (kinds: (kind: string) => boolean): Json => ({
    type: "string",
    enum: fields.filter(([, spec]) => kinds(spec.kind)).map(([name]) => name),
  });
  const one = (op: string, field: Json): Json => ({
    type: "object",
    properties: { [op]: field },
    required: [op],
    additionalProperties: false,
  });
  const summed = (kind: string): boolean => kind === "int" || kind === "number" || kind === "money";
  const sums = fields.some(([, spec]) => summed(spec.kind));
  const ops: Json[] = [
    { const: "count" },
    one(
      "count",
      names(() => true),
    ),
    ...["min", "max"].map((op) =>
      one(
        op,
        names((kind) => orders.has(kind)),
      ),
    ),
    ...(sums ? ["sum", "avg"].map((op) => one(op, names(summed))) : []),
  ];
  return {
    type: "object",
    additionalProperties: { anyOf: ops },
    maxProperties: limits.aggregateValuesMax,
  };
}

function openFields({ fields }: TableModel): readonly (readonly [string, FieldSpec])[] {
  return Object.entries(fields).filter(([, spec]) => spec.private !== true);
}

function list(items: Json): { readonly type: string; readonly items: Json } {
  return { type: "array", items };
}

function schemaRef(name: string): string {
  return `#/components/schemas/${name}`;
}
