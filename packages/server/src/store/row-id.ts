// The one field that every row has.
import { assert } from "../base/assert.ts";
import type { Row } from "./store.ts";

/** A row's id. */
export function rowId(row: Row): string {
  const id = row["id"];
  assert(typeof id === "string", "a row has its id");
  return id;
}
