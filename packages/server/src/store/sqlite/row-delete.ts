// Deletion with what references ask for, in code, so that every row touched is in the commit log. What
// will go and what will be cleared is collected first; a reference that refuses counts only rows that stay.
// Nothing is written unless everything can be, so a body that catches the refusal finds all as it was.
import { assert } from "../../base/assert.ts";
import { isLater, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { ChangeSet } from "../change-set.ts";
import type { Change } from "../store.ts";
import { tableOf, type RefLayout } from "../table-layout.ts";
import type { QueryRunner } from "./query-runner.ts";
import type { RowAccess } from "./row-access.ts";
import { withStoreErrors } from "./sqlite-error.ts";
import { sqlName } from "./sql-text.ts";

interface Doomed {
  readonly table: string;
  readonly id: string;
}

type Judge = (cleared: Change) => Later<void>;

/**
 * Deletes a row and follows its references.
 * @param judge see WriteTx.delete. @throws NOT_FOUND, REF_IN_USE, FUNCTION_ROWS_EXCEEDED.
 */
export function deleteRow(
  tx: RowAccess,
  runner: QueryRunner,
  { table, id }: Doomed,
  judge: Judge | undefined,
): void {
  if (tx.held(table, id) === null) throw new PlatformError("NOT_FOUND", { table, id });
  if (tableOf(runner.layout, table).referrers.length === 0) {
    tx.remove(table, id);
    return;
  }
  const { doomed, cleared } = collect(runner, { table, id });
  if (doomed.size === 1 && cleared.length === 0) {
    tx.remove(table, id);
    return;
  }
  const { connection } = runner;
  const applied: Change[] = [];
  const stays = new ChangeSet();
  withStoreErrors(() => connection.prepare("SAVEPOINT _delete").run());
  // Rows go in any order, also round a circle; the engine checks references at the end of the deletion.
  withStoreErrors(() => connection.db.exec("PRAGMA defer_foreign_keys = ON"));
  try {
    for (const { row, ref } of cleared) {
      const before = tx.held(row.table, row.id)?.row ?? null;
      const after = tx.update(row.table, row.id, { [ref.field]: null });
      applied.push({ ...row, before, after });
      stays.add(row.table, row.id, before, after);
    }
    for (const row of [...doomed.values()].toReversed()) {
      const before = tx.held(row.table, row.id)?.row ?? null;
      tx.remove(row.table, row.id);
      applied.push({ ...row, before, after: null });
    }
    if (judge !== undefined) for (const change of stays.changes()) atOnce(judge(change));
  } catch (error) {
    if (connection.inTransaction) {
      withStoreErrors(() => connection.db.exec("ROLLBACK TO _delete"));
    }
    for (const change of applied.toReversed()) tx.revert(change);
    throw error;
  } finally {
    if (connection.inTransaction) {
      withStoreErrors(() => {
        connection.prepare("RELEASE _delete").run();
        connection.db.exec("PRAGMA defer_foreign_keys = OFF");
      });
    }
  }
}

function atOnce(judged: Later<void>): void {
  assert(!isLater(judged), "rules are decided at once on this engine");
}

/** Everything that goes with a row, and every reference that is cleared in a row that stays. */
function collect(
  runner: QueryRunner,
  start: Doomed,
): {
  readonly doomed: ReadonlyMap<string, Doomed>;
  readonly cleared: readonly { readonly row: Doomed; readonly ref: RefLayout }[];
} {
  const doomed = new Map<string, Doomed>([[keyOf(start), start]]);
  const refused: { readonly ref: RefLayout; readonly target: Doomed }[] = [];
  const clears: { readonly row: Doomed; readonly ref: RefLayout }[] = [];
  let touched = 1;
  // A map goes on to entries that are added while it is walked.
  for (const target of doomed.values()) {
    for (const ref of tableOf(runner.layout, target.table).referrers) {
      if (ref.onDelete === "refuse") {
        refused.push({ ref, target });
        continue;
      }
      for (const id of referring(runner, ref, target.id)) {
        const row = { table: ref.table, id };
        if (ref.onDelete === "cascade") doomed.set(keyOf(row), row);
        else clears.push({ row, ref });
        touched += 1;
        assertTouched(runner, touched);
      }
    }
  }
  for (const { ref, target } of refused) {
    const staying = referring(runner, ref, target.id).filter(
      (id) => !doomed.has(keyOf({ table: ref.table, id })),
    );
    if (staying.length === 0) continue;
    throw new PlatformError("REF_IN_USE", {
      table: ref.table,
      field: ref.field,
      count: staying.length,
    });
  }
  return { doomed, cleared: clears.filter(({ row }) => !doomed.has(keyOf(row))) };
}

/** Ids of the rows whose field holds this id, at most one more than a mutation may write. */
function referring(runner: QueryRunner, ref: RefLayout, id: string): readonly string[] {
  const sql = `SELECT "id" FROM ${sqlName(ref.table)} WHERE ${sqlName(ref.field)} = ? ORDER BY "id" LIMIT +?`;
  const rows = withStoreErrors(() =>
    runner.connection.prepare(sql).all([id, runner.limits.rowsWrittenMax + 1]),
  );
  return rows.map((cells) => {
    assert(typeof cells[0] === "string", "an id is text");
    return cells[0];
  });
}

function assertTouched(runner: QueryRunner, count: number): void {
  const max = runner.limits.rowsWrittenMax;
  if (count <= max) return;
  throw new PlatformError("FUNCTION_ROWS_EXCEEDED", { limit: "rowsWrittenMax", max });
}

function keyOf({ table, id }: Doomed): string {
  return `${table} ${id}`;
}
