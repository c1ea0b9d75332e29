// Rows by the values of their fields, in the order of their ids: what the platform's own code asks of its tables.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import type { ReadTx, Row } from "./store.ts";

type Lists = Pick<ReadTx, "list">;

/** Rows with these values. @param values by field, at least one. @param max at most so many. */
export function rowsWith(
  tx: Lists,
  table: string,
  values: Readonly<Record<string, Json>>,
  max: number,
): Later<readonly Row[]> {
  const parts = Object.entries(values).map(
    ([field, eq]) => ({ kind: "field", field, condition: { eq } }) as const,
  );
  const page = tx.list(
    {
      kind: "list",
      from: table,
      where: { kind: "and", parts },
      orderBy: [{ field: "id", descending: false }],
      limit: max,
    },
    null,
  );
  return andThen(page, ({ rows }) => rows);
}

/** The first row with these values, or null. */
export function rowWith(
  tx: Lists,
  table: string,
  values: Readonly<Record<string, Json>>,
): Later<Row | null> {
  return andThen(rowsWith(tx, table, values, 1), ([row]) => row ?? null);
}
