// The client's types, made of the app's type alone. Private fields, functions that nobody may call, and
// http functions are not in them.
import type { AnyApp, Modules } from "./app.ts";
import type { ClientAuth, ClientMe } from "./auth-client-surface.ts";
import type { Call, ReadCall, WriteCall } from "./client-call.ts";
import type { KeelsonError } from "./client-error.ts";
import type { CallOptions } from "./client-send.ts";
import type { CallerView, Fields, Input, Patch, Row } from "./field-types.ts";
import type { AnyFunction, ArgsIn, ResultOf } from "./function.ts";
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
import type { ConnectionState } from "./live-socket.ts";
import type { Stop } from "./live-store.ts";
import type { PlatformTable } from "./platform-tables.ts";
import type { OwnTable, Schema } from "./schema.ts";

/** Reads the table `T` with the fields `F`, with the rights of whoever is signed in. */
export interface ClientReader<
  in out S extends Schema,
  in out T extends string,
  in out F extends Fields,
> {
  /** The row, or null when there is none that may be read. */
  get<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    id: Id<T>,
    query?: RowQuery<P, W>,
    options?: CallOptions,
  ): ReadCall<Answer<S, T, F, CallerView, P, W> | null>;
  /** Rows that fit, at most `limit` (default 100). For the rest use `page`. */
  list<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, CallerView, P, W>,
    options?: CallOptions,
  ): ReadCall<readonly Answer<S, T, F, CallerView, P, W>[]>;
  /** Rows that fit with the cursor of those that follow: `after: page.next`. */
  page<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, CallerView, P, W>,
    options?: CallOptions,
  ): ReadCall<Page<Answer<S, T, F, CallerView, P, W>>>;
  /** The first row that fits, or null. */
  first<const P extends FieldName<F> = never, const W extends With<S, F> = {}>(
    query?: ListQuery<T, F, CallerView, P, W>,
    options?: CallOptions,
  ): ReadCall<Answer<S, T, F, CallerView, P, W> | null>;
  /** How many rows fit. */
  count(filter?: Filter<T, F, CallerView>, options?: CallOptions): ReadCall<number>;
  /** Counts, sums, least and greatest values, averages; for each group when `groupBy` is given. */
  aggregate<
    const A extends { readonly [name: string]: AggregateTerm<F> },
    const G extends keyof F = never,
  >(
    query: AggregateForm<T, F, CallerView, G, A>,
    options?: CallOptions,
  ): ReadCall<AggregateAnswer<F, G, A>>;
}

/** The rows of the table `T` with the fields `F`, with the rights of whoever is signed in. */
export interface ClientTable<
  in out S extends Schema,
  in out T extends string,
  in out F extends Fields,
> extends ClientReader<S, T, F> {
  /** Adds a row, once, however often the network fails. @returns the row as stored. */
  create(value: Input<F, CallerView>, options?: CallOptions): WriteCall<Row<T, F, CallerView>>;
  /** Changes the named fields. @returns the row as stored. */
  update(
    id: Id<T>,
    // oxlint-disable-next-line typescript/no-generated-empty-object-type -- Of a table whose fields are not known.
    patch: Patch<F, CallerView>,
    options?: CallOptions,
  ): WriteCall<Row<T, F, CallerView>>;
  /** Removes a row. */
  delete(id: Id<T>, options?: CallOptions): WriteCall<void>;
}

/** A call of a function of this kind that answers `T`. */
interface CallOf<T> {
  readonly query: ReadCall<T>;
  readonly mutation: WriteCall<T>;
  readonly action: Call<T>;
}

/** Arguments may be left out when none is required. */
type CallArgs<F extends AnyFunction> =
  object extends ArgsIn<F>
    ? [args?: ArgsIn<F>, options?: CallOptions]
    : [args: ArgsIn<F>, options?: CallOptions];

/** A mutation or an action of the app as a client calls it. */
export type ClientFunction<F extends AnyFunction> = (
  ...args: CallArgs<F>
) => CallOf<ResultOf<F>>[F["kind"] & keyof CallOf<unknown>];

/** A query of the app as a client calls it. */
export interface ClientQuery<F extends AnyFunction> {
  (...args: CallArgs<F>): ReadCall<ResultOf<F>>;
  /** Short for `api.module.query(args).live(callback, onError)`. */
  live(
    args: ArgsIn<F>,
    callback: (value: ResultOf<F>) => void,
    onError?: (error: KeelsonError) => void,
  ): Stop;
}

/** What a client can call: anything but http functions, unless nobody may. */
interface Callable extends AnyFunction<"query" | "mutation" | "action"> {
  readonly "~open": true;
}

/** A function as a member of its module, by its kind: looked up, not decided, which costs tsc less. */
interface ClientMember<F extends AnyFunction> {
  readonly query: ClientQuery<F>;
  readonly mutation: ClientFunction<F>;
  readonly action: ClientFunction<F>;
}

type ClientModule<M> = {
  readonly [F in keyof M as M[F] extends Callable ? F : never]: M[F] extends Callable
    ? ClientMember<M[F]>[M[F]["kind"]]
    : never;
};

type ClientModules<M extends Modules> = { readonly [K in keyof M]: ClientModule<M[K]> };

type ClientTables<S extends Schema> = 0 extends 1 & S
  ? // oxlint-disable-next-line typescript/no-explicit-any -- The client of an app that is not known fits every app's.
    any
  : { readonly [T in OwnTable<S>]: ClientTable<S, T, S[T]> } & {
      readonly [T in keyof S & PlatformTable]: ClientReader<S, T, S[T]>;
    };

/** The live connection of a client. It opens by itself when something needs it, and again when it is lost. */
export interface ClientLive {
  readonly state: ConnectionState;
  /** Calls back whenever the state is another one. @returns a function that ends it. */
  onState(callback: (state: ConnectionState) => void): Stop;
  /**
   * Asks for the token again, after signing in or out: live queries go on as the new caller. Without it they do
   * when the server refuses the old token, or a call over this connection has another one.
   */
  renewToken(): Promise<void>;
}

/** What the client offers beside tables and modules. */
interface ClientBase<A extends AnyApp> {
  /** Who is signed in: signing up, in and out, and everything else that identity has. */
  readonly auth: ClientAuth<ClientMe<A>>;
  readonly live: ClientLive;
  /** Ends the live connection for good; live queries and calls over it end with CLIENT_CLOSED. */
  close(): void;
  /**
   * Sends several calls as one transaction: all of them take place, or none.
   * @example const [film, screening] = await api.batch([api.film.create(a), api.screening.update(id, b)]);
   */
  batch<const C extends readonly Call<unknown>[]>(
    calls: C,
    options?: CallOptions,
  ): Promise<{ -readonly [K in keyof C]: Awaited<C[K]> }>;
}

/** The client of an app: `api.{table}.list()`, `api.{module}.{function}(args)`, `api.batch([...])`. */
export type Client<A extends AnyApp> = ClientTables<A["~schema"]> &
  ClientModules<A["~modules"]> &
  ClientBase<A>;

/** A row of an app as clients and functions read it: `RowOf<typeof app, "film">`. */
export type RowOf<A extends AnyApp, T extends keyof A["~schema"] & string> = Row<
  T,
  A["~schema"][T],
  CallerView
>;
