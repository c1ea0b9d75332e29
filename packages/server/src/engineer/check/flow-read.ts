// Reads one function of the app: follows values from its arguments, `me`, reads and fetches to where they go
// (writes, filters, answers, other calls). Every branch is taken; loops once; functions of the app's own
// modules are followed where they are called, to a depth. Syntax only: nothing is run.
import { plain } from "../../model/rule-app.ts";
import { keyName } from "../../model/rule-source-names.ts";
import type { FunctionLike, SourceFile, SourceSet } from "../../model/rule-source.ts";
import type { FunctionSource } from "./function-source.ts";
import { callValue } from "./flow-call.ts";
import { binaryValue, listValue, logicalValue, madeValue, objectValue } from "./flow-expression.ts";
import {
  derived,
  fieldOf,
  itemOf,
  literalValue,
  merged,
  Scope,
  thingValue,
  unknownValue,
  type Elevation,
  type Loop,
  type Origin,
  type Value,
} from "./flow-value.ts";
import type { FlowNotes, FlowWalker, FunctionFlow } from "./flow-walker.ts";
import { childNodes, memberName, type Expression, type Node } from "./syntax.ts";

const depthMax = 4;
/** Nodes of one function with all that it calls; beyond it the rest is not read. */
const nodesMax = 20_000;

/** Follows the values of a function. */
export function readFlow(sources: SourceSet, source: FunctionSource): FunctionFlow {
  const reader = new FlowReader(sources, source);
  reader.start();
  return reader.flow;
}

/** The state of one reading. */
class FlowReader implements FlowWalker {
  readonly sources: SourceSet;
  readonly flow: FlowNotes;
  readonly tested = new Set<Origin>();
  file: SourceFile;
  loops: Loop[] = [];
  #depth = 0;
  #nodesLeft = nodesMax;
  #returns: Value[] = [];
  #effects = 0;

  constructor(sources: SourceSet, source: FunctionSource) {
    this.sources = sources;
    this.file = source.file;
    this.flow = {
      source,
      db: [],
      runs: [],
      works: [],
      fetches: [],
      elevations: [],
      answers: [],
      floating: [],
      slices: [],
      logs: [],
      looksAtCaller: false,
      tested: this.tested,
    };
  }

  start(): void {
    const { run, isInvariant, model } = this.flow.source;
    const system: Elevation = { reason: "invariant", file: this.file, node: run };
    const scope = new Scope(null);
    const [ctx, args] = run.params;
    if (ctx !== undefined) {
      this.bind(ctx, thingValue({ kind: "ctx" }), scope);
      if (isInvariant) scope.declare("db", thingValue({ kind: "db", system }));
    }
    const given =
      model.kind === "http"
        ? thingValue({ kind: "request" }, "request")
        : thingValue({ kind: "args" });
    if (args !== undefined) this.bind(args, given, scope);
    this.#body(run, scope);
  }

  nextIndex(): number {
    this.#effects += 1;
    return this.#effects;
  }

  /** Notes that a condition looked at a value. */
  test(value: Value): void {
    for (const origin of value.origins) this.tested.add(origin);
    if (value.origins.has("me")) this.flow.looksAtCaller = true;
  }

  /** Calls a function of the app with values. @returns what it answers, or null when it is too deep. */
  call(
    fn: { node: FunctionLike; file: SourceFile; scope: Scope },
    args: readonly Value[],
  ): Value | null {
    if (this.#depth >= depthMax) return null;
    const before = { file: this.file, returns: this.#returns };
    const { db, runs, works, fetches } = this.flow;
    const counts = [db.length, runs.length, fetches.length, works.length] as const;
    this.file = fn.file;
    this.#returns = [];
    this.#depth += 1;
    const scope = new Scope(fn.scope);
    fn.node.params.forEach((param, index) => this.bind(param, args[index] ?? unknownValue, scope));
    this.#body(fn.node, scope);
    const value = merged(this.#returns);
    this.#depth -= 1;
    this.file = before.file;
    this.#returns = before.returns;
    if (!fn.node.async) return value;
    // Whoever calls an async function has to wait for all that it does.
    const done = [
      ...db.slice(counts[0]),
      ...runs.slice(counts[1]),
      ...fetches.slice(counts[2]),
      ...works.slice(counts[3]),
    ];
    return { ...value, pending: [...value.pending, ...done] };
  }

  /** Does something inside a loop. */
  within(loop: Loop, run: () => Value): Value {
    this.loops = [...this.loops, loop];
    const value = run();
    this.loops = this.loops.slice(0, -1);
    return value;
  }

  /** Takes a pattern apart: parameters, declarations. */
  bind(pattern: Node, value: Value, scope: Scope): void {
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other patterns bind no names
    switch (pattern.type) {
      case "Identifier":
        return scope.declare(pattern.name, value);
      case "AssignmentPattern":
        return this.bind(pattern.left, value, scope);
      case "RestElement":
        return this.bind(pattern.argument, derived([value]), scope);
      case "ObjectPattern":
        for (const property of pattern.properties) {
          if (property.type !== "Property") this.bind(property, { ...value, source: null }, scope);
          else {
            const name = property.computed ? null : keyName(property.key);
            this.bind(
              property.value,
              name === null ? derived([value]) : this.member(value, name),
              scope,
            );
          }
        }
        return;
      case "ArrayPattern":
        for (const [index, element] of pattern.elements.entries()) {
          if (element === null) continue;
          const { thing } = value;
          const item =
            thing.kind === "list" && thing.items.length > 1 ? thing.items[index] : itemOf(value);
          this.bind(element, item ?? unknownValue, scope);
        }
        return;
      default:
        return;
    }
  }

  /** `value.name`. */
  member(value: Value, name: string): Value {
    const { thing } = value;
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- nothing more is known of the members of others
    switch (thing.kind) {
      case "ctx":
        return contextMember(name);
      case "works":
        return thingValue({ kind: "work", call: `${thing.call}.${name}` });
      case "args":
        return thingValue({ kind: "plain" }, `arg:${name}`);
      case "me":
        return thingValue({ kind: "plain" }, "me");
      case "db":
        return thingValue({ kind: "table", table: name, system: thing.system });
      case "page":
        return name === "rows"
          ? thingValue(
              { kind: "row", op: thing.op, table: thing.op.table, many: true },
              `row:${thing.op.index}`,
            )
          : derived([value]);
      case "row":
        return this.#rowMember(value, name);
      case "object": {
        const field = thing.fields.get(name);
        if (field !== undefined) return field;
        return thing.open ? { ...derived([value]) } : unknownValue;
      }
      case "response":
        if (name === "ok" || name === "status") thing.fetch.isChecked = true;
        return derived([value]);
      case "request":
        return thingValue({ kind: "plain" }, "request");
      default:
        return derived([value]);
    }
  }

  #rowMember(value: Value, name: string): Value {
    const { thing } = value;
    if (thing.kind !== "row") return value;
    if (thing.many) return derived([value]);
    const { op } = thing;
    const expanded = fieldOf(fieldOf(op.query, "with"), name);
    const origin = thing.table === op.table ? `field:${op.index}:${name}` : `row:${op.index}`;
    if (expanded !== null)
      return thingValue({ kind: "row", op, table: `${thing.table}.${name}`, many: false }, origin);
    return {
      ...thingValue({ kind: "plain" }, origin),
      origins: new Set([origin, ...value.origins]),
    };
  }

  #body(fn: FunctionLike, scope: Scope): void {
    const { body } = fn;
    if (body === null) return;
    if (body.type !== "BlockStatement") this.#answer(body, this.expression(body, scope));
    else this.statements(body.body, scope);
  }

  #answer(node: Node, value: Value): void {
    this.#returns.push({ ...value, pending: value.pending });
    if (this.#depth === 0) this.flow.answers.push({ file: this.file, node, value });
  }

  statements(nodes: readonly Node[], outer: Scope): void {
    const scope = new Scope(outer);
    for (const node of nodes) {
      if (node.type === "FunctionDeclaration" && node.id !== null) {
        scope.declare(node.id.name, thingValue({ kind: "function", node, file: this.file, scope }));
      }
    }
    for (const node of nodes) this.statement(node, scope);
  }

  statement(node: Node, scope: Scope): void {
    this.#nodesLeft -= 1;
    if (this.#nodesLeft < 0) return;
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other statements hold no expressions that matter
    switch (node.type) {
      case "VariableDeclaration":
        for (const { id, init } of node.declarations) {
          this.bind(id, init === null ? unknownValue : this.expression(init, scope), scope);
        }
        return;
      case "ExpressionStatement":
        this.flow.floating.push(...this.expression(node.expression, scope).pending);
        return;
      case "ReturnStatement":
        if (node.argument !== null) this.#answer(node, this.expression(node.argument, scope));
        return;
      case "IfStatement":
        this.test(this.expression(node.test, scope));
        this.statement(node.consequent, scope);
        if (node.alternate !== null) this.statement(node.alternate, scope);
        return;
      case "BlockStatement":
        return this.statements(node.body, scope);
      case "SwitchStatement":
        this.test(this.expression(node.discriminant, scope));
        for (const each of node.cases) this.statements(each.consequent, scope);
        return;
      case "TryStatement":
        this.statement(node.block, scope);
        if (node.handler !== null) this.statement(node.handler.body, scope);
        if (node.finalizer !== null) this.statement(node.finalizer, scope);
        return;
      case "ForOfStatement":
      case "ForInStatement":
      case "ForStatement":
      case "WhileStatement":
      case "DoWhileStatement":
        return this.#loop(node, scope);
      case "LabeledStatement":
        return this.statement(node.body, scope);
      case "ThrowStatement":
        this.expression(node.argument, scope);
        return;
      default:
        return;
    }
  }

  #loop(
    node: Extract<
      Node,
      {
        type:
          | "ForOfStatement"
          | "ForInStatement"
          | "ForStatement"
          | "WhileStatement"
          | "DoWhileStatement";
      }
    >,
    outer: Scope,
  ): void {
    const scope = new Scope(outer);
    let over: Value | null = null;
    if (node.type === "ForOfStatement" || node.type === "ForInStatement") {
      over = this.expression(node.right, scope);
      const item = node.type === "ForOfStatement" ? itemOf(over) : derived([over]);
      const target =
        node.left.type === "VariableDeclaration" ? node.left.declarations[0]?.id : node.left;
      if (target !== undefined) this.bind(target, item, scope);
    } else if (node.type === "ForStatement") {
      if (node.init?.type === "VariableDeclaration") this.statement(node.init, scope);
    }
    const loop = { node, file: this.file, over };
    this.within(loop, () => {
      if ("test" in node && node.test !== null) this.test(this.expression(node.test, scope));
      this.statement(node.body, scope);
      if (node.type === "ForStatement" && node.update !== null) this.expression(node.update, scope);
      return unknownValue;
    });
  }

  /** What an expression is. */
  expression(given: Expression, scope: Scope): Value {
    this.#nodesLeft -= 1;
    if (this.#nodesLeft < 0) return unknownValue;
    const node = plain(given);
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are derived from what is below them
    switch (node.type) {
      case "Literal":
        return literalValue(
          typeof node.value === "object" || typeof node.value === "bigint"
            ? null
            : (node.value ?? null),
        );
      case "Identifier":
        return this.#name(node.name, scope);
      case "MemberExpression":
        return this.#memberOf(node, scope);
      case "CallExpression":
        return callValue(this, node, scope);
      case "AwaitExpression":
        return { ...this.expression(node.argument, scope), pending: [] };
      case "ArrowFunctionExpression":
      case "FunctionExpression":
        return thingValue({ kind: "function", node, file: this.file, scope });
      case "ObjectExpression":
        return objectValue(this, node, scope);
      case "ArrayExpression":
        return listValue(this, node, scope);
      case "LogicalExpression":
        return logicalValue(this, node, scope);
      case "ConditionalExpression":
        this.test(this.expression(node.test, scope));
        return merged([
          this.expression(node.consequent, scope),
          this.expression(node.alternate, scope),
        ]);
      case "BinaryExpression":
        return binaryValue(this, node, scope);
      case "AssignmentExpression": {
        const value = this.expression(node.right, scope);
        const kept = node.operator === "=" ? value : derived([value], "math");
        if (node.left.type === "Identifier") scope.assign(node.left.name, kept);
        return kept;
      }
      case "NewExpression":
        return madeValue(this, node, scope);
      default:
        return derived(this.#below(node, scope));
    }
  }

  #below(node: Node, scope: Scope): readonly Value[] {
    return childNodes(node).map((child) => this.expression(child as Expression, scope));
  }

  #name(name: string, scope: Scope): Value {
    const local = scope.find(name);
    if (local !== null) return local;
    const found = this.sources.find(this.file, name);
    if (found?.kind !== "declared") return unknownValue;
    const { file, declared } = found;
    const top = new Scope(null);
    if (declared.kind === "function") {
      return thingValue({ kind: "function", node: declared.node, file, scope: top });
    }
    if (declared.kind !== "const") return unknownValue;
    const init = plain(declared.init);
    if (init.type === "ArrowFunctionExpression" || init.type === "FunctionExpression") {
      return thingValue({ kind: "function", node: init, file, scope: top });
    }
    return init.type === "Literal" ? this.expression(init, top) : unknownValue;
  }

  #memberOf(node: Expression & { type: "MemberExpression" }, scope: Scope): Value {
    const object = this.expression(node.object, scope);
    const name = memberName(node);
    if (name !== null) return this.member(object, name);
    const key = node.computed ? this.expression(node.property, scope) : unknownValue;
    return object.thing.kind === "list" || object.thing.kind === "row"
      ? itemOf(object)
      : derived([object, key]);
  }
}

function contextMember(name: string): Value {
  switch (name) {
    case "db":
      return thingValue({ kind: "db", system: null });
    case "me":
      return thingValue({ kind: "me" }, "me");
    case "run":
      return thingValue({ kind: "run" });
    case "params":
      return thingValue({ kind: "request" }, "request");
    case "webhooks":
      return thingValue({ kind: "works", call: name });
    default:
      return workCalls.has(name) ? thingValue({ kind: "work", call: name }) : unknownValue;
  }
}

/** Calls of contexts that start work or wait for it; each gives a promise. */
const workCalls: ReadonlySet<string> = new Set([
  ...["emit", "enqueue", "schedule", "cancel"],
  ...["startWorkflow", "signalWorkflow", "cancelWorkflow"],
  ...["step", "sleep", "waitFor", "signal", "child"],
]);
