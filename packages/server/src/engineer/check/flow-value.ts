// What is known of a value inside a function: where it comes from, and what it is as far as it can be told.
// Not an interpreter: values that can't be followed are `plain`, with the origins of all that went in.
import type { FunctionLike, SourceFile } from "../../model/rule-source.ts";
import type { Expression, Node } from "./syntax.ts";

/**
 * Where a value comes from: `me`, `arg:<name>`, `request`, `row:<op>` (a row of a read), `field:<op>:<name>`,
 * `run:<n>`, `work:<n>`, `fetch:<n>`, `random`, `clock`, `math` (it was computed with arithmetic).
 */
export type Origin = string;

/** `db.asSystem(reason)`. */
export interface Elevation {
  /** Null when it is no literal. */
  readonly reason: string | null;
  readonly file: SourceFile;
  readonly node: Node;
}

/** A loop, or a callback that is called for each item, around an operation. */
export interface Loop {
  readonly node: Node;
  readonly file: SourceFile;
  /** What it goes over; null for a counting loop. */
  readonly over: Value | null;
}

export type DbMethod =
  | "get"
  | "list"
  | "page"
  | "first"
  | "count"
  | "aggregate"
  | "create"
  | "update"
  | "delete";

interface Effect {
  readonly index: number;
  readonly file: SourceFile;
  readonly node: Expression & { type: "CallExpression" };
  readonly loops: readonly Loop[];
}

/** One call on a table. */
export interface DbOp extends Effect {
  readonly kind: "db";
  readonly method: DbMethod;
  readonly table: string;
  readonly system: Elevation | null;
  /** The row's id: of get, update, delete. */
  readonly id: Value | null;
  /** What is written: of create, update. */
  readonly values: Value | null;
  /** The object of a read, as evaluated. */
  readonly query: Value | null;
  readonly queryNode: Expression | null;
  /** Origins that conditions before this call looked at. */
  readonly tested: ReadonlySet<Origin>;
}

/** `run(fn, args)`. */
export interface RunOp extends Effect {
  readonly kind: "run";
  /** The name of the function as written: `getStock`, `stock.get`. */
  readonly target: string;
  readonly args: Value | null;
}

/** `fetch(...)`. */
export interface FetchOp extends Effect {
  readonly kind: "fetch";
  readonly address: Value;
  readonly options: Value | null;
  /** Whether the answer's `ok`, `status` was looked at. */
  isChecked: boolean;
  /** Whether its body was read. */
  isRead: boolean;
}

/** What starts or waits for work: `enqueue(fn, args)`, `emit(name, payload)`, a workflow's `step(fn, args)`. */
export interface WorkOp extends Effect {
  readonly kind: "work";
  /** As the context names it: `enqueue`, `webhooks.send`. */
  readonly call: string;
  /** What it names: a function, queue or workflow as written, or the event's name. */
  readonly target: string;
  readonly args: Value | null;
}

export type EffectOp = DbOp | RunOp | FetchOp | WorkOp;

export type Thing =
  | { readonly kind: "plain" | "ctx" | "args" | "me" | "run" | "request" }
  /** A call of the context that starts or waits for work, or an object of such calls. */
  | { readonly kind: "work" | "works"; readonly call: string }
  | { readonly kind: "literal"; readonly value: string | number | boolean | null }
  | { readonly kind: "db"; readonly system: Elevation | null }
  | { readonly kind: "table"; readonly table: string; readonly system: Elevation | null }
  /** A row, or a list of rows, of a read. `table` is another one below an expansion. */
  | { readonly kind: "row"; readonly op: DbOp; readonly table: string; readonly many: boolean }
  | { readonly kind: "page"; readonly op: DbOp }
  /** `open`: it may hold more than the fields named. */
  | {
      readonly kind: "object";
      readonly fields: ReadonlyMap<string, Value>;
      readonly open: boolean;
      /** Rows that were spread into it. */
      readonly spread: readonly Value[];
    }
  | { readonly kind: "list"; readonly items: readonly Value[] }
  | {
      readonly kind: "function";
      readonly node: FunctionLike;
      readonly file: SourceFile;
      readonly scope: Scope;
    }
  | { readonly kind: "response"; readonly fetch: FetchOp };

export interface Value {
  readonly thing: Thing;
  readonly origins: ReadonlySet<Origin>;
  /** The one origin that this value is, unaltered; null when it was computed or merged. */
  readonly source: Origin | null;
  /** Calls whose promise this value is, not awaited yet. */
  readonly pending: readonly EffectOp[];
}

/** Names in a function. */
export class Scope {
  readonly #names = new Map<string, Value>();
  readonly #outer: Scope | null;

  constructor(outer: Scope | null) {
    this.#outer = outer;
  }

  find(name: string): Value | null {
    return this.#names.get(name) ?? this.#outer?.find(name) ?? null;
  }

  declare(name: string, value: Value): void {
    this.#names.set(name, value);
  }

  /** An assignment adds to what a name may be: which branch ran is not known. */
  assign(name: string, value: Value): void {
    const before = this.#names.get(name);
    if (before !== undefined) this.#names.set(name, merged([before, value]));
    else if (this.#outer?.find(name)) this.#outer.assign(name, value);
  }
}

const nothing: ReadonlySet<Origin> = new Set();

/** A value of no known origin. */
export const unknownValue: Value = {
  thing: { kind: "plain" },
  origins: nothing,
  source: null,
  pending: [],
};

export function literalValue(value: string | number | boolean | null): Value {
  return { ...unknownValue, thing: { kind: "literal", value } };
}

export function thingValue(thing: Thing, origin: Origin | null = null): Value {
  return {
    thing,
    origins: origin === null ? nothing : new Set([origin]),
    source: origin,
    pending: [],
  };
}

/** Something made out of others. @param extra origins that making it adds. */
export function derived(from: readonly Value[], ...extra: readonly Origin[]): Value {
  const origins = new Set(from.flatMap((value) => [...value.origins]));
  for (const each of extra) origins.add(each);
  return { ...unknownValue, origins };
}

/** One of several. */
export function merged(from: readonly Value[]): Value {
  const [first] = from;
  if (first === undefined) return unknownValue;
  if (from.length === 1) return first;
  const known = from.filter(({ thing }) => thing.kind !== "literal" && thing.kind !== "plain");
  const sources = new Set(
    from.filter(({ thing }) => thing.kind !== "literal").map((v) => v.source),
  );
  return {
    thing: known[0]?.thing ?? { kind: "plain" },
    origins: new Set(from.flatMap((value) => [...value.origins])),
    source: sources.size === 1 ? ([...sources][0] ?? null) : null,
    pending: from.flatMap((value) => value.pending),
  };
}

/** What a loop hands to its body. */
export function itemOf(value: Value): Value {
  const { thing } = value;
  if (thing.kind === "row" && thing.many) return { ...value, thing: { ...thing, many: false } };
  if (thing.kind === "list") {
    const item = merged(thing.items);
    return { ...item, origins: new Set([...item.origins, ...value.origins]) };
  }
  return { ...value, thing: { kind: "plain" }, pending: [] };
}

/** A field of an object literal; null when it may be there and is not known. */
export function fieldOf(value: Value | null, name: string): Value | null {
  return value?.thing.kind === "object" ? (value.thing.fields.get(name) ?? null) : null;
}

/** Names of the arguments that a value comes from. */
export function argsIn(value: Value | null): readonly string[] {
  if (value === null) return [];
  return [...value.origins].filter((each) => each.startsWith("arg:")).map((each) => each.slice(4));
}
