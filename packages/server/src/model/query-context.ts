// What one check of a query carries along: the manifest, the limits, what is left of them, the issues found
// and the fields touched.
import type { Limits } from "../base/limits.ts";
import { addIssue, didYouMean, type Issue } from "./field-issue.ts";
import type { RecordWriter } from "./field-record.ts";
import type { Manifest } from "./manifest.ts";
import type { QueryField, QueryTable } from "./query-table.ts";

/** A field whose values decide which rows come, in which order, or what a computed value is. */
export interface FieldTouch {
  readonly table: string;
  readonly field: string;
}

/** The state of one check. */
export class QueryContext {
  /** Null where no other table can be named: in a filter that stands alone. */
  readonly manifest: Manifest | null;
  readonly limits: Limits;
  readonly issues: Issue[] = [];
  readonly touches: FieldTouch[] = [];
  /** Conditions on fields, of all filters of the query. */
  whereNodesLeft: number;
  /** `and`, `or` and `not` around them: each condition may stand in two that are its own. */
  whereGroupsLeft: number;
  withTermsLeft: number;
  inValuesLeft: number;
  readonly #seesPrivate: boolean;

  constructor(manifest: Manifest | null, limits: Limits, reader: RecordWriter) {
    this.manifest = manifest;
    this.limits = limits;
    this.whereNodesLeft = limits.whereNodesMax;
    this.whereGroupsLeft = limits.whereNodesMax * 2;
    this.withTermsLeft = limits.withTermsMax;
    this.inValuesLeft = limits.inValuesQueryMax;
    this.#seesPrivate = reader === "system";
  }

  /** Notes what is wrong. @returns undefined, so that a check can return it. */
  refuse(path: string, problem: string): undefined {
    addIssue(this.issues, path, problem);
    return undefined;
  }

  /** A field that this reader may name, or an issue. To a caller, private fields do not exist. */
  field(table: QueryTable, name: string, path: string): QueryField | undefined {
    const field = table.fields.get(name);
    if (field !== undefined && (this.#seesPrivate || field.spec.private !== true)) return field;
    const hint = didYouMean(name, this.names(table));
    // `where.raitng` says it already, `orderBy` does not.
    const isSaid = path.endsWith(`.${below("", name)}`);
    const said = isSaid ? "" : `names ${JSON.stringify(name.slice(0, 64))}, which `;
    return this.refuse(path, `${said}is no field of ${table.model.name}${hint}`);
  }

  /** Names of the fields that this reader may name. */
  names(table: QueryTable): readonly string[] {
    const fields = [...table.fields.values()];
    return fields
      .filter((field) => this.#seesPrivate || field.spec.private !== true)
      .map((field) => field.name);
  }

  /** Whether there is a table of this name for this reader: one without rules is not there for callers. */
  knows(table: string): boolean {
    const tables = this.manifest?.tables;
    if (tables === undefined || !Object.hasOwn(tables, table)) return false;
    if (this.#seesPrivate) return true;
    const { read, create, update, delete: remove } = tables[table]?.rules ?? {};
    return [read, create, update, remove].some((rule) => rule !== undefined);
  }

  /** Names of the tables that are there for this reader. */
  tables(): readonly string[] {
    return Object.keys(this.manifest?.tables ?? {}).filter((name) => this.knows(name));
  }

  /** Notes that the answer depends on this field. */
  touch(table: QueryTable, field: string): void {
    const { name } = table.model;
    for (const touch of this.touches) if (touch.table === name && touch.field === field) return;
    this.touches.push({ table: name, field });
  }
}

/** A path below another: `where.rating`. */
export function below(path: string, name: string): string {
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name;
  return path === "" ? shown : `${path}.${shown}`;
}
