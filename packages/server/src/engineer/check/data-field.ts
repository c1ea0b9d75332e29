// Checks of single fields: money, time, bounds, references and choices that are written as something else.
import type { FieldSpec, TableModel } from "../../model/manifest.ts";
import type { AppReview } from "./app-review.ts";
import { entryOf } from "./syntax.ts";
import { fieldCall, fieldOptions } from "./table-source.ts";
import {
  isChoiceName,
  isMoneyName,
  isNaturalKeyName,
  isStockName,
  isTimeName,
} from "./word-list.ts";

/** Looks at every declared field. */
export function checkFields(review: AppReview): void {
  for (const table of review.tables) {
    for (const [name, spec] of Object.entries(table.fields)) {
      if (name === "id" || review.fieldSource(table.name, name) === undefined) continue;
      checkKind(review, table, name, spec);
      checkBounds(review, table, name, spec);
      checkReference(review, table, name, spec);
      checkUniqueKey(review, table, name, spec);
      checkAskedFor(review, table, name, spec);
    }
  }
}

function checkKind(review: AppReview, table: TableModel, name: string, spec: FieldSpec): void {
  const at = review.fieldAt(table.name, name);
  const what = `${table.name}.${name}`;
  if (spec.kind === "number" && isMoneyName(name)) {
    review.say("K203", at, {
      says: `${what} holds money as a floating-point number: 0.1 + 0.2 is not 0.3 there.`,
      evidence: ["t.number is an IEEE double"],
      fix: `${name}: t.money("EUR")`,
    });
  }
  if (spec.kind !== "text") return;
  if (isTimeName(name)) {
    const isDay = /date|birthday/i.test(name);
    review.say("K204", at, {
      says: `${what} holds a moment as text: nothing says its form or its zone, and it does not sort.`,
      evidence: ["t.text takes any text"],
      fix: isDay ? `${name}: t.date()` : `${name}: t.time()`,
    });
  }
  if (
    isChoiceName(name) &&
    spec.pattern === undefined &&
    !(table.name === "user" && name === "role")
  ) {
    review.say("K208", at, {
      says: `${what} takes any text: "paid", "Paid" and "payed" are three values.`,
      evidence: ["t.text takes any text"],
      fix: `${name}: t.oneOf("draft", "published")`,
    });
  }
}

function checkBounds(review: AppReview, table: TableModel, name: string, spec: FieldSpec): void {
  const source = review.fieldSource(table.name, name);
  const call = source === undefined ? null : fieldCall(source.value);
  if (source === undefined || call === null) return;
  const options = fieldOptions(source.value) ?? undefined;
  const at = review.fieldAt(table.name, name);
  const say = (says: string, fix: string): void =>
    review.say("K205", at, { says, evidence: ["no bound is written here"], fix });
  if (spec.kind === "text" && entryOf(options, "max") === undefined && spec.pattern === undefined) {
    say(
      `${table.name}.${name} has no length of its own: it takes ${count(spec.max)} characters.`,
      `${name}: t.text({ max: 200 })`,
    );
  }
  if (spec.kind === "list" && entryOf(options, "max") === undefined) {
    say(
      `${table.name}.${name} has no length of its own: it takes ${count(spec.max)} items in every row.`,
      `${name}: t.list(..., { max: 20 })`,
    );
  }
  if (spec.kind === "json" && entryOf(options, "maxBytes") === undefined) {
    say(
      `${table.name}.${name} takes any JSON of ${count(spec.maxBytes)} bytes, and nothing says its shape.`,
      `${name}: t.object({ ... })   // or t.json({ maxBytes: 2_000 })`,
    );
  }
  if (
    (spec.kind === "int" || spec.kind === "money" || spec.kind === "number") &&
    isStockName(name)
  ) {
    const hasMin = spec.kind === "int" ? spec.min >= 0 : spec.min !== undefined;
    const isChecked = table.checks.some(({ rule }) => rule.text.includes(`.${name}`));
    if (hasMin || isChecked) return;
    review.say("K213", at, {
      says: `${table.name}.${name} can go below zero: nothing holds it.`,
      evidence: ["no min, and no .check(...) of the table speaks of it"],
      fix: `${name}: t.${spec.kind}({ min: 0 })`,
    });
  }
}

function checkReference(review: AppReview, table: TableModel, name: string, spec: FieldSpec): void {
  const at = review.fieldAt(table.name, name);
  if (spec.kind === "id") {
    review.say("K207", at, {
      says: `${table.name}.${name} names a row of ${spec.table} that need not exist: the name stays when the row goes.`,
      evidence: ["t.id in a table is not checked"],
      fix: `${name}: t.ref("${spec.table}", { onDelete: "cascade" })`,
    });
    return;
  }
  if (spec.kind !== "text") return;
  const target = /^(\w+?)(?:Id|_id)$/.exec(name)?.[1] ?? null;
  const person = /^(?:owner|author|creator|customer|member|sender)$/.test(target ?? "")
    ? "user"
    : target;
  if (person === null || !Object.hasOwn(review.manifest.tables, person)) return;
  review.say("K207", at, {
    says: `${table.name}.${name} is a reference written as text: anything fits, and rules can't walk it.`,
    evidence: [`there is a table ${person}`],
    fix: `${target ?? name}: t.ref("${person}")`,
  });
}

function checkUniqueKey(review: AppReview, table: TableModel, name: string, spec: FieldSpec): void {
  const isMail = table.name === "user" && name === "email";
  if (spec.kind !== "text" || !(isNaturalKeyName(name) || isMail) || spec.unique === true) return;
  if (table.indexes.some((index) => index.unique === true && index.fields.includes(name))) return;
  review.say("K212", review.fieldAt(table.name, name), {
    says: `Two rows of ${table.name} can have the same ${name}: two requests at once make two.`,
    evidence: ["no unique constraint names it"],
    fix: `${name}: t.text({ max: 100 }).unique()`,
  });
}

/** Identity fills in the address; who signs up is asked for the rest by name only. */
function checkAskedFor(review: AppReview, table: TableModel, name: string, spec: FieldSpec): void {
  const { auth } = review.manifest;
  if (table.name !== "user" || name === "email" || auth?.signUp !== "open") return;
  if (spec.optional === true || spec.default !== undefined) return;
  if (auth.signUpFields.includes(name)) return;
  const mayBeAsked = name !== "role" && spec.private !== true && spec.claim !== true;
  const asked = [...auth.signUpFields, name].map((each) => JSON.stringify(each)).join(", ");
  review.say("K214", review.fieldAt(table.name, name), {
    says: `Nobody new gets in: user.${name} is required, and no form asks for it.`,
    evidence: [`who signs up is asked for: ${["email", ...auth.signUpFields].join(", ")}`],
    fix: mayBeAsked
      ? `auth: { signUpFields: [${asked}] }`
      : `${name}: ...default(...)   // or auth: { signUp: "closed" }, and functions that make users`,
  });
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
