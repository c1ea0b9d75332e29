// Operators between things: comparisons with their types checked, presence, arithmetic, choices.
import type { ArithmeticOp, CompareOp, RuleExpr } from "./rule-ast.ts";
import {
  asTruth,
  asValue,
  describeType,
  rangeOf,
  refuse,
  textOf,
  type Reader,
  type Site,
  type Thing,
  type ValueThing,
} from "./rule-thing.ts";
import type { RuleType } from "./rule-type.ts";

/** A thing and where it was written. */
export interface Placed {
  readonly thing: Thing;
  readonly site: Site;
}

interface PlacedValue {
  readonly value: ValueThing;
  readonly site: Site;
}

const normalTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const normalDate = /^\d{4}-\d\d-\d\d$/;

/** `left op right`; with null or undefined on one side, whether the other is present. */
export function readComparison(
  reader: Reader,
  op: CompareOp,
  sides: { left: Placed; right: Placed },
  site: Site,
): Thing | null {
  const { left, right } = sides;
  if (left.thing.kind === "absent" || right.thing.kind === "absent") {
    return readPresence(reader, op, sides, site);
  }
  const a = asValue(reader, left.thing, left.site);
  const b = asValue(reader, right.thing, right.site);
  if (a === null || b === null) return null;
  const placed = [
    { value: a, site: left.site },
    { value: b, site: right.site },
  ] as const;
  if (!areComparable(reader, placed, { equality: op === "==" || op === "!=", site })) return null;
  const at = rangeOf(site);
  return { kind: "truth", expr: { kind: "compare", op, left: a.value, right: b.value, at } };
}

function readPresence(
  reader: Reader,
  op: CompareOp,
  { left, right }: { left: Placed; right: Placed },
  site: Site,
): Thing | null {
  const other = left.thing.kind === "absent" ? right : left;
  if (op !== "==" && op !== "!=") {
    const fix = `Write \`${textOf(other.site)} === null\` or \`!== null\`.`;
    return refuse(reader, site, "An absent value has no order.", fix);
  }
  const at = rangeOf(site);
  const present = op === "!=";
  if (other.thing.kind === "row") {
    const of = { kind: "path", root: other.thing.root, steps: ["id"], through: [], at } as const;
    return { kind: "truth", expr: { kind: "presence", of, present, at } };
  }
  if (other.thing.kind === "value" && other.thing.value.kind === "path") {
    return { kind: "truth", expr: { kind: "presence", of: other.thing.value, present, at } };
  }
  const problem = `\`${textOf(other.site)}\` can't be asked for presence.`;
  return refuse(reader, site, problem, "Compare a field or a claim with null: `row.x === null`.");
}

/** `left op right` of numbers. */
export function readArithmetic(
  reader: Reader,
  op: ArithmeticOp,
  { left, right }: { left: Placed; right: Placed },
  site: Site,
): Thing | null {
  const a = numberOf(reader, left);
  const b = numberOf(reader, right);
  if (a === null || b === null) return null;
  const value = {
    kind: "arithmetic",
    op,
    left: a.value,
    right: b.value,
    at: rangeOf(site),
  } as const;
  return { kind: "value", value, type: { kind: "number" } };
}

function numberOf(reader: Reader, { thing, site }: Placed): ValueThing | null {
  const value = asValue(reader, thing, site);
  if (value === null) return null;
  if (value.type.kind === "number" || value.type.kind === "any") return value;
  const problem = `\`${textOf(site)}\` is ${describeType(value.type)}, not a number.`;
  return refuse(reader, site, problem, arithmeticFix(value.type));
}

function arithmeticFix(type: RuleType): string {
  if (type.kind === "time" || type.kind === "date") {
    return "Rules do not compute with times. Store the other time in a field and compare the two.";
  }
  if (type.kind === "text" || type.kind === "id") {
    return "Rules do not join text. Compare the parts one by one.";
  }
  return "Use number, int or money fields.";
}

/** `when ? yes : no`, and `if (when) return yes; return no`. */
export function readChoice(
  reader: Reader,
  when: RuleExpr,
  { yes, no }: { yes: Placed; no: Placed },
  site: Site,
): Thing | null {
  const at = rangeOf(site);
  if (isBoolean(yes.thing) || isBoolean(no.thing)) {
    const a = asTruth(reader, yes.thing, yes.site);
    const b = asTruth(reader, no.thing, no.site);
    if (a === null || b === null) return null;
    return { kind: "truth", expr: { kind: "if", when, yes: a, no: b, at } };
  }
  for (const { thing, site: side } of [yes, no]) {
    if (thing.kind === "absent") {
      return refuse(
        reader,
        side,
        "A choice can't give an absent value.",
        "Put the comparison into the choice: `a ? row.x === 1 : false`.",
      );
    }
  }
  const a = asValue(reader, yes.thing, yes.site);
  const b = asValue(reader, no.thing, no.site);
  if (a === null || b === null) return null;
  const placed = [
    { value: a, site: yes.site },
    { value: b, site: no.site },
  ] as const;
  if (!areComparable(reader, placed, { equality: true, site })) return null;
  const value = { kind: "choose", when, yes: a.value, no: b.value, at } as const;
  return { kind: "value", value, type: joinTypes(a, b) };
}

/** `left ?? right`: the left one when it is present. */
export function readDefault(
  reader: Reader,
  { left, right }: { left: Placed; right: Placed },
  site: Site,
): Thing | null {
  const a = asValue(reader, left.thing, left.site);
  if (a === null) return null;
  if (a.value.kind !== "path") {
    const fix = "Write `??` behind a field or a claim, or a choice: `x !== null ? x : 0`.";
    return refuse(reader, left.site, `\`${textOf(left.site)}\` is never absent by itself.`, fix);
  }
  if (right.thing.kind === "absent") return a;
  const b = asValue(reader, right.thing, right.site);
  if (b === null) return null;
  const placed = [
    { value: a, site: left.site },
    { value: b, site: right.site },
  ] as const;
  if (!areComparable(reader, placed, { equality: true, site })) return null;
  const at = rangeOf(site);
  const when: RuleExpr = { kind: "presence", of: a.value, present: true, at: rangeOf(left.site) };
  const value = { kind: "choose", when, yes: a.value, no: b.value, at } as const;
  return { kind: "value", value, type: joinTypes(a, b) };
}

function isBoolean(thing: Thing): boolean {
  return thing.kind === "truth" || (thing.kind === "value" && thing.type.kind === "bool");
}

function joinTypes(a: ValueThing, b: ValueThing): RuleType {
  if (a.type.kind === "any" || a.value.kind === "literal") return widened(b.type);
  return widened(a.type);
}

/** Without the values that a single field holds. */
function widened(type: RuleType): RuleType {
  return type.kind === "text" ? { kind: "text" } : type;
}

/** Whether two values may be compared; notes a mistake when not. */
export function areComparable(
  reader: Reader,
  [left, right]: readonly [PlacedValue, PlacedValue],
  { equality, site }: { equality: boolean; site: Site },
): boolean {
  const found =
    whyNotSingle(left, equality) ??
    whyNotSingle(right, equality) ??
    whyNotPair(left, right, equality) ??
    whyNotPair(right, left, equality);
  if (found === null) return true;
  refuse(reader, found.site ?? site, found.problem, found.fix);
  return false;
}

interface WhyNot {
  readonly problem: string;
  readonly fix: string;
  readonly site?: Site;
}

function whyNotSingle({ value, site }: PlacedValue, equality: boolean): WhyNot | null {
  const { type } = value;
  const text = textOf(site);
  switch (type.kind) {
    case "opaque":
    case "bytes":
      return {
        problem: `\`${text}\` is ${describeType(type)}, which rules can't compare.`,
        fix: "Ask whether it is there (`!== null`), or give what the rule needs a field of its own.",
        site,
      };
    case "list":
      return {
        problem: `\`${text}\` is a list, which can't be compared as a whole.`,
        fix: `Write \`${text}.includes(...)\` or \`${text}.length\`.`,
        site,
      };
    case "bool": {
      if (equality) return null;
      const fix = "Use `===` or `!==`.";
      return { problem: `\`${text}\` is true or false and has no order.`, fix, site };
    }
    case "text":
    case "id":
    case "number":
    case "time":
    case "date":
    case "any":
      return null;
    default:
      return type satisfies never;
  }
}

function whyNotPair(a: PlacedValue, b: PlacedValue, equality: boolean): WhyNot | null {
  const { type } = a.value;
  const other = b.value.type;
  const constant = b.value.value.kind === "literal" ? b.value.value.value : undefined;
  if (type.kind === "any" || other.kind === "any") return null;
  if (typeof constant === "string") return whyNotConstant(type, constant, b.site);
  if (a.value.value.kind === "literal" && type.kind === "text") return null;
  if (type.kind === "id" && other.kind === "id") {
    if (type.table === other.table) return null;
    return {
      problem: `An id of \`${type.table}\` is never an id of \`${other.table}\`.`,
      fix: "Compare ids of one table; step through the reference where one is needed.",
    };
  }
  const times = new Set([type.kind, other.kind]);
  if (times.has("time") && times.has("date")) {
    if (!equality) return null;
    return {
      problem: "A date never equals a time.",
      fix: "Use `<=` or `>`: a date stands before its first moment.",
    };
  }
  if (type.kind === other.kind) return null;
  if (times.has("text") && times.has("id")) return null;
  const problem = `\`${textOf(a.site)}\` is ${describeType(type)} and \`${textOf(b.site)}\` is ${describeType(other)}.`;
  return { problem, fix: "Compare values of one type." };
}

function whyNotConstant(type: RuleType, constant: string, site: Site): WhyNot | null {
  const shown = JSON.stringify(constant);
  switch (type.kind) {
    case "text": {
      if (type.values === undefined || type.values.includes(constant)) return null;
      const values = type.values.map((each) => JSON.stringify(each)).join(", ");
      return {
        problem: `The field never holds ${shown}.`,
        fix: `It holds one of ${values}.`,
        site,
      };
    }
    case "time":
      if (normalTime.test(constant)) return null;
      return {
        problem: `${shown} is not a time as Keelson writes it.`,
        fix: 'Write UTC with milliseconds: "2026-01-31T20:15:00.000Z".',
        site,
      };
    case "date":
      if (normalDate.test(constant)) return null;
      return { problem: `${shown} is not a date.`, fix: 'Write "2026-01-31".', site };
    case "id":
      if (constant.startsWith(`${type.table}_`)) return null;
      return {
        problem: `${shown} is not an id of \`${type.table}\`.`,
        fix: `Ids of \`${type.table}\` begin with "${type.table}_".`,
        site,
      };
    case "number":
    case "bool":
    case "bytes":
    case "opaque":
    case "list":
    case "any":
      return {
        problem: `${shown} is text and the other side is ${describeType(type)}.`,
        fix: "Compare values of one type.",
        site,
      };
    default:
      return type satisfies never;
  }
}
