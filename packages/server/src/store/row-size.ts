// The limit on the bytes of a row. Most tables can't reach it by their own fields' bounds; only the others
// are measured row by row.
import type { FieldSpec } from "@keelson/sdk/spec";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Row } from "./store.ts";
import type { TableLayout } from "./table-layout.ts";

interface RowBound {
  /** Of any row of the table. */
  readonly bytes: number;
  /** Of the names alone. */
  readonly names: number;
}

const boundOf = new WeakMap<TableLayout, RowBound>();

/**
 * @param cells the row as the engine stores it, when that is known: short ones need not be serialised once more.
 * @throws VALUE_INVALID when the row is larger than limits.rowBytesMax, serialised.
 */
export function assertRowSize(
  table: TableLayout,
  row: Row,
  limits: Limits,
  cells?: readonly unknown[],
): void {
  let bound = boundOf.get(table);
  if (bound === undefined) {
    let names = 2;
    for (const { name } of table.columns) names += name.length * 6 + 4;
    const bytes = table.columns.reduce((sum, { spec }) => sum + bytesAtMost(spec), names);
    bound = { bytes, names };
    boundOf.set(table, bound);
  }
  if (bound.bytes <= limits.rowBytesMax) return;
  if (cells !== undefined && bound.names + cellsAtMost(cells) <= limits.rowBytesMax) return;
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

/** Bytes of stored cells as JSON, at most: escapes make a text six times as long, base64 makes bytes longer by a third. */
function cellsAtMost(cells: readonly unknown[]): number {
  let bytes = 0;
  for (const cell of cells) {
    if (typeof cell === "string") bytes += cell.length * 6 + 2;
    else if (cell instanceof Uint8Array) bytes += cell.length * 2 + 4;
    else bytes += 32;
  }
  return bytes;
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
