// Checks of whole tables: what becomes of rows, whose they are, whether what is known of a person can go.
import type { TableModel } from "../../model/manifest.ts";
import { analyseRule } from "../../model/rule-analyse.ts";
import type { AppReview } from "./app-review.ts";
import { forAnonymous, forOrdinary } from "./rule-caller.ts";
import { entryOf } from "./syntax.ts";
import { fieldOptions } from "./table-source.ts";
import { isSettable, ownerFields } from "./trust-rule.ts";
import { isPersonalName, isStateName } from "./word-list.ts";

/** Looks at every declared table. */
export function checkTables(review: AppReview): void {
  for (const table of review.tables) {
    if (!review.isDeclared(table.name)) continue;
    checkOnDelete(review, table);
    checkOwner(review, table);
    checkErasure(review, table);
    checkTransitions(review, table);
  }
}

/** Whether any rule or function deletes rows of a table, or a parent takes them along. */
function canBeDeleted(
  review: AppReview,
  table: TableModel,
  seen: ReadonlySet<string> = new Set(),
): boolean {
  if (seen.has(table.name)) return false;
  const rule = table.rules.delete;
  if (rule !== undefined && analyseRule(rule.expr).always !== false) return true;
  if (
    review.flows.some((flow) =>
      flow.db.some((op) => op.method === "delete" && op.table === table.name),
    )
  )
    return true;
  // Identity deletes who leaves, where no reference stands in the way.
  if (table.name === "user") return keepingUsers(review, seen).length === 0;
  const below = new Set([...seen, table.name]);
  return Object.values(table.fields).some((spec) => {
    if (spec.kind !== "ref" || spec.onDelete !== "cascade") return false;
    const parent = review.manifest.tables[spec.table];
    return parent !== undefined && canBeDeleted(review, parent, below);
  });
}

/** References that refuse to let a user go, of rows that never go: `order.customer`. */
function keepingUsers(review: AppReview, seen: ReadonlySet<string> = new Set()): readonly string[] {
  const below = new Set([...seen, "user"]);
  return review.tables.flatMap((table) =>
    Object.entries(table.fields)
      .filter(
        ([, spec]) => spec.kind === "ref" && spec.table === "user" && spec.onDelete === "refuse",
      )
      .filter(() => !canBeDeleted(review, table, below))
      .map(([field]) => `${table.name}.${field}`),
  );
}

function checkOnDelete(review: AppReview, table: TableModel): void {
  if (canBeDeleted(review, table)) return;
  for (const [name, spec] of Object.entries(table.fields)) {
    if (spec.kind !== "ref" || spec.onDelete !== "refuse") continue;
    const parent = review.manifest.tables[spec.table];
    const source = review.fieldSource(table.name, name);
    if (parent === undefined || source === undefined || !canBeDeleted(review, parent)) continue;
    if (entryOf(fieldOptions(source.value) ?? undefined, "onDelete") !== undefined) continue;
    review.say("K206", review.fieldAt(table.name, name), {
      says: `A row of ${spec.table} with one of ${table.name} can never be deleted: nothing deletes rows of ${table.name}, and nothing says that this is meant.`,
      evidence: [
        `${spec.table} can be deleted: ${parent.rules.delete?.text ?? "by a function, or with its parent"}`,
        `${table.name} has no delete rule, and no function deletes one`,
        'onDelete is not written, so it is "refuse"',
      ],
      fix: `${name}: t.ref("${spec.table}", { onDelete: "cascade" })   // or "clear", or "refuse" to say that it is meant`,
    });
  }
}

/** Whether references lead from a table to a person. */
function leadsToUser(
  review: AppReview,
  table: TableModel,
  seen: ReadonlySet<string> = new Set(),
): boolean {
  if (table.name === "user") return true;
  if (seen.has(table.name)) return false;
  const below = new Set([...seen, table.name]);
  return Object.values(table.fields).some((spec) => {
    if (spec.kind !== "ref") return false;
    const target = review.manifest.tables[spec.table];
    return target !== undefined && leadsToUser(review, target, below);
  });
}

function checkOwner(review: AppReview, table: TableModel): void {
  const { create } = table.rules;
  if (create === undefined || forOrdinary(create) === false || leadsToUser(review, table)) return;
  // Strangers have no id that a row could hold; rows of members belong to what they are members of.
  if (forAnonymous(create) !== false || analyseRule(create.expr).someTables.length > 0) return;
  // Rows of a tenant belong to it.
  if (analyseRule(create.expr).claims.some((claim) => claim !== "id" && claim !== "role")) return;
  review.say("K209", review.tableAt(table.name), {
    says: `People create rows of ${table.name}, and nothing in a row says whose it is.`,
    evidence: [
      { text: `create: ${create.text}`, at: review.placeOf({ rule: create }) },
      "no reference leads to user",
    ],
    fix: 'owner: t.ref("user", { onDelete: "cascade" }).immutable(),',
  });
}

function checkErasure(review: AppReview, table: TableModel): void {
  const fields = Object.keys(table.fields).filter(isPersonalName);
  const [first] = fields;
  if (first === undefined || canBeDeleted(review, table)) return;
  // A function that empties the fields is a way out as well.
  const isCleared = review.flows.some((flow) =>
    flow.db.some((op) => {
      if (op.method !== "update" || op.table !== table.name || op.values?.thing.kind !== "object")
        return false;
      const value = op.values.thing.fields.get(first)?.thing;
      return value?.kind === "literal" && (value.value === null || value.value === "");
    }),
  );
  if (isCleared) return;
  const evidence = [
    `${table.name} has no delete rule, no function deletes one, no parent takes it along`,
  ];
  const [kept] = table.name === "user" ? keepingUsers(review) : [];
  if (kept !== undefined)
    evidence.push(`who leaves (DELETE /auth/account) is refused for ${kept}: REF_IN_USE`);
  review.say("K210", review.fieldAt(table.name, first), {
    says: `${table.name} keeps what is known of a person (${fields.join(", ")}), and nothing ever removes it.`,
    evidence,
    fix:
      kept === undefined
        ? `delete: ({ row, me }) => row.${ownerFields(table)[0] ?? "owner"} === me.id,`
        : `${kept.split(".")[1]}: t.ref("user", { onDelete: "clear" }).optional(),   // ${kept}`,
  });
}

function checkTransitions(review: AppReview, table: TableModel): void {
  const { update } = table.rules;
  if (update === undefined || forOrdinary(update) === false) return;
  const facts = analyseRule(update.expr);
  for (const [name, spec] of Object.entries(table.fields)) {
    if (spec.kind !== "oneOf" || !isStateName(name) || !isSettable(table, name, "update")) continue;
    if (facts.nextFields.includes(name) || table.rules.fields[name]?.write !== undefined) continue;
    if (table.checks.some(({ rule }) => analyseRule(rule.expr).rowFields.includes(name))) continue;
    review.say(
      "K211",
      { rule: update },
      {
        says: `Whoever may update rows of ${table.name} can put ${name} from anything to anything: ${spec.values.join(", ")}.`,
        evidence: [`update: ${update.text} does not speak of next.${name}`],
        fix: `update: ({ row, next, me }) => ... && (next.${name} === row.${name} || (row.${name} === "${spec.values[0] ?? ""}" && next.${name} === "${spec.values[1] ?? ""}"))`,
      },
    );
  }
}
