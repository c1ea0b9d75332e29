// `--ref project=slug`: a column names the row that it refers to by a unique field of that row instead of by its id.
import type { FieldSpec } from "@keelson/sdk/spec";
import { usageFailure } from "../flags/failure.ts";
import { suggestion } from "../flags/suggestion.ts";
import type { DoorTable } from "./data-door.ts";

/** A reference that is looked up. */
export interface RefKey {
  readonly field: string;
  /** The table that it leads to. */
  readonly table: string;
  /** The unique field there. */
  readonly by: string;
  /** Of that field: what cells of the column hold. */
  readonly spec: FieldSpec;
}

/**
 * Reads `--ref` values. @param tableName where the rows go.
 * @throws Failure (exit 1) REF_INVALID for another form, no reference, or a field that is not unique there.
 */
export function parseRefKeys(
  refs: readonly string[],
  tables: Readonly<Record<string, DoorTable>>,
  tableName: string,
): readonly RefKey[] {
  const found = new Map<string, RefKey>();
  for (const ref of refs) {
    const key = parseRefKey(ref, tables, tableName);
    if (found.has(key.field)) throw refInvalid(ref, `${key.field} is told twice.`);
    found.set(key.field, key);
  }
  return [...found.values()];
}

function parseRefKey(
  ref: string,
  tables: Readonly<Record<string, DoorTable>>,
  tableName: string,
): RefKey {
  const [field = "", by = "", ...more] = ref.split("=").map((name) => name.trim());
  if (field === "" || by === "" || more.length > 0)
    throw refInvalid(ref, 'It is written "field=unique field of the row it refers to".');
  const { fields } = tables[tableName] as DoorTable;
  const spec = Object.hasOwn(fields, field) ? fields[field] : undefined;
  if (spec?.kind !== "ref" && spec?.kind !== "id") {
    const names = Object.keys(fields).filter((name) => fields[name]?.kind === "ref");
    const what = spec === undefined ? "has no field" : "has no reference in";
    const known =
      names.length === 0 ? "It refers to nothing." : `Its references: ${names.join(", ")}.`;
    throw refInvalid(ref, `The table ${tableName} ${what} "${field}". ${known}`);
  }
  const target = tables[spec.table];
  const keySpec =
    target !== undefined && Object.hasOwn(target.fields, by) ? target.fields[by] : undefined;
  if (target === undefined || keySpec === undefined) {
    const near = suggestion(by, Object.keys(target?.fields ?? {}));
    const hint = near === null ? "" : ` Did you mean ${near}?`;
    throw refInvalid(ref, `The table ${spec.table} has no field "${by}".${hint}`);
  }
  if (!target.unique.includes(by)) {
    const why = `Two rows of ${spec.table} may hold the same value in "${by}", so it names none. Unique there: ${target.unique.join(", ")}.`;
    throw refInvalid(ref, why);
  }
  return { field, table: spec.table, by, spec: keySpec };
}

function refInvalid(ref: string, why: string) {
  return usageFailure({
    code: "REF_INVALID",
    what: `--ref "${ref}" can't be used.`,
    why,
    fix: 'Write --ref "project=slug": the column of project holds the slug of a project.',
  });
}
