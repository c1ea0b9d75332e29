// Checks of data that two requests change at once. Inside one mutation nothing can come between a read and a
// write: it is one serializable transaction. These are the ways around that.
import type { TableModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { fieldOf, type DbOp, type RunOp, type Value } from "./flow-value.ts";
import { forOrdinary } from "./rule-caller.ts";

/** Looks at every function. */
export function checkRaces(review: AppReview): void {
  for (const flow of review.flows) {
    checkThenInsert(review, flow);
    checkReadModifyWrite(review, flow);
  }
}

/** `first({ where })`, then `create` of the same table with the same values, and no constraint that says so. */
function checkThenInsert(review: AppReview, flow: FunctionFlow): void {
  for (const create of flow.db) {
    if (create.method !== "create") continue;
    const table = review.manifest.tables[create.table];
    const before = flow.db.find((op) => {
      if (op.index >= create.index || op.table !== create.table) return false;
      return ["first", "list", "count"].includes(op.method) && wanted(op, create).length > 0;
    });
    if (before === undefined || table === undefined) continue;
    // What was found must decide whether the row is made.
    if (!create.tested.has(`row:${before.index}`)) continue;
    const fields = wanted(before, create);
    const other = otherWay(review, table, flow);
    if (isUnique(table, fields) || other === null) continue;
    review.say(
      "K201",
      { file: create.file, node: create.node },
      {
        says: `${flow.source.model.name} looks for a row of ${table.name} and then makes one, and no constraint holds it: ${other} makes a second.`,
        evidence: [
          { text: `looks for ${fields.join(", ")}`, at: review.placeOf(before) },
          { text: "makes one", at: review.placeOf(create) },
          `${table.name} has no unique constraint on ${fields.join(", ")}`,
        ],
        fix: `.unique(${fields.map((each) => JSON.stringify(each)).join(", ")})   // on ${table.name}, in schema.ts`,
      },
    );
  }
}

/** Fields that are looked for with the values that are then written. */
function wanted(read: DbOp, create: DbOp): readonly string[] {
  const where = fieldOf(read.query, "where")?.thing;
  if (where?.kind !== "object" || where.open) return [];
  const names = [...where.fields.keys()];
  const isSame = (name: string): boolean => {
    const [asked, written] = [where.fields.get(name), fieldOf(create.values, name)];
    return asked !== undefined && written !== null && sameValue(asked, written);
  };
  return names.length > 0 && names.every(isSame) ? names : [];
}

function sameValue(a: Value, b: Value): boolean {
  if (a.thing.kind === "literal" && b.thing.kind === "literal")
    return a.thing.value === b.thing.value;
  return a.source !== null && a.source === b.source;
}

function isUnique(table: TableModel, fields: readonly string[]): boolean {
  if (fields.some((name) => table.fields[name]?.unique === true || name === "id")) return true;
  return table.indexes.some(
    (index) => index.unique === true && index.fields.every((name) => fields.includes(name)),
  );
}

/** Another way than this function that makes such rows without looking; null when there is none. */
function otherWay(review: AppReview, table: TableModel, flow: FunctionFlow): string | null {
  if (table.rules.create !== undefined && forOrdinary(table.rules.create) !== false) {
    return `POST /api/tables/${table.name}`;
  }
  const other = review.flows.find(
    (each) =>
      each !== flow && each.db.some((op) => op.method === "create" && op.table === table.name),
  );
  return other === undefined ? null : other.source.model.name;
}

/** An action that reads by one call and writes what it computed from it by another. */
function checkReadModifyWrite(review: AppReview, flow: FunctionFlow): void {
  const { kind } = flow.source.model;
  if (kind !== "action" && kind !== "http") return;
  for (const write of flow.runs) {
    const source = computedFrom(flow, write);
    if (source === null) continue;
    review.say(
      "K202",
      { file: write.file, node: write.node },
      {
        says: `${flow.source.model.name} reads, computes and writes in two transactions: what others write between them is lost.`,
        evidence: [
          { text: `run(${source.target}) reads`, at: review.placeOf(source) },
          {
            text: `run(${write.target}) writes what was computed from it`,
            at: review.placeOf(write),
          },
        ],
        fix: "// Let one mutation read and write: await run(addToStock, { item, by: 1 });",
      },
    );
  }
}

function computedFrom(flow: FunctionFlow, write: RunOp): RunOp | null {
  if (write.args?.thing.kind !== "object") return null;
  for (const value of write.args.thing.fields.values()) {
    if (!value.origins.has("math")) continue;
    const source = flow.runs.find(
      (op) => op.index < write.index && value.origins.has(`run:${op.index}`),
    );
    if (source !== undefined) return source;
  }
  return null;
}
