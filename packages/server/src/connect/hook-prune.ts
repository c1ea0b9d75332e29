// Drops deliveries that were kept long enough, a little at a time: with the work's own.
import { andThen, type Later } from "../base/later.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { Where } from "../model/query-form.ts";
import { dropWhere } from "../work/work-prune.ts";

const dayMs = 86_400_000;
/** Of what the app sends; and of hooks that it has no more. */
const logMs = 30 * dayMs;
/** The order of a thing that no event came for in so long is forgotten. */
const newestMs = 90 * dayMs;

/** @returns whether there may be more to drop now. */
export function pruneHooks(scope: ProcedureScope): Later<boolean> {
  const { app, nowMs } = scope.run;
  const hooks = Object.entries(app.manifest.work?.hooks ?? {});
  const longest = Math.max(logMs, ...hooks.map(([, spec]) => spec.logMs));
  const older = (field: string, ms: number): Where => ({
    kind: "field",
    field,
    condition: { lt: timeText(nowMs - ms) },
  });
  const drops: readonly (() => Later<boolean>)[] = [
    ...hooks.map(([name, spec]) => () => {
      const ofHook: Where = { kind: "field", field: "hook", condition: { eq: name } };
      const where: Where = { kind: "and", parts: [ofHook, older("at", spec.logMs)] };
      return dropWhere(scope, "hookEvent", where, "at", ({ state }) => state !== "waiting");
    }),
    () => dropWhere(scope, "hookEvent", older("at", longest), "at"),
    () => {
      const where = older("at", logMs);
      return dropWhere(scope, "hookDelivery", where, "at", ({ state }) => state !== "waiting");
    },
    () => dropWhere(scope, "hookNewest", older("seenAt", newestMs), "seenAt"),
  ];
  const from = (index: number, more: boolean): Later<boolean> => {
    const drop = drops[index];
    return drop === undefined ? more : andThen(drop(), (again) => from(index + 1, more || again));
  };
  return from(0, false);
}
