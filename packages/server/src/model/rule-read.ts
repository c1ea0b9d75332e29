// Reads expressions of a rule's source: one place that knows every form of expression, the parts of the
// language next door.
import type { Expression } from "oxc-parser";
import type { ArithmeticOp, CompareOp, RuleExpr } from "./rule-ast.ts";
import { readCall } from "./rule-read-call.ts";
import { callFunction } from "./rule-read-function.ts";
import { literalThing, readName } from "./rule-read-name.ts";
import {
  readArithmetic,
  readChoice,
  readComparison,
  readDefault,
  type Placed,
} from "./rule-read-operator.ts";
import { stepInto } from "./rule-read-step.ts";
import { keyName } from "./rule-source-names.ts";
import type { SourceSet } from "./rule-source.ts";
import {
  asTruth,
  rangeOf,
  refuse,
  textOf,
  type ObjectEntry,
  type Reader,
  type Scope,
  type Site,
  type Thing,
} from "./rule-thing.ts";
import type { RuleTables } from "./rule-type.ts";

/** Makes a reader. @param nodesMax expressions that one rule may consist of, helpers inlined. */
export function makeReader(
  sources: SourceSet,
  { tables, nodesMax }: { tables: RuleTables; nodesMax: number },
): Reader {
  const reader: Reader = {
    sources,
    tables,
    nodesMax,
    count: 0,
    depth: 0,
    open: new Set(),
    aliases: new Set(["row", "next", "me", "now", "db"]),
    read: (node, scope) => {
      reader.depth += 1;
      const thing = readExpression(reader, node, scope);
      reader.depth -= 1;
      return thing;
    },
    call: (fn, args, site) => callFunction(reader, fn, args, site),
  };
  return reader;
}

/** Levels of source that are read: `a && b && ...` is one level each. Bounds the stack. */
const readDepthMax = 500;

const comparisons: Readonly<Record<string, CompareOp>> = {
  "===": "==",
  "!==": "!=",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

const arithmetic: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

function readExpression(reader: Reader, node: Expression, scope: Scope): Thing | null {
  const site: Site = { file: scope.file, node };
  reader.count += 1;
  // A refusal of depth is worth one mistake, not one for each level or each operand.
  if (reader.depth > readDepthMax) reader.count = Math.max(reader.count, reader.nodesMax + 1);
  if (reader.count > reader.nodesMax) {
    if (reader.count > reader.nodesMax + 1) return null;
    return refuseSize(reader, site);
  }
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all other expressions are refused
  switch (node.type) {
    case "Literal":
      return readLiteral(reader, node, site);
    case "TemplateLiteral": {
      const [only] = node.quasis;
      if (node.expressions.length === 0 && only !== undefined && only.value.cooked !== null) {
        return literalThing(only.value.cooked, site);
      }
      return refuse(reader, site, "Rules do not join text.", "Compare the parts one by one.");
    }
    case "Identifier":
      return readName(reader, node.name, scope, site);
    case "ParenthesizedExpression":
    case "ChainExpression":
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
    case "TSTypeAssertion":
    case "TSInstantiationExpression":
      return readExpression(reader, node.expression, scope);
    case "MemberExpression":
      return readMember(reader, node, scope);
    case "CallExpression":
      return readCall(reader, node, scope);
    case "LogicalExpression":
      return readLogical(reader, node, scope);
    case "UnaryExpression":
      return readUnary(reader, node, scope);
    case "BinaryExpression":
      return readBinary(reader, node, scope);
    case "ConditionalExpression": {
      const test = readTruth(reader, node.test, scope);
      const yes = placed(reader, node.consequent, scope);
      const no = placed(reader, node.alternate, scope);
      return test && yes && no && readChoice(reader, test, { yes, no }, site);
    }
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return { kind: "function", node, scope };
    case "ArrayExpression":
      return readArray(reader, node, scope);
    case "ObjectExpression":
      return readObject(reader, node, scope);
    default:
      return refuse(
        reader,
        site,
        `\`${textOf(site)}\` is not part of the rule language.`,
        formFix(node),
      );
  }
}

function readLiteral(
  reader: Reader,
  node: Expression & { type: "Literal" },
  site: Site,
): Thing | null {
  const { value } = node;
  if (value === null && !("regex" in node) && !("bigint" in node)) return { kind: "absent" };
  if (typeof value === "number" && !Number.isFinite(value)) {
    return refuse(reader, site, "The number is too large.", "Write a number below 1.8e308.");
  }
  if (typeof value === "string" && (value.includes("\0") || !value.isWellFormed())) {
    const problem = "The text holds a character that no database stores.";
    return refuse(reader, site, problem, "Leave U+0000 and lone surrogates out.");
  }
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return literalThing(value, site);
  }
  const fix =
    "bigint" in node ? "Write the number without `n`." : "Use `.startsWith()` and its kin.";
  return refuse(reader, site, "Rules know text, numbers, true and false.", fix);
}

function readMember(
  reader: Reader,
  node: Expression & { type: "MemberExpression" },
  scope: Scope,
): Thing | null {
  const site: Site = { file: scope.file, node };
  const subject = reader.read(node.object, scope);
  if (subject === null) return null;
  const name = node.computed ? literalKey(node.property) : keyName(node.property);
  if (name === null) {
    return refuse(
      reader,
      site,
      "Rules know no computed names.",
      "Write the field's name: `row.title`.",
    );
  }
  return stepInto(reader, subject, name, site);
}

function literalKey(node: Expression): string | null {
  return node.type === "Literal" && typeof node.value === "string" ? node.value : null;
}

function readLogical(
  reader: Reader,
  node: Expression & { type: "LogicalExpression" },
  scope: Scope,
): Thing | null {
  const site: Site = { file: scope.file, node };
  if (node.operator === "??") {
    const left = placed(reader, node.left, scope);
    const right = placed(reader, node.right, scope);
    return left && right && readDefault(reader, { left, right }, site);
  }
  const left = readTruth(reader, node.left, scope);
  const right = readTruth(reader, node.right, scope);
  if (left === null || right === null) return null;
  const kind = node.operator === "&&" ? "and" : "or";
  const parts = [left, right].flatMap((part): readonly RuleExpr[] =>
    part.kind === kind ? part.parts : [part],
  );
  if (parts.length > reader.nodesMax) return refuseSize(reader, site);
  return { kind: "truth", expr: { kind, parts, at: rangeOf(site) } };
}

function readUnary(
  reader: Reader,
  node: Expression & { type: "UnaryExpression" },
  scope: Scope,
): Thing | null {
  const site: Site = { file: scope.file, node };
  if (node.operator === "!") {
    const part = readTruth(reader, node.argument, scope);
    return part && { kind: "truth", expr: { kind: "not", part, at: rangeOf(site) } };
  }
  if (node.operator === "-") {
    const right = placed(reader, node.argument, scope);
    if (right === null) return null;
    const { thing } = right;
    if (thing.kind === "value" && thing.value.kind === "literal") {
      const { value } = thing.value;
      if (typeof value === "number") return literalThing(-value, site);
    }
    const left: Placed = { thing: literalThing(0, site), site };
    return readArithmetic(reader, "-", { left, right }, site);
  }
  const problem = `Rules know no \`${node.operator}\`.`;
  return refuse(reader, site, problem, "Use comparisons, `&&`, `||`, `!` and `? :`.");
}

function readBinary(
  reader: Reader,
  node: Expression & { type: "BinaryExpression" },
  scope: Scope,
): Thing | null {
  const site: Site = { file: scope.file, node };
  const { operator } = node;
  if (node.left.type === "PrivateIdentifier" || operator === "in" || operator === "instanceof") {
    const fix = "Compare a field: `row.kind === ...`.";
    return refuse(reader, site, `Rules know no \`${operator}\`.`, fix);
  }
  const left = placed(reader, node.left, scope);
  const right = placed(reader, node.right, scope);
  if (left === null || right === null) return null;
  if (operator === "==" || operator === "!=") {
    const isPresence = left.thing.kind === "absent" || right.thing.kind === "absent";
    if (isPresence) return readComparison(reader, operator, { left, right }, site);
    const fix = `Write \`${operator}=\`.`;
    return refuse(reader, site, `\`${operator}\` converts its sides before it compares.`, fix);
  }
  const comparison = comparisons[operator];
  if (comparison !== undefined) return readComparison(reader, comparison, { left, right }, site);
  if (arithmetic.has(operator)) {
    return readArithmetic(reader, operator as ArithmeticOp, { left, right }, site);
  }
  return refuse(reader, site, `Rules know no \`${operator}\`.`, "Use `+ - * / %` and comparisons.");
}

function readArray(
  reader: Reader,
  node: Expression & { type: "ArrayExpression" },
  scope: Scope,
): Thing | null {
  const items: (Thing | null)[] = [];
  for (const element of node.elements) {
    if (element === null || element.type === "SpreadElement") {
      const spread = element === null ? null : reader.read(element.argument, scope);
      if (spread?.kind === "list") {
        items.push(...spread.items);
        continue;
      }
      const site: Site = { file: scope.file, node: element ?? node };
      return refuse(reader, site, "The list has a hole or `...`.", "Write its items out.");
    }
    items.push(reader.read(element, scope));
  }
  const good = items.filter((item) => item !== null);
  return good.length < items.length ? null : { kind: "list", items: good };
}

function readObject(
  reader: Reader,
  node: Expression & { type: "ObjectExpression" },
  scope: Scope,
): Thing | null {
  const entries = new Map<string, ObjectEntry>();
  for (const property of node.properties) {
    const site: Site = { file: scope.file, node: property };
    if (property.type === "SpreadElement") {
      const spread = reader.read(property.argument, scope);
      if (spread?.kind !== "object") {
        if (spread !== null)
          refuse(reader, site, "`...` takes a constant object here.", "Write it out.");
        return null;
      }
      for (const [name, entry] of spread.entries) entries.set(name, entry);
      continue;
    }
    const key = property.computed ? literalKey(property.key as Expression) : keyName(property.key);
    if (key === null || property.kind !== "init") {
      refuse(reader, site, "The name of this entry is computed.", "Write the name.");
      continue;
    }
    entries.set(key, { node: property.value, scope, key: property.key });
  }
  return { kind: "object", entries };
}

/** Refuses a rule with too many parts. */
export function refuseSize(reader: Reader, site: Site): null {
  const fix = "Split the table, or store what is decided in a field.";
  return refuse(
    reader,
    site,
    `The rule is larger than ${reader.nodesMax} expressions, or nested more than 100 deep.`,
    fix,
  );
}

function readTruth(reader: Reader, node: Expression, scope: Scope): RuleExpr | null {
  const found = placed(reader, node, scope);
  return found && asTruth(reader, found.thing, found.site);
}

function placed(reader: Reader, node: Expression, scope: Scope): Placed | null {
  const thing = reader.read(node, scope);
  return thing && { thing, site: { file: scope.file, node } };
}

const change = "Rules change nothing. To compare, write `===`.";

/** What to write in place of expressions that rules do not have. */
const formAdvice: Readonly<Record<string, string>> = {
  NewExpression: "Use fields, claims of `me`, `now` and constants.",
  AwaitExpression: "Rules are not async: leave `await` out.",
  AssignmentExpression: change,
  UpdateExpression: change,
  ThisExpression: "Use the rule's parameter: `({ row, me }) => ...`.",
};

function formFix(node: Expression): string {
  if (node.type === "NewExpression" && node.callee.type === "Identifier") {
    const { name } = node.callee;
    if (name === "Date") return "Use `now`, the time of the request: `row.startsAt > now`.";
  }
  return (
    formAdvice[node.type] ??
    "Use comparisons, `&&`, `||`, `!`, `? :`, `.includes(...)` and `db.table.some(...)`."
  );
}
