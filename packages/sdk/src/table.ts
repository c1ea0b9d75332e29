// A table: its fields, indexes, search, checks and limits. Immutable: every chained call gives a new one.
// Checks are read from source by the server; here they are only counted, never called.
import { DefinitionError } from "./definition-error.ts";
import { placeOf, type AnyField } from "./field.ts";
import type { Fields, RuleId, SystemView } from "./field-types.ts";
import { checkIndexWhere, namesOf } from "./index-where.ts";
import { checkCase, checkName } from "./name-check.ts";
import { checkOptions } from "./option-check.ts";
import { checkLimit } from "./rate-limit-text.ts";
import type { FieldSpec, IndexSpec, LimitSpec, TableSpec } from "./spec.ts";
import { checkField } from "./t.ts";
import type { Where } from "./where.ts";

/** Makes an index partial: it holds only rows that fit. */
export interface IndexOptions<F extends Fields> {
  readonly where: Where<string, F, SystemView>;
}

/** Rate limits of a table's own doors. */
export interface TableLimits {
  readonly read?: LimitSpec;
  readonly write?: LimitSpec;
}

/** A row inside a check: references are ids there, they can't be walked. */
export type CheckRow<F extends Fields> = { readonly id: RuleId<string> } & {
  readonly [P in keyof F]: F[P]["~rule"];
};

/** What a check sees: the row to be written, and the row before (null on create). */
export interface CheckInput<F extends Fields> {
  readonly next: CheckRow<F>;
  readonly row: CheckRow<F> | null;
}

type FieldNames<F, Last> = readonly (keyof F & string)[] | readonly [...(keyof F & string)[], Last];

/** The least that is known of any table. */
export interface AnyTable {
  readonly "~fields": Fields;
}

/** A table with the fields `F`. */
export interface Table<F extends Fields> extends AnyTable {
  readonly "~fields": F;
  /** Makes filtering and ordering by these fields, in this order, fast. A last `{ where }` makes it partial. */
  index(...fields: FieldNames<F, IndexOptions<F>>): Table<F>;
  /** No two rows (that fit `where`) hold the same values in these fields. Rows with an absent one do not collide. */
  unique(...fields: FieldNames<F, IndexOptions<F>>): Table<F>;
  /** Full-text search over these text fields. */
  search(...fields: readonly (keyof F & string)[]): Table<F>;
  /** Must hold for every row written, whoever writes. Read from source, like a rule. @param message what the caller reads. */
  check(holds: (input: CheckInput<F>) => boolean | null, message?: string): Table<F>;
  /** Rate limits of `/api/tables/...`. Default: the server's. */
  limit(limits: TableLimits): Table<F>;
}

/** The one implementation of every table. */
export class TableDefinition {
  readonly fields: Readonly<Record<string, AnyField>>;
  readonly spec: TableSpec;
  readonly limits: TableLimits;

  constructor(fields: Readonly<Record<string, AnyField>>, spec: TableSpec, limits: TableLimits) {
    this.fields = fields;
    this.spec = Object.freeze(spec);
    this.limits = limits;
  }

  index(...args: readonly unknown[]): TableDefinition {
    const index = readIndex(args, this.spec, methods.index);
    return this.#with({ indexes: [...this.spec.indexes, index] });
  }

  unique(...args: readonly unknown[]): TableDefinition {
    const index = readIndex(args, this.spec, methods.unique);
    return this.#with({ indexes: [...this.spec.indexes, { ...index, unique: true }] });
  }

  search(...fields: readonly string[]): TableDefinition {
    const at = methods.search;
    if (this.spec.search.length > 0) {
      throw new DefinitionError(
        "The table has a search already.",
        "Name all fields in one `.search(...)`.",
        at,
      );
    }
    checkFieldList("search", fields, this.spec.fields, at);
    for (const name of fields) {
      const field = this.spec.fields[name] as FieldSpec;
      if (field.kind !== "text") {
        throw new DefinitionError(
          `"${name}" is of kind ${field.kind}; only text can be searched.`,
          "Leave it out.",
          at,
        );
      }
      if (field.private) {
        throw new DefinitionError(
          `"${name}" is private: a search would tell what it holds.`,
          "Leave it out.",
          at,
        );
      }
    }
    return this.#with({ search: Object.freeze([...fields]) });
  }

  check(holds: unknown, message?: unknown): TableDefinition {
    const at = methods.check;
    if (typeof holds !== "function") {
      throw new DefinitionError(
        "A check is not a function.",
        "Write .check(({ next }) => next.stock >= 0).",
        at,
      );
    }
    if (message !== undefined && typeof message !== "string") {
      throw new DefinitionError(
        "The message of a check is not a text.",
        'Write .check(..., "No stock left").',
        at,
      );
    }
    return this.#with({ checks: this.spec.checks + 1 });
  }

  limit(limits: TableLimits): TableDefinition {
    const at = methods.limit;
    for (const key of Object.keys(limits)) {
      if (key === "read" || key === "write") continue;
      throw new DefinitionError(
        `There is no limit on "${key}".`,
        'Write .limit({ read: { perUser: "100/minute" } }).',
        at,
      );
    }
    return new TableDefinition(this.fields, this.spec, {
      ...this.limits,
      ...(limits.read && { read: checkLimit(limits.read, at) }),
      ...(limits.write && { write: checkLimit(limits.write, at) }),
    });
  }

  #with(part: Partial<TableSpec>): TableDefinition {
    return new TableDefinition(this.fields, { ...this.spec, ...part }, this.limits);
  }
}

/** The methods as functions: where a mistake's stack is cut. */
const methods = TableDefinition.prototype as unknown as {
  readonly [M in "index" | "unique" | "search" | "check" | "limit"]: Function;
};

/**
 * Defines a table. Every row also has an `id`.
 * @param fields by name: small letter first, letters and digits.
 * @throws DefinitionError at the line of the mistake.
 * @example table({ title: t.text({ max: 200 }) }).index("title").search("title")
 */
export function table<const F extends Fields>(fields: F): Table<F> {
  const specs: Record<string, FieldSpec> = {};
  for (const [name, field] of Object.entries(fields)) {
    checkName("column", name, table);
    checkField(`"${name}"`, field, table);
    checkClear(name, field);
    specs[name] = field.spec;
  }
  checkCase("column", Object.keys(specs), table);
  const spec = { fields: Object.freeze(specs), indexes: [], search: [], checks: 0 };
  return new TableDefinition(fields, spec, {}) as unknown as Table<F>;
}

function checkClear(name: string, field: AnyField): void {
  const { spec } = field;
  if (spec.kind !== "ref" || spec.onDelete !== "clear") return;
  if (!spec.optional) {
    throw new DefinitionError(
      `"${name}" is required, so it can't be cleared when its ${spec.table} is deleted.`,
      'Make it `.optional()`, or use onDelete: "refuse" or "cascade".',
      placeOf(field),
    );
  }
  if (!spec.immutable) return;
  throw new DefinitionError(
    `"${name}" is immutable, so it can't be cleared when its ${spec.table} is deleted.`,
    'Use onDelete: "refuse" or "cascade".',
    placeOf(field),
  );
}

function readIndex(args: readonly unknown[], spec: TableSpec, at: Function): IndexSpec {
  const last = args.at(-1);
  const options =
    typeof last === "object" && last !== null ? (last as { where?: unknown }) : undefined;
  const names = (options === undefined ? args : args.slice(0, -1)) as readonly string[];
  checkOptions("An index", options, ["where"], at);
  checkFieldList("index", names, spec.fields, at);
  for (const name of names) {
    const kind = spec.fields[name]?.kind;
    if (kind === "list" || kind === "object" || kind === "json" || kind === "bytes") {
      throw new DefinitionError(
        `"${name}" is of kind ${kind}, which has no order to index.`,
        "Leave it out.",
        at,
      );
    }
  }
  const where = options === undefined ? undefined : checkIndexWhere(options.where, spec.fields, at);
  const index: IndexSpec = {
    fields: Object.freeze([...names]),
    ...(where !== undefined && { where }),
  };
  const same = spec.indexes.find((other) => isSame(other, index));
  if (same !== undefined) {
    throw new DefinitionError(
      `There is ${same.unique ? "a unique constraint" : "an index"} over ${names.join(", ")} already.`,
      "Remove one of them: a unique constraint is an index too.",
      at,
    );
  }
  return index;
}

function checkFieldList(
  what: string,
  names: readonly unknown[],
  fields: Readonly<Record<string, FieldSpec>>,
  at: Function,
): void {
  if (names.length === 0)
    throw new DefinitionError(`The ${what} names no field.`, namesOf(fields), at);
  for (const [index, name] of names.entries()) {
    if (typeof name !== "string" || !Object.hasOwn(fields, name)) {
      throw new DefinitionError(
        `The ${what} names ${JSON.stringify(name)}, which is no field.`,
        namesOf(fields),
        at,
      );
    }
    if (names.indexOf(name) === index) continue;
    throw new DefinitionError(`The ${what} names "${name}" twice.`, "Name every field once.", at);
  }
}

function isSame(left: IndexSpec, right: IndexSpec): boolean {
  return (
    left.fields.join() === right.fields.join() &&
    JSON.stringify(left.where ?? null) === JSON.stringify(right.where ?? null)
  );
}
