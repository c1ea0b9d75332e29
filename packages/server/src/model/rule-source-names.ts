// The names of one module: what is declared at its top, imported and exported. Syntax only.
import type {
  BindingPattern,
  Directive,
  Expression,
  Function as FunctionNode,
  Program,
  Statement,
} from "oxc-parser";

/** Where a name stands in its file. */
interface Named {
  readonly start: number;
  readonly end: number;
}

/** What a name at the top of a module is. */
export type Declared =
  /** `const name = init`. `id` is where the name stands; of a default export, its value. */
  | { readonly kind: "const"; readonly init: Expression; readonly id: Named }
  /** `const { key: name } = init`. */
  | { readonly kind: "member"; readonly init: Expression; readonly key: string }
  | { readonly kind: "function"; readonly node: FunctionNode }
  /** `imported` is `*` for a namespace. */
  | { readonly kind: "import"; readonly module: string; readonly imported: string }
  /** let, var, class, enum: something that rules cannot follow. */
  | { readonly kind: "other"; readonly what: string };

/** What a module exports under a name. */
export type Exported =
  | { readonly kind: "local"; readonly name: string }
  | { readonly kind: "value"; readonly declared: Exclude<Declared, { kind: "import" }> }
  | { readonly kind: "from"; readonly module: string; readonly imported: string };

export interface ModuleNames {
  readonly declared: ReadonlyMap<string, Declared>;
  readonly exported: ReadonlyMap<string, Exported>;
  /** Modules of `export * from`. */
  readonly stars: readonly string[];
}

interface Names {
  readonly declared: Map<string, Declared>;
  readonly exported: Map<string, Exported>;
  readonly stars: string[];
}

/** Reads the names of a module. */
export function moduleNames(program: Program): ModuleNames {
  const names: Names = { declared: new Map(), exported: new Map(), stars: [] };
  for (const statement of program.body) readStatement(statement, names);
  return names;
}

function readStatement(statement: Statement | Directive, names: Names): void {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other statements declare no names
  switch (statement.type) {
    case "ImportDeclaration":
      for (const each of statement.specifiers) {
        const imported = importedName(each);
        const { local } = each;
        names.declared.set(local.name, {
          kind: "import",
          module: statement.source.value,
          imported,
        });
      }
      return;
    case "ExportNamedDeclaration":
      readNamedExport(statement, names);
      return;
    case "ExportAllDeclaration":
      if (statement.exported === null) names.stars.push(statement.source.value);
      else {
        const module = statement.source.value;
        names.exported.set(nameOf(statement.exported), { kind: "from", module, imported: "*" });
      }
      return;
    case "ExportDefaultDeclaration":
      readDefault(statement.declaration, names);
      return;
    default:
      readDeclaration(statement, names);
  }
}

function importedName(
  each: (Statement & { type: "ImportDeclaration" })["specifiers"][number],
): string {
  if (each.type === "ImportSpecifier") return nameOf(each.imported);
  return each.type === "ImportDefaultSpecifier" ? "default" : "*";
}

function readNamedExport(
  statement: Statement & { type: "ExportNamedDeclaration" },
  names: Names,
): void {
  for (const each of statement.specifiers) {
    const local = nameOf(each.local);
    const exported = nameOf(each.exported);
    if (statement.source === null) names.exported.set(exported, { kind: "local", name: local });
    else {
      const module = statement.source.value;
      names.exported.set(exported, { kind: "from", module, imported: local });
    }
  }
  if (statement.declaration === null) return;
  for (const name of readDeclaration(statement.declaration, names)) {
    names.exported.set(name, { kind: "local", name });
  }
}

function readDefault(
  declaration: (Statement & { type: "ExportDefaultDeclaration" })["declaration"],
  names: Names,
): void {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- all others are expressions
  switch (declaration.type) {
    case "FunctionDeclaration":
    case "FunctionExpression": {
      const declared = { kind: "function", node: declaration } as const;
      names.exported.set("default", { kind: "value", declared });
      if (declaration.id !== null) names.declared.set(declaration.id.name, declared);
      return;
    }
    case "Identifier":
      names.exported.set("default", { kind: "local", name: declaration.name });
      return;
    case "ClassDeclaration":
    case "ClassExpression":
    case "TSInterfaceDeclaration":
    case "TSDeclareFunction":
    case "TSEmptyBodyFunctionExpression":
      names.exported.set("default", {
        kind: "value",
        declared: { kind: "other", what: "a declaration" },
      });
      return;
    default:
      names.exported.set("default", {
        kind: "value",
        declared: { kind: "const", init: declaration, id: declaration },
      });
  }
}

/** @returns the names that it declares. */
function readDeclaration(statement: Statement | Directive, names: Names): readonly string[] {
  // oxlint-disable-next-line typescript/switch-exhaustiveness-check -- other statements declare no names
  switch (statement.type) {
    case "VariableDeclaration": {
      const found: string[] = [];
      for (const { id, init } of statement.declarations) {
        const kept = statement.kind === "const" ? init : null;
        found.push(...readPattern(id, kept, statement.kind, names));
      }
      return found;
    }
    case "FunctionDeclaration":
      if (statement.id === null) return [];
      names.declared.set(statement.id.name, { kind: "function", node: statement });
      return [statement.id.name];
    case "ClassDeclaration":
    case "TSEnumDeclaration": {
      if (statement.id === null) return [];
      const what = statement.type === "ClassDeclaration" ? "a class" : "an enum";
      names.declared.set(statement.id.name, { kind: "other", what });
      return [statement.id.name];
    }
    default:
      return [];
  }
}

function readPattern(
  pattern: BindingPattern,
  init: Expression | null,
  keyword: string,
  names: Names,
): readonly string[] {
  const other: Declared = { kind: "other", what: `a \`${keyword}\`` };
  if (pattern.type === "Identifier") {
    names.declared.set(pattern.name, init === null ? other : { kind: "const", init, id: pattern });
    return [pattern.name];
  }
  if (pattern.type !== "ObjectPattern") return [];
  const found: string[] = [];
  for (const property of pattern.properties) {
    if (property.type !== "Property" || property.value.type !== "Identifier") continue;
    const key = property.computed ? null : keyName(property.key);
    const local = property.value.name;
    if (key === null || init === null) names.declared.set(local, other);
    else names.declared.set(local, { kind: "member", init, key });
    found.push(local);
  }
  return found;
}

/** The name of a property key that is not computed; null for private names and others. */
export function keyName(key: { readonly type: string }): string | null {
  const node = key as { type: string; name?: unknown; value?: unknown };
  if (node.type === "Identifier" && typeof node.name === "string") return node.name;
  if (node.type !== "Literal") return null;
  return typeof node.value === "string" || typeof node.value === "number"
    ? String(node.value)
    : null;
}

function nameOf(node: { readonly type: string }): string {
  return keyName(node) ?? "";
}
