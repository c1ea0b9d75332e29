// The app's sources as a graph of modules: where a name in one file is declared, through imports and
// re-exports. Reads syntax only; nothing is run. Modules outside the sources are "external".
import {
  parseSync,
  type Comment,
  type Expression,
  type Function as FunctionNode,
  type Program,
} from "oxc-parser";
import { codeFrame, type AppMistake } from "./app-mistake.ts";
import type { SourcePlace } from "./manifest.ts";
import { moduleNames, type Declared, type ModuleNames } from "./rule-source-names.ts";

/** One file, parsed. */
export interface SourceFile {
  /** Relative to the app's folder, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly program: Program;
  readonly comments: readonly Comment[];
  readonly names: ModuleNames;
}

/** What a name stands for, followed through imports. */
export type Found =
  | {
      readonly kind: "declared";
      readonly file: SourceFile;
      readonly declared: Exclude<Declared, { kind: "import" }>;
    }
  | { readonly kind: "namespace"; readonly file: SourceFile }
  /** From a package, or from a file that is not among the sources. `imported` is `*` for a namespace. */
  | { readonly kind: "external"; readonly module: string; readonly imported: string };

/** A function in the sources. */
export type FunctionLike = (Expression & { type: "ArrowFunctionExpression" }) | FunctionNode;

/** A range of a file: what mistakes point at. */
export interface Ranged {
  readonly start: number;
  readonly end: number;
}

const importHopsMax = 32;

/** The sources and the mistakes found in them. */
export class SourceSet {
  readonly files: readonly SourceFile[];
  readonly #byPath = new Map<string, SourceFile>();
  readonly #mistakes = new Map<string, AppMistake>();
  /** How often something was refused, the same mistake again included. */
  refusals = 0;

  /** @param sources text of TypeScript by path relative to the app's folder. */
  constructor(sources: ReadonlyMap<string, string>) {
    for (const [given, text] of sources) {
      const path = normalPath(given);
      const lang = path.endsWith("x") ? "tsx" : "ts";
      const parsed = parseSync(path, text, { lang, sourceType: "module", preserveParens: false });
      for (const error of parsed.errors) {
        const start = error.labels[0]?.start ?? 0;
        const fix = error.helpMessage ?? "Mend the syntax here.";
        this.#add({ path, text }, start, `This is not valid TypeScript: ${error.message}.`, fix);
      }
      const { program, comments } = parsed;
      const names = moduleNames(program);
      this.#byPath.set(path, { path, text, program, comments, names });
    }
    this.files = [...this.#byPath.values()];
  }

  /** Everything found wrong, by file and place. */
  get mistakes(): readonly AppMistake[] {
    return [...this.#mistakes.values()].toSorted(
      (a, b) => compare(a.file, b.file) || a.line - b.line || a.column - b.column,
    );
  }

  /** Notes a mistake; the same one at the same place is kept once. */
  refuse(file: SourceFile, node: Ranged, problem: string, fix: string): void {
    this.#add(file, node.start, problem, fix);
  }

  #add(file: { path: string; text: string }, start: number, problem: string, fix: string): void {
    this.refusals += 1;
    const { line, column } = lineColumn(file.text, start);
    const key = `${file.path}:${start}:${problem}`;
    if (this.#mistakes.has(key)) return;
    const frame = codeFrame(file.text, line, column);
    this.#mistakes.set(key, { file: file.path, line, column, problem, fix, frame });
  }

  /** The line and column (from 1) of a node. */
  place(file: SourceFile, node: Ranged): SourcePlace {
    return { file: file.path, ...lineColumn(file.text, node.start) };
  }

  /** What `name` stands for at the top of `file`; null when nothing there is called so. */
  find(file: SourceFile, name: string, hops = 0): Found | null {
    const declared = file.names.declared.get(name);
    if (declared === undefined || hops > importHopsMax) return null;
    if (declared.kind !== "import") return { kind: "declared", file, declared };
    const { module, imported } = declared;
    const target = this.#module(file, module);
    if (target === null) return { kind: "external", module, imported };
    if (imported === "*") return { kind: "namespace", file: target };
    return this.findExport(target, imported, hops + 1);
  }

  /** What a module exports under `name`. */
  findExport(file: SourceFile, name: string, hops = 0): Found | null {
    if (hops > importHopsMax) return null;
    const exported = file.names.exported.get(name);
    if (exported?.kind === "local") return this.find(file, exported.name, hops + 1);
    if (exported?.kind === "value") {
      return { kind: "declared", file, declared: exported.declared };
    }
    if (exported?.kind === "from") {
      const target = this.#module(file, exported.module);
      if (target === null) {
        return { kind: "external", module: exported.module, imported: exported.imported };
      }
      if (exported.imported === "*") return { kind: "namespace", file: target };
      return this.findExport(target, exported.imported, hops + 1);
    }
    for (const module of file.names.stars) {
      const target = this.#module(file, module);
      const found = target === null ? null : this.findExport(target, name, hops + 1);
      if (found !== null) return found;
    }
    return null;
  }

  #module(from: SourceFile, specifier: string): SourceFile | null {
    if (!specifier.startsWith(".")) return null;
    const folder = from.path.split("/").slice(0, -1).join("/");
    const base = normalPath(folder === "" ? specifier : `${folder}/${specifier}`);
    const bare = base.replace(/\.[cm]?jsx?$/, "");
    const candidates = [base];
    for (const stem of [base, bare]) {
      for (const end of [".ts", ".tsx", ".mts", "/index.ts", "/index.tsx"]) {
        candidates.push(stem === "" ? end.slice(1) : stem + end);
      }
    }
    for (const candidate of candidates) {
      const file = this.#byPath.get(candidate);
      if (file !== undefined) return file;
    }
    return null;
  }
}

/** Line and column of an offset, both from 1. */
export function lineColumn(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}

function normalPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.replaceAll("\\", "/").split("/")) {
    if (part === "" || part === ".") continue;
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
