// The limit on the bytes of a row. Most tables can't reach it by their own fields' bounds; only the others
// are measured row by row.
import type { FieldSpec } from "@keelson/sdk/spec";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Row } from "./store.ts";
import type { TableLayout } from "./table-layout.ts";

const boundOf = new WeakMap<TableLayout, number>();

/** @throws VALUE_INVALID when the row is larger than limits.rowBytesMax, serialised. */
export function assertRowSize(table: TableLayout, row: Row, limits: Limits): void {
  let bound = boundOf.get(table);
  if (bound === undefined) {
    bound = 2;
    for (const { name, spec } of table.columns) bound += name.length * 6 + 4 + bytesAtMost(spec);
    boundOf.set(table, bound);
  }
  if (bound <= limits.rowBytesMax) return;
  const bytes = Buffer.byteLength(JSON.stringify(row));
  if (bytes <= limits.rowBytesMax) return;
  throw new PlatformError("VALUE_INVALID", {
    table: table.name,
    problem: "The row is too large.",
    bytes,
    limit: "rowBytesMax",
    max: limits.rowBytesMax,
  });
}

/** Bytes of a field's longest value as JSON. */
export function bytesAtMost(spec: FieldSpec): number {
  switch (spec.kind) {
    case "text":
      return spec.max * 6 + 2;
    case "oneOf":
      return Math.max(4, ...spec.values.map((value) => value.length * 6 + 2));
    case "id":
    case "ref":
      return 128;
    case "int":
    case "money":
    case "number":
    case "bool":
    case "time":
    case "date":
      return 32;
    case "json":
      return spec.maxBytes;
    case "bytes":
      return Math.ceil(spec.max / 3) * 4 + 2;
    case "list":
      return spec.max * (bytesAtMost(spec.item) + 1) + 2;
    case "object":
      return Object.entries(spec.fields).reduce(
        (sum, [name, field]) => sum + name.length * 6 + 4 + bytesAtMost(field),
        2,
      );
    default:
      return spec satisfies never;
  }
}
