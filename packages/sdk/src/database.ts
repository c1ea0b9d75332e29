// `db` as functions see it: its types. The guest of the isolate makes it.
import type { CallerView, Fields, Input, Patch, Row, SystemView, View } from "./field-types.ts";
import type { Id } from "./id.ts";
import type {
  AggregateAnswer,
  AggregateForm,
  AggregateTerm,
  Answer,
  FieldName,
  Filter,
  ListQuery,
  Page,
  RowQuery,
  With,
} from "./query-form.ts";
import type { PlatformTable } from "./platform-tables.ts";
import type { OwnTable, Schema } from "./schema.ts";

/** Reads the table `T`. `F`: its fields; `S`: all tables; `V`: whose view. */
export interface TableReader<
  in out S extends Schema,
  in out T extends string,
  in out F extends Fields,
  in out V extends View,
> {
  /** The row, or null when there is none that may be read. */
  get<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    id: Id<T>,
    query?: RowQuery<P, W>,
  ): Promise<Answer<S, T, F, V, P, W> | null>;
  /** Rows that fit, at most `limit` (default 100). For the rest use `page`. */
  list<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, V, P, W>,
  ): Promise<readonly Answer<S, T, F, V, P, W>[]>;
  /** Rows that fit with the cursor of those that follow: `after: page.next`. */
  page<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, V, P, W>,
  ): Promise<Page<Answer<S, T, F, V, P, W>>>;
  /** The first row that fits, or null. */
  first<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, V, P, W>,
  ): Promise<Answer<S, T, F, V, P, W> | null>;
  /** How many rows fit. */
  count(filter?: Filter<T, F, V>): Promise<number>;
  /** Counts, sums, least and greatest values, averages; for each group when `groupBy` is given. */
  aggregate<
    const A extends { readonly [name: string]: AggregateTerm<F> },
    const G extends keyof F = never,
  >(
    query: AggregateForm<T, F, V, G, A>,
  ): Promise<AggregateAnswer<F, G, A>>;
}

/** Reads and writes the table `T`. `F`: its fields; `S`: all tables; `V`: whose view. */
export interface TableWriter<
  in out S extends Schema,
  in out T extends string,
  in out F extends Fields,
  in out V extends View,
> extends TableReader<S, T, F, V> {
  /** Adds a row. @returns the row as stored. @throws VALUE_INVALID, UNIQUE_TAKEN, REF_MISSING, CHECK_FAILED, RULE_DENIED. */
  create(value: Input<F, V>): Promise<Row<T, F, V>>;
  /** Changes the named fields. @returns the row as stored. @throws NOT_FOUND, and as `create`. */
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- Of a table whose fields are not known.
  update(id: Id<T>, patch: Patch<F, V>): Promise<Row<T, F, V>>;
  /** Removes a row, and what its references' `onDelete` says. @throws NOT_FOUND, REF_IN_USE, RULE_DENIED. */
  delete(id: Id<T>): Promise<void>;
}

type Readers<S extends Schema, V extends View> = {
  readonly [T in keyof S & string]: TableReader<S, T, S[T], V>;
};

type Writers<S extends Schema, V extends View> = {
  readonly [T in OwnTable<S>]: TableWriter<S, T, S[T], V>;
} & {
  readonly [T in keyof S & PlatformTable]: TableReader<S, T, S[T], V>;
};

/** `db` in queries: reads, with the caller's rights. */
export type ReadDatabase<S extends Schema> = Readers<S, CallerView> & {
  /** The same without rules, private fields included. @param reason why, for the review; at least one word. */
  asSystem(reason: string): Readers<S, SystemView>;
};

/** `db` in mutations: reads and writes, with the caller's rights, all in one transaction. */
export type WriteDatabase<S extends Schema> = Writers<S, CallerView> & {
  /** The same without rules, private fields included; values are validated as ever. @param reason why, for the review. */
  asSystem(reason: string): Writers<S, SystemView>;
};
