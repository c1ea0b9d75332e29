// A whole input against the fields it is for: arguments of a call, a row to create, a patch. Unknown keys
// are refused, defaults filled in, and all issues told at once.
//
// Private fields: callers never write them (and never read them, query-check.ts); to a caller they do not
// exist, so naming one is an unknown field. Only the system (`db.asSystem`, imports) writes them.
import { PlatformError, type ErrorDetails } from "../base/platform-error.ts";
import type { ErrorCode } from "../base/error-codes.ts";
import type { Json } from "../base/json.ts";
import {
  addIssue,
  countKeys,
  isPlainObject,
  issuesMax,
  refuseUnknown,
  type FieldValidator,
  type Issue,
} from "./field-issue.ts";
import { compileField, compilePresent } from "./field-validate.ts";
import type { FieldSpec } from "./manifest.ts";

/**
 * What the record is for: `args` of a function; a row to `create` (its id is made by the server);
 * an `import` (as create, but an id may be given); a patch to `update` (only keys that are given).
 */
export type RecordMode = "args" | "create" | "import" | "update";

/** On whose behalf a record is written. */
export type RecordWriter = "caller" | "system";

/** A record with its values normalised. Create and import: every field (but a missing id); update: those given. */
export type CheckedRecord = { readonly [field: string]: Json };

/**
 * Checks a record.
 * @param value untrusted. @param now the time of the call, for defaults: RFC 3339, UTC, milliseconds.
 * @throws ARGUMENT_INVALID in mode args; else FIELD_UNKNOWN or FIELD_IMMUTABLE when that is all that is
 * wrong, VALUE_INVALID otherwise. Details: `{ issues: [{ path, problem }] }`.
 */
export type RecordValidator = (value: unknown, now: string) => CheckedRecord;

interface RecordPart {
  readonly name: string;
  readonly spec: FieldSpec;
  readonly check: FieldValidator;
  /** What stands for a missing key; undefined asks the validator, which refuses required ones. */
  initial(now: string): Json | undefined;
}

/**
 * Compiles the fields of a table (with `id`) or of a function's arguments.
 * @throws PatternRefused as compileField does.
 */
export function compileRecord(
  fields: Readonly<Record<string, FieldSpec>>,
  mode: RecordMode,
  writer: RecordWriter = "caller",
): RecordValidator {
  const all = Object.entries(fields);
  const open = all.filter(([name, spec]) => isOpen(name, spec, mode, writer));
  const parts = open.map(([name, spec]) => compilePart(name, spec));
  const hidden = all
    .filter(([name, spec]) => !(name === "id" && mode !== "args") && isHidden(spec, mode, writer))
    .map(([name, spec]) => compilePart(name, spec));
  const names = open.map(([name]) => name);
  const code = mode === "args" ? "ARGUMENT_INVALID" : null;
  const noun = mode === "args" ? "the arguments" : "the row";
  const run = mode === "update" ? compilePatch(parts) : compileWhole(parts, hidden);
  const closed = closedFields(fields, mode, writer);
  return (value, now) => {
    const issues: Issue[] = [];
    // No arguments at all count as none.
    const input = value === undefined || (value === null && mode === "args") ? {} : value;
    if (!isPlainObject(input)) {
      addIssue(issues, "", `${noun} must be an object`);
      throw recordError(issues, code);
    }
    const out: Record<string, Json> = {};
    const found = run(input, now, out, issues);
    if (countKeys(input) !== found) refuseOthers(input, names, closed, issues);
    if (issues.length > 0) throw recordError(issues, code);
    return out;
  };
}

/** The refusal that issues stand for. @param code in place of the one that the issues themselves give. */
export function recordError(issues: readonly Issue[], code: ErrorCode | null): PlatformError {
  const first = issues[0]?.code ?? "VALUE_INVALID";
  const agreed = issues.every((issue) => issue.code === first) ? first : "VALUE_INVALID";
  return new PlatformError(code ?? agreed, issueDetails(issues));
}

/** Issues as the public details of an error. */
export function issueDetails(issues: readonly Issue[]): ErrorDetails {
  return { issues: issues.slice(0, issuesMax).map(({ path, problem }) => ({ path, problem })) };
}

function isOpen(name: string, spec: FieldSpec, mode: RecordMode, writer: RecordWriter): boolean {
  if (mode === "args") return true;
  if (name === "id") return mode === "import";
  return !isHidden(spec, mode, writer) && !(mode === "update" && spec.immutable === true);
}

function isHidden(spec: FieldSpec, mode: RecordMode, writer: RecordWriter): boolean {
  return mode !== "args" && writer === "caller" && spec.private === true;
}

function compilePart(name: string, spec: FieldSpec): RecordPart {
  // A missing id of an import is made by the server.
  const isId = name === "id" && spec.kind === "id" && spec.immutable === true;
  const check = isId ? compileField({ ...spec, optional: true }) : compileField(spec);
  return { name, spec, check, initial: initialOf(spec) };
}

function initialOf(spec: FieldSpec): (now: string) => Json | undefined {
  const { default: initial } = spec;
  if (initial === undefined) return () => undefined;
  if ("value" in initial) return () => initial.value;
  return spec.kind === "date" ? (now) => now.slice(0, 10) : (now) => now;
}

type RecordRun = (
  input: Readonly<Record<string, unknown>>,
  now: string,
  out: Record<string, Json>,
  issues: Issue[],
) => number;

/** Every field: given, by default, or absent. @returns how many keys were given. */
function compileWhole(parts: readonly RecordPart[], hidden: readonly RecordPart[]): RecordRun {
  return (input, now, out, issues) => {
    let found = 0;
    for (const part of parts) {
      let value = input[part.name];
      if (value === undefined) {
        value = part.initial(now);
        if (value === undefined && part.name === "id" && part.spec.immutable === true) continue;
      } else found++;
      out[part.name] = part.check(value, part.name, issues);
    }
    for (const part of hidden) out[part.name] = hiddenValue(part, now, issues);
    return found;
  };
}

/** A private field of a row that a caller creates: its default, or absent; never named to the caller. */
function hiddenValue(part: RecordPart, now: string, issues: Issue[]): Json {
  const value = part.initial(now) ?? null;
  if (value === null && part.spec.optional !== true) {
    return addIssue(issues, "", "rows of this table are created by the app's own functions only");
  }
  return part.check(value, "", issues);
}

/** Only what is given; null clears what is optional. */
function compilePatch(parts: readonly RecordPart[]): RecordRun {
  const patchers = parts.map((part) => ({ ...part, present: compilePresent(part.spec) }));
  return (input, _now, out, issues) => {
    let found = 0;
    for (const { name, spec, present } of patchers) {
      const value = input[name];
      if (value === undefined) continue;
      found++;
      if (value !== null) out[name] = present(value, name, issues);
      else if (spec.optional === true) out[name] = null;
      else addIssue(issues, name, "is required: it can be changed, not cleared");
    }
    return found;
  };
}

/** Fields that exist and may not be given, with the reason. */
function closedFields(
  fields: Readonly<Record<string, FieldSpec>>,
  mode: RecordMode,
  writer: RecordWriter,
): ReadonlyMap<string, string> {
  const closed = new Map<string, string>();
  if (mode === "args" || mode === "import") return closed;
  for (const [name, spec] of Object.entries(fields)) {
    if (name === "id") {
      closed.set(name, mode === "create" ? "is made by the server" : "cannot be changed");
    } else if (mode === "update" && spec.immutable === true && !isHidden(spec, mode, writer)) {
      closed.set(name, "is set once, when the row is created");
    }
  }
  return closed;
}

/** Issues for keys that are closed or unknown. */
function refuseOthers(
  input: Readonly<Record<string, unknown>>,
  names: readonly string[],
  closed: ReadonlyMap<string, string>,
  issues: Issue[],
): void {
  for (const [name, problem] of closed) {
    if (input[name] !== undefined) addIssue(issues, name, problem, "FIELD_IMMUTABLE");
  }
  const rest = Object.entries(input).filter(([name]) => !closed.has(name));
  refuseUnknown(Object.fromEntries(rest), names, "", issues);
}
