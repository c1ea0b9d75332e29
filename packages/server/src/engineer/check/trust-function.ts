// Checks of what functions do with the caller's word: identity taken from an argument, elevated reads and writes
// that a caller steers, private fields in answers. Functions for staff and for inside are not judged: whoever
// may call them is trusted with what they name.
import type { FunctionFlow } from "./flow-walker.ts";
import { argsIn, fieldOf, type DbOp, type Value } from "./flow-value.ts";
import type { AppReview } from "./app-review.ts";
import { isUnused } from "./read-use.ts";
import { forAnonymous, forOrdinary } from "./rule-caller.ts";
import { isPrivilegeName } from "./word-list.ts";

/** Looks at every function. */
export function checkTrustInFunctions(review: AppReview): void {
  for (const flow of review.flows) {
    checkReasons(review, flow);
    if (!isOpen(flow)) continue;
    checkReturns(review, flow);
    checkPrivateAnswers(review, flow);
    if (flow.looksAtCaller) continue;
    checkIdentity(review, flow);
    checkElevatedWrites(review, flow);
    checkElevatedReads(review, flow);
    checkElevatedRefs(review, flow);
    checkElevatedRights(review, flow);
  }
}

/** Whether ordinary people may call it from outside. */
export function isOpen({ source }: FunctionFlow): boolean {
  const { allow } = source.model;
  return !source.isInvariant && (allow === "anyone" || allow === "signed-in");
}

const emptyReasons =
  /^(?:\W*|(?:system|admin|internal|needed|required|because|test|testing|todo|fix|bypass|skip|rules?|reason|why|temp|x+|n\/a|(?:bypass|skip|ignore)(?: the)? rules?)\W*)$/i;

function checkReasons(review: AppReview, { elevations, source }: FunctionFlow): void {
  for (const { reason, file, node } of elevations) {
    if (reason === null || !emptyReasons.test(reason.trim())) continue;
    review.say(
      "K108",
      { file, node },
      {
        says: `The reason "${reason}" does not say why ${source.model.name} may step outside the rules.`,
        evidence: [`db.asSystem(${JSON.stringify(reason)})`],
        fix: 'db.asSystem("only the number of votes leaves, no names")',
      },
    );
  }
}

function checkReturns(review: AppReview, { source, db }: FunctionFlow): void {
  const { model, file, name } = source;
  if (model.kind === "http" || model.returns !== undefined) return;
  const elevated = db.find((op) => op.system !== null);
  review.say(
    "K109",
    { file, node: name },
    {
      says: `${model.name} does not say what it answers: whatever \`run\` gives back leaves.`,
      evidence:
        elevated === undefined
          ? ["no `returns`"]
          : [
              "no `returns`",
              {
                text: `it reads ${elevated.table} outside the rules`,
                at: review.placeOf(elevated),
              },
            ],
      fix: 'returns: t.object({ id: t.id("note"), title: t.text({ max: 200 }) }),   // or t.nothing()',
    },
  );
}

/** Private fields that an answer holds, followed through object literals, lists and spreads. */
function checkPrivateAnswers(review: AppReview, flow: FunctionFlow): void {
  for (const { file, node, value } of flow.answers) {
    for (const { op, field } of fieldsIn(review, flow, value)) {
      if (review.manifest.tables[op.table]?.fields[field]?.private !== true) continue;
      review.say(
        "K110",
        { file, node },
        {
          says: `${flow.source.model.name} answers ${op.table}.${field}, which is private.`,
          evidence: [
            { text: `${op.table}.${op.method}() outside the rules`, at: review.placeOf(op) },
            {
              text: `its ${field} is in what is returned here`,
              at: review.placeOf({ file, node }),
            },
            {
              text: `${op.table}.${field} is declared private`,
              at: review.placeOf(review.fieldAt(op.table, field)),
            },
          ],
          fix: `select: [${publicFields(review, op.table)
            .map((each) => JSON.stringify(each))
            .join(", ")}]   // leave ${field} out of the answer`,
        },
      );
    }
  }
}

function fieldsIn(
  review: AppReview,
  flow: FunctionFlow,
  value: Value,
): readonly { readonly op: DbOp; readonly field: string }[] {
  const { thing } = value;
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other things hold no rows
  switch (thing.kind) {
    case "object":
      return [...thing.fields.values(), ...thing.spread].flatMap((each) =>
        fieldsIn(review, flow, each),
      );
    case "list":
      return thing.items.flatMap((each) => fieldsIn(review, flow, each));
    case "row": {
      if (thing.op.system === null || thing.table !== thing.op.table) return [];
      // What `returns` does not name can't leave with a whole row.
      if (flow.source.model.returns !== undefined) return [];
      return selectedFields(review, thing.op).map((field) => ({ op: thing.op, field }));
    }
    default: {
      const match = /^field:(\d+):(.+)$/.exec(value.source ?? "");
      const op = flow.db.find((each) => String(each.index) === match?.[1]);
      return op === undefined || op.system === null ? [] : [{ op, field: match?.[2] ?? "" }];
    }
  }
}

function selectedFields(review: AppReview, op: DbOp): readonly string[] {
  const all = Object.keys(review.manifest.tables[op.table]?.fields ?? {});
  const select = fieldOf(op.query, "select")?.thing;
  if (select === undefined) return all;
  if (select.kind !== "list") return [];
  return select.items.flatMap(({ thing }) =>
    thing.kind === "literal" && typeof thing.value === "string" ? [thing.value] : [],
  );
}

function publicFields(review: AppReview, table: string): readonly string[] {
  const fields = Object.entries(review.manifest.tables[table]?.fields ?? {});
  return fields
    .filter(([, spec]) => spec.private !== true)
    .map(([name]) => name)
    .slice(0, 4);
}

/** An argument that is a user's id, where `me` should be. */
function checkIdentity(review: AppReview, flow: FunctionFlow): void {
  const { model } = flow.source;
  for (const op of flow.db) {
    if (op.system === null) continue;
    for (const [name, spec] of Object.entries(review.manifest.tables[op.table]?.fields ?? {})) {
      const isPerson =
        (spec.kind === "ref" && spec.table === "user") || (op.table === "user" && name === "id");
      if (!isPerson) continue;
      const value =
        fieldOf(op.values, name) ??
        fieldOf(fieldOf(op.query, "where"), name) ??
        (name === "id" ? op.id : null);
      const arg = value?.source?.startsWith("arg:") === true ? value.source.slice(4) : null;
      if (arg === null) continue;
      review.say(
        "K101",
        { file: op.file, node: op.node },
        {
          says: `${model.name} takes who somebody is from its argument "${arg}": any caller can be anybody.`,
          evidence: [
            `argument ${arg} -> ${op.table}.${op.method}({ ${name} }) outside the rules`,
            "me is not looked at anywhere in this function",
          ],
          fix: `${name}: me.id   // and remove the argument ${arg}`,
        },
      );
    }
  }
}

function checkElevatedWrites(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    if (op.system === null || (op.method !== "update" && op.method !== "delete")) continue;
    if (op.table === "user") continue;
    const arg = namedBy(op.id);
    if (arg === null || isReadWithRights(flow, op.table, arg)) continue;
    review.say(
      "K106",
      { file: op.file, node: op.node },
      {
        says: `Any caller of ${flow.source.model.name} can ${op.method} every row of ${op.table}: they name the row, and nothing asks whether it is theirs.`,
        evidence: [
          `argument ${arg} -> ${op.table}.${op.method}(${arg}) outside the rules`,
          `no db.${op.table}.get(${arg}) with the caller's rights, and no condition on me`,
        ],
        fix: `const own = await db.${op.table}.get(${arg});\nif (own === null) throw new Refusal("NOT_FOUND", "There is no such ${op.table}.");`,
      },
    );
  }
}

function checkElevatedReads(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    checkElevatedList(review, flow, op);
    if (op.system === null || !["get", "first", "list", "page"].includes(op.method)) continue;
    const arg = namedBy(op.id) ?? argsIn(fieldOf(op.query, "where"))[0] ?? null;
    if (arg === null || isReadWithRights(flow, op.table, arg)) continue;
    const answer = flow.answers.find(({ value }) => holdsRow(value, op));
    if (answer === undefined) continue;
    const identity = Object.entries(review.manifest.tables[op.table]?.fields ?? {}).some(
      ([name, spec]) =>
        spec.kind === "ref" &&
        spec.table === "user" &&
        fieldOf(fieldOf(op.query, "where"), name)?.source === `arg:${arg}`,
    );
    if (identity || op.table === "user") continue;
    review.say(
      "K107",
      { file: op.file, node: op.node },
      {
        says: `Any caller of ${flow.source.model.name} can read every row of ${op.table}: they name it, and the whole row leaves.`,
        evidence: [
          `argument ${arg} -> ${op.table}.${op.method}() outside the rules`,
          { text: "the row is returned here", at: review.placeOf(answer) },
        ],
        fix: `db.${op.table}.${op.method}(...)   // with the caller's rights, or test row.owner === me.id`,
      },
    );
  }
}

/** Rows that nobody named and that leave as a whole, where the rules would have kept most of them. */
function checkElevatedList(review: AppReview, flow: FunctionFlow, op: DbOp): void {
  const { model } = flow.source;
  if (op.system === null || (op.method !== "list" && op.method !== "page")) return;
  if (model.allow !== "anyone" && model.allow !== "signed-in") return;
  const where = fieldOf(op.query, "where");
  if (where !== null && [...where.origins].some((each) => each === "me" || each.startsWith("arg:")))
    return;
  const { rules } = review.manifest.tables[op.table] ?? {};
  const isOpen = model.allow === "anyone" ? forAnonymous(rules?.read) : forOrdinary(rules?.read);
  const answer = flow.answers.find(({ value }) => holdsRow(value, op));
  if (isOpen === true || answer === undefined || fieldOf(op.query, "select") !== null) return;
  review.say(
    "K107",
    { file: op.file, node: op.node },
    {
      says: `Any caller of ${model.name} gets whole rows of ${op.table} that the rules close to them.`,
      evidence: [
        `${op.table}.${op.method}() outside the rules, with no condition on me`,
        { text: "the rows are returned here", at: review.placeOf(answer) },
      ],
      fix: `db.${op.table}.${op.method}(...)   // with the caller's rights, or answer single fields`,
    },
  );
}

/** A reference written outside the rules is not held against what the caller may read. */
function checkElevatedRefs(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    if (op.system === null || op.method !== "create") continue;
    for (const [name, spec] of Object.entries(review.manifest.tables[op.table]?.fields ?? {})) {
      if (spec.kind !== "ref" || spec.table === "user") continue;
      const arg = namedBy(fieldOf(op.values, name));
      if (arg === null || isReadWithRights(flow, spec.table, arg)) continue;
      review.say(
        "K105",
        { file: op.file, node: op.node },
        {
          says: `Any caller of ${flow.source.model.name} can put rows of ${op.table} under every ${spec.table}, also one that they may not see.`,
          evidence: [
            `argument ${arg} -> ${op.table}.create({ ${name} }) outside the rules`,
            `no read of that ${spec.table} with the caller's rights`,
          ],
          fix: `await db.${op.table}.create({ ${name}, ... });   // with the caller's rights`,
        },
      );
    }
  }
}

/** Rights that an argument names, or may hold, written outside the rules. */
function checkElevatedRights(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    if (op.system === null || op.values === null) continue;
    const fields = Object.keys(review.manifest.tables[op.table]?.fields ?? {});
    for (const name of fields.filter(isPrivilegeName)) {
      const whole = namedBy(op.values);
      const arg = whole ?? namedBy(fieldOf(op.values, name));
      if (arg === null || (whole === null && op.table !== "user")) continue;
      review.say(
        "K103",
        { file: op.file, node: op.node },
        {
          says: `Any caller of ${flow.source.model.name} can set ${op.table}.${name}: it comes from the argument "${arg}".`,
          evidence: [
            `argument ${arg} -> ${op.table}.${op.method}(${whole === null ? `{ ${name} }` : arg}) outside the rules`,
          ],
          fix: `db.${op.table}.${op.method}(...)   // with the caller's rights, or name the fields one by one`,
        },
      );
    }
  }
}

/** The argument that a value is, unaltered. */
export function namedBy(value: Value | null): string | null {
  return value?.source?.startsWith("arg:") === true ? value.source.slice(4) : null;
}

/** Whether the function reads the row that an argument names with the caller's rights, and looks at what it got. */
export function isReadWithRights(flow: FunctionFlow, table: string, arg: string): boolean {
  return flow.db.some((op) => {
    if (op.system !== null || op.table !== table) return false;
    const isNamed = [...argsIn(op.id), ...argsIn(op.query)].includes(arg);
    return isNamed && (op.values !== null || op.method === "delete" || !isUnused(op));
  });
}

/** Whether a value is a row of a read, as a whole or in a list or object. */
function holdsRow({ thing }: Value, op: DbOp): boolean {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other things hold no rows
  switch (thing.kind) {
    case "row":
    case "page":
      return thing.op === op;
    case "object":
      return [...thing.fields.values(), ...thing.spread].some((each) => holdsRow(each, op));
    case "list":
      return thing.items.some((each) => holdsRow(each, op));
    default:
      return false;
  }
}
