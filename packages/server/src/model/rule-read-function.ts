// Functions of a rule's source: parameters are bound to what they stand for, the body becomes one thing.
// A body is an expression, or constants and `if (...) return ...`, ended by a `return`.
import type { BindingPattern, Directive, Statement } from "oxc-parser";
import type { FunctionLike, Ranged } from "./rule-source.ts";
import { keyName } from "./rule-source-names.ts";
import { readChoice, type Placed } from "./rule-read-operator.ts";
import { stepInto } from "./rule-read-step.ts";
import {
  asTruth,
  refuse,
  type FunctionThing,
  type Reader,
  type Scope,
  type Site,
  type Thing,
} from "./rule-thing.ts";

/** Reads a call of a function of the sources. @param site the call, for mistakes about it. */
export function callFunction(
  reader: Reader,
  fn: FunctionThing,
  args: readonly (Thing | null)[],
  site: Site,
): Thing | null {
  const { node, scope } = fn;
  const place: Site = { file: scope.file, node };
  if (node.async || ("generator" in node && node.generator)) {
    return refuse(
      reader,
      place,
      "Rules are plain functions.",
      "Leave `async` and `function*` out.",
    );
  }
  if (reader.open.has(node)) {
    const fix = "Rules have no recursion: write the cases out.";
    return refuse(reader, site, "This function calls itself.", fix);
  }
  if (args.length > node.params.length && node.params.length > 0) {
    return refuse(
      reader,
      site,
      "The call has more arguments than parameters.",
      "Leave the last ones out.",
    );
  }
  const names = new Map<string, Thing | null>();
  for (const [index, param] of node.params.entries()) {
    const argument = args[index];
    if (argument === undefined) {
      const problem = "An argument is missing.";
      return refuse(reader, index < args.length ? site : place, problem, missingFix(args));
    }
    if (param.type === "RestElement" || param.type === "TSParameterProperty") {
      return refuse(
        reader,
        { file: scope.file, node: param },
        "Rules know no `...`.",
        "Name the parameters.",
      );
    }
    if (!bindPattern(reader, param, argument, { names, file: scope })) return null;
  }
  reader.open.add(node);
  const thing = readBody(reader, node, { file: scope.file, names, around: scope });
  reader.open.delete(node);
  return thing;
}

function missingFix(args: readonly (Thing | null)[]): string {
  return args.length === 1 && args[0]?.kind === "input"
    ? "A rule has one parameter, an object: `({ row, me }) => ...`."
    : "Give every parameter a value.";
}

/** Binds the names of a pattern. @returns false when a mistake was noted. */
function bindPattern(
  reader: Reader,
  pattern: BindingPattern,
  thing: Thing | null,
  into: { names: Map<string, Thing | null>; file: Scope },
): boolean {
  const { names, file } = into;
  const site = (node: Ranged): Site => ({ file: file.file, node });
  switch (pattern.type) {
    case "Identifier":
      names.set(pattern.name, thing);
      return true;
    case "ObjectPattern": {
      let good = true;
      for (const property of pattern.properties) {
        if (property.type === "RestElement") {
          refuse(reader, site(property), "Rules know no `...`.", "Name what is used.");
          good = false;
          continue;
        }
        const key = property.computed ? null : keyName(property.key);
        if (key === null) {
          refuse(reader, site(property), "Rules know no computed names.", "Write the name.");
          good = false;
          continue;
        }
        const part = thing === null ? null : stepInto(reader, thing, key, site(property));
        good = bindPattern(reader, property.value, part, into) && good;
      }
      return good;
    }
    case "AssignmentPattern":
      refuse(
        reader,
        site(pattern),
        "Rules know no default values of parameters.",
        "Write `x ?? value` where it is used.",
      );
      return false;
    case "ArrayPattern":
      refuse(reader, site(pattern), "Rules do not take lists apart.", "Name the parts one by one.");
      return false;
    default:
      return pattern satisfies never;
  }
}

function readBody(reader: Reader, node: FunctionLike, scope: Scope): Thing | null {
  const { body } = node;
  const place: Site = { file: scope.file, node };
  if (body === null) return refuse(reader, place, "The function has no body.", "Write it.");
  if (body.type !== "BlockStatement") return reader.read(body, scope);
  return (
    readStatements(reader, body.body, scope, { file: scope.file, node: endOf(body) })?.thing ?? null
  );
}

function readStatements(
  reader: Reader,
  statements: readonly (Statement | Directive)[],
  outer: Scope,
  end: Site,
): Placed | null {
  const names = new Map<string, Thing | null>();
  const scope: Scope = { file: outer.file, names, around: outer };
  for (const [index, statement] of statements.entries()) {
    const site: Site = { file: scope.file, node: statement };
    // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all other statements are refused
    switch (statement.type) {
      case "VariableDeclaration":
        if (!readConstants(reader, statement, scope, names)) return null;
        break;
      case "FunctionDeclaration":
        if (statement.id !== null) {
          names.set(statement.id.name, { kind: "function", node: statement, scope });
        }
        break;
      case "ReturnStatement": {
        const { argument } = statement;
        if (argument === null) {
          return refuse(reader, site, "A rule gives true or false.", "Write `return false`.");
        }
        const thing = reader.read(argument, scope);
        return thing && { thing, site: { file: scope.file, node: argument } };
      }
      case "IfStatement":
        return readIf(reader, statement, { rest: statements.slice(index + 1), scope, end });
      case "BlockStatement":
        return readStatements(
          reader,
          [...statement.body, ...statements.slice(index + 1)],
          scope,
          end,
        );
      case "EmptyStatement":
      case "TSTypeAliasDeclaration":
      case "TSInterfaceDeclaration":
        break;
      default: {
        const problem = "This statement is not part of the rule language.";
        const advice = statementAdvice[statement.type] ?? { problem, fix: shape };
        return refuse(reader, site, advice.problem, advice.fix);
      }
    }
  }
  const fix = "End it with `return ...`.";
  return refuse(reader, end, "This path of the rule returns nothing.", fix);
}

function readConstants(
  reader: Reader,
  statement: Statement & { type: "VariableDeclaration" },
  scope: Scope,
  names: Map<string, Thing | null>,
): boolean {
  let good = true;
  for (const declarator of statement.declarations) {
    if (statement.kind !== "const" || declarator.init === null) {
      const site: Site = { file: scope.file, node: statement };
      const problem = `Rules know no \`${statement.kind}\`.`;
      refuse(reader, site, problem, "Use `const` with a value.");
      return false;
    }
    const thing = reader.read(declarator.init, scope);
    if (thing === null) good = false;
    good = bindPattern(reader, declarator.id, thing, { names, file: scope }) && good;
  }
  // Names that were refused stay bound, so that the lines below are read for mistakes of their own.
  return good || names.size > 0;
}

function readIf(
  reader: Reader,
  statement: Statement & { type: "IfStatement" },
  { rest, scope, end }: { rest: readonly (Statement | Directive)[]; scope: Scope; end: Site },
): Placed | null {
  const site: Site = { file: scope.file, node: statement };
  const testSite: Site = { file: scope.file, node: statement.test };
  const test = reader.read(statement.test, scope);
  const when = test && asTruth(reader, test, testSite);
  const endOfYes: Site = { file: scope.file, node: endOf(statement.consequent) };
  const yes = readStatements(reader, [statement.consequent], scope, endOfYes);
  const no =
    statement.alternate === null
      ? readStatements(reader, rest, scope, end)
      : readStatements(reader, [statement.alternate, ...rest], scope, end);
  if (when === null || yes === null || no === null) return null;
  const thing = readChoice(reader, when, { yes, no }, site);
  return thing && { thing, site };
}

const loop = {
  problem: "Rules know no loops.",
  fix: "Ask a list with `.includes(...)`, a table with `db.table.some((x) => ...)`.",
};
const shape = "A rule is `const`s, `if (...) return ...;` and a `return ...;` at its end.";

/** What to say of statements that rules do not have. */
const statementAdvice: Readonly<Record<string, { problem: string; fix: string }>> = {
  ThrowStatement: { problem: "A rule does not throw.", fix: "Write `return false`." },
  SwitchStatement: {
    problem: "Rules know no `switch`.",
    fix: "Write `if (...) return ...;` for each case.",
  },
  ForStatement: loop,
  ForInStatement: loop,
  ForOfStatement: loop,
  WhileStatement: loop,
  DoWhileStatement: loop,
  ExpressionStatement: {
    problem: "This statement has no effect on the rule's answer.",
    fix: shape,
  },
};

/** The last character of a node. */
function endOf(node: Ranged): Ranged {
  return { start: Math.max(node.start, node.end - 1), end: node.end };
}
