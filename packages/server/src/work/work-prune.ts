// Drops what is kept for a time only: results of finished jobs, events that every consumer has had, counts of
// roots. A little at a time, in transactions of their own, so that writes of others are not held up.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import { msOfTime } from "../model/field-time.ts";
import type { Where } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";
import { readPosition } from "./position.ts";
import { workOf } from "./work-app.ts";
import { pruneCode } from "./workflow/workflow-code.ts";

const rowsMax = 500;
/** Longer than any chain of work lasts. */
const rootMs = 40 * 86_400_000;

/** Drops of what others keep. @returns whether there may be more to drop now. */
export type Prune = (scope: ProcedureScope) => Later<boolean>;

/** @returns whether there may be more to drop now. */
export function pruneWork(scope: ProcedureScope, others: readonly Prune[] = []): Later<Json> {
  return andThen(pruneOwn(scope), (more) => {
    const from = (index: number, more: boolean): Later<boolean> => {
      const next = others[index];
      return next === undefined
        ? more
        : andThen(next(scope), (again) => from(index + 1, more || again));
    };
    return from(0, more);
  });
}

function pruneOwn(scope: ProcedureScope): Later<boolean> {
  const { nowMs } = scope.run;
  const doneBefore: Where = { kind: "field", field: "until", condition: { lt: timeText(nowMs) } };
  const rootsBefore: Where = {
    kind: "field",
    field: "at",
    condition: { lt: timeText(nowMs - rootMs) },
  };
  return andThen(dropWhere(scope, "workDone", doneBefore, "until"), (done) =>
    andThen(dropWhere(scope, "workRoot", rootsBefore, "at"), (roots) =>
      andThen(dropEvents(scope), (events) =>
        andThen(dropWhere(scope, "workRun", doneBefore, "until"), (runs) =>
          andThen(pruneCode(scope), () => done || roots || events || runs),
        ),
      ),
    ),
  );
}

function dropEvents(scope: ProcedureScope): Later<boolean> {
  const events = [...workOf(scope.run.app).events];
  const from = (index: number, more: boolean): Later<boolean> => {
    const next = events[index];
    if (next === undefined) return more;
    const [name, { spec }] = next;
    return andThen(dropEventsOf(scope, name, spec.keepMs), (hasMore) =>
      from(index + 1, more || hasMore),
    );
  };
  return from(0, false);
}

function dropEventsOf(scope: ProcedureScope, name: string, keepMs: number): Later<boolean> {
  const { run } = scope;
  const followers = workOf(run.app).followers.get(name) ?? [];
  const lowest = (index: number, least: number): Later<number> => {
    const follower = followers[index];
    if (follower === undefined) return least;
    return andThen(readPosition(scope.tx, follower.name), (place) =>
      lowest(index + 1, Math.min(least, place ?? 0)),
    );
  };
  return andThen(lowest(0, Number.MAX_SAFE_INTEGER), (upTo) => {
    const where: Where = {
      kind: "and",
      parts: [
        { kind: "field", field: "name", condition: { eq: name } },
        { kind: "field", field: "place", condition: { lte: upTo } },
      ],
    };
    return dropWhere(scope, "workEvent", where, "place", (row) => {
      return msOfTime(row["at"] as string) < run.nowMs - keepMs;
    });
  });
}

/** Drops some of the rows that fit, the first in order. @returns whether there may be more. */
export function dropWhere(
  scope: ProcedureScope,
  table: string,
  where: Where,
  orderBy: string,
  isOld: (row: Row) => boolean = () => true,
): Later<boolean> {
  const { tx } = scope;
  const terms = [{ field: orderBy, descending: false }];
  const found = tx.list({ kind: "list", from: table, where, orderBy: terms, limit: rowsMax }, null);
  return andThen(found, ({ rows }) => {
    const old = rows.filter(isOld);
    const from = (index: number): Later<boolean> => {
      const row = old[index];
      if (row === undefined) return old.length === rowsMax;
      return andThen(tx.delete(table, row["id"] as string), () => from(index + 1));
    };
    return from(0);
  });
}
