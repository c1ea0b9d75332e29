// The table that a command names, of those that the app has.
import { usageFailure } from "../flags/failure.ts";
import { suggestion } from "../flags/suggestion.ts";
import type { DoorTable } from "../data/data-door.ts";

/** @throws Failure (exit 1) TABLE_UNKNOWN. */
export function tableNamed(tables: Readonly<Record<string, DoorTable>>, name: string): DoorTable {
  const table = Object.hasOwn(tables, name) ? tables[name] : undefined;
  if (table !== undefined) return table;
  const near = suggestion(name, Object.keys(tables));
  throw usageFailure({
    code: "TABLE_UNKNOWN",
    what: `There is no table ${name}.`,
    why: `The tables are ${Object.keys(tables).join(", ")}.`,
    fix: near === null ? "Name one of them." : `Did you mean ${near}?`,
  });
}
