// Functions of an app: what a module exports. A descriptor carries its specification as JSON and `run`;
// its name ("module.name") is written on it when `app(...)` lists its module.
import type { AnyField } from "./field.ts";
import type { Fields, Input, Values } from "./field-types.ts";
import type { AllowSpec, FunctionSpec, LimitSpec } from "./spec.ts";
import type { Nothing } from "./t.ts";

/** The kinds of functions. */
export type FunctionKind = FunctionSpec["kind"];

/** What `returns` may be. */
export type Returns = AnyField | Nothing;

/** A value now or later. */
export type Awaitable<V> = V | Promise<V>;

/** The least that is known of any function. `~in`, `~out` and `~open` are for the type system only. */
export interface AnyFunction<K extends FunctionKind = FunctionKind> {
  readonly kind: K;
  readonly spec: FunctionSpec;
  readonly "~in": object;
  readonly "~out": unknown;
  /** Whether anybody can call it from outside. */
  readonly "~open": boolean;
}

/** A function that takes `In`, answers `Out`, and can be called from outside when `Open`. */
export interface AppFunction<
  K extends FunctionKind,
  In extends object,
  Out,
  Open extends boolean,
> extends AnyFunction<K> {
  readonly "~in": In;
  readonly "~out": Out;
  readonly "~open": Open;
}

/** What a call of this function passes. */
export type ArgsIn<F extends AnyFunction> = F["~in"];

/** What a call of this function answers. */
export type ResultOf<F extends AnyFunction> = F["~out"];

/** Whether `allow` lets anybody in from outside. */
export type IsOpen<P extends AllowSpec> = P extends "nobody" ? false : true;

/** What `run` gives back when the result is declared, else what it happens to give back. */
export type Given<R, O> = R extends AnyField ? R["~input"] : R extends Nothing ? void : O;

/** What callers get. */
export type Result<R, O> = R extends AnyField ? R["~value"] : R extends Nothing ? void : O;

/** The parts that all definitions share. `Ctx` is what `run` gets first. */
export interface FunctionDefinition<A extends Fields, P extends AllowSpec, R, O, Ctx> {
  /** Arguments by name. Default: none. */
  readonly args?: A;
  /** Who may call it from outside. Default: "nobody". */
  readonly allow?: P;
  /** The result's shape, checked on every call. Default: any JSON, unchecked. */
  readonly returns?: R;
  /** Rate limits. Default: the server's. */
  readonly limit?: LimitSpec;
  run(ctx: Ctx, args: Values<A>): Awaitable<Given<R, O>>;
}

/** What a definition makes. */
export type Defined<
  K extends FunctionKind,
  A extends Fields,
  P extends AllowSpec,
  R,
  O,
> = AppFunction<K, Input<A>, Result<R, O>, IsOpen<P>>;

/** Marks descriptors across copies of the SDK: `value[functionMark] === true`. */
export const functionMark: unique symbol = Symbol.for("keelson.function") as never;

/** Where a descriptor keeps its name once an app lists it. */
export const functionName: unique symbol = Symbol.for("keelson.function.name") as never;

/** Where a descriptor keeps the names of the queues that an app declares for it. */
export const functionQueues: unique symbol = Symbol.for("keelson.function.queues") as never;

/** A descriptor as it is at run time, for the isolate's guest. */
export interface FunctionDescriptor {
  readonly kind: FunctionKind;
  readonly spec: FunctionSpec;
  /** The user's function: its context, then its arguments (for http functions: the Request). */
  readonly run: (ctx: never, input: never) => unknown;
  readonly [functionMark]: true;
  /** `module.name`; undefined until an app lists it. */
  [functionName]?: string;
  /** `module.name` of each; undefined while there is none. */
  [functionQueues]?: readonly string[];
}

/** Whether a value was made by query, mutation, action, http or invariant. */
export function isFunctionDescriptor(value: unknown): value is FunctionDescriptor {
  return typeof value === "object" && value !== null && functionMark in value;
}
