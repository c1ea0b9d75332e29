// Where each function of the manifest stands in the sources: its definition and the function that runs.
import { plain } from "../../model/rule-app.ts";
import type { FunctionModel, Manifest } from "../../model/manifest.ts";
import type { FunctionLike, SourceFile, SourceSet } from "../../model/rule-source.ts";
import { entriesOf, entryOf, argumentOf, type Expression, type Node } from "./syntax.ts";

/** A function of the app with its source. */
export interface FunctionSource {
  readonly model: FunctionModel;
  readonly file: SourceFile;
  /** Its name in the source: what findings about the whole function point at. */
  readonly name: Node;
  /** The object that `query({...})` was given; null for an invariant. */
  readonly definition: Expression | null;
  readonly run: FunctionLike;
  /** It sees everything and is never called from outside. */
  readonly isInvariant: boolean;
}

/** The functions whose source was found, in the manifest's order. */
export function findFunctionSources(
  manifest: Manifest,
  sources: SourceSet,
): readonly FunctionSource[] {
  const byPlace = new Map<string, Omit<FunctionSource, "model">>();
  for (const file of sources.files) {
    for (const { name, init } of topConstants(file)) {
      const source = sourceOf(sources, file, { name, init });
      if (source === null) continue;
      const { line, column } = sources.place(file, name);
      byPlace.set(`${file.path}:${line}:${column}`, source);
    }
  }
  return Object.values(manifest.functions).flatMap((model): readonly FunctionSource[] => {
    const { at } = model;
    const found = at === undefined ? undefined : byPlace.get(`${at.file}:${at.line}:${at.column}`);
    return found === undefined ? [] : [{ model, ...found }];
  });
}

/** The workflows whose source was found. Their model is that of an action that nobody may call. */
export function findWorkflowSources(
  manifest: Manifest,
  sources: SourceSet,
): readonly FunctionSource[] {
  const workflows = Object.entries(manifest.work?.workflows ?? {});
  const found = sources.files.flatMap((file) =>
    topConstants(file).flatMap(({ name, init }) => {
      const call = plain(init);
      if (call.type !== "CallExpression" || call.callee.type !== "Identifier") return [];
      if (call.callee.name !== "workflow" || name.type !== "Identifier") return [];
      const source = sourceOf(sources, file, { name, init });
      return source === null ? [] : [{ key: name.name, path: file.path, source }];
    }),
  );
  return workflows.flatMap(([name, { args }]): readonly FunctionSource[] => {
    const [module = "", key = ""] = name.split(".");
    const named = found.filter((each) => each.key === key);
    // Two files with workflows of one name: the module is named as its file, as a rule.
    const own = named.find(({ path }) => path.endsWith(`/${module}.ts`)) ?? named[0];
    if (own === undefined) return [];
    const model: FunctionModel = { name, kind: "action", args, allow: "nobody" };
    return [{ model, ...own.source }];
  });
}

/** `const name = init` at the top of a file. */
export function topConstants(
  file: SourceFile,
): readonly { readonly name: Node; readonly init: Expression }[] {
  return file.program.body.flatMap((statement) => {
    const declaration =
      statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (declaration?.type !== "VariableDeclaration") return [];
    return declaration.declarations.flatMap(({ id, init }) =>
      init === null ? [] : [{ name: id, init }],
    );
  });
}

function sourceOf(
  sources: SourceSet,
  file: SourceFile,
  { name, init }: { readonly name: Node; readonly init: Expression },
): Omit<FunctionSource, "model"> | null {
  const call = plain(init);
  if (call.type !== "CallExpression") return null;
  const given = argumentOf(call, 0);
  if (given === undefined) return null;
  const definition = plain(given);
  if (isFunction(definition)) {
    return { file, name, definition: null, run: definition, isInvariant: true };
  }
  if (!entriesOf(definition).some((entry) => entry.name === "run")) return null;
  const run = entryOf(definition, "run");
  const target = run === undefined ? null : functionOf(sources, file, run);
  return target === null
    ? null
    : { file: target.file, name, definition, run: target.node, isInvariant: false };
}

function functionOf(
  sources: SourceSet,
  file: SourceFile,
  node: Expression,
): { readonly file: SourceFile; readonly node: FunctionLike } | null {
  const target = plain(node);
  if (isFunction(target)) return { file, node: target };
  if (target.type !== "Identifier") return null;
  const found = sources.find(file, target.name);
  if (found?.kind !== "declared") return null;
  if (found.declared.kind === "function") return { file: found.file, node: found.declared.node };
  if (found.declared.kind !== "const") return null;
  const init = plain(found.declared.init);
  return isFunction(init) ? { file: found.file, node: init } : null;
}

function isFunction(node: Expression): node is Expression & FunctionLike {
  return node.type === "ArrowFunctionExpression" || node.type === "FunctionExpression";
}
