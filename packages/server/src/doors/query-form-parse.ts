// Where the one query form (law 4) enters: from a query string, or as JSON in a batch. Only its shape is
// checked here; fields, operators and rights are the gate's business.
import { parseJson } from "../base/json-parse.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { didYouMean } from "../model/field-issue.ts";
import { recordError } from "../model/field-record.ts";
import type { QueryForm } from "../model/query-form.ts";
import { decodePart } from "./http-target.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a query may be asked for: a list takes all of the form, one row only its shape. */
export type QueryScope = "list" | "row";

const allKeys: readonly string[] = [
  "where",
  "search",
  "orderBy",
  "limit",
  "after",
  "with",
  "select",
  "aggregate",
  "groupBy",
];
const rowKeys: ReadonlySet<string> = new Set(["with", "select"]);
const noForm: QueryForm = Object.freeze({});

/**
 * Reads `where=<json>&orderBy=-rating,id&limit=20&after=<cursor>&with=film&select=a,b&search=...`.
 * @param query without the question mark, percent-encoded.
 * @throws REQUEST_INVALID for a parameter given twice; QUERY_INVALID for an unknown one or a bad value; JSON_*.
 */
export function parseQueryString(
  query: string,
  scope: QueryScope,
  jsonDepthMax: number,
): QueryForm {
  if (query === "") return noForm;
  const form: Mutable<QueryForm> = {};
  const seen = new Set<string>();
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if (equals === -1)
      throw new PlatformError("REQUEST_INVALID", { problem: "a parameter without a value" });
    const name = decodeQueryPart(pair.slice(0, equals));
    if (seen.has(name))
      throw new PlatformError("REQUEST_INVALID", { parameter: name, problem: "given twice" });
    seen.add(name);
    if (scope === "row" && !rowKeys.has(name)) throw unknownKey(name, scope);
    setFromText(form, name, decodeQueryPart(pair.slice(equals + 1)), jsonDepthMax);
  }
  return form;
}

/**
 * Reads the form from JSON. @param json already parsed, of bounded depth.
 * @throws QUERY_INVALID for an unknown key or a value of another type.
 */
export function parseQueryForm(json: Json | undefined, scope: QueryScope): QueryForm {
  if (json === undefined) return noForm;
  if (json === null || typeof json !== "object" || Array.isArray(json)) {
    throw queryInvalid("", "a query must be an object");
  }
  const form: Mutable<QueryForm> = {};
  for (const [name, value] of Object.entries(json)) {
    if (scope === "row" && !rowKeys.has(name)) throw unknownKey(name, scope);
    setFromJson(form, name, value);
  }
  return form;
}

function setFromText(form: Mutable<QueryForm>, name: string, text: string, depthMax: number): void {
  switch (name) {
    case "where":
    case "aggregate":
      form[name] = jsonOf(name, text, depthMax);
      return;
    case "with":
      form.with =
        text.startsWith("{") || text.startsWith("[") ? jsonOf(name, text, depthMax) : words(text);
      return;
    case "search":
    case "after":
      form[name] = text;
      return;
    case "orderBy":
    case "select":
    case "groupBy":
      form[name] = words(text);
      return;
    case "limit":
      if (!/^\d{1,9}$/v.test(text)) throw badValue(name, "a whole number");
      form.limit = Number(text);
      return;
    default:
      throw unknownKey(name, "list");
  }
}

function setFromJson(form: Mutable<QueryForm>, name: string, value: Json): void {
  switch (name) {
    case "where":
    case "aggregate":
    case "with":
      form[name] = value;
      return;
    case "search":
    case "after":
      if (typeof value !== "string") throw badValue(name, "a text");
      form[name] = value;
      return;
    case "orderBy":
    case "groupBy":
      form[name] = typeof value === "string" ? value : texts(name, value);
      return;
    case "select":
      form.select = texts(name, value);
      return;
    case "limit":
      if (typeof value !== "number") throw badValue(name, "a whole number");
      form.limit = value;
      return;
    default:
      throw unknownKey(name, "list");
  }
}

function words(text: string): string[] {
  return text === "" ? [] : text.split(",").map((word) => word.trim());
}

function texts(name: string, value: Json): string[] {
  if (!Array.isArray(value)) throw badValue(name, "a list of names");
  return value.map((item) => {
    if (typeof item !== "string") throw badValue(name, "a list of names");
    return item;
  });
}

/** In a query string a plus sign is a space (the form encoding that URLSearchParams writes). */
function decodeQueryPart(part: string): string {
  return decodePart(part.includes("+") ? part.replaceAll("+", " ") : part);
}

/** @throws JSON_*, saying which parameter it is. */
function jsonOf(parameter: string, text: string, depthMax: number): Json {
  try {
    return parseJson(text, depthMax);
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    const isInvalid = error.code === "JSON_INVALID";
    const said = isInvalid ? `The parameter ${parameter} is not valid JSON.` : error.message;
    const details = { ...error.details, parameter };
    throw new PlatformError(error.code, details, { cause: error, text: said });
  }
}

function unknownKey(name: string, scope: QueryScope): PlatformError {
  const known = allKeys.filter((key) => scope === "list" || rowKeys.has(key));
  const hint = didYouMean(name, known) || `; there are ${known.join(", ")}`;
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name;
  return queryInvalid(shown, `is no part of a query${scope === "row" ? " of one row" : ""}${hint}`);
}

function badValue(name: string, expected: string): PlatformError {
  return queryInvalid(name, `must be ${expected}`);
}

function queryInvalid(path: string, problem: string): PlatformError {
  return recordError([{ path, problem, code: "VALUE_INVALID" }], "QUERY_INVALID");
}
