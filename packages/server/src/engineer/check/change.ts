// Checks of what a deployment changes: the migration that waits, and the API that clients were built for. An old
// page stays open for days, and an app on a phone for months: they call what was there when they were made.
import type { FieldSpec, FunctionModel, Manifest, TableModel } from "../../model/manifest.ts";
import type { AppReview, At } from "./app-review.ts";

/** Looks at the pending migration, and at the app as it was shipped. */
export function checkChange(review: AppReview): void {
  checkMigration(review);
  const { shipped } = review.input;
  if (shipped === null) return;
  checkFunctions(review, shipped);
  checkTables(review, shipped);
}

function checkMigration(review: AppReview): void {
  for (const step of review.input.pending) {
    if (step.kind === "safe") continue;
    const named = /(\w+)\.(\w+)/.exec(step.name) ?? / table (\w+)/.exec(step.name);
    const [, table = "", field = ""] = named ?? [];
    const at: At = field === "" ? review.tableAt(table) : review.fieldAt(table, field);
    const rows = step.examples.length === 0 ? [] : [`rows: ${step.examples.join(", ")}`];
    if (step.kind === "destructive") {
      review.say("K501", at, {
        says: `Deploying this loses data: ${step.text}.`,
        evidence: [...rows, ...(step.hint === undefined ? [] : [step.hint])],
        fix: `keelson migrate --rename ${table}.${field === "" ? "old" : field}=new   // or --allow "${step.name}"`,
      });
    } else {
      review.say("K502", at, {
        says: `Deploying this stops at the data: ${step.text}.`,
        evidence: [...rows, ...(step.hint === undefined ? [] : [step.hint])],
        fix: "// Make the field optional or give it a default, deploy, fill it, then tighten it.",
      });
    }
  }
}

function checkFunctions(review: AppReview, shipped: Manifest): void {
  for (const before of Object.values(shipped.functions)) {
    if (before.allow === "nobody") continue;
    const after = review.manifest.functions[before.name];
    const broken = after === undefined ? "is gone" : functionBreak(before, after);
    if (broken === null) continue;
    review.say(
      "K503",
      { place: after?.at },
      {
        says: `Clients that are out there call ${before.name}, and it ${broken}.`,
        evidence: ["compared with the app as it was shipped"],
        fix:
          after === undefined
            ? `export const ${before.name.split(".").at(-1) ?? ""} = ...   // keep it until no client calls it`
            : "// Keep the old form working: make what is new optional, or give the new form another name.",
      },
    );
  }
}

function functionBreak(before: FunctionModel, after: FunctionModel): string | null {
  if (before.kind !== after.kind) return `is a ${after.kind} now, not a ${before.kind}`;
  if (after.allow === "nobody") return "can't be called from outside any more";
  if (before.allow === "anyone" && after.allow !== "anyone") return "asks for a sign-in now";
  if (
    before.route !== undefined &&
    `${before.route.method} ${before.route.path}` !== `${after.route?.method} ${after.route?.path}`
  ) {
    return `is at another address: it was ${before.route.method} ${before.route.path}`;
  }
  for (const [name, spec] of Object.entries(after.args)) {
    const old = before.args[name];
    if (old === undefined) {
      if (!isLeftOut(spec)) return `asks for the new argument "${name}"`;
    } else {
      const narrower = narrowing(old, spec);
      if (narrower !== null) return `takes less in "${name}": ${narrower}`;
    }
  }
  const gone = Object.keys(before.args).find((name) => after.args[name] === undefined);
  if (gone !== undefined) return `refuses the argument "${gone}", which it took`;
  return before.returns === undefined || after.returns === undefined
    ? null
    : answerBreak(before.returns, after.returns);
}

type Answer = NonNullable<FunctionModel["returns"]>;

/** What a client that reads the old answer does not find in the new one. */
function answerBreak(before: Answer, after: Answer): string | null {
  if (before.kind === "nothing") return null;
  if (before.kind !== after.kind) return `answers ${after.kind} where it answered ${before.kind}`;
  if (before.kind === "list" && after.kind === "list") return answerBreak(before.item, after.item);
  if (before.kind !== "object" || after.kind !== "object") return null;
  for (const [name, spec] of Object.entries(before.fields)) {
    const now = after.fields[name];
    if (now === undefined) return `does not answer "${name}" any more`;
    if (spec.optional !== true && now.optional === true) return `may leave out "${name}" now`;
    const inner = answerBreak(spec, now);
    if (inner !== null) return inner;
  }
  return null;
}

function checkTables(review: AppReview, shipped: Manifest): void {
  for (const before of Object.values(shipped.tables)) {
    const isReachable = before.rules.read !== undefined || before.rules.create !== undefined;
    if (!isReachable) continue;
    const after = review.manifest.tables[before.name];
    const broken = after === undefined ? "is gone" : tableBreak(before, after);
    if (broken === null) continue;
    review.say("K504", after === undefined ? { place: undefined } : review.tableAt(before.name), {
      says: `Clients that are out there use the table ${before.name}, and it ${broken}.`,
      evidence: ["compared with the app as it was shipped"],
      fix: "// Keep the old field beside the new one until no client uses it.",
    });
  }
}

function tableBreak(before: TableModel, after: TableModel): string | null {
  for (const right of ["read", "create", "update", "delete"] as const) {
    if (before.rules[right] !== undefined && after.rules[right] === undefined)
      return `has no ${right} any more`;
  }
  for (const [name, spec] of Object.entries(before.fields)) {
    if (spec.private === true) continue;
    const now = after.fields[name];
    if (now === undefined || now.private === true) return `has no field ${name} any more`;
    if (now.kind !== spec.kind) return `holds ${now.kind} in ${name}, where it held ${spec.kind}`;
    if (after.rules.create === undefined) continue;
    const narrower = narrowing(spec, now);
    if (narrower !== null) return `takes less in ${name}: ${narrower}`;
  }
  if (before.rules.create === undefined) return null;
  const added = Object.entries(after.fields).find(
    ([name, spec]) =>
      before.fields[name] === undefined && !isLeftOut(spec) && spec.private !== true,
  );
  return added === undefined ? null : `asks for the new field ${added[0]} on create`;
}

function isLeftOut(spec: FieldSpec): boolean {
  return spec.optional === true || spec.default !== undefined;
}

/** What the old took and the new refuses; null when it takes all. */
function narrowing(before: FieldSpec, after: FieldSpec): string | null {
  if (before.kind !== after.kind) return `${after.kind} in the place of ${before.kind}`;
  if (isLeftOut(before) && !isLeftOut(after)) return "it can't be left out any more";
  if (before.kind === "oneOf" && after.kind === "oneOf") {
    const gone = before.values.find((value) => !after.values.includes(value));
    return gone === undefined ? null : `"${gone}" is refused`;
  }
  if (before.kind === "text" && after.kind === "text") {
    if (after.max < before.max) return `at most ${after.max} characters, it was ${before.max}`;
    return after.min > before.min ? `at least ${after.min} characters, it was ${before.min}` : null;
  }
  if (before.kind === "list" && after.kind === "list") {
    return after.max < before.max ? `at most ${after.max} items, it was ${before.max}` : null;
  }
  if (
    (before.kind === "id" || before.kind === "ref") &&
    (after.kind === "id" || after.kind === "ref")
  ) {
    return before.table === after.table ? null : `ids of ${after.table}, it was ${before.table}`;
  }
  if (before.kind === "int" && after.kind === "int") {
    if (after.min > before.min) return `${after.min} or more, it was ${before.min}`;
    return after.max < before.max ? `${after.max} or less, it was ${before.max}` : null;
  }
  return null;
}
