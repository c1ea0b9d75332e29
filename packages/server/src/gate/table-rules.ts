// The rules of a manifest, compiled once: what every caller's rights on a table are worked out from. Rules
// that judge a row in memory are here; the read rule is also handed to the store as a predicate.
import type { Manifest, TableModel } from "../model/manifest.ts";
import { compileRecord, type RecordValidator } from "../model/field-record.ts";
import { compileRule, type RuleTest } from "../model/rule-evaluate.ts";
import type { Rule } from "../model/rule-ast.ts";

/** In whose name data is used: the caller's rules hold, or `db.asSystem` skips them. */
export type Authority = "caller" | "system";

/** A rule that can be asked. */
export interface AskableRule {
  readonly rule: Rule;
  readonly test: RuleTest;
}

/** A check of a table. */
export interface AskableCheck extends AskableRule {
  readonly message: string | null;
}

/** One table with its rules ready to ask. Null: there is no such rule, which denies. */
export interface RuledTable {
  readonly model: TableModel;
  /** False: nobody outside reaches this table. */
  readonly reachable: boolean;
  readonly read: AskableRule | null;
  readonly create: AskableRule | null;
  readonly update: AskableRule | null;
  readonly delete: AskableRule | null;
  readonly fieldReads: ReadonlyMap<string, AskableRule>;
  readonly fieldWrites: ReadonlyMap<string, AskableRule>;
  /** Fields that no caller reads. */
  readonly privateFields: readonly string[];
  readonly checks: readonly AskableCheck[];
  /** Fields that hold references, with the tables that they lead to. */
  readonly refFields: readonly (readonly [field: string, target: string])[];
  /** Checks and normalises a row to create or a patch. Compiled when first asked: a start is in a hurry. */
  validator(mode: "create" | "import" | "update", as: Authority): RecordValidator;
}

/** Compiles the rules of every table. */
export function compileTables(manifest: Manifest): ReadonlyMap<string, RuledTable> {
  return new Map(Object.values(manifest.tables).map((model) => [model.name, compileTable(model)]));
}

function compileTable(model: TableModel): RuledTable {
  const { rules } = model;
  const fields = Object.entries(model.fields);
  const fieldRules = Object.entries(rules.fields);
  return {
    model,
    reachable: Boolean(rules.read ?? rules.create ?? rules.update ?? rules.delete),
    read: askable(rules.read),
    create: askable(rules.create),
    update: askable(rules.update),
    delete: askable(rules.delete),
    fieldReads: askableFields(fieldRules.map(([field, { read }]) => [field, read])),
    fieldWrites: askableFields(fieldRules.map(([field, { write }]) => [field, write])),
    privateFields: fields.filter(([, spec]) => spec.private === true).map(([field]) => field),
    checks: model.checks.map(({ rule, message }) => ({
      rule,
      test: compileRule(rule.expr),
      message: message ?? null,
    })),
    refFields: fields.flatMap(([field, spec]) =>
      spec.kind === "ref" ? [[field, spec.table] as const] : [],
    ),
    validator: validatorsOf(model),
  };
}

function validatorsOf(model: TableModel): RuledTable["validator"] {
  type Mode = Parameters<RuledTable["validator"]>[0];
  const compiled: Record<Authority, { [mode in Mode]?: RecordValidator }> = {
    caller: {},
    system: {},
  };
  return (mode, as) => (compiled[as][mode] ??= compileRecord(model.fields, mode, as));
}

function askable(rule: Rule | undefined): AskableRule | null {
  return rule === undefined ? null : { rule, test: compileRule(rule.expr) };
}

function askableFields(
  fields: readonly (readonly [string, Rule | undefined])[],
): ReadonlyMap<string, AskableRule> {
  const found = new Map<string, AskableRule>();
  for (const [field, rule] of fields) {
    const asked = askable(rule);
    if (asked !== null) found.set(field, asked);
  }
  return found;
}
