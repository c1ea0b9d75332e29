// Which queries may be run once for all who watch them: the same operation, and callers to whom it answers
// the same. Callers who say the same of themselves always are; others are when nothing that is left of the
// table's rules speaks of the caller, and nothing in them of the time (what is left could change then).
import type { Caller } from "../gate/identity.ts";
import type { Watcher, WatchOperation } from "../gate/watcher.ts";
import { analyseRule } from "../model/rule-analyse.ts";
import { ruleKey } from "../model/rule-simplify.ts";

/** @returns a text that two subscriptions share only when one run answers both. */
export function queryKey(operation: WatchOperation, caller: Caller, watcher: Watcher): string {
  const asked = JSON.stringify(operation);
  const rights = sharedRights(operation, caller, watcher);
  if (rights !== null) return `${rights}\n${asked}`;
  return `${JSON.stringify([caller.id, caller.role, caller.me])}\n${asked}`;
}

/** The rights that such callers share; null when they are this caller's own. */
function sharedRights(operation: WatchOperation, caller: Caller, watcher: Watcher): string | null {
  if (operation.kind === "call" || operation.query.with !== undefined) return null;
  const table = watcher.app.tables.get(operation.table);
  if (table === undefined || table.read === null) return null;
  const rules = [table.read, ...table.fieldReads.values()];
  if (rules.some(({ rule }) => analyseRule(rule.expr).dependsOnNow)) return null;
  const reach = watcher.reach(caller).of(table);
  const left = reach.rule === false ? [] : [reach.rule];
  left.push(...reach.conditional.map(({ rule }) => rule));
  if (left.some((rule) => analyseRule(rule).dependsOnMe)) return null;
  const fields = reach.conditional.map(({ field }) => field);
  return JSON.stringify([left.map(ruleKey), reach.rule === false, fields, [...reach.hidden]]);
}
