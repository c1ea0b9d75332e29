// References that a caller gives must lead to rows that it may read: were a hidden row answered otherwise
// than a missing one, writing would tell which rows exist. One's own user row is known to be there,
// and so is the organisation that one speaks for.
import { allOf, andThen, type Later } from "../base/later.ts";
import type { Row } from "../store/store.ts";
import { allows, countRead, type DbScope } from "./db-scope.ts";
import type { RuledTable } from "./table-rules.ts";
import { refMissing } from "./write-conflict.ts";

/** A row before and after, and the fields that the caller named. */
export interface GivenRefs {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly given: readonly string[];
}

/** @throws REF_MISSING when a reference that was given leads to no row that the caller may read. */
export function assertRefsReadable(
  scope: DbScope,
  table: RuledTable,
  change: GivenRefs,
): Later<void> {
  if (table.refFields.length === 0) return undefined;
  const judged = table.refFields.map(([field, target]): Later<void> => {
    const id = change.given.includes(field) ? change.next?.[field] : null;
    if (typeof id !== "string") return undefined;
    return andThen(isUnchanged(scope, table, change, field), (unchanged) =>
      unchanged ? undefined : assertReadable(scope, table, field, { table: target, id }),
    );
  });
  return andThen(allOf(judged), () => undefined);
}

function assertReadable(
  scope: DbScope,
  table: RuledTable,
  field: string,
  ref: { readonly table: string; readonly id: string },
): Later<void> {
  const { caller } = scope;
  if (ref.table === "user" && ref.id === caller.id) return undefined;
  if (ref.table === "org" && ref.id === caller.me["org"]) return undefined;
  const target = scope.tables.get(ref.table);
  // Where every row may be read, the store's own check of references says the same.
  if (target !== undefined && scope.reach.of(target).everyRow) return undefined;
  return andThen(scope.tx.get(ref.table, ref.id, scope.reach), (row) => {
    countRead(scope, 1);
    if (row === null) throw refMissing(table.model.name, field);
  });
}

/** A value that the caller reads anyway and sends back tells it nothing new. */
function isUnchanged(
  scope: DbScope,
  table: RuledTable,
  { row, next }: GivenRefs,
  field: string,
): Later<boolean> {
  if (row === null || row[field] !== next?.[field]) return false;
  const reach = scope.reach.of(table);
  if (reach.field(field) === "always") return true;
  const conditional = reach.conditional.find((one) => one.field === field);
  return conditional === undefined ? false : allows(scope, conditional.test, row, null);
}
