// Finds, in the app's sources, the calls that make up an app: `define({...})`, `rules({...})` and
// `app({...})` of what it gave out, the chains of its tables, and where its functions stand.
import type { Expression } from "oxc-parser";
import type { SourcePlace } from "./manifest.ts";
import { keyName } from "./rule-source-names.ts";
import type { Found, Ranged, SourceFile, SourceSet } from "./rule-source.ts";

/** A call of the sources. */
export interface PlacedCall {
  readonly file: SourceFile;
  readonly node: Expression & { type: "CallExpression" };
}

/** A table's declaration: the chain `table({...}).index(...).check(...)`. */
export interface TableSource {
  readonly at: SourcePlace;
  /** Calls of `.check`, in order. */
  readonly checks: readonly PlacedCall[];
}

/** A name within `define(...)`'s result that makes up the app. */
type Member = "rules" | "app";

/** What modules export: functions, and work that runs them. */
const exportedKinds: ReadonlySet<string> = new Set([
  "query",
  "mutation",
  "action",
  "http",
  "invariant",
  "queue",
  "on",
  "onChange",
  "cron",
  "hook",
  "workflow",
]);

/** Calls of `rules` from a `define(...)`. */
export function findRulesCalls(sources: SourceSet): readonly PlacedCall[] {
  return callsOf(sources, "rules");
}

/** A place where the app says that it has rules, or a schema, that could not be found. */
export interface UnseenPart {
  readonly file: SourceFile;
  readonly node: Ranged;
  readonly what: "rules" | "define";
}

/** What the app has and this reader does not see: without a word, everything would be denied. */
export function findUnseen(sources: SourceSet): readonly UnseenPart[] {
  const isDefined = sources.files.some((file) =>
    topCalls(file).some((node) => isDefine(sources, file, node)),
  );
  if (!isDefined) {
    return sources.files.flatMap((file): readonly UnseenPart[] => {
      const from = file.program.body.find(
        (statement) =>
          statement.type === "ImportDeclaration" &&
          statement.specifiers.some(
            (each) => each.type === "ImportSpecifier" && keyName(each.imported) === "define",
          ),
      );
      return from === undefined ? [] : [{ file, node: from, what: "define" }];
    });
  }
  if (findRulesCalls(sources).length > 0) return [];
  return callsOf(sources, "app").flatMap(({ file, node }) =>
    objectEntries(node.arguments[0])
      .filter(({ name }) => name === "rules")
      .map(({ key }): UnseenPart => ({ file, node: key, what: "rules" })),
  );
}

/** The tables in the calls of `define(...)`, by name. */
export function findTables(sources: SourceSet): ReadonlyMap<string, TableSource> {
  const tables = new Map<string, TableSource>();
  for (const file of sources.files) {
    for (const node of topCalls(file)) {
      if (!isDefine(sources, file, node)) continue;
      for (const { key, name, value } of objectEntries(node.arguments[0])) {
        const at = sources.place(file, key);
        tables.set(name, { at, checks: checksOf(sources, { file, node: value }) });
      }
    }
  }
  return tables;
}

/** Where every function and every piece of work stands, by `module.name`. */
export function findFunctions(sources: SourceSet): Readonly<Record<string, SourcePlace>> {
  const places: Record<string, SourcePlace> = {};
  for (const { file, node } of callsOf(sources, "app")) {
    const functions = objectEntries(node.arguments[0]).find(({ name }) => name === "functions");
    for (const { name, value } of objectEntries(functions?.value)) {
      if (value.type !== "Identifier") continue;
      const found = sources.find(file, value.name);
      if (found?.kind !== "namespace") continue;
      for (const [key, place] of functionsOf(sources, found.file)) {
        places[`${name}.${key}`] = place;
      }
    }
  }
  return places;
}

/** Where the app is put together: the call `app({...})`, and keys of it; the call where it has none, or is given more than a literal. */
export interface AppSource {
  readonly at: SourcePlace;
  readonly auth: SourcePlace;
  readonly cors: SourcePlace;
}

/** The call of `app(...)`, or null when it could not be found. */
export function findApp(sources: SourceSet): AppSource | null {
  const [call] = callsOf(sources, "app");
  if (call === undefined) return null;
  const { file, node } = call;
  const at = sources.place(file, node);
  const entries = objectEntries(node.arguments[0]);
  const placeOf = (key: string): SourcePlace => {
    const entry = entries.find(({ name }) => name === key);
    return entry === undefined ? at : sources.place(file, entry.key);
  };
  return { at, auth: placeOf("auth"), cors: placeOf("cors") };
}

function functionsOf(
  sources: SourceSet,
  file: SourceFile,
): readonly (readonly [string, SourcePlace])[] {
  return [...file.names.exported.keys()].flatMap((name) => {
    const found = sources.findExport(file, name);
    if (found?.kind !== "declared" || found.declared.kind !== "const") return [];
    const init = plain(found.declared.init);
    if (init.type !== "CallExpression") return [];
    const member = memberOf(sources, found.file, init.callee);
    if (member === null || !exportedKinds.has(member)) return [];
    return [[name, sources.place(found.file, found.declared.id)]];
  });
}

function callsOf(sources: SourceSet, member: Member): readonly PlacedCall[] {
  return sources.files.flatMap((file) =>
    topCalls(file)
      .filter((node) => memberOf(sources, file, node.callee) === member)
      .map((node) => ({ file, node })),
  );
}

/** Calls that statements at the top of a file consist of. */
function topCalls(file: SourceFile): readonly (Expression & { type: "CallExpression" })[] {
  const found: Expression[] = [];
  for (const statement of file.program.body) {
    const declaration =
      statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type === "VariableDeclaration") {
      for (const { init } of declaration.declarations) if (init !== null) found.push(init);
    }
    if (statement.type === "ExpressionStatement") found.push(statement.expression);
    if (statement.type === "ExportDefaultDeclaration") {
      found.push(statement.declaration as Expression);
    }
  }
  return found.map(plain).filter((node) => node.type === "CallExpression");
}

/** The name under which `define(...)` gave out what an expression stands for; null when it did not. */
function memberOf(sources: SourceSet, file: SourceFile, node: Expression, hops = 0): string | null {
  if (hops > 8) return null;
  const target = plain(node);
  if (target.type === "Identifier") {
    return memberOfFound(sources, sources.find(file, target.name), hops);
  }
  if (target.type !== "MemberExpression" || target.computed) return null;
  const name = keyName(target.property);
  const object = plain(target.object);
  if (name === null || object.type !== "Identifier") return null;
  const found = sources.find(file, object.name);
  if (found?.kind === "namespace") {
    return memberOfFound(sources, sources.findExport(found.file, name), hops);
  }
  if (found?.kind !== "declared" || found.declared.kind !== "const") return null;
  return isDefine(sources, found.file, plain(found.declared.init)) ? name : null;
}

function memberOfFound(sources: SourceSet, found: Found | null, hops: number): string | null {
  if (found?.kind !== "declared") return null;
  const { file, declared } = found;
  if (declared.kind === "const") return memberOf(sources, file, declared.init, hops + 1);
  if (declared.kind !== "member") return null;
  const init = plain(declared.init);
  if (isDefine(sources, file, init)) return declared.key;
  // `const { rules } = backend`
  if (init.type !== "Identifier") return null;
  const source = sources.find(file, init.name);
  if (source?.kind !== "declared" || source.declared.kind !== "const") return null;
  return isDefine(sources, source.file, plain(source.declared.init)) ? declared.key : null;
}

/** Whether an expression is a call of a package's `define`. */
function isDefine(sources: SourceSet, file: SourceFile, node: Expression): boolean {
  if (node.type !== "CallExpression") return false;
  const callee = plain(node.callee);
  if (callee.type === "Identifier") {
    const found = sources.find(file, callee.name);
    return found?.kind === "external" && found.imported === "define";
  }
  if (callee.type !== "MemberExpression" || keyName(callee.property) !== "define") return false;
  const object = plain(callee.object);
  const found = object.type === "Identifier" ? sources.find(file, object.name) : null;
  return found?.kind === "external" && found.imported === "*";
}

interface Entry {
  readonly name: string;
  readonly key: Ranged;
  readonly value: Expression;
}

function objectEntries(node: { readonly type: string } | undefined): readonly Entry[] {
  if (node === undefined) return [];
  const object = plain(node as Expression);
  if (object.type !== "ObjectExpression") return [];
  return object.properties.flatMap((property): readonly Entry[] => {
    if (property.type !== "Property" || property.computed) return [];
    const name = keyName(property.key);
    return name === null ? [] : [{ name, key: property.key, value: property.value }];
  });
}

/** The `.check` calls of a table's chain, through constants. */
function checksOf(
  sources: SourceSet,
  { file, node }: { file: SourceFile; node: Expression },
  hops = 0,
): readonly PlacedCall[] {
  const target = plain(node);
  if (target.type === "Identifier" && hops < 8) {
    const found = sources.find(file, target.name);
    if (found?.kind !== "declared" || found.declared.kind !== "const") return [];
    return checksOf(sources, { file: found.file, node: found.declared.init }, hops + 1);
  }
  if (target.type !== "CallExpression") return [];
  const callee = plain(target.callee);
  if (callee.type !== "MemberExpression") return [];
  const before = checksOf(sources, { file, node: callee.object }, hops);
  return keyName(callee.property) === "check" ? [...before, { file, node: target }] : before;
}

/** An expression without what only types need. */
export function plain(node: Expression): Expression {
  if (
    node.type === "ParenthesizedExpression" ||
    node.type === "ChainExpression" ||
    node.type === "TSAsExpression" ||
    node.type === "TSSatisfiesExpression" ||
    node.type === "TSNonNullExpression" ||
    node.type === "TSTypeAssertion"
  ) {
    return plain(node.expression);
  }
  return node;
}
