// What functions are given beside their arguments.
import type { AuthContext } from "./auth-context.ts";
import type { ReadDatabase, WriteDatabase } from "./database.ts";
import type { AnyFunction, ArgsIn, ResultOf } from "./function.ts";
import type { Id } from "./id.ts";
import type { JobReads } from "./job-state.ts";
import type { MailContext } from "./mail-context.ts";
import type { Schema } from "./schema.ts";
import type { AllowSpec } from "./spec.ts";
import type { Events, WorkContext } from "./work-context.ts";
import type { WorkflowCalls, WorkflowReads } from "./workflow-calls.ts";

/** Who calls. Anonymous callers have neither id nor role. */
export interface Me {
  readonly id: Id<"user"> | null;
  readonly role: string | null;
  /** The address that the caller signs in with. */
  readonly email?: string | null;
  /** Whether the caller showed that the address is theirs. */
  readonly emailVerified?: boolean;
  /** Whether it is somebody without a name, who may sign up later. */
  readonly guest?: boolean;
  /** The organisation that the caller speaks for. */
  readonly org?: Id<"org"> | null;
  /** The caller's role in it. */
  readonly orgRole?: string | null;
  /** Any other claim of the caller's token. */
  readonly [claim: string]: unknown;
}

/** The fields of `user` that the schema marks with `.claim()`, as `me` has them: null for anonymous callers. */
export type MeClaims<S extends Schema> = {
  readonly [P in keyof S["user"] as P & NonNullable<S["user"]>[P]["~claim"]]:
    | NonNullable<S["user"]>[P]["~value"]
    | null;
};

/** A context whose `me` has the app's own claims. */
export interface WithClaims<S extends Schema> {
  readonly me: MeClaims<S>;
}

/** A caller who is signed in. */
export interface SignedIn<R = string | null> extends Me {
  readonly id: Id<"user">;
  readonly role: R & (string | null);
}

/** Who `me` can be, given `allow`. */
export type MeOf<P extends AllowSpec> = P extends "signed-in"
  ? SignedIn
  : P extends { readonly role: readonly (infer R)[] }
    ? SignedIn<R>
    : Me;

/** What every function gets. */
export interface FunctionContext<P extends AllowSpec> {
  readonly me: MeOf<P>;
  /** The time of the call, RFC 3339 in UTC. In queries and mutations the clock stands still. */
  readonly now: string;
  /** The `x-request-id` of the answer: as the server's log has it. */
  readonly requestId: string;
}

/** Arguments of `run`: may be left out when none is required. */
type RunArgs<F extends AnyFunction> =
  object extends ArgsIn<F> ? [args?: ArgsIn<F>] : [args: ArgsIn<F>];

/** What a query gets. */
export interface QueryContext<in out S extends Schema, P extends AllowSpec>
  extends FunctionContext<P>, JobReads, WorkflowReads {
  /** Calls another query of this app as the same caller, whatever its `allow` says. */
  readonly run: <F extends AnyFunction<"query">>(
    fn: F,
    ...args: RunArgs<F>
  ) => Promise<ResultOf<F>>;
  readonly db: ReadDatabase<S>;
}

/** What a mutation gets. */
export interface MutationContext<
  in out S extends Schema,
  P extends AllowSpec,
  // oxlint-disable-next-line typescript/no-empty-object-type -- No events.
  in out E extends Events = {},
>
  extends FunctionContext<P>, WorkContext<E>, JobReads, WorkflowCalls, WorkflowReads {
  /**
   * Calls another query or mutation of this app as the same caller, whatever its `allow` says, inside this
   * transaction. When a mutation so called fails, this one fails with it, caught or not.
   */
  readonly run: <F extends AnyFunction<"query" | "mutation">>(
    fn: F,
    ...args: RunArgs<F>
  ) => Promise<ResultOf<F>>;
  readonly db: WriteDatabase<S>;
}

/** What actions and http functions get: no database of their own, but the app's functions. */
export interface ActionContext<
  P extends AllowSpec,
  // oxlint-disable-next-line typescript/no-empty-object-type -- No events.
  in out E extends Events = {},
>
  extends FunctionContext<P>, WorkContext<E>, WorkflowCalls {
  /**
   * A secret that the function declares in `secrets`: the environment variable of the server.
   * @throws SECRET_MISSING when it is not set; SECRET_UNDECLARED.
   */
  readonly secret: (name: string) => string;
  /**
   * Calls a query or mutation of this app as the same caller, whatever its `allow` says. Each mutation
   * is a transaction of its own.
   */
  readonly run: <F extends AnyFunction<"query" | "mutation">>(
    fn: F,
    ...args: RunArgs<F>
  ) => Promise<ResultOf<F>>;
  /** Identity: users, passwords, sessions and tokens, for an API shape of the app's own. */
  readonly auth: AuthContext;
  /** Letters to people. */
  readonly mail: MailContext;
}

/** What an http function gets. */
export interface HttpContext<
  P extends AllowSpec,
  // oxlint-disable-next-line typescript/no-empty-object-type -- No events.
  in out E extends Events = {},
> extends ActionContext<P, E> {
  /** The parts of the address that the path names: `:id`, `*rest`. */
  readonly params: { readonly [name: string]: string };
}
