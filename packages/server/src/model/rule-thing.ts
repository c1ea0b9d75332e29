// What an expression of a rule's source stands for while it is read: values and truths of the rule
// language, and the things that only exist while reading (rows, functions, lists of constants).
import type { Expression } from "oxc-parser";
import type { FieldSpec } from "@keelson/sdk/spec";
import type { RuleExpr, RuleRoot, RuleValue, SourceRange } from "./rule-ast.ts";
import type { FunctionLike, Ranged, SourceFile, SourceSet } from "./rule-source.ts";
import type { RuleTables, RuleType } from "./rule-type.ts";

/** Where names are looked up: parameters and constants of a function, then the functions around it. */
export interface Scope {
  readonly file: SourceFile;
  /** Null marks a name whose value was refused already. */
  readonly names: ReadonlyMap<string, Thing | null>;
  readonly around: Scope | null;
}

/** A value; `field` is set for paths, `table` is that of the row that holds the field. */
export interface ValueThing {
  readonly kind: "value";
  readonly value: RuleValue;
  readonly type: RuleType;
  readonly field?: FieldSpec;
  readonly table?: string;
}

/** A function with the scope that it was written in. */
export interface FunctionThing {
  readonly kind: "function";
  readonly node: FunctionLike;
  readonly scope: Scope;
}

export type Thing =
  | ValueThing
  | { readonly kind: "truth"; readonly expr: RuleExpr }
  /** A whole row: `row`, `next`, the parameter of a `some`. */
  | { readonly kind: "row"; readonly root: RuleRoot; readonly table: string }
  | { readonly kind: "me" }
  | { readonly kind: "db" }
  | { readonly kind: "dbTable"; readonly table: string }
  /** `null` or `undefined`. */
  | { readonly kind: "absent" }
  | { readonly kind: "list"; readonly items: readonly Thing[] }
  | {
      readonly kind: "object";
      readonly entries: ReadonlyMap<string, ObjectEntry>;
    }
  | FunctionThing
  /** `import * as name`. */
  | { readonly kind: "namespace"; readonly file: SourceFile }
  /** The one parameter of a rule. `what` is how mistakes call the rule: "a read rule". */
  | { readonly kind: "input"; readonly what: string; readonly roots: ReadonlyMap<string, Thing> };

/** A property of an object, read when it is asked for. */
export interface ObjectEntry {
  readonly node: Expression;
  readonly scope: Scope;
  /** Where its key stands. */
  readonly key: Ranged;
}

/** What every part of the reader shares. Parts answer null when they have noted a mistake. */
export interface Reader {
  readonly sources: SourceSet;
  readonly tables: RuleTables;
  readonly nodesMax: number;
  /** Expressions read for the rule at hand. */
  count: number;
  /** Expressions being read inside each other. */
  depth: number;
  /** Functions and constants being read, against recursion. */
  readonly open: Set<object>;
  /** Names that paths begin with here: the roots, and the rows of every `some` being read. */
  readonly aliases: Set<string>;
  read(node: Expression, scope: Scope): Thing | null;
  /** Runs a function on arguments that were read. */
  call(fn: FunctionThing, args: readonly (Thing | null)[], site: Site): Thing | null;
}

/** A place in a file. */
export interface Site {
  readonly file: SourceFile;
  readonly node: Ranged;
}

/** The range of a place. */
export function rangeOf(site: Site): SourceRange {
  return { file: site.file.path, start: site.node.start, end: site.node.end };
}

/** Notes a mistake. @returns null, for `return refuse(...)`. */
export function refuse(reader: Reader, site: Site, problem: string, fix: string): null {
  reader.sources.refuse(site.file, site.node, problem, fix);
  return null;
}

/** The source text of a place, shortened. */
export function textOf(site: Site): string {
  const text = site.file.text.slice(site.node.start, site.node.end).replaceAll(/\s+/g, " ");
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** A thing as a condition. */
export function asTruth(reader: Reader, thing: Thing, site: Site): RuleExpr | null {
  const text = textOf(site);
  if (thing.kind === "truth") return thing.expr;
  if (thing.kind === "value") {
    const { value, type } = thing;
    const at = rangeOf(site);
    if (value.kind === "literal" && typeof value.value === "boolean") {
      return { kind: "constant", value: value.value, at };
    }
    if (type.kind === "bool" || type.kind === "any") return { kind: "truth", value, at };
    const fix =
      value.kind === "path"
        ? `Write \`${text} !== null\` to ask whether there is one, or compare it with something.`
        : "Compare it with something: `===`, `<`, `.includes(...)`.";
    return refuse(reader, site, `\`${text}\` is ${describeType(type)}, not a condition.`, fix);
  }
  return refuse(
    reader,
    site,
    `\`${text}\` is ${describe(thing)}, not a condition.`,
    conditionFixes[thing.kind] ?? "Write a condition that is true or false.",
  );
}

const conditionFixes: { readonly [kind in Thing["kind"]]?: string } = {
  row: "Compare one of its fields: `row.owner === me.id`.",
  me: "Write `me.id !== null` to ask whether the caller is signed in.",
  dbTable: "Ask for rows with `db.table.some((x) => ...)`.",
  function: "Call the function.",
};

/** A thing as a value. */
export function asValue(reader: Reader, thing: Thing, site: Site): ValueThing | null {
  const text = textOf(site);
  if (thing.kind === "value") return thing;
  if (thing.kind === "truth") {
    if (thing.expr.kind === "constant") {
      const value: RuleValue = { kind: "literal", value: thing.expr.value, at: rangeOf(site) };
      return { kind: "value", value, type: { kind: "bool" } };
    }
    if (thing.expr.kind === "truth") {
      return { kind: "value", value: thing.expr.value, type: { kind: "bool" } };
    }
    const fix = "Join conditions with `&&`, `||`, `!` or `? :` in place of comparing them.";
    return refuse(reader, site, `\`${text}\` is a condition, not a value.`, fix);
  }
  const fix =
    thing.kind === "row" || thing.kind === "me"
      ? `Use one of its fields: \`${text}.id\`.`
      : "Use a field, a claim of `me`, `now` or a constant here.";
  return refuse(reader, site, `\`${text}\` is ${describe(thing)}, not a value.`, fix);
}

/** A kind of thing in words. */
export function describe(thing: Thing): string {
  switch (thing.kind) {
    case "value":
      return describeType(thing.type);
    case "truth":
      return "a condition";
    case "row":
      return `a whole row of \`${thing.table}\``;
    case "me":
      return "the whole caller";
    case "db":
      return "the database";
    case "dbTable":
      return `the table \`${thing.table}\``;
    case "absent":
      return "an absent value";
    case "list":
      return "a list";
    case "object":
      return "an object";
    case "function":
      return "a function";
    case "namespace":
      return "a module";
    case "input":
      return "the whole parameter of the rule";
    default:
      return thing satisfies never;
  }
}

/** A type in words. */
export function describeType(type: RuleType): string {
  switch (type.kind) {
    case "text":
      return "text";
    case "id":
      return `an id of \`${type.table}\``;
    case "number":
      return "a number";
    case "bool":
      return "true or false";
    case "time":
      return "a time";
    case "date":
      return "a date";
    case "bytes":
      return "bytes";
    case "opaque":
      return "JSON";
    case "list":
      return "a list";
    case "any":
      return "a claim";
    default:
      return type satisfies never;
  }
}
