// No oracle: whoever orders, filters, searches, groups or computes by a field learns of its values without
// ever being shown one. So all of these are for fields that the caller reads of every row it may read.
// A field that is read of some rows only is refused here like one that is never read.
import { PlatformError } from "../base/platform-error.ts";
import type { FieldTouch } from "../model/query-context.ts";
import { tableOf, type DbScope } from "./db-scope.ts";
import { noteDenial } from "./denial.ts";

/** @throws FIELD_NOT_READABLE when a query looks at a field that this caller may not look at. */
export function assertTouchesReadable(scope: DbScope, touches: readonly FieldTouch[]): void {
  for (const { table, field } of touches) {
    if (scope.reach.of(tableOf(scope, table)).field(field) === "always") continue;
    noteDenial(scope, { table, right: "field.read", field });
    throw new PlatformError("FIELD_NOT_READABLE", { table, field });
  }
}
