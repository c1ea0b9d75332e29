// Fields of the specification: whether each is one that validation, store and doors can keep their promises
// for. The specification was made by the app's own code, so nothing about its shape is taken for granted.
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import type { Issue } from "./field-issue.ts";
import { fieldNameProblem, nameProblem } from "./field-name.ts";
import { compilePattern } from "./field-pattern.ts";
import { PatternRefused } from "./field-pattern-parse.ts";
import { compileField } from "./field-validate.ts";
import type { FieldSpec } from "./manifest.ts";
import { complain, fixByDefine, inside, readObject, type SpecPlace } from "./manifest-mistakes.ts";

/** Where a field stands: what it may carry depends on it. */
export type FieldHome = "table" | "args" | "returns" | "nested";

const flags: readonly string[] = [
  "kind",
  "optional",
  "default",
  "private",
  "immutable",
  "unique",
  "claim",
];
const keysOfKind: Readonly<Record<FieldSpec["kind"], readonly string[]>> = {
  id: ["table"],
  ref: ["table", "onDelete"],
  text: ["min", "max", "pattern", "format"],
  int: ["min", "max"],
  number: ["min", "max"],
  bool: [],
  time: [],
  date: [],
  json: ["maxBytes"],
  money: ["currency", "min", "max"],
  oneOf: ["values"],
  list: ["item", "min", "max"],
  object: ["fields"],
  bytes: ["max"],
};
/** Kinds that can be unique and stand in an index. */
const keyKinds: ReadonlySet<string> = new Set([
  "id",
  "ref",
  "text",
  "int",
  "number",
  "time",
  "date",
  "money",
  "oneOf",
]);

/** What fields are checked against. */
export interface FieldWorld {
  readonly limits: Limits;
  /** Names of all tables of the app. */
  readonly tables: ReadonlySet<string>;
}

/** Checks named fields. @returns them with defaults normalised; null when something is wrong. */
export function readFields(
  place: SpecPlace,
  value: unknown,
  home: FieldHome,
  world: FieldWorld,
  depth = 0,
): Readonly<Record<string, FieldSpec>> | null {
  const given = readObject(inside(place, `${place.what}: its fields`), value, null);
  if (given === null) return null;
  const names = Object.keys(given);
  if (names.length > world.limits.tableFieldsMax) {
    return complain(place, `has more than ${world.limits.tableFieldsMax} fields`, "Split it.");
  }
  const folded = new Map<string, string>();
  const fields: Record<string, FieldSpec> = {};
  let complete = true;
  for (const name of names) {
    const field = inside(
      place,
      `${place.what.replace(/^(table|function) /, "")}.${name.slice(0, 64)}`,
    );
    const problem = home === "table" ? fieldNameProblem(name) : nameProblem(name);
    if (problem !== null) complain(field, problem, "Give it another name.");
    if (home === "table" && name === "id")
      complain(field, "is declared", "Leave it out: every table has it.");
    const twin = folded.get(name.toLowerCase());
    if (twin !== undefined && home === "table") {
      complain(
        field,
        `differs from ${twin} only in case, which databases do not tell apart`,
        "Rename one.",
      );
    }
    folded.set(name.toLowerCase(), name);
    const spec = readField(field, given[name], home, world, depth);
    if (spec === null) complete = false;
    else fields[name] = spec;
  }
  return complete ? fields : null;
}

/** Checks one field. @returns it with its default normalised; null when something is wrong. */
export function readField(
  place: SpecPlace,
  value: unknown,
  home: FieldHome,
  world: FieldWorld,
  depth = 0,
): FieldSpec | null {
  const before = place.mistakes.found.length;
  const kind = (value as { kind?: unknown } | null)?.kind;
  if (typeof kind !== "string" || !Object.hasOwn(keysOfKind, kind)) {
    return complain(place, "has no known kind", fixByDefine);
  }
  const keys = keysOfKind[kind as FieldSpec["kind"]];
  const given = readObject(place, value, [...flags, ...keys]);
  if (given === null) return null;
  const spec = given as unknown as FieldSpec;
  checkFlags(place, spec, home);
  const inner = readKind(place, spec, home, world, depth);
  if (place.mistakes.found.length > before || inner === null) return null;
  return readDefault(place, inner);
}

function checkFlags(place: SpecPlace, spec: FieldSpec, home: FieldHome): void {
  for (const flag of ["optional", "private", "immutable", "unique", "claim"] as const) {
    if (spec[flag] === undefined) continue;
    const value: unknown = spec[flag];
    if (value !== true) complain(place, `has ${flag} with another value than true`, fixByDefine);
    if (flag !== "optional" && home !== "table") {
      complain(place, `is ${flag}, which only fields of tables can be`, `Take .${flag}() away.`);
    }
  }
  if (spec.unique === true && !keyKinds.has(spec.kind)) {
    complain(place, `is unique, which a ${spec.kind} field cannot be`, "Take .unique() away.");
  }
}

/** Checks what belongs to the kind. @returns the field with the ones inside it read. */
function readKind(
  place: SpecPlace,
  spec: FieldSpec,
  home: FieldHome,
  world: FieldWorld,
  depth: number,
): FieldSpec | null {
  switch (spec.kind) {
    case "id":
    case "ref":
      checkTarget(place, spec, home, world);
      return spec;
    case "text":
      checkText(place, spec, world.limits);
      return spec;
    case "int":
      checkBounds(place, spec, { whole: true, required: true });
      return spec;
    case "number":
      checkBounds(place, spec, { whole: false, required: false });
      return spec;
    case "money":
      checkBounds(place, spec, { whole: true, required: false });
      if (typeof spec.currency !== "string" || !/^[A-Z]{3}$/.test(spec.currency)) {
        complain(place, "has no currency of ISO 4217", 'Write t.money("EUR").');
      }
      return spec;
    case "bool":
    case "time":
    case "date":
      return spec;
    case "json":
      checkSize(place, spec.maxBytes, "maxBytes", world.limits.rowBytesMax);
      return spec;
    case "bytes":
      checkSize(place, spec.max, "max", world.limits.rowBytesMax);
      return spec;
    case "oneOf":
      checkOneOf(place, spec.values, world.limits);
      return spec;
    case "list":
    case "object":
      return readNested(place, spec, world, depth);
    default:
      return spec satisfies never;
  }
}

function checkTarget(
  place: SpecPlace,
  spec: FieldSpec & { readonly kind: "id" | "ref" },
  home: FieldHome,
  world: FieldWorld,
): void {
  if (typeof spec.table !== "string" || !world.tables.has(spec.table)) {
    complain(
      place,
      `refers to a table ${JSON.stringify(spec.table)} that does not exist`,
      "Declare it in `define`, or mend the name.",
    );
  }
  if (spec.kind !== "ref") return;
  if (home === "nested") {
    complain(
      place,
      "is a reference inside a list or an object, which cannot be kept true",
      `Use t.id(${JSON.stringify(spec.table)}), or a table of its own.`,
    );
  }
  if (!["refuse", "cascade", "clear"].includes(spec.onDelete)) {
    complain(place, "has an onDelete that is none of refuse, cascade, clear", fixByDefine);
  }
  if (spec.onDelete === "clear" && (spec.optional !== true || spec.immutable === true)) {
    complain(
      place,
      "is to be cleared on delete and cannot be",
      "Make it .optional() and not .immutable().",
    );
  }
}

function checkText(
  place: SpecPlace,
  spec: FieldSpec & { readonly kind: "text" },
  limits: Limits,
): void {
  // What is no number can't be compared with one.
  if (!checkBounds(place, spec, { whole: true, required: true })) return;
  if (spec.min < 0 || spec.max < 1)
    complain(place, "has bounds below zero", "Write t.text({ max: 200 }).");
  if (spec.max > limits.rowBytesMax) {
    complain(place, `has a max above ${limits.rowBytesMax}`, "Keep long texts in files.");
  }
  if (spec.format !== undefined && !["email", "url", "slug"].includes(spec.format)) {
    complain(place, "has an unknown format", "There are email, url and slug.");
  }
  const pattern: unknown = spec.pattern;
  if (pattern === undefined) return;
  if (typeof pattern !== "string") {
    complain(place, "has a pattern that is no text", fixByDefine);
    return;
  }
  try {
    const { size } = compilePattern(pattern);
    if (size * spec.max > limits.patternStepsMax) {
      complain(
        place,
        "has a pattern too large for texts this long",
        "Lower max or simplify the pattern.",
      );
    }
  } catch (error) {
    if (!(error instanceof PatternRefused)) throw error;
    complain(
      place,
      `has a pattern that cannot be used: ${error.message}`,
      "Mend or simplify the pattern.",
    );
  }
}

/** @returns whether those that are there are numbers. */
function checkBounds(
  place: SpecPlace,
  { min, max }: { readonly min?: number; readonly max?: number },
  { whole, required }: { readonly whole: boolean; readonly required: boolean },
): boolean {
  for (const [name, bound] of Object.entries({ min, max })) {
    if (bound === undefined && !required) continue;
    if (whole ? !Number.isSafeInteger(bound) : !Number.isFinite(bound)) {
      complain(place, `has a ${name} that is no ${whole ? "whole " : ""}number`, fixByDefine);
      return false;
    }
  }
  if (min !== undefined && max !== undefined && min > max) {
    complain(place, `has a min of ${min} above its max of ${max}`, "Swap or mend them.");
  }
  return true;
}

function checkSize(place: SpecPlace, value: unknown, name: string, max: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= max) return;
  complain(
    place,
    `has a ${name} that is no whole number from 1 to ${max}`,
    `Set ${name} within it.`,
  );
}

function checkOneOf(place: SpecPlace, values: unknown, limits: Limits): void {
  const isTexts = Array.isArray(values) && values.every((value) => typeof value === "string");
  if (!isTexts || values.length === 0 || values.length > limits.oneOfValuesMax) {
    complain(
      place,
      `needs 1 to ${limits.oneOfValuesMax} texts to choose from`,
      'Write t.oneOf("held", "paid").',
    );
    return;
  }
  if (new Set(values).size < values.length) complain(place, "has a value twice", "Name each once.");
  if (values.some((value: string) => value === "" || value.length > 200 || !value.isWellFormed())) {
    complain(place, "has a value that is empty, longer than 200 or no Unicode", "Use short words.");
  }
}

function readNested(
  place: SpecPlace,
  spec: FieldSpec & { readonly kind: "list" | "object" },
  world: FieldWorld,
  depth: number,
): FieldSpec | null {
  if (depth >= world.limits.fieldDepthMax) {
    return complain(place, "is nested too deeply", "Use a table of its own, or t.json().");
  }
  if (spec.kind === "object") {
    const fields = readFields(place, spec.fields, "nested", world, depth + 1);
    return fields === null ? null : { ...spec, fields };
  }
  const areNumbers = checkBounds(place, spec, { whole: true, required: true });
  if (areNumbers && spec.min < 0)
    complain(place, "has a min below zero", "Write t.list(item, { max: 10 }).");
  const item = readField(inside(place, `${place.what}[]`), spec.item, "nested", world, depth + 1);
  if (item === null) return null;
  if (item.optional === true || item.default !== undefined) {
    return complain(
      place,
      "has items that may be absent",
      "Take .optional() and .default() off the item.",
    );
  }
  return { ...spec, item };
}

/** A default is a value like any other: checked and normalised. */
function readDefault(place: SpecPlace, spec: FieldSpec): FieldSpec | null {
  const initial = spec.default as { readonly value?: Json; readonly now?: unknown } | undefined;
  if (initial === undefined) return spec;
  const given = readObject(inside(place, `${place.what}: its default`), initial, ["value", "now"]);
  if (given === null) return null;
  if (initial.now === true && initial.value === undefined) {
    if (spec.kind === "time" || spec.kind === "date") return spec;
    return complain(
      place,
      `has the default "now", which only times and dates have`,
      "Give a value.",
    );
  }
  const issues: Issue[] = [];
  const value = compileField(spec)(initial.value, "", issues);
  const [issue] = issues;
  if (issue === undefined && initial.now === undefined) return { ...spec, default: { value } };
  return complain(
    place,
    `has a default that does not fit: it ${issue?.problem ?? "says now and a value"}`,
    "Mend the default.",
  );
}

/** Whether a field can stand in an index, an order and a unique constraint. */
export function isKeyKind(spec: FieldSpec): boolean {
  return keyKinds.has(spec.kind) || spec.kind === "bool";
}
