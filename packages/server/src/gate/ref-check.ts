// References that a caller gives must lead to rows that it may read: were a hidden row answered otherwise
// than a missing one, writing would tell which rows exist. One's own user row is known to be there,
// and so is the organisation that one speaks for.
import { allOf, andThen, type Later } from "../base/later.ts";
import type { Row } from "../store/store.ts";
import { allows, countRead, type DbScope } from "./db-scope.ts";
import type { RuledTable } from "./table-rules.ts";

/** A row before and after, and the fields that the caller named. */
export interface GivenRefs {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly given: readonly string[];
}

/** @returns the fields whose reference was given and leads to no row that the caller may read. */
export function unreadableRefs(
  scope: DbScope,
  table: RuledTable,
  change: GivenRefs,
): Later<readonly string[]> {
  const { refFields } = table;
  if (refFields.length === 0) return noFields;
  const judged = refFields.map(([field, target]): Later<boolean> => {
    const id = change.given.includes(field) ? change.next?.[field] : null;
    if (typeof id !== "string") return true;
    return andThen(isUnchanged(scope, table, change, field), (unchanged) =>
      unchanged ? true : isReadable(scope, { table: target, id }),
    );
  });
  return andThen(allOf(judged), (readable) => {
    if (!readable.includes(false)) return noFields;
    return refFields.filter((_, index) => readable[index] === false).map(([field]) => field);
  });
}

const noFields: readonly string[] = Object.freeze([]);

function isReadable(
  scope: DbScope,
  ref: { readonly table: string; readonly id: string },
): Later<boolean> {
  const { caller } = scope;
  if (ref.table === "user" && ref.id === caller.id) return true;
  if (ref.table === "org" && ref.id === caller.me["org"]) return true;
  const target = scope.tables.get(ref.table);
  // Where every row may be read, the store's own check of references says the same.
  if (target !== undefined && scope.reach.of(target).everyRow) return true;
  return andThen(scope.tx.get(ref.table, ref.id, scope.reach), (row) => {
    countRead(scope, 1);
    return row !== null;
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
