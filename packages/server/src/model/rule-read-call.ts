// Calls: helper functions (inlined), `db.table.some(...)`, and the few methods of lists and text.
import type { Argument, Expression } from "oxc-parser";
import type { TextOp } from "./rule-ast.ts";
import { areComparable, type Placed } from "./rule-read-operator.ts";
import { stepInto } from "./rule-read-step.ts";
import {
  asTruth,
  asValue,
  describe,
  describeType,
  rangeOf,
  refuse,
  textOf,
  type FunctionThing,
  type Reader,
  type Scope,
  type Site,
  type Thing,
  type ValueThing,
} from "./rule-thing.ts";

const methodAdvice: Readonly<Record<string, string>> = {
  toLowerCase: "Store a normalised copy in a field of its own and compare that.",
  toUpperCase: "Store a normalised copy in a field of its own and compare that.",
  trim: "Store a normalised copy in a field of its own and compare that.",
  match:
    "Use `.startsWith()`, `.endsWith()` or `.includes()`; patterns belong to the field (`t.text({ pattern })`).",
  test: "Use `.startsWith()`, `.endsWith()` or `.includes()`; patterns belong to the field (`t.text({ pattern })`).",
  some: "Lists take `.includes(value)`. For rows of a table: `db.table.some((x) => ...)`.",
  every: "Write `!db.table.some((x) => !(...))`.",
  find: "Ask with `db.table.some((x) => ...)`.",
  filter: "Ask with `db.table.some((x) => ...)`.",
  has: "Write the options as a list: `[...].includes(x)`.",
  get: "Step through the reference (`row.film.owner`), or ask with `db.table.some((x) => ...)`.",
  list: "Ask with `db.table.some((x) => ...)`.",
  getTime: "Compare times as they are: `row.startsAt > now`.",
};

/** Reads a call. */
export function readCall(
  reader: Reader,
  node: Expression & { type: "CallExpression" },
  scope: Scope,
): Thing | null {
  const site: Site = { file: scope.file, node };
  const args = plainArguments(reader, node.arguments, scope);
  if (args === null) return null;
  const { callee } = node;
  if (callee.type === "MemberExpression" && !callee.computed) {
    const subject = reader.read(callee.object, scope);
    if (subject === null) return null;
    const name = callee.property.name;
    const place: Site = { file: scope.file, node: callee.object };
    const method = { reader, name, subject: { thing: subject, site: place }, args, scope, site };
    const done = readMethod(method);
    if (done !== undefined) return done;
    if (subject.kind !== "namespace" && subject.kind !== "object") return refuseMethod(method);
    const fn = stepInto(reader, subject, name, { file: scope.file, node: callee });
    return fn === null ? null : callThing(reader, fn, args, { scope, site });
  }
  const fn = reader.read(callee, scope);
  return fn === null ? null : callThing(reader, fn, args, { scope, site });
}

function plainArguments(
  reader: Reader,
  args: readonly Argument[],
  scope: Scope,
): readonly Expression[] | null {
  const plain: Expression[] = [];
  for (const node of args) {
    if (node.type === "SpreadElement") {
      return refuse(
        reader,
        { file: scope.file, node },
        "Rules know no `...`.",
        "Write the arguments out.",
      );
    }
    plain.push(node);
  }
  return plain;
}

function callThing(
  reader: Reader,
  fn: Thing,
  args: readonly Expression[],
  { scope, site }: { scope: Scope; site: Site },
): Thing | null {
  if (fn.kind !== "function") {
    const problem = `${describe(fn)} can't be called.`;
    return refuse(reader, site, problem, "Only helper arrows of your app are called in rules.");
  }
  const things = args.map((arg) => reader.read(arg, scope));
  return things.includes(null) ? null : reader.call(fn, things, site);
}

interface MethodCall {
  readonly reader: Reader;
  readonly name: string;
  readonly subject: Placed;
  readonly args: readonly Expression[];
  readonly scope: Scope;
  readonly site: Site;
}

/** @returns undefined when there is no such method. */
function readMethod(call: MethodCall): Thing | null | undefined {
  const { subject, name } = call;
  const { thing } = subject;
  if (thing.kind === "dbTable" && name === "some") return readSome(call, thing.table);
  if (thing.kind === "list" && name === "includes") return readAmong(call, thing.items);
  if (thing.kind !== "value") return undefined;
  const { type } = thing;
  if (type.kind === "list") return name === "includes" ? readContains(call, thing) : undefined;
  if (name !== "startsWith" && name !== "endsWith" && name !== "includes") return undefined;
  const isClaim = type.kind === "any" && thing.value.kind === "path";
  if (isClaim && name === "includes") return readContains(call, thing);
  const isText = ["text", "id", "time", "date", "any"].includes(type.kind);
  return isText ? readText(call, thing, name) : undefined;
}

function refuseMethod({ reader, name, subject, site }: MethodCall): null {
  const { thing } = subject;
  if (thing.kind === "db" || thing.kind === "dbTable" || !Object.hasOwn(methodAdvice, name)) {
    const fix =
      thing.kind === "db" || thing.kind === "dbTable"
        ? "The only question to a table is `db.table.some((x) => ...)`."
        : "Text: `.startsWith()`, `.endsWith()`, `.includes()`, `.length`; lists: `.includes()`, `.length`.";
    const problem = `\`.${name}()\` of ${describe(thing)} is not part of the rule language.`;
    return refuse(reader, site, problem, fix);
  }
  const problem = `\`.${name}()\` is not part of the rule language.`;
  return refuse(reader, site, problem, methodAdvice[name] ?? "");
}

function readSome(call: MethodCall, table: string): Thing | null {
  const { reader, scope, site } = call;
  const argument = oneArgument(call, "(x) => ...");
  if (argument === null) return null;
  const fn = reader.read(argument, scope);
  if (fn === null) return null;
  const place: Site = { file: scope.file, node: argument };
  if (fn.kind !== "function") {
    return refuse(
      reader,
      place,
      "`some` takes a function.",
      `Write \`db.${table}.some((x) => ...)\`.`,
    );
  }
  const alias = freshAlias(reader, fn, table);
  const item: Thing = { kind: "row", root: { kind: "item", alias }, table };
  reader.aliases.add(alias);
  const result = reader.call(fn, [item], place);
  reader.aliases.delete(alias);
  const where = result === null ? null : asTruth(reader, result, place);
  if (where === null) return null;
  return { kind: "truth", expr: { kind: "some", table, alias, where, at: rangeOf(site) } };
}

/** The parameter's own name, unless a `some` around this one uses it. */
function freshAlias(reader: Reader, fn: FunctionThing, table: string): string {
  const [first] = fn.node.params;
  const wanted = first?.type === "Identifier" ? first.name : table;
  let alias = wanted;
  for (let count = 2; reader.aliases.has(alias); count++) alias = `${wanted}${count}`;
  return alias;
}

function readAmong(call: MethodCall, items: readonly Thing[]): Thing | null {
  const { reader, subject, site } = call;
  const value = valueArgument(call, "value");
  if (value === null) return null;
  if (items.length === 0) {
    return refuse(
      reader,
      site,
      "An empty list holds nothing.",
      "Write `false`, or name the options.",
    );
  }
  const options = items.map((item) => asValue(reader, item, subject.site));
  const good = options.filter((option) => option !== null);
  if (good.length < options.length) return null;
  for (const option of good) {
    const place = siteOf(option, subject.site);
    const pair = [
      { value: value.value, site: value.site },
      { value: option, site: place },
    ] as const;
    if (!areComparable(reader, pair, { equality: true, site: place })) return null;
  }
  const list = good.map((option) => option.value);
  const at = rangeOf(site);
  return { kind: "truth", expr: { kind: "among", value: value.value.value, options: list, at } };
}

/** Where a value was written, when that is in the same file. */
function siteOf(thing: ValueThing, otherwise: Site): Site {
  const { at } = thing.value;
  return at.file === otherwise.file.path ? { file: otherwise.file, node: at } : otherwise;
}

function readContains(call: MethodCall, list: ValueThing): Thing | null {
  const { reader, subject, site } = call;
  const value = valueArgument(call, "value");
  if (value === null) return null;
  if (list.value.kind !== "path") {
    const fix =
      "Write the choice around the condition: `a ? row.x.includes(y) : row.z.includes(y)`.";
    return refuse(
      reader,
      subject.site,
      "`.includes()` is asked of fields, claims and constants.",
      fix,
    );
  }
  const item = list.type.kind === "list" ? list.type.item : { kind: "any" as const };
  const pair = [
    { value: { ...list, type: item }, site: subject.site },
    { value: value.value, site: value.site },
  ] as const;
  if (!areComparable(reader, pair, { equality: true, site })) return null;
  const at = rangeOf(site);
  const expr = { kind: "contains", list: list.value, value: value.value.value, at } as const;
  return { kind: "truth", expr };
}

function readText(call: MethodCall, subject: ValueThing, op: TextOp): Thing | null {
  const { reader, site } = call;
  const value = valueArgument(call, "text");
  if (value === null) return null;
  const { type } = value.value;
  if (!["text", "id", "time", "date", "any"].includes(type.kind)) {
    const problem = `\`${textOf(value.site)}\` is ${describeType(type)}, not text.`;
    return refuse(reader, value.site, problem, `\`.${op}()\` takes text.`);
  }
  const at = rangeOf(site);
  const expr = { kind: "text", op, subject: subject.value, value: value.value.value, at } as const;
  return { kind: "truth", expr };
}

function oneArgument({ reader, name, args, site }: MethodCall, shape: string): Expression | null {
  const [argument] = args;
  if (argument !== undefined && args.length === 1) return argument;
  const fix = `Write \`.${name}(${shape})\`.`;
  return refuse(reader, site, `\`.${name}()\` takes one argument.`, fix);
}

function valueArgument(call: MethodCall, shape: string): { value: ValueThing; site: Site } | null {
  const { reader, scope } = call;
  const node = oneArgument(call, shape);
  if (node === null) return null;
  const thing = reader.read(node, scope);
  const site: Site = { file: scope.file, node };
  const value = thing === null ? null : asValue(reader, thing, site);
  return value === null ? null : { value, site };
}
