// The security policy for tsc. Rules are plain arrow functions that the server READS from source and
// never calls; these types make them natural to write. A reference is typed as an identity (to compare)
// and as its row (to walk): `row.screening.film.owner === me.id`.
import { DefinitionError } from "./definition-error.ts";
import type { AnyField } from "./field.ts";
import type { RuleId } from "./field-types.ts";
import { platformTables, type PlatformTable } from "./platform-tables.ts";
import type { OwnTable, Schema } from "./schema.ts";
import type { TableSpec } from "./spec.ts";

/** What a condition may be. Absent counts as unknown; only true allows. */
export type RuleAnswer = boolean | null | undefined;

interface RuleRoot<T extends string> extends RuleId<T> {
  readonly id: RuleId<T>;
}

/** A row inside a rule. */
export type RuleRow<S extends Schema, T extends keyof S & string> = RuleRoot<T> & {
  readonly [P in keyof S[T]]: RuleValue<S, S[T][P]>;
};

type RuleValue<S extends Schema, F extends AnyField> = [F["~to"]] extends [never]
  ? F["~rule"]
  : RuleRow<S, F["~to"]> | F["~absent"];

/**
 * Who asks. For an anonymous caller `id` and `role` are absent: every comparison with them is unknown,
 * so they allow nothing and need no test before.
 */
export interface RuleMe {
  readonly id: RuleId<"user">;
  readonly role: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  /** Somebody without a name, who may sign up later. */
  readonly guest?: boolean;
  /** The organisation that the caller speaks for, and the caller's role in it. */
  readonly org?: RuleId<"org">;
  readonly orgRole?: string;
  /** Any other claim of the caller's token. */
  readonly [claim: string]: unknown;
}

/** The fields of `user` that the schema marks with `.claim()`, as rules see them in `me`. */
export type RuleClaims<S extends Schema> = {
  readonly [P in keyof S["user"] as P & NonNullable<S["user"]>[P]["~claim"]]: NonNullable<
    S["user"]
  >[P]["~rule"];
};

/** The other tables. */
export type RuleDatabase<S extends Schema> = {
  readonly [T in keyof S & string]: {
    /** Whether any row makes `where` true. */
    some(where: (row: RuleRow<S, T>) => RuleAnswer): boolean;
  };
};

/** What every rule sees beside rows, and all that a `write` rule sees. */
export interface RuleContext<S extends Schema> {
  readonly me: RuleMe & RuleClaims<S>;
  /** The time of the request, RFC 3339. */
  readonly now: string;
  readonly db: RuleDatabase<S>;
}

/** What a rule on an existing row sees. */
export interface RowInput<S extends Schema, T extends keyof S & string> extends RuleContext<S> {
  readonly row: RuleRow<S, T>;
}

/** What a rule on a new row sees. */
export interface NextInput<S extends Schema, T extends keyof S & string> extends RuleContext<S> {
  readonly next: RuleRow<S, T>;
}

/** What a rule on a change sees: the row before and after. */
export interface ChangeInput<S extends Schema, T extends keyof S & string> extends RuleContext<S> {
  readonly row: RuleRow<S, T>;
  readonly next: RuleRow<S, T>;
}

/** What a rule on writing a field sees: the row before is null on create. */
export interface FieldWriteInput<
  S extends Schema,
  T extends keyof S & string,
> extends RuleContext<S> {
  readonly row: RuleRow<S, T> | null;
  readonly next: RuleRow<S, T>;
}

/** Rights on one field. Absent: as the row's. */
export interface FieldRules<S extends Schema, T extends keyof S & string> {
  readonly read?: (input: RowInput<S, T>) => RuleAnswer;
  /** Whether create and update may set it. */
  readonly write?: (input: FieldWriteInput<S, T>) => RuleAnswer;
}

/** Rights on one table. Absent: denied. */
export interface TableRules<S extends Schema, T extends keyof S & string> {
  readonly read?: (input: RowInput<S, T>) => RuleAnswer;
  readonly create?: (input: NextInput<S, T>) => RuleAnswer;
  readonly update?: (input: ChangeInput<S, T>) => RuleAnswer;
  readonly delete?: (input: RowInput<S, T>) => RuleAnswer;
  /** Stands for create, update and delete where they are absent; rows differ there, so it sees none. */
  readonly write?: (input: RuleContext<S>) => RuleAnswer;
  readonly fields?: { readonly [P in keyof S[T]]?: FieldRules<S, T> };
}

/** Rights on a table of the platform: who reads what. The platform writes it. */
export interface PlatformRules<S extends Schema, T extends keyof S & string> {
  readonly read?: (input: RowInput<S, T>) => RuleAnswer;
  readonly fields?: { readonly [P in keyof S[T]]?: Pick<FieldRules<S, T>, "read"> };
}

/** The whole policy: rights by table. A table that is not named is reachable through `asSystem` only. */
export type Rules<S extends Schema> = {
  readonly [T in OwnTable<S>]?: TableRules<S, T>;
} & {
  readonly [T in keyof S & PlatformTable]?: PlatformRules<S, T>;
};

/** What `rules(...)` gives to `app`. */
export interface RuleSet {
  readonly kind: "rules";
  /** The tables that have rules. */
  readonly tables: readonly string[];
}

/** `rules` of `define(...)`; `~schema` is for the type system only. */
export interface RulesDefiner<S extends Schema> {
  (rules: Rules<S>): RuleSet;
  readonly "~schema"?: S;
}

/**
 * What rules see, to type a helper of theirs by: `me`, `now` and `db`, and with a table's name its `row`.
 * @example
 * type Who = Pick<RuleInput<typeof rules>, "me" | "db">;
 * const isMember = ({ me, db }: Who, project: RuleInput<typeof rules, "project">["row"]) =>
 *   db.member.some((m) => m.project === project.id && m.user === me.id);
 */
export type RuleInput<
  R extends { readonly "~schema"?: Schema },
  T extends keyof NonNullable<R["~schema"]> & string = never,
> = [T] extends [never]
  ? RuleContext<NonNullable<R["~schema"]>>
  : RowInput<NonNullable<R["~schema"]>, T>;

const operations: ReadonlySet<string> = new Set(["read", "create", "update", "delete", "write"]);

/** Checks names and shapes of a policy; its functions are not called. @throws DefinitionError at the caller of `at`. */
export function readRules(
  rules: Readonly<Record<string, object | undefined>>,
  tables: Readonly<Record<string, TableSpec>>,
  at: Function,
): RuleSet {
  for (const [table, entry] of Object.entries(rules)) {
    const given = Object.hasOwn(platformTables, table) ? platformTables[table] : undefined;
    const spec = Object.hasOwn(tables, table) ? tables[table] : given;
    if (spec === undefined) {
      throw new DefinitionError(
        `There are rules for "${table}", which is no table.`,
        `The tables are ${Object.keys(tables).join(", ")}.`,
        at,
      );
    }
    checkTableRules(table, entry, spec, at);
    if (given !== undefined) checkReadsOnly(table, entry, at);
  }
  return Object.freeze({ kind: "rules", tables: Object.freeze(Object.keys(rules)) });
}

function checkTableRules(table: string, entry: unknown, spec: TableSpec, at: Function): void {
  for (const [key, value] of entriesOf(entry, `The rules of "${table}"`, at)) {
    if (key === "fields") {
      checkFieldRules(table, value, spec, at);
      continue;
    }
    if (!operations.has(key)) {
      throw new DefinitionError(
        `"${table}" has a rule for "${key}", which is no operation.`,
        "Use read, create, update, delete, write or fields.",
        at,
      );
    }
    checkRule(`${table}.${key}`, value, at);
  }
}

/** The platform's own rows are written by the platform: a rule could only break what they stand for. */
function checkReadsOnly(table: string, entry: unknown, at: Function): void {
  const { fields = {}, ...operations } = entry as { readonly fields?: object };
  const others = Object.keys(operations).filter((key) => key !== "read");
  for (const [field, rights] of Object.entries(fields)) {
    if (Object.hasOwn(rights as object, "write")) others.push(`fields.${field}.write`);
  }
  if (others.length === 0) return;
  throw new DefinitionError(
    `"${table}" has a rule for "${String(others[0])}", but the platform writes it.`,
    "Rules say who reads it: read, and fields.{name}.read.",
    at,
  );
}

function checkFieldRules(table: string, fields: unknown, spec: TableSpec, at: Function): void {
  for (const [field, rights] of entriesOf(fields, `The field rules of "${table}"`, at)) {
    if (!Object.hasOwn(spec.fields, field)) {
      throw new DefinitionError(
        `There are rules for "${table}.${field}", which is no field.`,
        `The fields are ${Object.keys(spec.fields).join(", ")}.`,
        at,
      );
    }
    for (const [key, value] of entriesOf(rights, `The rules of "${table}.${field}"`, at)) {
      if (key !== "read" && key !== "write") {
        throw new DefinitionError(
          `"${table}.${field}" has a rule for "${key}".`,
          "Fields have read and write.",
          at,
        );
      }
      checkRule(`${table}.${field}.${key}`, value, at);
    }
  }
}

function entriesOf(value: unknown, what: string, at: Function): [string, unknown][] {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return Object.entries(value);
  throw new DefinitionError(`${what} are not an object.`, "Write { read: () => true }.", at);
}

function checkRule(name: string, value: unknown, at: Function): void {
  if (typeof value === "function") return;
  throw new DefinitionError(
    `The rule ${name} is not a function.`,
    "Write an arrow function: ({ row, me }) => row.owner === me.id.",
    at,
  );
}
