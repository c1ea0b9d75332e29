// One review of one app: what checks look at, and where they put what they find. Checks only read; they say a
// finding with its code, its place and its evidence.
import { codeFrame } from "../../model/app-mistake.ts";
import type { Manifest, SourcePlace, TableModel } from "../../model/manifest.ts";
import type { Rule } from "../../model/rule-ast.ts";
import { lineColumn, SourceSet, type Ranged, type SourceFile } from "../../model/rule-source.ts";
import type { PlanEvidence } from "../../store/store.ts";
import type { MigrationStep } from "../../store/sqlite/migrate.ts";
import type { Evidence, Finding } from "../finding.ts";
import { checkCodes, type CheckCodeName } from "./codes.ts";
import { readFlow } from "./flow-read.ts";
import type { FunctionFlow } from "./flow-walker.ts";
import { findFunctionSources, findWorkflowSources } from "./function-source.ts";
import { findTableSources, type FieldSource, type TableSource } from "./table-source.ts";

/** Asks the engine how it would answer. */
export interface PlanDesk {
  /**
   * The plans of a list (a QueryForm as JSON), with those of its rules.
   * @param as `system` skips the rules; `caller` is somebody signed in without a role.
   * @returns `[]` when the form is not taken.
   */
  plans(table: string, form: unknown, as: "system" | "caller"): readonly PlanEvidence[];
}

/** What is reviewed. */
export interface ReviewInput {
  readonly manifest: Manifest;
  /** The backend's own files: text by path relative to the app's folder. */
  readonly sources: ReadonlyMap<string, string>;
  /** Files that a browser gets, or that are bundled for one. */
  readonly browser: ReadonlyMap<string, string>;
  readonly plans: PlanDesk;
  /** Rows by table, where a database is at hand. */
  readonly rows: ReadonlyMap<string, number> | null;
  /** What a migration of that database would do. */
  readonly pending: readonly MigrationStep[];
  /** The app as clients know it. */
  readonly shipped: Manifest | null;
}

/** A place that a finding is said at. */
export type At =
  | { readonly file: SourceFile; readonly node: Ranged }
  | { readonly place: SourcePlace | undefined }
  | { readonly rule: Rule };

/** What a check says of one place. */
export interface Said {
  readonly says: string;
  readonly evidence?: readonly (string | Evidence)[];
  /** What to write instead, as code. */
  readonly fix: string;
}

/** The state of one review. */
export class AppReview {
  readonly input: ReviewInput;
  readonly manifest: Manifest;
  readonly sources: SourceSet;
  readonly browser: SourceSet;
  readonly tables: readonly TableModel[];
  readonly tableSources: ReadonlyMap<string, TableSource>;
  readonly flows: readonly FunctionFlow[];
  /** Those of workflows: no functions that anybody calls, and without tables or network. */
  readonly workflows: readonly FunctionFlow[];
  readonly #found = new Map<string, Finding>();

  constructor(input: ReviewInput) {
    this.input = input;
    this.manifest = input.manifest;
    this.sources = new SourceSet(input.sources);
    this.browser = new SourceSet(input.browser);
    this.tables = Object.values(input.manifest.tables);
    this.tableSources = findTableSources(input.manifest, this.sources);
    const functions = findFunctionSources(input.manifest, this.sources);
    this.flows = functions.map((source) => readFlow(this.sources, source));
    this.workflows = findWorkflowSources(input.manifest, this.sources).map((source) =>
      readFlow(this.sources, source),
    );
  }

  /** Everything found so far, in the order in which it was said. */
  get findings(): readonly Finding[] {
    return [...this.#found.values()];
  }

  /** Says a finding; the same code at the same place is said once. */
  say(name: CheckCodeName, at: At, { says, evidence = [], fix }: Said): void {
    const code = checkCodes[name];
    const place = this.placeOf(at);
    const key = `${name} ${place.file}:${place.line}:${place.column} ${says}`;
    if (this.#found.has(key)) return;
    const finding: Finding = Object.freeze({
      code: name,
      severity: code.severity,
      category: code.category,
      title: code.title,
      says,
      why: code.why,
      at: place,
      frame: this.#frame(place),
      evidence: evidence.map((each) => (typeof each === "string" ? { text: each } : each)),
      fix,
      page: `reference/checks/${name}.md`,
    });
    this.#found.set(key, finding);
  }

  /** Line and column of a place; the app's own file when nothing is known. */
  placeOf(at: At): SourcePlace {
    if ("rule" in at) {
      return { file: at.rule.at.file, line: at.rule.line, column: at.rule.column };
    }
    if ("place" in at) return at.place ?? { file: "keelson/app.ts", line: 1, column: 1 };
    return { file: at.file.path, ...lineColumn(at.file.text, at.node.start) };
  }

  /** Where a table's name stands. */
  tableAt(table: string): At {
    return { place: this.manifest.tables[table]?.at };
  }

  /** Where a field's name stands; the table's name where that is not known. */
  fieldAt(table: string, field: string): At {
    const source = this.fieldSource(table, field);
    return source === undefined ? this.tableAt(table) : { file: source.file, node: source.key };
  }

  fieldSource(table: string, field: string): FieldSource | undefined {
    return this.tableSources.get(table)?.fields.get(field);
  }

  /** Whether the app declares the table itself: the table `user` is there without. */
  isDeclared(table: string): boolean {
    return this.tableSources.has(table);
  }

  #frame({ file, line, column }: SourcePlace): string {
    const text = this.input.sources.get(file) ?? this.input.browser.get(file);
    return text === undefined ? "" : codeFrame(text, line, column);
  }
}
