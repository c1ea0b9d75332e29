// Checks of the rules: who can set, move and read what, as the rules say it. A rule that leaves an ordinary
// caller (signed in, no role) nothing is for staff and not judged.
import { analyseRule } from "../../model/rule-analyse.ts";
import type { Rule } from "../../model/rule-ast.ts";
import type { FieldSpec, TableModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import {
  comparesNextWithMe,
  fieldsComparedWithMe,
  fieldsThatAreMe,
  forAnonymous,
  forOrdinary,
  mentionsNext,
} from "./rule-caller.ts";
import { isOwnerName, isPersonalName, isPrivilegeName, isSecretName } from "./word-list.ts";

/** Looks at every table's rules. */
export function checkTrustInRules(review: AppReview): void {
  for (const table of review.tables) {
    checkOwnerOnCreate(review, table);
    checkOwnerOnUpdate(review, table);
    checkPrivileges(review, table);
    checkGrantingTable(review, table);
    checkOpenReads(review, table);
    checkOpenWrites(review, table);
  }
}

/** References to people that say whose row it is: by the rules, else by their names. */
export function ownerFields(table: TableModel): readonly string[] {
  const refs = Object.entries(table.fields).filter(
    ([, spec]) => spec.kind === "ref" && spec.table === "user",
  );
  const { read, update, delete: remove } = table.rules;
  const byRule = new Set(
    [read, update, remove].flatMap((rule) => [...fieldsComparedWithMe(forOrdinary(rule), "row")]),
  );
  return refs.map(([name]) => name).filter((name) => byRule.has(name) || isOwnerName(name));
}

/** Whether callers may set the field, as far as field rules and flags say. */
export function isSettable(table: TableModel, name: string, on: "create" | "update"): boolean {
  const spec = table.fields[name];
  if (spec === undefined || spec.private === true || name === "id") return false;
  if (on === "update" && spec.immutable === true) return false;
  const rule = table.rules.fields[name]?.write;
  return rule === undefined || forOrdinary(rule) !== false;
}

/**
 * Whether a caller without a role can put another's id into a field: a reference must lead to a row that they may read,
 * so where others' rows of `user` are closed, it is refused.
 */
function canNameOthers(review: AppReview, { fields }: TableModel, name: string): boolean {
  const spec = fields[name];
  if (spec?.kind !== "ref" || spec.table !== "user") return true;
  const read = review.manifest.tables["user"]?.rules.read;
  if (read === undefined || fieldsThatAreMe(read.expr, "row").has("id")) return false;
  // Who has the claims that open them is not known: it may be many.
  if (analyseRule(read.expr).claims.some((claim) => claim !== "id" && claim !== "role"))
    return true;
  const left = forOrdinary(read);
  return left !== false && !fieldsThatAreMe(left, "row").has("id");
}

function checkOwnerOnCreate(review: AppReview, table: TableModel): void {
  const { create } = table.rules;
  const left = forOrdinary(create);
  if (create === undefined || left === false) return;
  const bound = fieldsThatAreMe(left, "next");
  for (const name of ownerFields(table)) {
    if (bound.has(name) || mentionsNext(create, name) || !isSettable(table, name, "create"))
      continue;
    if (table.rules.fields[name]?.write !== undefined || !canNameOthers(review, table, name))
      continue;
    // Who owns the parent may put people under it; who is a member may not speak for another.
    if (comparesNextWithMe(left)) continue;
    const isAboutAnother = name === "user" || name === "member" || !isOwnerName(name);
    if (isAboutAnother && analyseRule(create.expr).someTables.length > 0) continue;
    review.say(
      "K102",
      { rule: create },
      {
        says: `Whoever may create rows of ${table.name} can put anybody's id into ${name}.`,
        evidence: [
          `the create rule does not speak of next.${name}: ${create.text}`,
          {
            text: `${table.name}.${name} says whose row it is`,
            at: review.placeOf(review.fieldAt(table.name, name)),
          },
        ],
        fix: `create: ({ next, me }) => next.${name} === me.id${isAlways(create) ? "" : " && ..."}`,
      },
    );
  }
}

function checkOwnerOnUpdate(review: AppReview, table: TableModel): void {
  const { update } = table.rules;
  const left = forOrdinary(update);
  if (update === undefined || left === false) return;
  for (const name of fieldsComparedWithMe(left, "row")) {
    if (name === "id" || mentionsNext(update, name) || !isSettable(table, name, "update")) continue;
    if (table.rules.fields[name]?.write !== undefined || !canNameOthers(review, table, name))
      continue;
    review.say(
      "K104",
      { rule: update },
      {
        says: `The owner of a row of ${table.name} can hand it to anybody: the rule looks at ${name} before the change, not after it.`,
        evidence: [
          `update: ${update.text}`,
          `a PATCH with { "${name}": "<another user's id>" } passes it`,
        ],
        fix: `${name}: t.ref("user").immutable()   // or: ... && next.${name} === row.${name}`,
      },
    );
  }
}

function checkPrivileges(review: AppReview, table: TableModel): void {
  const { create, update } = table.rules;
  for (const name of Object.keys(table.fields)) {
    if (!isPrivilegeName(name) || table.rules.fields[name]?.write !== undefined) continue;
    // Whoever a table belongs to may set what is theirs; what they are is for others to say.
    if (table.name !== "user" && !isRightsTable(review, table)) continue;
    for (const [on, rule] of [
      ["create", create],
      ["update", update],
    ] as const) {
      if (rule === undefined || forOrdinary(rule) === false || mentionsNext(rule, name)) continue;
      if (!isSettable(table, name, on)) continue;
      // Whose parent it is gives rights to others; what counts is who can give them to themselves.
      const left = forOrdinary(rule);
      const root = on === "create" ? "next" : "row";
      if (table.name !== "user" && left !== true && fieldsThatAreMe(left, root).size === 0)
        continue;
      review.say(
        "K103",
        { rule },
        {
          says: `Callers can set ${table.name}.${name} themselves.`,
          evidence: [
            `${on}: ${rule.text}`,
            {
              text: `${table.name}.${name} decides what somebody may do`,
              at: review.placeOf(review.fieldAt(table.name, name)),
            },
          ],
          fix: `fields: { ${name}: { write: ({ me }) => me.role === "admin" } }`,
        },
      );
    }
  }
}

/** Whether other rules ask this table who may do what. */
export function isRightsTable(review: AppReview, table: TableModel): boolean {
  return review.tables.some((other) =>
    rulesOf(other).some((rule) => analyseRule(rule.expr).someTables.includes(table.name)),
  );
}

/** A table of memberships that people can add themselves to opens what its rows open. */
function checkGrantingTable(review: AppReview, table: TableModel): void {
  const { create } = table.rules;
  const left = forOrdinary(create);
  if (create === undefined || left === false || !isRightsTable(review, table)) return;
  if (analyseRule(create.expr).someTables.length > 0) return;
  for (const [name, spec] of Object.entries(table.fields)) {
    if (spec.kind !== "ref" || spec.table === "user" || mentionsNext(create, name)) continue;
    const parent = review.manifest.tables[spec.table];
    const guarded = review.tables.find((other) =>
      rulesOf(other).some((rule) => analyseRule(rule.expr).someTables.includes(table.name)),
    );
    // References must lead to rows that the caller may read: a hidden parent can't be joined.
    if (parent === undefined || forOrdinary(parent.rules.read) === false) continue;
    if (
      parent.rules.read !== undefined &&
      analyseRule(parent.rules.read.expr).someTables.includes(table.name)
    )
      continue;
    review.say(
      "K105",
      { rule: create },
      {
        says: `Anybody can add rows of ${table.name} for any ${spec.table}, and rules ask ${table.name} who may do what.`,
        evidence: [
          `create: ${create.text} does not speak of next.${name}`,
          ...(guarded === undefined
            ? []
            : [`the rules of ${guarded.name} look into ${table.name}`]),
        ],
        fix: `create: ({ next, me }) => ... && next.${name}.owner === me.id`,
      },
    );
  }
}

function checkOpenReads(review: AppReview, table: TableModel): void {
  const { read } = table.rules;
  if (read === undefined) return;
  const forAll = forAnonymous(read) === true;
  const forMembers = forOrdinary(read) === true;
  for (const [name, spec] of Object.entries(table.fields)) {
    const own = table.rules.fields[name]?.read;
    if (spec.private === true || !holdsText(spec)) continue;
    if (isSecretName(name) && !(own !== undefined && forOrdinary(own) === false)) {
      if (forOrdinary(read) === false) continue;
      review.say("K117", review.fieldAt(table.name, name), {
        says: `${table.name}.${name} looks like a secret and is sent to whoever may read the row.`,
        evidence: [{ text: `read: ${read.text}`, at: review.placeOf({ rule: read }) }],
        fix: `${name}: t.text({ max: 200 }).private()`,
      });
      continue;
    }
    if (!isPersonalName(name) || (own !== undefined && forAnonymous(own) !== true)) continue;
    if (!forAll && !forMembers) continue;
    review.say(
      "K111",
      { rule: read },
      {
        says: `${forAll ? "Anybody" : "Everybody who is signed in"} can read ${table.name}.${name} of every row.`,
        evidence: [
          `read: ${read.text}`,
          {
            text: `${table.name}.${name} is about a person`,
            at: review.placeOf(review.fieldAt(table.name, name)),
          },
        ],
        fix: `fields: { ${name}: { read: ({ row, me }) => ${ownerPath(table)} === me.id } }`,
      },
    );
  }
}

function ownerPath(table: TableModel): string {
  return table.name === "user" ? "row.id" : `row.${ownerFields(table)[0] ?? "owner"}`;
}

function holdsText(spec: FieldSpec): boolean {
  return (
    spec.kind === "text" ||
    spec.kind === "date" ||
    spec.kind === "object" ||
    spec.kind === "bytes" ||
    spec.kind === "json"
  );
}

function checkOpenWrites(review: AppReview, table: TableModel): void {
  for (const operation of ["update", "delete"] as const) {
    const rule = table.rules[operation];
    if (rule === undefined) continue;
    const isForAll = forAnonymous(rule) === true;
    if (!isForAll && forOrdinary(rule) !== true) continue;
    const owner = ownerFields(table)[0];
    review.say(
      "K112",
      { rule },
      {
        says: `${isForAll ? "Anybody" : "Everybody who is signed in"} can ${operation} every ${table.name}.`,
        evidence: [`${operation}: ${rule.text}`],
        fix: `${operation}: ({ row, me }) => ${owner === undefined ? 'me.role === "staff"' : `row.${owner} === me.id`}`,
      },
    );
  }
}

function isAlways(rule: Rule): boolean {
  return analyseRule(rule.expr).always === true;
}

/** Every rule of a table, those of its fields included. */
export function rulesOf(table: TableModel): readonly Rule[] {
  const { read, create, update, delete: remove, fields } = table.rules;
  const own = [read, create, update, remove];
  const ofFields = Object.values(fields).flatMap((rules) => [rules.read, rules.write]);
  const unique = new Set([...own, ...ofFields].filter((rule) => rule !== undefined));
  return [...unique];
}
