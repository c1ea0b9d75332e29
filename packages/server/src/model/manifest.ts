// The manifest (law 1): the whole backend as plain, frozen, versioned JSON. Every door, document, check,
// attack and migration is derived from this alone; nothing else describes the app.
import type {
  AllowSpec,
  FieldSpec,
  FunctionSpec,
  IndexSpec,
  LimitSpec,
  WhereSpec,
  WorkSpec,
} from "@keelson/sdk/spec";
import type { AuthModel } from "./auth-model.ts";
import type { Rule, TableRules } from "./rule-ast.ts";

export type { AllowSpec, FieldSpec, FunctionSpec, IndexSpec, LimitSpec, WhereSpec };

/** A place in the app's source; lines and columns count from 1. */
export interface SourcePlace {
  /** Relative to the app's folder, with forward slashes. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface TableModel {
  readonly name: string;
  /** Every field in declaration order, `id` first (kind `id` of this table, immutable). */
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly indexes: readonly IndexSpec[];
  readonly search: readonly string[];
  /** Each must not be false or unknown for any row written. `message` is what the caller reads. */
  readonly checks: readonly { readonly rule: Rule; readonly message?: string }[];
  readonly rules: TableRules;
  readonly limits: { readonly read?: LimitSpec; readonly write?: LimitSpec };
  readonly at?: SourcePlace;
}

/** Work as declared, checked: every function, event, table, zone and rate in it is one. */
export type WorkModel = WorkSpec;

export interface FunctionModel extends FunctionSpec {
  /** `module.name`. */
  readonly name: string;
  readonly at?: SourcePlace;
}

export interface Manifest {
  readonly version: 1;
  readonly tables: Readonly<Record<string, TableModel>>;
  /** Tables that the platform keeps beside them: see platform-tables.ts. */
  readonly platform?: Readonly<Record<string, TableModel>>;
  readonly functions: Readonly<Record<string, FunctionModel>>;
  readonly invariants: readonly string[];
  readonly cors: readonly string[];
  /** How people sign in. Absent: `defaultAuth` of auth-model.ts. */
  readonly auth?: AuthModel;
  /** Events, queues, consumers and crons; absent when there are none. */
  readonly work?: WorkModel;
  /** SHA-256 (hex) of the canonical JSON of all of the above and of the bundle: names one state of the app. */
  readonly hash: string;
}
