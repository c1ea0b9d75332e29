// One value against its field: compiles a FieldSpec into a closure that checks and normalises. The one
// place that says what a value may be; doors, functions and imports all pass here. Text is never changed,
// only times (to UTC) and -0 (to 0). Invariant: a value that comes out passes again unchanged.
import { isTypeId, typeIdPrefix } from "../base/type-id.ts";
import type { Json } from "../base/json.ts";
import { limits as defaultLimits } from "../base/limits.ts";
import { isBase64, base64Bytes } from "./field-base64.ts";
import { compilePattern } from "./field-pattern.ts";
import { checkFormat, textProblem } from "./field-format.ts";
import {
  addIssue,
  countKeys,
  isPlainObject,
  issuesMax,
  refuseUnknown,
  type FieldValidator,
  type Issue,
} from "./field-issue.ts";
import { compileJson } from "./field-json.ts";
import { isDate, parseTime } from "./field-time.ts";
import type { FieldSpec } from "./manifest.ts";

/**
 * Compiles a field: null passes only an optional one.
 * @throws PatternRefused when a text's pattern can't be used; buildManifest refuses such apps before.
 */
export function compileField(spec: FieldSpec): FieldValidator {
  const present = compilePresent(spec);
  const optional = spec.optional === true;
  return (value, path, issues) => {
    if (value !== null && value !== undefined) return present(value, path, issues);
    return optional ? null : addIssue(issues, path, "is required");
  };
}

/** Compiles a field for values that are there. */
export function compilePresent(spec: FieldSpec): FieldValidator {
  switch (spec.kind) {
    case "id":
    case "ref":
      return compileId(spec.table);
    case "text":
      return compileText(spec);
    case "int":
      return compileWhole(spec.min, spec.max, "must be a whole number");
    case "money":
      return compileWhole(
        spec.min ?? Number.MIN_SAFE_INTEGER,
        spec.max ?? Number.MAX_SAFE_INTEGER,
        `must be a whole number of minor units of ${spec.currency} (12.50 is 1250 where there are two decimals)`,
      );
    case "number":
      return compileNumber(spec.min ?? -Infinity, spec.max ?? Infinity);
    case "bool":
      return (value, path, issues) =>
        typeof value === "boolean" ? value : addIssue(issues, path, "must be true or false");
    case "time":
      return validTime;
    case "date":
      return validDate;
    case "json":
      return compileJson(spec.maxBytes, defaultLimits.jsonDepthMax);
    case "oneOf":
      return compileOneOf(spec.values);
    case "list":
      return compileList(spec);
    case "object":
      return compileObject(spec.fields);
    case "bytes":
      return compileBytes(spec.max);
    default:
      return spec satisfies never;
  }
}

function compileId(table: string): FieldValidator {
  const prefix = typeIdPrefix(table);
  return (value, path, issues) =>
    typeof value === "string" && isTypeId(value, prefix)
      ? value
      : addIssue(issues, path, `must be the id of a ${table}: ${prefix}_ and 26 characters`);
}

function compileText(spec: FieldSpec & { readonly kind: "text" }): FieldValidator {
  const { min, max, format } = spec;
  const pattern = spec.pattern === undefined ? null : compilePattern(spec.pattern);
  return (value, path, issues) => {
    if (typeof value !== "string") return addIssue(issues, path, "must be text");
    // Length first: everything after it then works on bounded input.
    if (value.length > max) return addIssue(issues, path, `must have at most ${max} characters`);
    if (value.length < min) {
      return addIssue(
        issues,
        path,
        min === 1 ? "must not be empty" : `must have at least ${min} characters`,
      );
    }
    const broken = textProblem(value);
    if (broken !== null) return addIssue(issues, path, broken);
    if (format !== undefined) {
      const problem = checkFormat(format, value);
      if (problem !== null) return addIssue(issues, path, problem);
    }
    if (pattern !== null && !pattern.test(value)) {
      return addIssue(issues, path, `must match the pattern ${spec.pattern}`);
    }
    return value;
  };
}

function compileWhole(min: number, max: number, problem: string): FieldValidator {
  return (value, path, issues) => {
    if (!Number.isSafeInteger(value)) return addIssue(issues, path, problem);
    const number = value as number;
    if (number < min) return addIssue(issues, path, `must be at least ${min}`);
    if (number > max) return addIssue(issues, path, `must be at most ${max}`);
    return number === 0 ? 0 : number;
  };
}

function compileNumber(min: number, max: number): FieldValidator {
  return (value, path, issues) => {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      return addIssue(issues, path, "must be a number");
    }
    if (value < min) return addIssue(issues, path, `must be at least ${min}`);
    if (value > max) return addIssue(issues, path, `must be at most ${max}`);
    return value === 0 ? 0 : value;
  };
}

function validTime(value: unknown, path: string, issues: Issue[]): Json {
  const time = typeof value === "string" ? parseTime(value) : null;
  if (time !== null) return time;
  return addIssue(
    issues,
    path,
    "must be a time with its offset, like 2026-01-31T20:15:00Z or 2026-01-31T21:15:00+01:00",
  );
}

function validDate(value: unknown, path: string, issues: Issue[]): Json {
  if (typeof value === "string" && isDate(value)) return value;
  return addIssue(issues, path, "must be a day that exists, like 2026-01-31");
}

function compileOneOf(values: readonly string[]): FieldValidator {
  const known = new Set<unknown>(values);
  const shown = values.slice(0, 10).map((value) => JSON.stringify(value));
  const problem = `must be one of ${shown.join(", ")}${values.length > 10 ? ", ..." : ""}`;
  return (value, path, issues) =>
    known.has(value) ? (value as string) : addIssue(issues, path, problem);
}

function compileList(spec: FieldSpec & { readonly kind: "list" }): FieldValidator {
  const item = compileField(spec.item);
  const { min, max } = spec;
  return (value, path, issues) => {
    if (!Array.isArray(value)) return addIssue(issues, path, "must be a list");
    if (value.length > max) return addIssue(issues, path, `must have at most ${max} items`);
    if (value.length < min) return addIssue(issues, path, `must have at least ${min} items`);
    const items: Json[] = [];
    for (let index = 0; index < value.length; index++) {
      items.push(item(value[index], `${path}[${index}]`, issues));
      if (issues.length >= issuesMax) break;
    }
    return items;
  };
}

/** A nested object has exactly its keys; optional ones that are missing come out as null. */
function compileObject(fields: Readonly<Record<string, FieldSpec>>): FieldValidator {
  const names = Object.keys(fields);
  const parts = Object.entries(fields).map(([name, spec]) => ({
    name,
    check: compileField(spec),
    initial: spec.default !== undefined && "value" in spec.default ? spec.default.value : undefined,
  }));
  return (value, path, issues) => {
    if (!isPlainObject(value)) return addIssue(issues, path, "must be an object");
    const out: Record<string, Json> = {};
    let found = 0;
    const prefix = path === "" ? "" : `${path}.`;
    for (const { name, check, initial } of parts) {
      let given = value[name];
      if (given === undefined) given = initial;
      else found++;
      out[name] = check(given, prefix + name, issues);
    }
    if (countKeys(value) !== found) refuseUnknown(value, names, prefix, issues);
    return out;
  };
}

function compileBytes(max: number): FieldValidator {
  return (value, path, issues) => {
    if (typeof value !== "string") return addIssue(issues, path, "must be bytes in base64");
    const tooLong = `must have at most ${max} bytes`;
    if (value.length > Math.ceil(max / 3) * 4) return addIssue(issues, path, tooLong);
    if (!isBase64(value)) {
      return addIssue(issues, path, "must be base64 (RFC 4648 section 4, with padding)");
    }
    return base64Bytes(value) > max ? addIssue(issues, path, tooLong) : value;
  };
}
