// Runs as the operator looks at them (`keelson workflow list`, `show`).
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Where } from "../../model/query-form.ts";
import type { Row } from "../../store/store.ts";

const runsMax = 1_000;
const stepsMax = 1_000;
const hidden: ReadonlySet<string> = new Set(["info", "until", "run", "hash", "waits"]);

/** The newest runs. @param asked `workflow`, `state`, `limit`. */
export function listRuns(
  { tx }: ProcedureScope,
  asked: { readonly [key: string]: Json },
): Later<Json> {
  const parts = ["workflow", "state"].flatMap((field): Where[] => {
    const value = asked[field];
    return typeof value === "string" ? [{ kind: "field", field, condition: { eq: value } }] : [];
  });
  const limit = Math.min(runsMax, Math.max(1, Number(asked["limit"] ?? 20)));
  const byTime = parts.length > 0 ? [{ field: "startedAt", descending: true }] : [];
  const found = tx.list(
    {
      kind: "list",
      from: "workRun",
      ...(parts.length === 0 ? {} : { where: { kind: "and", parts } }),
      orderBy: [...byTime, { field: "id", descending: true }],
      limit,
    },
    null,
  );
  return andThen(found, ({ rows }) => rows.map(shown));
}

/** A run with its steps. @throws WORK_NOT_FOUND. */
export function showRun({ tx, run: { app } }: ProcedureScope, id: string): Later<Json> {
  return andThen(tx.get("workRun", id, null), (run) => {
    if (run === null) throw new PlatformError("WORK_NOT_FOUND", { run: id });
    const where: Where = { kind: "field", field: "run", condition: { eq: id } };
    const orderBy = [{ field: "seq", descending: false }];
    const found = tx.list(
      { kind: "list", from: "workStep", where, orderBy, limit: stepsMax },
      null,
    );
    const { undoFailures = [] } = run["info"] as { readonly undoFailures?: Json };
    return andThen(found, ({ rows }) => ({
      ...shown(run),
      undoFailures,
      steps: rows.map((row) => {
        const { kind, name, state } = row;
        const isGone = kind === "step" && !app.functions.has(name as string);
        return {
          ...shown(row),
          state: isGone && state === "waiting" ? "stranded" : (state ?? null),
        };
      }),
    }));
  });
}

function shown(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([field]) => !hidden.has(field)));
}
