// Queries as users write them in functions and in the client, and the type of what comes back.
// The form is the JSON that the server checks; nothing is translated on the way.
// `S`: all tables; `T`, `F`: the table asked and its fields; `V`: whose view; `P`: names in `select`; `W`: the `with`.
import type { Fields, Row, View } from "./field-types.ts";
import type { Schema } from "./schema.ts";
import type { Where } from "./where.ts";

/** A name that `select` takes. */
export type FieldName<F extends Fields> = (keyof F & string) | "id";

/** A field, or `-field` for descending. */
export type OrderTerm<F extends Fields> = FieldName<F> | `-${FieldName<F>}`;

/** One term or several, the first the most significant. Default: by id, which is the order of creation. */
export type OrderBy<F extends Fields> = OrderTerm<F> | readonly OrderTerm<F>[];

/** How a reference is expanded. */
export interface OneExpansion<S extends Schema, T extends string> {
  readonly select?: readonly FieldName<S[T]>[];
  readonly with?: With<S, S[T]>;
}

/** How rows of `From` that refer to a row of `T` are fetched along. */
export interface ManyExpansion<S extends Schema, T, From extends string, V extends View> {
  readonly from: From;
  /** The reference of `from` that leads here. May be left out when there is only one. */
  readonly via?: RefName<S[From], T>;
  readonly where?: Where<From, S[From], V>;
  readonly orderBy?: OrderBy<S[From]>;
  /** Rows for each parent. Default 100, at most 1,000. */
  readonly limit?: number;
  readonly select?: readonly FieldName<S[From]>[];
  readonly with?: With<S, S[From]>;
}

/** The names of the references to table `To`. */
type RefName<F extends Fields, To> = {
  [P in keyof F & string]: [F[P]["~to"]] extends [never]
    ? never
    : F[P]["~to"] extends To
      ? P
      : never;
}[keyof F & string];

/** Rows that refer to this one, under the name of their table: as with a name of its own, without `from`. */
type TableExpansion =
  | true
  | {
      readonly from?: never;
      readonly via?: string;
      readonly where?: object;
      readonly orderBy?: string | readonly string[];
      readonly limit?: number;
      readonly select?: readonly string[];
      readonly with?: object;
    };

/** An expansion under a name of its own: of another table's rows, or by `via`. */
type NamedExpansion<S extends Schema> =
  | { readonly from: keyof S; readonly [option: string]: unknown }
  | {
      readonly from?: never;
      readonly via: string;
      readonly select?: readonly string[];
      readonly with?: object;
    };

/**
 * `with` of a query: rows fetched along. `{ film: true }` puts the row that the reference `film`
 * leads to in the place of its id (null when absent or not readable); `{ bookings: { from: "booking",
 * via: "screening" } }` adds the list of bookings whose reference `screening` is this row, `{ booking: true }` the same
 * under their table's name; `{ movie: { via: "film" } }` adds the row under a name of its own. At most 3 levels deep.
 *
 * Some mistakes show only where the answer is used, as `Mistaken`: in an expansion with a name of its own,
 * and in a name beside a right one. To check all of it here makes tsc several times slower.
 */
export type With<S extends Schema, F extends Fields> =
  | { readonly [P in keyof F as P & F[P]["~reference"]]?: true | OneExpansion<S, F[P]["~to"]> }
  | { readonly [T in Exclude<keyof S, keyof F>]?: TableExpansion }
  | { readonly [name: string]: NamedExpansion<S> };

/** What an expansion gives that does not fit the schema; `Expected` is what was expected. */
export interface Mistaken<Expected> {
  readonly "this expansion does not fit": Expected;
}

/** What stands under the name `K` for the expansion `Q`. */
type Expanded<S extends Schema, T, F extends Fields, V extends View, K, Q> = K extends keyof F
  ? (Q extends true ? Row<F[K]["~to"], S[F[K]["~to"]], V> : One<S, F[K]["~to"], V, Q>) | null
  : Q extends { readonly from: infer From extends keyof S & string }
    ? Q extends ManyExpansion<S, T, From, V>
      ? readonly One<S, From, V, Q>[]
      : Mistaken<ManyExpansion<S, T, From, V>>
    : Q extends { readonly via: infer P extends keyof F }
      ? One<S, F[P]["~to"], V, Q> | null
      : K extends keyof S & string
        ? Many<S, T, K, V, Q>
        : Mistaken<"a reference">;

/** What stands under the name of the table `From`. */
type Many<S extends Schema, T, From extends keyof S & string, V extends View, Q> = [
  RefName<S[From], T>,
] extends [never]
  ? Mistaken<"a table that refers to this one">
  : Q extends true | Omit<ManyExpansion<S, T, From, V>, "from">
    ? readonly One<S, From, V, Q>[]
    : Mistaken<Omit<ManyExpansion<S, T, From, V>, "from">>;

type One<S extends Schema, To extends string, V extends View, Q> = Answer<
  S,
  To,
  S[To],
  V,
  Q extends { readonly select: readonly string[] } ? Q["select"][number] : never,
  Q extends { readonly with: object } ? Q["with"] : {}
>;

/** A row with `id` and the fields `P` (never: all of them). */
export type Selected<T extends string, F extends Fields, V extends View, P extends string> = [
  P,
] extends [never]
  ? Row<T, F, V>
  : Pick<Row<T, F, V>, (P | "id") & keyof Row<T, F, V>>;

/**
 * What a query answers for each row: every field or those selected, `id`, and the expansions.
 * `{} extends W`: there is no `with`, or (as in `ReturnType<...>`) it is not known.
 */
export type Answer<
  S extends Schema,
  T extends string,
  F extends Fields,
  V extends View,
  P extends string,
  W,
> = {} extends W
  ? Selected<T, F, V, P>
  : Omit<Selected<T, F, V, P>, keyof W> & {
      readonly [K in keyof W]: Expanded<S, T, F, V, K, W[K]>;
    };

/** What a single row can be asked with. */
export interface RowQuery<P, W> {
  /** Only these fields, and `id`. Default: all that may be read. */
  readonly select?: readonly P[] | undefined;
  /** Rows fetched along. Default: none. */
  readonly with?: W | undefined;
}

/** A filter with a full-text search. */
export interface Filter<T extends string, F extends Fields, V extends View> {
  /** Default: every row that may be read. */
  readonly where?: Where<T, F, V> | undefined;
  /** Words to find in the table's search fields. Default, and what an empty text means: every row. */
  readonly search?: string | undefined;
}

/** A list query. */
export interface ListQuery<T extends string, F extends Fields, V extends View, P, W>
  extends RowQuery<P, W>, Filter<T, F, V> {
  readonly orderBy?: OrderBy<F> | undefined;
  /** Rows at most. Default 100, at most 1,000. */
  readonly limit?: number | undefined;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** One page: its rows, and the cursor of the next page (null at the end). */
export interface Page<R> {
  readonly rows: readonly R[];
  readonly next: string | null;
}

type NumberName<F extends Fields> = {
  [P in keyof F]: F[P]["~value"] extends number | null ? P : never;
}[keyof F];

/** One computed value. */
export type AggregateTerm<F extends Fields> =
  | "count"
  | { readonly sum: NumberName<F> }
  | { readonly avg: NumberName<F> }
  | { readonly min: keyof F }
  | { readonly max: keyof F };

/** An aggregate query. */
export interface AggregateForm<
  T extends string,
  F extends Fields,
  V extends View,
  G,
  A,
> extends Filter<T, F, V> {
  /** One answer row for each combination of values of this field, or of these. Default: one answer for all rows. */
  readonly groupBy?: G | readonly G[] | undefined;
  /** The values by the name that they get in the answer. */
  readonly values: A;
  /**
   * The first groups only, 1 to 1,000, in the order of `groupBy`; nothing tells whether there are more.
   * Default: all of them, refused when they are more than 1,000.
   */
  readonly limit?: number | undefined;
}

type Computed<F extends Fields, A> = A extends "count" | { readonly sum: unknown }
  ? number
  : A extends { readonly min: infer P extends keyof F } | { readonly max: infer P extends keyof F }
    ? F[P]["~value"] | null
    : number | null;

/** One row of an aggregate's answer. Without values, `count` and `sum` are 0 and the others null. */
export type Group<F extends Fields, G extends PropertyKey, A> = {
  readonly [K in G | keyof A]: K extends keyof A
    ? Computed<F, A[K]>
    : K extends keyof F
      ? F[K]["~value"]
      : never;
};

/** An aggregate's answer: groups when grouped, else the one row of values. */
export type AggregateAnswer<F extends Fields, G extends PropertyKey, A> = [G] extends [never]
  ? Group<F, never, A>
  : readonly Group<F, G, A>[];
