// What a caller is told when the data refuses a write: names of fields, never values or other rows.
import { PlatformError } from "../base/platform-error.ts";
import type { Json } from "../base/json.ts";
import type { DbScope } from "./db-scope.ts";
import type { Authority, RuledTable } from "./table-rules.ts";

/** Rethrows a store's refusal with the details that `as` may see. Other errors pass as they are. */
export function publicConflict(
  scope: DbScope,
  table: RuledTable,
  as: Authority,
  error: unknown,
): never {
  if (!(error instanceof PlatformError) || as === "system") throw error;
  const { name } = table.model;
  const { code } = error;
  if (code === "UNIQUE_TAKEN") {
    throw retold(error, { table: name, ...readableFields(scope, table, error) });
  }
  if (code === "REF_MISSING") throw retold(error, { table: name, ...namedField(error) });
  if (code === "CHECK_FAILED" && !mayKnow(scope, error, name)) throw retold(error, {});
  if (code === "REF_IN_USE") throw retold(error, { table: name, ...usingTable(scope, error) });
  throw error;
}

/** The refusal for a reference that leads nowhere, or to a row that the caller may not read. */
export function refMissing(table: string, field: string): PlatformError {
  return new PlatformError("REF_MISSING", { table, field });
}

function retold(error: PlatformError, details: { readonly [key: string]: Json }): PlatformError {
  return new PlatformError(error.code, details, { cause: error });
}

function namedField({ details }: PlatformError): { readonly [key: string]: Json } {
  return details["field"] === undefined ? {} : { field: details["field"] };
}

/** Of the fields that collide together, those that the caller may ever read; to it the others do not exist. */
function readableFields(
  scope: DbScope,
  table: RuledTable,
  { details }: PlatformError,
): { readonly [key: string]: Json } {
  const { fields } = details;
  if (!Array.isArray(fields)) return {};
  const reach = scope.reach.of(table);
  return { fields: fields.filter((field) => reach.field(String(field)) !== "never") };
}

/** A check of another table, whose row would lose its reference: told when the caller may read that table. */
function mayKnow(scope: DbScope, error: PlatformError, written: string): boolean {
  const { table: of } = error.details;
  const table = typeof of === "string" ? scope.tables.get(of) : undefined;
  return of === written || (table !== undefined && scope.reach.of(table).rule !== false);
}

/** Where the row is still referred to from: told when the caller may read that reference. Never how often. */
function usingTable(scope: DbScope, error: PlatformError): { readonly [key: string]: Json } {
  const { table: by, field } = error.details;
  const table = typeof by === "string" ? scope.tables.get(by) : undefined;
  if (table === undefined || typeof field !== "string") return {};
  const reach = scope.reach.of(table);
  if (reach.rule === false || reach.field(field) === "never") return {};
  return { by: table.model.name, field };
}
