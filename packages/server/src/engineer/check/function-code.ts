// Checks of functions as code: promises that nobody waits for, guessable tokens, state that outlives a call,
// failures that disappear, secrets in logs, clocks that are asked too early, tables that are not there.
import { plain } from "../../model/rule-app.ts";
import { nameableTables } from "../../model/platform-tables.ts";
import type { SourceFile } from "../../model/rule-source.ts";
import { nearestName } from "../../model/rule-suggest.ts";
import type { AppReview, Said } from "./app-review.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import type { DbOp, EffectOp, Value } from "./flow-value.ts";
import { topConstants } from "./function-source.ts";
import { hasNode, memberName, nameChain, walkNodes, type Expression, type Node } from "./syntax.ts";
import { isPersonalName, isSecretName } from "./word-list.ts";

/** Looks at every function and at the modules that hold them. */
export function checkFunctionCode(review: AppReview): void {
  const flows = [...review.flows, ...review.workflows];
  for (const flow of flows) {
    checkFloating(review, flow);
    checkTokens(review, flow);
    checkSwallowed(review, flow);
    checkLogs(review, flow);
    checkTableNames(review, flow);
  }
  const files = new Set(flows.map(({ source }) => source.file));
  for (const file of files) {
    checkModuleState(review, file);
    checkModuleTime(review, file);
  }
}

function checkFloating(review: AppReview, { floating, source }: FunctionFlow): void {
  for (const op of floating) {
    review.say(
      "K407",
      { file: op.file, node: op.node },
      {
        says: `Nobody waits for ${nameOf(op)}: ${source.model.name} may answer before it is done, and its failure is lost.`,
        evidence: ["its promise is neither awaited nor returned"],
        fix: `await ${op.file.text.slice(op.node.start, Math.min(op.node.end, op.node.start + 60)).split("\n")[0] ?? ""}`,
      },
    );
  }
}

function nameOf(op: EffectOp): string {
  if (op.kind === "db") return `${op.table}.${op.method}()`;
  if (op.kind === "work") return `${op.call}(${op.target})`;
  return op.kind === "run" ? `run(${op.target})` : "fetch()";
}

const guessable = /token|code|secret|password|key|nonce|invite|voucher|ticket/i;

function checkTokens(review: AppReview, flow: FunctionFlow): void {
  for (const op of flow.db) {
    const thing = op.values?.thing;
    if (thing?.kind !== "object") continue;
    for (const [name, value] of thing.fields) {
      if (!guessable.test(name) || !(value.origins.has("random") || value.origins.has("clock")))
        continue;
      const what = value.origins.has("random") ? "Math.random()" : "the time";
      review.say(
        "K408",
        { file: op.file, node: op.node },
        {
          says: `${op.table}.${name} is made from ${what}: whoever saw a few can tell the next.`,
          evidence: [`${what} -> ${op.table}.${op.method}({ ${name} })`],
          fix: `${name}: crypto.randomUUID()`,
        },
      );
    }
  }
}

function checkSwallowed(review: AppReview, { source }: FunctionFlow): void {
  walkNodes(source.run, (node) => {
    if (node.type !== "TryStatement" || node.handler === null || node.handler === undefined) return;
    const { body } = node.handler.body;
    if (body.length > 0 || !hasNode(node.block, (each) => each.type === "AwaitExpression")) return;
    review.say(
      "K411",
      { file: source.file, node: node.handler },
      {
        says: `Whatever fails in here, ${source.model.name} goes on as if it had not.`,
        evidence: ["the catch is empty"],
        fix: "catch (error) {\n  // name the failure that is expected, and throw all others\n  if (!(error instanceof Refusal)) throw error;\n}",
      },
    );
  });
}

function checkLogs(review: AppReview, flow: FunctionFlow): void {
  for (const { file, node, values } of flow.logs) {
    const what = values.map((value) => secretIn(value)).find((each) => each !== null);
    if (what === undefined || what === null) continue;
    review.say(
      "K412",
      { file, node },
      {
        says: `${what} goes into the log, where more people read it than the database, and longer.`,
        evidence: [file.text.slice(node.start, Math.min(node.end, node.start + 80))],
        fix: 'console.log("signed in", me.id)   // ids, not what is behind them',
      },
    );
  }
}

function secretIn({ thing, source }: Value): string | null {
  if (thing.kind === "args" || thing.kind === "request") return "Everything the caller sent";
  if (thing.kind === "row" && thing.op.system !== null) return `A whole row of ${thing.table}`;
  const name = source?.split(":").at(-1) ?? "";
  return source !== null &&
    /^(?:arg|field):/.test(source) &&
    (isSecretName(name) || isPersonalName(name))
    ? `"${name}"`
    : null;
}

function checkTableNames(review: AppReview, flow: FunctionFlow): void {
  const { name, kind } = flow.source.model;
  const hasTables = kind === "query" || kind === "mutation";
  for (const op of flow.db) {
    if (hasTables && isTable(review, op.table)) continue;
    const said = hasTables
      ? unknownTable(review, op)
      : noTables(kind, review.workflows.includes(flow));
    review.say(
      "K416",
      { file: op.file, node: op.node },
      { ...said, says: `${said.says}: ${name} fails here.` },
    );
  }
}

function isTable({ manifest }: AppReview, name: string): boolean {
  const { tables, platform = {} } = manifest;
  return Object.hasOwn(tables, name) || Object.hasOwn(platform, name);
}

function unknownTable({ manifest }: AppReview, { table, method }: DbOp): Said {
  const names = Object.keys(manifest.tables);
  const near = nearestName(table, [...names, ...Object.keys(nameableTables)]);
  return {
    says: `There is no table ${table}`,
    evidence: [`tables: ${names.join(", ")}`],
    fix: near === null ? `${table}: table({ ... })   // in schema.ts` : `db.${near}.${method}(...)`,
  };
}

function noTables(kind: string, isWorkflow: boolean): Said {
  const how = isWorkflow ? "step" : "run";
  return {
    says: `There is no db in ${isWorkflow ? "a workflow" : `an ${kind} function`}`,
    evidence: ["it is no transaction: queries and mutations are, and have db"],
    fix: `await ${how}(load, { ... })   // load is a query or mutation`,
  };
}

const changing: ReadonlySet<string> = new Set([
  "set",
  "add",
  "delete",
  "clear",
  "push",
  "unshift",
  "splice",
  "pop",
  "shift",
]);
const containers: ReadonlySet<string> = new Set(["Map", "Set", "WeakMap", "Array"]);

/** Clock and randomness that are asked when the module is loaded, not when somebody calls. */
function checkModuleTime(review: AppReview, file: SourceFile): void {
  walkNodes(file.program, (node) => {
    if (
      node.type === "ArrowFunctionExpression" ||
      node.type === "FunctionExpression" ||
      node.type === "FunctionDeclaration"
    )
      return false;
    const asked = askedOf(node);
    if (asked === null) return true;
    review.say(
      "K413",
      { file, node },
      {
        says: `${asked} is asked once, when the app is loaded: every call sees the same, for as long as the app runs.`,
        evidence: ["it stands outside of every function"],
        fix: asked.startsWith("The time")
          ? "async run({ now }) { ... }   // the time of the call"
          : "// Ask inside the function.",
      },
    );
    return false;
  });
}

function askedOf(node: Node): string | null {
  if (node.type === "NewExpression") {
    const isNow = node.callee.type === "Identifier" && node.callee.name === "Date";
    return isNow && node.arguments.length === 0 ? "The time (new Date())" : null;
  }
  if (node.type !== "CallExpression") return null;
  const chain = nameChain(node.callee)?.join(".");
  if (chain === "Date.now") return "The time (Date.now())";
  const isDrawn = chain === "Math.random" || chain === "crypto.randomUUID";
  return isDrawn ? `A random value (${chain}())` : null;
}

/** Names at the top of a module that its functions change. */
function checkModuleState(review: AppReview, file: SourceFile): void {
  const holders = new Map<string, Node>();
  for (const statement of file.program.body) {
    const declaration =
      statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration" || declaration.kind === "const") continue;
    for (const { id } of declaration.declarations)
      if (id.type === "Identifier") holders.set(id.name, id);
  }
  for (const { name, init } of topConstants(file)) {
    if (name.type === "Identifier" && isContainer(plain(init))) holders.set(name.name, name);
  }
  if (holders.size === 0) return;
  walkNodes(file.program, (node) => {
    if (
      node.type !== "ArrowFunctionExpression" &&
      node.type !== "FunctionExpression" &&
      node.type !== "FunctionDeclaration"
    )
      return true;
    for (const { holder, at } of changesIn(node, holders)) {
      const declared = holders.get(holder);
      if (declared === undefined) continue;
      review.say(
        "K409",
        { file, node: declared },
        {
          says: `"${holder}" lives as long as the isolate: it carries one call's data into the next, of another user, and differs between isolates.`,
          evidence: [{ text: "is changed here", at: review.placeOf({ file, node: at }) }],
          fix: "// Keep it in a table, or make it inside the function.",
        },
      );
      holders.delete(holder);
    }
    return false;
  });
}

function isContainer(init: Expression): boolean {
  if (init.type === "ArrayExpression" || init.type === "ObjectExpression") return true;
  return (
    init.type === "NewExpression" &&
    init.callee.type === "Identifier" &&
    containers.has(init.callee.name)
  );
}

function changesIn(
  fn: Node,
  holders: ReadonlyMap<string, Node>,
): readonly { readonly holder: string; readonly at: Node }[] {
  const found: { readonly holder: string; readonly at: Node }[] = [];
  const note = (target: Node, at: Node): void => {
    const base = baseName(target);
    if (base !== null && holders.has(base) && !declares(fn, base)) found.push({ holder: base, at });
  };
  walkNodes(fn, (node) => {
    if (node.type === "AssignmentExpression") note(node.left, node);
    if (node.type === "UpdateExpression") note(node.argument, node);
    if (node.type !== "CallExpression") return;
    const callee = plain(node.callee);
    if (callee.type !== "MemberExpression" || !changing.has(memberName(callee) ?? "")) return;
    note(callee.object, node);
  });
  return found;
}

function baseName(node: Node): string | null {
  if (node.type === "Identifier") return node.name;
  return node.type === "MemberExpression" ? baseName(node.object) : null;
}

/** Whether a name is declared again inside a function. */
function declares(fn: Node, name: string): boolean {
  return hasNode(fn, (node) => {
    if (node.type === "VariableDeclarator")
      return node.id.type === "Identifier" && node.id.name === name;
    const isFunction =
      node.type === "ArrowFunctionExpression" ||
      node.type === "FunctionExpression" ||
      node.type === "FunctionDeclaration";
    return (
      isFunction &&
      node.params.some((param) =>
        hasNode(param, (each) => each.type === "Identifier" && each.name === name),
      )
    );
  });
}
