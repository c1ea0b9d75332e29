// Checks of what queries cost, by the engine's own plans: of every list that a function asks, and of every rule
// that a list of the whole table goes through.
import type { PlanEvidence } from "../../store/store.ts";
import type { AppReview } from "./app-review.ts";
import { formOf, type Form } from "./flow-form.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { fieldOf, type DbOp } from "./flow-value.ts";
import { forOrdinary } from "./rule-caller.ts";
import { analyseRule } from "../../model/rule-analyse.ts";
import type { TableModel } from "../../model/manifest.ts";

/** A table of at most this many rows is read faster than an index. */
const smallRows = 1_000;

/** Looks at every query and every read rule. */
export function checkPlans(review: AppReview): void {
  for (const flow of review.flows) {
    for (const op of flow.db) checkQueryPlan(review, flow, op);
  }
  for (const table of review.tables) checkRulePlan(review, table);
}

function checkQueryPlan(review: AppReview, flow: FunctionFlow, op: DbOp): void {
  if (!["list", "page", "first", "count"].includes(op.method) || isSmall(review, op.table)) return;
  // An invariant is asked by the operator and has to see everything.
  if (flow.source.isInvariant) return;
  const form = formOf(review.manifest, op);
  if (form === null || form["where"] === undefined) {
    if (form === null || form["orderBy"] === undefined) return;
  }
  const asked = op.method === "first" ? { ...form, limit: 1 } : form;
  const own = review.input.plans
    .plans(op.table, asked, "system")
    .find((plan) => plan.fullScan && plan.table === op.table);
  if (own === undefined) return;
  const index = wantedIndex(form);
  // Where there is one, the engine reads in another order and looks the rows up when it meets too few.
  if (index.length === 0 || hasIndex(review, op.table, index)) return;
  review.say(
    "K301",
    { file: op.file, node: op.node },
    {
      says: `This reads ${rowsText(review, op.table)} of ${op.table} to find some: no index begins with ${index.join(", ")}.`,
      evidence: planLines(own),
      fix: `.index(${index.map((field) => JSON.stringify(field)).join(", ")})   // on ${op.table}, in schema.ts`,
    },
  );
}

/** Whether a whole index begins with these fields, in this order. */
function hasIndex(review: AppReview, table: string, fields: readonly string[]): boolean {
  const { indexes = [] } = review.manifest.tables[table] ?? {};
  return indexes.some(
    (index) =>
      index.where === undefined && fields.every((field, place) => index.fields[place] === field),
  );
}

/** Equal fields first, then the order, then ranges: the index that serves a form. */
function wantedIndex(form: Form): readonly string[] {
  const equal: string[] = [];
  const ranged: string[] = [];
  for (const [name, condition] of Object.entries((form["where"] ?? {}) as Form)) {
    if (name === "and" || name === "or" || name === "not") continue;
    const keys =
      typeof condition === "object" && condition !== null ? Object.keys(condition) : ["eq"];
    if (keys.some((key) => key === "contains" || key === "not" || key === "notIn")) continue;
    (keys.every((key) => key === "eq" || key === "in") ? equal : ranged).push(name);
  }
  const order = ((form["orderBy"] ?? []) as readonly string[]).map((term) =>
    term.replace(/^-/, ""),
  );
  return [...new Set([...equal, ...order, ...ranged])]
    .filter((field) => field !== "id")
    .slice(0, 4);
}

/** A rule that leaves a caller their own rows, and no index that finds them. */
function checkRulePlan(review: AppReview, table: TableModel): void {
  const { read } = table.rules;
  const left = forOrdinary(read);
  if (read === undefined || typeof left === "boolean" || isSmall(review, table.name)) return;
  const plans = review.input.plans.plans(table.name, {}, "caller");
  // Own rows: one equality that the rule asks of every row.
  const { rowFields, dependsOnMe } = analyseRule(left);
  const equal = left.kind === "compare" && left.op === "==" && dependsOnMe ? rowFields : [];
  const [field] = equal;
  const own = plans.find((plan) => plan.plan.some((line) => /^SCAN t(?: USING|$)/.test(line)));
  if (field !== undefined && field !== "id" && equal.length === 1 && own !== undefined) {
    review.say(
      "K302",
      { rule: read },
      {
        says: `A list of ${table.name} reads ${rowsText(review, table.name)} to find the caller's own: no index begins with ${field}.`,
        evidence: [`read: ${read.text}`, ...planLines(own)],
        fix: `.index("${field}")   // on ${table.name}, in schema.ts`,
      },
    );
    return;
  }
  const nested = plans.find((plan) =>
    plan.plan.some(
      (line) =>
        /^SCAN (?!t(?: |$))\w+/.test(line) &&
        !line.includes("VIRTUAL TABLE") &&
        !line.includes("CONSTANT"),
    ),
  );
  const [looked] = analyseRule(read.expr).someTables;
  if (nested === undefined || looked === undefined || isSmall(review, looked)) return;
  review.say(
    "K302",
    { rule: read },
    {
      says: `For every row of ${table.name} this rule reads ${rowsText(review, looked)} of ${looked}.`,
      evidence: [`read: ${read.text}`, ...planLines(nested)],
      fix: `.index("...")   // on ${looked}, in schema.ts: the fields that the rule compares`,
    },
  );
}

function planLines(plan: PlanEvidence): readonly string[] {
  return plan.plan.map((line) => `plan: ${line}`);
}

function isSmall(review: AppReview, table: string): boolean {
  const rows = review.input.rows?.get(table);
  return rows !== undefined && rows <= smallRows;
}

function rowsText(review: AppReview, table: string): string {
  const rows = review.input.rows?.get(table);
  return rows === undefined ? "every row" : `all ${rows.toLocaleString("en-US")} rows`;
}

/** Whether a query says how many rows it wants. */
export function hasLimit(op: DbOp): boolean {
  const thing = op.query?.thing;
  if (op.query === null) return false;
  // What can't be followed may say it.
  return thing?.kind !== "object" || thing.open || fieldOf(op.query, "limit") !== null;
}
