// Reads the rules, the tables' checks and the places of functions from an app's sources. The sources are
// parsed, never run; what lies outside the rule language is a mistake with its place and what to write.
// All mistakes are collected: a rule that has one is left out, and so denies.
import type { Expression } from "oxc-parser";
import type { AppSpec } from "@keelson/sdk/spec";
import { limits, type Limits } from "../base/limits.ts";
import type { AppMistake } from "./app-mistake.ts";
import type { SourcePlace } from "./manifest.ts";
import { nameableTables } from "./platform-tables.ts";
import { ruleChildren } from "./rule-analyse.ts";
import {
  findApp,
  findFunctions,
  findRulesCalls,
  findTables,
  findUnseen,
  plain,
  type AppSource,
  type TableSource,
} from "./rule-app.ts";
import type { FieldRules, Rule, RuleExpr, RuleValue, TableRules } from "./rule-ast.ts";
import { makeReader, refuseSize } from "./rule-read.ts";
import { lineColumn, SourceSet } from "./rule-source.ts";
import { errorName } from "./rule-suggest.ts";
import {
  asTruth,
  describe,
  refuse,
  type FunctionThing,
  type ObjectEntry,
  type Reader,
  type Scope,
  type Site,
  type Thing,
} from "./rule-thing.ts";

/** A check of a table; `message` is what the caller reads. */
export interface TableCheck {
  readonly rule: Rule;
  readonly message?: string;
}

/** What the sources say of one table. */
export interface TableReading {
  readonly rules: TableRules;
  /** In the order of the chain. */
  readonly checks: readonly TableCheck[];
  /** Where `define` names it. */
  readonly at?: SourcePlace;
}

/** What the sources say of the app. */
export interface RuleReading {
  /** Every table of the spec. */
  readonly tables: Readonly<Record<string, TableReading>>;
  /** By `module.name`; a function whose place was not found is not there. */
  readonly functions: Readonly<Record<string, SourcePlace>>;
  /** Null when it was not found. */
  readonly app: AppSource | null;
  readonly mistakes: readonly AppMistake[];
}

/** What to read. */
export interface RuleSources {
  /** Text of TypeScript by path relative to the app's folder. */
  readonly sources: ReadonlyMap<string, string>;
  readonly spec: AppSpec;
  /** Default: the server's. */
  readonly limits?: Pick<Limits, "ruleNodesMax">;
}

type Operation = "read" | "create" | "update" | "delete";

/** Levels of one rule: SQLite takes expressions of 1,000 levels, and one level here takes up to five there. */
const depthMax = 100;

const writes = ["create", "update", "delete"] as const;
const ruleKeys = ["read", "create", "update", "delete", "write", "fields"];

const roots: Readonly<Record<Operation | "field" | "check", readonly ("row" | "next")[]>> = {
  read: ["row"],
  create: ["next"],
  update: ["row", "next"],
  delete: ["row"],
  field: ["row", "next"],
  check: ["row", "next"],
};

const unseen = {
  rules: [
    "The rules could not be found in the app's sources.",
    "Write `export default rules({ ... })` at the top of a file, with `rules` from your `define(...)`.",
  ],
  define: [
    "The call of `define` could not be found.",
    "Write `export const { rules, app } = define({ ... })` at the top of a file.",
  ],
} as const;

/** Reads an app's sources. @returns what was understood, and every mistake. */
export function readRules(input: RuleSources): RuleReading {
  const sources = new SourceSet(input.sources);
  const { ruleNodesMax } = input.limits ?? limits;
  const { tables } = input.spec;
  const reader = makeReader(sources, {
    tables: { ...nameableTables, ...tables },
    nodesMax: ruleNodesMax,
  });
  const places = findTables(sources);
  for (const { file, node, what } of findUnseen(sources)) {
    const [problem, fix] = unseen[what];
    refuse(reader, { file, node }, problem, fix);
  }
  const rules = readAllRules(reader);
  const readings = Object.entries(tables).map(([table, { checks }]): [string, TableReading] => {
    const source = places.get(table);
    return [
      table,
      {
        rules: rules.get(table) ?? { fields: {} },
        checks: source === undefined ? [] : readChecks(reader, table, source, checks),
        ...(source === undefined ? {} : { at: source.at }),
      },
    ];
  });
  for (const [table, own] of rules) {
    if (!Object.hasOwn(tables, table)) readings.push([table, { rules: own, checks: [] }]);
  }
  const functions = findFunctions(sources);
  return freezeDeep({
    tables: Object.fromEntries(readings),
    functions,
    app: findApp(sources),
    mistakes: sources.mistakes,
  });
}

function readAllRules(reader: Reader): ReadonlyMap<string, TableRules> {
  const all = new Map<string, TableRules>();
  for (const { file, node } of findRulesCalls(reader.sources)) {
    const scope: Scope = { file, names: new Map(), around: null };
    const [argument] = node.arguments;
    const site: Site = { file, node: argument ?? node };
    if (argument === undefined || argument.type === "SpreadElement") {
      refuse(
        reader,
        site,
        "`rules` takes an object.",
        "Write `rules({ film: { read: () => true } })`.",
      );
      continue;
    }
    const object = readFresh(reader, argument, scope);
    for (const [table, entry] of entriesOf(reader, object, site)) {
      const place: Site = { file: entry.scope.file, node: entry.key };
      const names = Object.keys(reader.tables);
      if (!names.includes(table)) {
        refuse(reader, place, `There is no table \`${table}\`.`, errorName(table, names, "Tables"));
      } else if (all.has(table)) {
        const fix = "Keep one entry for each table.";
        refuse(reader, place, `The rules of \`${table}\` are written twice.`, fix);
      } else {
        const own = readTableRules(reader, table, entry);
        if (Object.hasOwn(nameableTables, table)) assertReadsOnly(reader, place, table, own);
        all.set(table, own);
      }
    }
  }
  return all;
}

/** The platform's own rows are written by the platform alone. */
function assertReadsOnly(reader: Reader, place: Site, table: string, rules: TableRules): void {
  const writesRow = writes.some((operation) => rules[operation] !== undefined);
  const writesField = Object.values(rules.fields).some(({ write }) => write !== undefined);
  if (!writesRow && !writesField) return;
  const fix = "Rules say who reads it: read, and fields.{name}.read.";
  refuse(reader, place, `\`${table}\` is written by the platform alone.`, fix);
}

function readTableRules(reader: Reader, table: string, entry: ObjectEntry): TableRules {
  const object = readFresh(reader, entry.node, entry.scope);
  const entries = entriesOf(reader, object, { file: entry.scope.file, node: entry.node });
  const found: { -readonly [key in Operation]?: Rule } = {};
  for (const [key, each] of entries) {
    if (ruleKeys.includes(key)) continue;
    const place: Site = { file: each.scope.file, node: each.key };
    refuse(reader, place, `There is no rule \`${key}\`.`, errorName(key, ruleKeys, "Rules"));
  }
  const write = entries.get("write");
  for (const operation of ["read", ...writes] as const) {
    const own = entries.get(operation);
    const source = own ?? (operation === "read" ? undefined : write);
    if (source === undefined) continue;
    const name = operation === "update" ? "an update rule" : `a ${operation} rule`;
    const what = own === undefined ? `a write rule, where it stands for ${operation},` : name;
    const inputs = { table, what, roots: roots[operation] };
    const rule = readRule(reader, source, inputs);
    if (rule !== null) found[operation] = rule;
  }
  return { ...found, fields: readFieldRules(reader, table, entries.get("fields")) };
}

function readFieldRules(
  reader: Reader,
  table: string,
  entry: ObjectEntry | undefined,
): Readonly<Record<string, FieldRules>> {
  if (entry === undefined) return {};
  const object = readFresh(reader, entry.node, entry.scope);
  const fields: Record<string, FieldRules> = {};
  const names = Object.keys(reader.tables[table]?.fields ?? {});
  for (const [field, each] of entriesOf(reader, object, siteOf(entry))) {
    const place: Site = { file: each.scope.file, node: each.key };
    if (!names.includes(field)) {
      const problem =
        field === "id" ? "`id` has no rule of its own." : `\`${table}\` has no field \`${field}\`.`;
      refuse(reader, place, problem, errorName(field, names, "Fields"));
      continue;
    }
    fields[field] = readFieldRule(reader, table, each);
  }
  return fields;
}

function readFieldRule(reader: Reader, table: string, entry: ObjectEntry): FieldRules {
  const object = readFresh(reader, entry.node, entry.scope);
  const found: { -readonly [key in "read" | "write"]?: Rule } = {};
  for (const [key, each] of entriesOf(reader, object, siteOf(entry))) {
    if (key !== "read" && key !== "write") {
      const place: Site = { file: each.scope.file, node: each.key };
      const fix = errorName(key, ["read", "write"], "A field has");
      refuse(reader, place, `There is no field rule \`${key}\`.`, fix);
      continue;
    }
    const what = `a field's ${key} rule`;
    const rule = readRule(reader, each, {
      table,
      what,
      roots: roots[key === "read" ? "read" : "field"],
    });
    if (rule !== null) found[key] = rule;
  }
  return found;
}

function readChecks(
  reader: Reader,
  table: string,
  source: TableSource,
  expected: number,
): readonly TableCheck[] {
  const checks = source.checks.flatMap(({ file, node }): readonly TableCheck[] => {
    const scope: Scope = { file, names: new Map(), around: null };
    const [test, message] = node.arguments;
    const site: Site = { file, node: test ?? node };
    if (test === undefined || test.type === "SpreadElement") {
      refuse(reader, site, "`check` takes a function.", "Write `.check(({ next }) => ...)`.");
      return [];
    }
    const entry: ObjectEntry = { node: test, scope, key: test };
    const rule = readRule(reader, entry, { table, what: "a check", roots: roots.check });
    if (rule === null) return [];
    const text = message === undefined ? null : readFresh(reader, message as Expression, scope);
    if (message === undefined) return [{ rule }];
    if (text?.kind === "value" && text.value.kind === "literal") {
      const { value } = text.value;
      if (typeof value === "string") return [{ rule, message: value }];
    }
    const fix = 'Write it as text: `.check(..., "The stock is empty.")`.';
    refuse(reader, { file, node: message }, "The message of a check is a constant text.", fix);
    return [];
  });
  if (source.checks.length !== expected) {
    const file = reader.sources.files.find(({ path }) => path === source.at.file);
    const fix = "Write every `.check(...)` in the chain behind `table({ ... })`.";
    const problem = `\`${table}\` has ${expected} checks, of which ${source.checks.length} can be read.`;
    if (file !== undefined)
      refuse(reader, { file, node: offsetOf(file.text, source.at) }, problem, fix);
  }
  return checks;
}

interface RuleInputs {
  readonly table: string;
  /** How mistakes call the rule: "a read rule". */
  readonly what: string;
  readonly roots: readonly ("row" | "next")[];
}

function readRule(reader: Reader, entry: ObjectEntry, inputs: RuleInputs): Rule | null {
  const site = siteOf(entry);
  const before = reader.sources.refusals;
  const fn = readFresh(reader, entry.node, entry.scope);
  if (fn === null) return null;
  if (fn.kind !== "function") {
    const shown =
      fn.kind === "value" && fn.value.kind === "literal" ? String(fn.value.value) : "...";
    const fix = `Write a function: \`() => ${shown}\`.`;
    return refuse(reader, site, `A rule is a function, not ${describe(fn)}.`, fix);
  }
  const ends: Site = { file: fn.scope.file, node: fn.node };
  const result = reader.call(fn, fn.node.params.length === 0 ? [] : [inputThing(inputs)], ends);
  const expr = result === null ? null : asTruth(reader, result, resultSite(fn));
  if (expr === null || reader.sources.refusals > before) return null;
  if (isTooLarge(expr, reader.nodesMax)) {
    return refuseSize(reader, ends);
  }
  const { path, text } = fn.scope.file;
  const at = { file: path, start: fn.node.start, end: fn.node.end };
  const { line, column } = lineColumn(text, at.start);
  return { expr, at, line, column, text: text.slice(at.start, at.end) };
}

function inputThing({ table, what, roots: names }: RuleInputs): Thing {
  const given = new Map<string, Thing>(
    names.map((kind) => [kind, { kind: "row", root: { kind }, table }]),
  );
  if (what !== "a check") {
    given.set("me", { kind: "me" });
    const at = { file: "", start: 0, end: 0 };
    given.set("now", { kind: "value", value: { kind: "now", at }, type: { kind: "time" } });
    given.set("db", { kind: "db" });
  }
  return { kind: "input", what, roots: given };
}

/** What a mistake about the result points at: the expression of an arrow, else the function. */
function resultSite({ node, scope }: FunctionThing): Site {
  const { body } = node;
  const isExpression = body !== null && body.type !== "BlockStatement";
  return { file: scope.file, node: isExpression ? body : node };
}

/** Reads an expression with the budget of a rule of its own. */
function readFresh(reader: Reader, node: Expression, scope: Scope): Thing | null {
  reader.count = 0;
  return reader.read(plain(node), scope);
}

function entriesOf(
  reader: Reader,
  thing: Thing | null,
  site: Site,
): ReadonlyMap<string, ObjectEntry> {
  if (thing === null) return new Map();
  if (thing.kind === "object") return thing.entries;
  refuse(
    reader,
    site,
    `Here stands ${describe(thing)}.`,
    "Write an object: `{ read: () => true }`.",
  );
  return new Map();
}

function siteOf(entry: ObjectEntry): Site {
  return { file: entry.scope.file, node: entry.node };
}

/** Whether an expression, counted as a tree, has too many parts, or stands too deep for an engine's SQL. */
function isTooLarge(expr: RuleExpr, nodesMax: number): boolean {
  let size = 0;
  const open: { node: RuleExpr | RuleValue; depth: number }[] = [{ node: expr, depth: 1 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node, depth } = at;
    size += 1;
    if (size > nodesMax || depth > depthMax) return true;
    for (const child of ruleChildren(node)) open.push({ node: child, depth: depth + 1 });
  }
  return false;
}

function offsetOf(text: string, at: SourcePlace): { start: number; end: number } {
  const before = text.split("\n").slice(0, at.line - 1);
  const start = before.reduce((sum, line) => sum + line.length + 1, 0) + at.column - 1;
  return { start, end: start };
}

function freezeDeep<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const part of Object.values(value)) freezeDeep(part);
  return value;
}
