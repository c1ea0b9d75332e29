// The engine's own word on how it would answer a query: the app's tables, empty, in a file of their own, with the
// statistics of the real database where there is one. Nothing of the app's data is read or kept here.
import { DatabaseSync } from "node:sqlite";
import { assert } from "../../base/assert.ts";
import { isLater, type Later } from "../../base/later.ts";
import { limits as defaultLimits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { Manifest } from "../../model/manifest.ts";
import { checkList } from "../../model/query-check.ts";
import { openSqliteStore } from "../../store/sqlite/sqlite-store.ts";
import type { Guard, Page, Store, WriteTx } from "../../store/store.ts";
import type { PlanDesk } from "./app-review.ts";
import { forOrdinary, ordinaryMe } from "./rule-caller.ts";

/** A row of `sqlite_stat1`: table, index, and what the engine knows of how its values spread. */
export interface PlanStatistic {
  readonly table: string;
  readonly index: string | null;
  readonly text: string;
}

const now = "2026-01-31T12:00:00.000Z";

/** Opens a desk. @param path a file that does not exist; whoever asks removes it after `close`. */
export function openPlanDesk(
  manifest: Manifest,
  path: string,
  statistics: readonly PlanStatistic[],
): PlanDesk & { close(): Later<void> } {
  openSqliteStore({ path, manifest, limits: defaultLimits }).close();
  if (statistics.length > 0) writeStatistics(path, statistics);
  // One plan is kept: that of the last statement.
  const limits = { ...defaultLimits, plansKeptMax: 1 };
  const store = openSqliteStore({ path, manifest, limits });
  const caller: Guard = {
    bindings: {
      me: ordinaryMe(Object.values(manifest.tables).map(({ rules }) => rules.read)),
      now,
    },
    readRule: (table) => {
      const rule = manifest.tables[table]?.rules.read;
      const left = forOrdinary(rule);
      if (left !== true) return left;
      return rule === undefined ? false : { kind: "constant", value: true, at: rule.at };
    },
  };
  return {
    plans: (table, form, as) => {
      try {
        const { query } = checkList(manifest, table, form, { as: "system", limits });
        ask(store, (tx) => tx.list(query, as === "system" ? null : caller));
        return store.plans();
      } catch (error) {
        // A form that the gate would refuse has no plan.
        if (error instanceof PlatformError) return [];
        throw error;
      }
    },
    close: () => store.close(),
  };
}

/** Asks as the writer does, which remembers no pages: readers may answer from one that others share. */
function ask(store: Store, list: (tx: WriteTx) => Later<Page>): void {
  const group = store.openGroup();
  assert(!isLater(group), "the embedded engine answers at once");
  const meta = { by: null, cause: "plan", requestId: "plan", atMs: 0, idempotency: null };
  const outcome = group.mutate(meta, (tx) => {
    void list(tx);
    return "null";
  });
  group.abort();
  assert(!isLater(outcome), "the embedded engine answers at once");
  if (outcome.kind === "failed") throw outcome.error;
}

function writeStatistics(path: string, statistics: readonly PlanStatistic[]): void {
  const db = new DatabaseSync(path);
  try {
    db.exec("ANALYZE");
    db.exec("DELETE FROM sqlite_stat1");
    const known = new Set(
      db
        .prepare("SELECT name FROM sqlite_schema")
        .all()
        .map((row) => String(row["name"])),
    );
    const put = db.prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)");
    for (const { table, index, text } of statistics) {
      if (known.has(table) && (index === null || known.has(index))) put.run(table, index, text);
    }
  } finally {
    db.close();
  }
}
