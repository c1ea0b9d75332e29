// The operations of a table as functions: they run with the caller's rights.
import { t } from "keelson";
import { mutation, query } from "./schema.ts";

type Loose = {
  readonly [table: string]: {
    readonly [operation: string]: (...args: readonly unknown[]) => Promise<never>;
  };
};
const loose = (db: object): Loose => db as Loose;

export const listRows = query({
  args: { table: t.text(), query: t.json() },
  allow: "anyone",
  run: ({ db }, { table, query: form }) => loose(db)[table]?.["list"]?.(form),
});
export const aggregateRows = query({
  args: { table: t.text(), query: t.json() },
  allow: "anyone",
  run: ({ db }, { table, query: form }) => loose(db)[table]?.["aggregate"]?.(form),
});
export const getRows = query({
  args: { table: t.text(), id: t.text(), query: t.json() },
  allow: "anyone",
  run: ({ db }, { table, id, query: form }) => loose(db)[table]?.["get"]?.(id, form),
});
export const createRows = mutation({
  args: { table: t.text(), value: t.json() },
  allow: "anyone",
  run: ({ db }, { table, value }) => loose(db)[table]?.["create"]?.(value),
});
export const updateRows = mutation({
  args: { table: t.text(), id: t.text(), value: t.json() },
  allow: "anyone",
  run: ({ db }, { table, id, value }) => loose(db)[table]?.["update"]?.(id, value),
});

/** Plants what the callers may not see. */
export const plant = mutation({
  args: { table: t.text(), value: t.json() },
  allow: { role: ["staff"] },
  run: ({ db }, { table, value }) =>
    loose(db.asSystem("plants canaries"))[table]?.["create"]?.(value),
});
