// What was refused, for the trace. While developing, a rule that denied is explained clause by clause; the
// explanation goes to the trace and never to the caller, who could read other people's rows out of it.
import type { Json } from "../base/json.ts";
import { andThen, recover, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { explainRule } from "../model/rule-explain.ts";
import type { Row } from "../store/store.ts";
import { ruleInput, type DbScope } from "./db-scope.ts";
import type { AskableRule } from "./table-rules.ts";
import { noted, type DenialNote } from "./work.ts";

/** Notes a refused right in the trace. */
export function noteDenial(
  scope: DbScope,
  denial: Omit<DenialNote, "explanation">,
  explanation: Json = null,
): void {
  const note = { ...denial, explanation };
  scope.work.denials = noted(scope.work.denials, note, scope.limits.traceNotesMax);
}

/** What was asked of a rule. */
export interface AskedRule {
  /** Null: there is no rule, which denies. */
  readonly rule: AskableRule | null;
  readonly row: Row | null;
  readonly next: Row | null;
}

/** Notes that a rule denied, with its explanation while developing. */
export function noteRuleDenial(
  scope: DbScope,
  denial: Omit<DenialNote, "explanation">,
  asked: AskedRule,
): Later<void> {
  if (!scope.development || asked.rule === null) return noteDenial(scope, denial);
  const { rule, row, next } = asked;
  // An explanation is a help: when it fails, the refusal stands without it.
  const explained = recover<Json>(
    () => explainRule(rule.rule, ruleInput(scope, row, next)),
    () => null,
  );
  return andThen(explained, (explanation) => noteDenial(scope, denial, explanation));
}

/** Notes and refuses: RULE_DENIED with the table and the right, nothing about rows. */
export function refuse(
  scope: DbScope,
  denial: { readonly table: string; readonly right: "read" | "create" | "update" | "delete" },
  asked: AskedRule,
): Later<never> {
  const { table, right } = denial;
  return andThen(noteRuleDenial(scope, { table, right, field: null }, asked), () => {
    throw new PlatformError("RULE_DENIED", { table, right });
  });
}
