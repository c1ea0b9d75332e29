// The kinds of fields: `t.text()`, `t.ref("film")`... Used for tables, arguments and results alike.
import { currencies } from "./currencies.ts";
import { defaultLimits } from "./default-limits.ts";
import { DefinitionError } from "./definition-error.ts";
import { makeField, type AnyField, type Field } from "./field.ts";
import type {
  BoolType,
  BytesType,
  Fields,
  IdType,
  JsonType,
  ListType,
  NumberType,
  ObjectType,
  OneOfType,
  RefType,
  TextType,
  TimeType,
} from "./field-types.ts";
import { checkCase, checkName } from "./name-check.ts";
import { checkOptions } from "./option-check.ts";
import type { FieldSpec } from "./spec.ts";

/** Bounds, inclusive. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/** Bounds of a text in UTF-16 code units, and its form. */
export interface TextOptions extends Bounds {
  /** Must match the whole text. As text: the source of a regular expression (flag `v`). */
  readonly pattern?: RegExp | string;
  readonly format?: "email" | "url" | "slug";
}

const boundNames = ["min", "max"];

/** What becomes of a row when the row that it refers to is deleted. */
export type OnDelete = "refuse" | "cascade" | "clear";

/** A result of no value. */
export interface Nothing {
  readonly kind: "nothing";
}

/** The id of a row of `table`, not checked to exist: for arguments and results. @param table a table of this app. */
function id<const T extends string>(table: T): Field<IdType<T>> {
  return makeField({ kind: "id", table }, id);
}

/**
 * A reference to a row that must exist.
 * @param table a table of this app, or `org`: an organisation. @param options.onDelete when the target is deleted:
 * "refuse" (default), "cascade" (delete this row too) or "clear" (set to null; the field must be optional).
 */
function ref<const T extends string>(
  table: T,
  options: { onDelete?: OnDelete } = {},
): Field<RefType<T>> {
  checkOptions("t.ref", options, ["onDelete"], ref);
  const onDelete = options.onDelete ?? "refuse";
  if (onDelete !== "refuse" && onDelete !== "cascade" && onDelete !== "clear") {
    throw new DefinitionError(
      `onDelete is ${JSON.stringify(onDelete)}.`,
      'Use "refuse", "cascade" or "clear".',
      ref,
    );
  }
  return makeField({ kind: "ref", table, onDelete }, ref);
}

/** Text of at most `max` (default 10,000) UTF-16 code units. */
function text(options: TextOptions = {}): Field<TextType> {
  checkOptions("t.text", options, [...boundNames, "pattern", "format"], text);
  const { min = 0, max = defaultLimits.textMax, format } = options;
  checkSizes({ min, max }, "text", text);
  if (format !== undefined && format !== "email" && format !== "url" && format !== "slug") {
    throw new DefinitionError(
      `There is no format ${JSON.stringify(format)}.`,
      'Use "email", "url" or "slug".',
      text,
    );
  }
  const pattern = patternSource(options.pattern);
  return makeField(
    {
      kind: "text",
      min,
      max,
      ...(pattern !== undefined && { pattern }),
      ...(format !== undefined && { format }),
    },
    text,
  );
}

/** A whole number that JavaScript holds exactly. Default bounds: plus and minus 2^53 - 1. */
function int(options: Bounds = {}): Field<NumberType<"int">> {
  checkOptions("t.int", options, boundNames, int);
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
  checkWhole({ min, max }, "int", int);
  return makeField({ kind: "int", min, max }, int);
}

/** A finite number. For money use `t.money`. */
function number(options: Bounds = {}): Field<NumberType<"number">> {
  checkOptions("t.number", options, boundNames, number);
  checkOrder(options, "number", number);
  return makeField({ kind: "number", ...given(options) }, number);
}

/** True or false. */
function bool(...options: readonly never[]): Field<BoolType> {
  checkOptions("t.bool", options[0], [], bool);
  return makeField({ kind: "bool" }, bool);
}

/** An instant: RFC 3339 with any offset as input, always UTC with milliseconds as read, `2026-01-31T20:15:00.000Z`. */
function time(...options: readonly never[]): Field<TimeType<"time">> {
  checkOptions("t.time", options[0], [], time);
  return makeField({ kind: "time" }, time);
}

/** A day of the calendar, without zone: `2026-01-31`. */
function date(...options: readonly never[]): Field<TimeType<"date">> {
  checkOptions("t.date", options[0], [], date);
  return makeField({ kind: "date" }, date);
}

/** Any JSON of at most `maxBytes` (default 65,536) when serialised. `V` tells its shape to tsc; it is not checked. */
function json<V = unknown>(options: { readonly maxBytes?: number } = {}): Field<JsonType<V>> {
  checkOptions("t.json", options, ["maxBytes"], json);
  const { maxBytes = defaultLimits.jsonBytesMax } = options;
  checkSizes({ min: 0, max: maxBytes }, "json", json);
  return makeField({ kind: "json", maxBytes }, json);
}

/** An amount in minor units (cents), a whole number. @param currency ISO 4217. */
function money(currency: string, options: Bounds = {}): Field<NumberType<"money">> {
  if (!currencies.has(currency)) {
    throw new DefinitionError(
      `${JSON.stringify(currency)} is no currency.`,
      'Use a code of ISO 4217: "EUR".',
      money,
    );
  }
  checkOptions("t.money", options, boundNames, money);
  checkWhole(options, "money", money);
  return makeField({ kind: "money", currency, ...given(options) }, money);
}

/** One of these texts. */
function oneOf<const V extends string>(...values: readonly V[]): Field<OneOfType<V>> {
  const problem = oneOfProblem(values);
  if (problem !== null)
    throw new DefinitionError(problem, 'List different texts: t.oneOf("held", "paid").', oneOf);
  return makeField({ kind: "oneOf", values: Object.freeze([...values]) }, oneOf);
}

/** Values of one kind, at most `max` (default 1,000). */
function list<const I extends AnyField>(item: I, options: Bounds = {}): Field<ListType<I>> {
  checkOptions("t.list", options, boundNames, list);
  const { min = 0, max = defaultLimits.listMax } = options;
  checkSizes({ min, max }, "list", list);
  checkField("An item of a list", item, list);
  checkNested("An item of a list", item.spec, list);
  if (item.spec.optional || item.spec.default !== undefined) {
    throw new DefinitionError(
      "An item of a list can't be optional or have a default.",
      "Make the list optional.",
      list,
    );
  }
  return makeField({ kind: "list", item: item.spec, min, max }, list);
}

/** Named values, stored as one. */
function object<const F extends Fields>(fields: F): Field<ObjectType<F>> {
  const specs: Record<string, FieldSpec> = {};
  for (const [name, field] of Object.entries(fields)) {
    checkName("field", name, object);
    checkField(`"${name}"`, field, object);
    checkNested(`"${name}"`, field.spec, object);
    specs[name] = field.spec;
  }
  checkCase("field", Object.keys(specs), object);
  return makeField({ kind: "object", fields: Object.freeze(specs) }, object);
}

/** Bytes, base64 as text, at most `max` (default 65,536) once decoded. */
function bytes(options: { readonly max?: number } = {}): Field<BytesType> {
  checkOptions("t.bytes", options, ["max"], bytes);
  const { max = defaultLimits.bytesMax } = options;
  checkSizes({ min: 0, max }, "bytes", bytes);
  return makeField({ kind: "bytes", max }, bytes);
}

/** For `returns`: the function gives back nothing. */
function nothing(): Nothing {
  return nothingSpec;
}

const nothingSpec: Nothing = Object.freeze({ kind: "nothing" });

/** The kinds of fields. */
export const t = Object.freeze({
  id,
  ref,
  text,
  int,
  number,
  bool,
  time,
  date,
  json,
  money,
  oneOf,
  list,
  object,
  bytes,
  nothing,
});

function given(bounds: Bounds): Bounds {
  return {
    ...(bounds.min !== undefined && { min: bounds.min }),
    ...(bounds.max !== undefined && { max: bounds.max }),
  };
}

function checkOrder(bounds: Bounds, kind: string, at: Function): void {
  for (const bound of [bounds.min, bounds.max]) {
    if (bound === undefined || (typeof bound === "number" && Number.isFinite(bound))) continue;
    throw new DefinitionError(
      `A bound of t.${kind} is ${String(bound)}.`,
      "Bounds are numbers.",
      at,
    );
  }
  if (bounds.min !== undefined && bounds.max !== undefined && bounds.min > bounds.max) {
    throw new DefinitionError(
      `min (${bounds.min}) is greater than max (${bounds.max}): no value fits.`,
      "Exchange them.",
      at,
    );
  }
}

function checkWhole(bounds: Bounds, kind: string, at: Function): void {
  checkOrder(bounds, kind, at);
  for (const bound of [bounds.min, bounds.max]) {
    if (bound === undefined || Number.isSafeInteger(bound)) continue;
    throw new DefinitionError(
      `A bound of t.${kind} is ${bound}.`,
      "Its bounds are whole numbers.",
      at,
    );
  }
}

function checkSizes(bounds: Bounds, kind: string, at: Function): void {
  checkWhole(bounds, kind, at);
  if (bounds.min !== undefined && bounds.min < 0) {
    throw new DefinitionError(
      `The least size of t.${kind} is ${bounds.min}.`,
      "Sizes are not negative.",
      at,
    );
  }
  if (bounds.max === undefined || bounds.max >= 1) return;
  throw new DefinitionError(
    `The greatest size of t.${kind} is ${bounds.max}.`,
    "Use 1 or more.",
    at,
  );
}

function patternSource(pattern: RegExp | string | undefined): string | undefined {
  if (pattern === undefined) return undefined;
  if (pattern instanceof RegExp && /[^uv]/.test(pattern.flags)) {
    throw new DefinitionError(
      `The pattern has the flags "${pattern.flags}", which can't be kept.`,
      "Write it without flags: [Aa] stands for both cases.",
      text,
    );
  }
  const source = pattern instanceof RegExp ? pattern.source : pattern;
  try {
    void new RegExp(`^(?:${source})$`, "v");
  } catch (error) {
    throw new DefinitionError(
      `The pattern is not valid: ${(error as Error).message}.`,
      "It must compile with the flag `v`; there, some characters inside [...] need a backslash.",
      text,
    );
  }
  return source;
}

function oneOfProblem(values: readonly string[]): string | null {
  if (values.length === 0) return "t.oneOf has no values.";
  for (const [index, value] of values.entries()) {
    if (typeof value !== "string") return `t.oneOf takes texts, not ${String(value)}.`;
    if (value === "") return "t.oneOf has an empty text among its values.";
    if (values.indexOf(value) !== index) return `t.oneOf names "${value}" twice.`;
  }
  return null;
}

/** @throws DefinitionError when this is not a field: `text()` forgotten to be called, a plain object. */
export function checkField(what: string, field: unknown, at: Function): void {
  if (typeof field === "object" && field !== null && "spec" in field) return;
  throw new DefinitionError(`${what} is not a field.`, "Use one of t: `t.text()`.", at);
}

function checkNested(what: string, spec: FieldSpec, at: Function): void {
  if (spec.kind === "ref") {
    throw new DefinitionError(
      `${what} is a reference, which only a table's own field can be.`,
      `Use t.id("${spec.table}").`,
      at,
    );
  }
  for (const flag of ["private", "immutable", "unique", "claim"] as const) {
    if (!spec[flag]) continue;
    throw new DefinitionError(
      `${what} can't be ${flag} by itself.`,
      `Make the whole field ${flag}.`,
      at,
    );
  }
}
