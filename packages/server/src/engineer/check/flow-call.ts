// Calls inside a function: on tables, of other functions, over the network, on lists; and of the app's own
// helpers, which are followed. What a call is decides what its answer is known to be.
import { plain } from "../../model/rule-app.ts";
import {
  derived,
  itemOf,
  merged,
  thingValue,
  unknownValue,
  type DbMethod,
  type DbOp,
  type FetchOp,
  type RunOp,
  type Scope,
  type Thing,
  type Value,
  type WorkOp,
} from "./flow-value.ts";
import type { FlowWalker } from "./flow-walker.ts";
import { argumentOf, memberName, nameChain, textOf, type Expression } from "./syntax.ts";

type Call = Expression & { type: "CallExpression" };

const reads: ReadonlySet<string> = new Set(["get", "list", "page", "first", "count", "aggregate"]);
const writes: ReadonlySet<string> = new Set(["create", "update", "delete"]);
/** Methods of lists that call their argument for each item and give back a list of what it answers. */
const mapping: ReadonlySet<string> = new Set(["map", "flatMap"]);
/** Those that give back some of the items. */
const keeping: ReadonlySet<string> = new Set([
  "filter",
  "slice",
  "toSorted",
  "sort",
  "toReversed",
  "reverse",
  "concat",
]);
const finding: ReadonlySet<string> = new Set(["find", "at", "pop", "shift", "findLast"]);
const judging: ReadonlySet<string> = new Set(["some", "every", "forEach", "reduce", "findIndex"]);

/** What a call gives. */
export function callValue(reader: FlowWalker, node: Call, scope: Scope): Value {
  const callee = plain(node.callee);
  if (callee.type === "MemberExpression") {
    const name = memberName(callee);
    const known = name === null ? null : knownCall(reader, node, nameChain(callee), scope);
    if (known !== null) return known;
    return methodCall(
      reader,
      node,
      { object: reader.expression(callee.object, scope), name },
      scope,
    );
  }
  const target = reader.expression(callee, scope);
  if (target.thing.kind === "run") return runCall(reader, node, scope);
  if (target.thing.kind === "work") return workCall(reader, node, target.thing.call, scope);
  if (callee.type === "Identifier" && callee.name === "fetch" && scope.find("fetch") === null) {
    return fetchCall(reader, node, scope);
  }
  const args = argumentsOf(reader, node, scope);
  if (target.thing.kind === "function") {
    const { node: fn, file, scope: outer } = target.thing;
    const value = reader.call({ node: fn, file, scope: outer }, args);
    if (value !== null) return value;
  }
  return opaque(reader, args);
}

/** Something that is not read any further: it may look at all that it is given. */
function opaque(
  reader: FlowWalker,
  args: readonly Value[],
  receiver: readonly Value[] = [],
): Value {
  const isGivenCaller = args.some(({ thing, origins }) => {
    return thing.kind === "ctx" || thing.kind === "me" || origins.has("me");
  });
  if (isGivenCaller) reader.flow.looksAtCaller = true;
  for (const { thing } of args) if (thing.kind === "response") thing.fetch.isChecked = true;
  return derived([...args, ...receiver]);
}

/** Calls of the language's own objects. */
function knownCall(
  reader: FlowWalker,
  node: Call,
  chain: readonly string[] | null,
  scope: Scope,
): Value | null {
  if (chain === null || chain.length !== 2 || scope.find(chain[0] ?? "") !== null) return null;
  const [object, name] = chain;
  const args = (): readonly Value[] => argumentsOf(reader, node, scope);
  if (object === "console") {
    reader.flow.logs.push({ file: reader.file, node, values: args() });
    return unknownValue;
  }
  if (object === "Math") {
    return name === "random" ? derived([], "random") : derived(args(), "math");
  }
  if (object === "Date" && name === "now") return derived([], "clock");
  if (object === "Promise") {
    const values = args();
    const [first] = values;
    if (first === undefined || name === "resolve" || name === "reject") return derived(values);
    return { ...first, pending: first.pending };
  }
  if (object === "Object" || object === "JSON" || object === "Array" || object === "Number") {
    return derived(args());
  }
  return null;
}

function methodCall(
  reader: FlowWalker,
  node: Call,
  { object, name }: { readonly object: Value; readonly name: string | null },
  scope: Scope,
): Value {
  const { thing } = object;
  if (thing.kind === "db" && name === "asSystem") {
    const reason = argumentOf(node, 0);
    const known = reason === undefined ? "" : textOf(reason);
    const system = { reason: known, file: reader.file, node };
    if (!reader.flow.elevations.some((each) => each.node === node))
      reader.flow.elevations.push(system);
    return thingValue({ kind: "db", system });
  }
  if (thing.kind === "table" && name !== null && (reads.has(name) || writes.has(name))) {
    return dbCall(reader, node, { thing, method: name as DbMethod }, scope);
  }
  if (thing.kind === "ctx" && name === "run") return runCall(reader, node, scope);
  if ((thing.kind === "ctx" || thing.kind === "works") && name !== null) {
    const member = reader.member(object, name).thing;
    if (member.kind === "work") return workCall(reader, node, member.call, scope);
  }
  if (thing.kind === "function" || name === null)
    return opaque(reader, argumentsOf(reader, node, scope), [object]);
  if (object.pending.length > 0 && (name === "then" || name === "catch" || name === "finally")) {
    argumentsOf(reader, node, scope);
    return object;
  }
  if (thing.kind === "response") {
    if (["json", "text", "arrayBuffer", "bytes", "blob"].includes(name)) thing.fetch.isRead = true;
    return derived([object, ...argumentsOf(reader, node, scope)]);
  }
  if (thing.kind === "object") {
    const method = thing.fields.get(name)?.thing;
    if (method?.kind === "function") {
      const value = reader.call(method, argumentsOf(reader, node, scope));
      if (value !== null) return value;
    }
  }
  return listCall(reader, node, { object, name }, scope);
}

/** A method of a list, with its callback called for each item. */
function listCall(
  reader: FlowWalker,
  node: Call,
  { object, name }: { readonly object: Value; readonly name: string },
  scope: Scope,
): Value {
  const args = argumentsOf(reader, node, scope);
  if (name === "slice") {
    reader.flow.slices.push({ file: reader.file, node, from: object, by: derived(args) });
  }
  const callback = args[0]?.thing;
  const isCalled = callback?.kind === "function";
  if (
    !isCalled ||
    !(mapping.has(name) || keeping.has(name) || finding.has(name) || judging.has(name))
  ) {
    if (keeping.has(name)) return object;
    if (finding.has(name)) return itemOf(object);
    return opaque(reader, args, [object]);
  }
  const item = itemOf(object);
  const given = name === "reduce" ? [args[1] ?? unknownValue, item] : [item];
  const loop = { node, file: reader.file, over: object };
  const answer = reader.within(loop, () => reader.call(callback, given) ?? unknownValue);
  if (name === "forEach") reader.flow.floating.push(...answer.pending);
  if (keeping.has(name)) {
    reader.test(answer);
    return object;
  }
  if (finding.has(name)) {
    reader.test(answer);
    return item;
  }
  if (!mapping.has(name)) return derived([object, answer], ...(name === "reduce" ? ["math"] : []));
  const inner = name === "flatMap" ? itemOf(answer) : answer;
  return { ...answer, thing: { kind: "list", items: [inner] }, source: null };
}

function dbCall(
  reader: FlowWalker,
  node: Call,
  { thing, method }: { readonly thing: Thing & { kind: "table" }; readonly method: DbMethod },
  scope: Scope,
): Value {
  const args = argumentsOf(reader, node, scope);
  const byId = method === "get" || method === "update" || method === "delete";
  const isRead = reads.has(method);
  const queryAt = method === "get" ? 1 : 0;
  const known = reader.flow.db.find((op) => op.node === node);
  const op: DbOp = known ?? {
    kind: "db",
    index: reader.nextIndex(),
    file: reader.file,
    node,
    loops: reader.loops,
    method,
    table: thing.table,
    system: thing.system,
    id: byId ? (args[0] ?? null) : null,
    values: isRead || method === "delete" ? null : (args[method === "update" ? 1 : 0] ?? null),
    query: isRead ? (args[queryAt] ?? null) : null,
    queryNode: isRead ? (argumentOf(node, queryAt) ?? null) : null,
    tested: new Set(reader.tested),
  };
  if (known === undefined) reader.flow.db.push(op);
  if (op.query?.origins.has("me") === true) reader.flow.looksAtCaller = true;
  return { ...thingValue(answerOf(op), `row:${op.index}`), pending: [op] };
}

function answerOf(op: DbOp): Thing {
  switch (op.method) {
    case "list":
      return { kind: "row", op, table: op.table, many: true };
    case "page":
      return { kind: "page", op };
    case "get":
    case "first":
    case "create":
    case "update":
      return { kind: "row", op, table: op.table, many: false };
    case "count":
    case "aggregate":
    case "delete":
      return { kind: "plain" };
    default:
      return op.method satisfies never;
  }
}

function runCall(reader: FlowWalker, node: Call, scope: Scope): Value {
  const [, args = null] = argumentsOf(reader, node, scope);
  const name = argumentOf(node, 0);
  const target = (name === undefined ? null : nameChain(name))?.join(".") ?? "";
  const op: RunOp = {
    kind: "run",
    index: reader.nextIndex(),
    file: reader.file,
    node,
    loops: reader.loops,
    target,
    args,
  };
  reader.flow.runs.push(op);
  return { ...thingValue({ kind: "plain" }, `run:${op.index}`), pending: [op] };
}

/** Where the target and the arguments of a call stand: `schedule("10m", fn, args)`. */
function workCall(reader: FlowWalker, node: Call, call: string, scope: Scope): Value {
  const at = call === "schedule" ? 1 : 0;
  const values = argumentsOf(reader, node, scope);
  const named = argumentOf(node, at);
  const target = named === undefined ? "" : (textOf(named) ?? nameChain(named)?.join(".") ?? "");
  const op: WorkOp = {
    kind: "work",
    index: reader.nextIndex(),
    file: reader.file,
    node,
    loops: reader.loops,
    call,
    target,
    args: values[at + 1] ?? null,
  };
  reader.flow.works.push(op);
  return { ...thingValue({ kind: "plain" }, `work:${op.index}`), pending: [op] };
}

function fetchCall(reader: FlowWalker, node: Call, scope: Scope): Value {
  const [address = unknownValue, options = null] = argumentsOf(reader, node, scope);
  const op: FetchOp = {
    kind: "fetch",
    index: reader.nextIndex(),
    file: reader.file,
    node,
    loops: reader.loops,
    address,
    options,
    isChecked: false,
    isRead: false,
  };
  reader.flow.fetches.push(op);
  return { ...thingValue({ kind: "response", fetch: op }, `fetch:${op.index}`), pending: [op] };
}

function argumentsOf(reader: FlowWalker, node: Call, scope: Scope): readonly Value[] {
  return node.arguments.map((each) =>
    each.type === "SpreadElement"
      ? merged([derived([reader.expression(each.argument, scope)])])
      : reader.expression(each, scope),
  );
}
