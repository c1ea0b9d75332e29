// Rows that people beside the owners have a part in: what one sells another buys, whom one teaches another grades. Which
// references of a row lead to a guest, and in which states such rows are.
import type { FieldSpec, Manifest, TableModel } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import { isAuthorityState } from "./sensitive-name.ts";
import type { Draft } from "./value-search.ts";

/** Of each table: more ways to mix people are not told apart by what functions ask. */
const guestRowsMax = 5;

/** Tables after those that they refer to; of a circle, as they stand. */
export function parentsFirst(tables: Manifest["tables"]): readonly TableModel[] {
  const order = new Set<TableModel>();
  const visited = new Set<string>();
  const visit = (model: TableModel): void => {
    if (visited.has(model.name)) return;
    visited.add(model.name);
    for (const table of Object.values(model.fields).flatMap(referencesIn)) {
      const parent = tables[table];
      if (parent !== undefined) visit(parent);
    }
    order.add(model);
  };
  for (const model of Object.values(tables)) visit(model);
  return [...order];
}

/** Which references of a row lead to a guest or to what a guest has a part in: one of them, then two. */
export function guestParts(
  { fields }: TableModel,
  rows: ReadonlyMap<string, readonly Row[]>,
): readonly Draft[] {
  const singles: Draft[] = [];
  for (const [field, spec] of Object.entries(fields)) {
    if (spec.kind !== "ref") continue;
    for (const row of (rows.get(spec.table) ?? []).slice(0, 2)) {
      singles.push({ [field]: row["id"] ?? null });
    }
  }
  const pairs = singles.flatMap((one, at) =>
    singles
      .slice(at + 1)
      .filter((other) => Object.keys(other)[0] !== Object.keys(one)[0])
      .map((other) => ({ ...one, ...other })),
  );
  return [...singles, ...pairs].slice(0, guestRowsMax);
}

/** States before others had their say, so that it can be tried to have it for them. */
export function notYet({ fields }: TableModel): Draft {
  const draft: Draft = {};
  for (const [field, spec] of Object.entries(fields)) {
    if (spec.kind === "bool" && isAuthorityState(field)) draft[field] = false;
    if (spec.kind === "oneOf" && spec.values.some(isAuthorityState)) {
      draft[field] = spec.values.find((value) => !isAuthorityState(value)) ?? null;
    }
  }
  return draft;
}

/** Tables that a field leads to. */
export function referencesIn(spec: FieldSpec): readonly string[] {
  if (spec.kind === "ref" || spec.kind === "id") return [spec.table];
  if (spec.kind === "list") return referencesIn(spec.item);
  if (spec.kind === "object") return Object.values(spec.fields).flatMap(referencesIn);
  return [];
}
