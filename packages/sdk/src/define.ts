// `define({...tables})`: where an app's types begin. Everything it hands out is typed by the tables.
import { composeApp, type App, type AppParts, type Modules } from "./app.ts";
import { DefinitionError } from "./definition-error.ts";
import type { Fields, Input, Values } from "./field-types.ts";
import type { Id } from "./id.ts";
import { checkTargets, defineFunction, type LooseDefinition } from "./function-define.ts";
import type {
  ActionContext,
  HttpContext,
  MutationContext,
  QueryContext,
  WithClaims,
} from "./function-context.ts";
import type {
  AnyFunction,
  AppFunction,
  ArgsIn,
  Awaitable,
  Defined,
  FunctionDefinition,
  FunctionDescriptor,
  FunctionKind,
  Returns,
  ResultOf,
} from "./function.ts";
import type { BoolType } from "./field-types.ts";
import type { Field } from "./field.ts";
import { checkCase, checkName } from "./name-check.ts";
import { readRules, type RulesDefiner } from "./rules.ts";
import type { OwnTable, Schema, SchemaOf, Tables } from "./schema.ts";
import type { AllowSpec, AppSpec, EventSpec, LimitSpec, TableSpec } from "./spec.ts";
import { t } from "./t.ts";
import { defineHook, type HookInput, type HookOptions } from "./hook-define.ts";
import { table, TableDefinition } from "./table.ts";
import type { WorkBase } from "./work-compose.ts";
import type { Events, Queue } from "./work-context.ts";
import type { Signals, Workflow } from "./workflow-calls.ts";
import { defineWorkflow, type LooseWorkflow, type WorkflowDefinition } from "./workflow-define.ts";
import {
  defineConsumer,
  defineCron,
  defineQueue,
  readEvent,
  type ChangeOptions,
  type ConsumerOptions,
  type CronOptions,
  type EventDefinition,
  type QueuePolicyOptions,
  type WorkDescriptor,
} from "./work-define.ts";

/** Beyond what queries and mutations say: where an action may go. */
export interface WorldDefinition {
  /**
   * Hosts that `fetch` may reach: `api.example.com`, or `*.example.com`; `$STRIPE_URL` for the host of the address in
   * that environment variable. Default: none.
   */
  readonly hosts?: readonly string[];
  /** Environment variables of the server that `ctx.secret(name)` may give: `["STRIPE_SECRET_KEY"]`. Default: none. */
  readonly secrets?: readonly string[];
}

/** A function at an address of its own. */
export interface HttpDefinition<P extends AllowSpec, Ctx> extends WorldDefinition {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** May hold `:name` for a part, and end in `*name` for the rest: `/api/users/:id`. */
  readonly path: string;
  /** Who may call it. Default: "nobody". */
  readonly allow?: P;
  readonly limit?: LimitSpec;
  run(ctx: Ctx, request: Request): Awaitable<Response>;
}

/** What `define` hands out, typed by the tables `S`. */
// oxlint-disable-next-line typescript/no-empty-object-type -- No events.
export interface Authoring<S extends Schema, E extends Events = {}> {
  /** A deterministic function that reads. It sees one moment of the data. */
  readonly query: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, QueryContext<S, P> & WithClaims<S>>,
  ) => Defined<"query", A, P, R, O>;
  /** A deterministic function that reads and writes: one serializable transaction. */
  readonly mutation: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, MutationContext<S, P, E> & WithClaims<S>>,
  ) => Defined<"mutation", A, P, R, O>;
  /** A function that may call the world; not a transaction. It reads and writes through `run(fn, args)`. */
  readonly action: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, ActionContext<P, E> & WithClaims<S>> &
      WorldDefinition,
  ) => Defined<"action", A, P, R, O>;
  /** An action at an address of its own, with raw request and answer. */
  readonly http: <const P extends AllowSpec = "nobody">(
    definition: HttpDefinition<P, HttpContext<P, E> & WithClaims<S>>,
  ) => AppFunction<"http", {}, Response, false>;
  /**
   * What must be true of all data after every commit: a query that sees everything and returns true.
   * Export it from a module and list it in `app({ invariants: [...] })`.
   */
  readonly invariant: (
    holds: (ctx: InvariantContext<S>) => Awaitable<boolean>,
  ) => Defined<"query", {}, "nobody", Field<BoolType>, boolean>;
  /** A queue for one function: how its jobs are run. Export it; jobs come by `enqueue(queue, args)`. */
  readonly queue: <F extends AnyFunction<"mutation" | "action">>(
    fn: F,
    options?: QueuePolicyOptions,
  ) => Queue<ArgsIn<F>, ResultOf<F>>;
  /** Runs a function for every event of a name, with the fields of the payload that it takes. Export it. */
  readonly on: <N extends keyof E & string, F extends AnyFunction<"mutation" | "action">>(
    event: N,
    fn: Values<E[N]> extends ArgsIn<F> ? F : never,
    options?: ConsumerOptions,
  ) => WorkDeclaration<"consumer">;
  /**
   * Runs a function for every change of a table, with those of `id`, `change` ("create", "update", "delete"),
   * `before` and `after` (rows, or null) and `at` (when it was committed) that it takes. Export it.
   */
  readonly onChange: <T extends OwnTable<S>, F extends AnyFunction<"mutation" | "action">>(
    table: T,
    fn: ChangeInput<T> extends ArgsIn<F> ? F : never,
    options?: ChangeOptions,
  ) => WorkDeclaration<"consumer">;
  /**
   * Runs a function at times. With `at`, the time of the tick, when it takes it. Export it.
   * @param schedule five fields as in crontab, or words: `"every day at 03:00"`.
   */
  readonly cron: <F extends AnyFunction<"mutation" | "action">>(
    schedule: string,
    options: CronOptions,
    fn: { readonly at: string } extends ArgsIn<F> ? F : never,
  ) => WorkDeclaration<"cron">;
  /**
   * Takes webhooks at `/hooks/{name}`: verified, kept, answered, then handled by a function, with those of `id`,
   * `type`, `body`, `headers` and `at` that it takes. Export it.
   */
  readonly hook: <F extends AnyFunction<"mutation" | "action">>(
    name: string,
    options: HookOptions,
    fn: HookInput extends ArgsIn<F> ? F : never,
  ) => WorkDeclaration<"hook">;
  /**
   * A durable function: what it has done is recorded step by step, and it goes on where it was, after a wait of
   * days, a crash or an update. Started by `startWorkflow`. Export it.
   */
  readonly workflow: <const A extends Fields = {}, const G extends Signals = {}, O = unknown>(
    definition: WorkflowDefinition<A, G, E, O>,
  ) => Workflow<Input<A>, O, G>;
  /** The security policy: rights by table. Plain arrow functions, read from source, never called. */
  readonly rules: RulesDefiner<S>;
  /** Puts the backend together; the default export of `app.ts`. */
  readonly app: <const M extends Modules = {}>(parts: AppParts<M>) => App<S, M>;
}

/** What an invariant gets: every table and field, without rules. */
export interface InvariantContext<S extends Schema> {
  readonly db: ReturnType<QueryContext<S, "nobody">["db"]["asSystem"]>;
  readonly now: string;
}

const defaultUser = table({
  name: t.text({ max: 200 }).optional(),
  email: t.text({ max: 320, format: "email" }).optional().unique(),
  role: t.text({ max: 50 }).optional(),
});

/** Tables of the platform that fields may refer to: a row may be an organisation's. */
const platformTargets: readonly string[] = ["org"];

/** What a function can take for a change of the table `T`. */
export interface ChangeInput<T extends string> {
  readonly id: Id<T>;
  readonly change: "create" | "update" | "delete";
  readonly before: unknown;
  readonly after: unknown;
  /** When it was committed. */
  readonly at: string;
}

/** A declaration of work, for its module to export. */
export interface WorkDeclaration<K extends string> {
  readonly kind: K;
}

/** What an app has beside its tables. */
export interface DefineOptions<D extends EventDefinitions> {
  /** Events by name, each made by `event(...)`. Default: none. */
  readonly events?: D;
  /** Private hosts, as `localhost:9000`, that endpoints of the app's own webhooks may name. Default: none. */
  readonly webhookHosts?: readonly string[];
  /** Jobs and events that the work of one request may cause in all. Default: limits.workFuelDefault, 10,000. */
  readonly fuel?: number;
}

/** Events as they are declared. */
export type EventDefinitions = { readonly [event: string]: EventDefinition<Fields> };

/** Payloads of declared events. */
export type EventsOf<D extends EventDefinitions> = { readonly [N in keyof D]: D[N]["fields"] };

/**
 * Defines the tables of an app. A table `user` (name, email, role) is added when there is none.
 * @param tables by name: small letter first, letters and digits. @param options.events what functions emit.
 * @throws DefinitionError at the line of the mistake.
 * @example
 * export const { query, mutation, rules, app } = define({
 *   film: table({ title: t.text({ max: 200 }) }),
 * });
 */
export function define<
  const D extends Tables,
  // oxlint-disable-next-line typescript/no-empty-object-type -- No events.
  const E extends EventDefinitions = {},
>(tables: D, options: DefineOptions<E> = {}): Authoring<SchemaOf<D>, EventsOf<E>> {
  const definitions = readTables(tables);
  const names = new Set(definitions.keys());
  const targets = new Set([...names, ...platformTargets]);
  const specs: Record<string, TableSpec> = {};
  const tableLimits: Record<string, AppSpec["tableLimits"][string]> = {};
  for (const [name, definition] of definitions) {
    for (const field of Object.values(definition.fields)) checkTargets(field, targets);
    const { spec, limits } = definition;
    specs[name] = spec;
    if (limits.read !== undefined || limits.write !== undefined)
      tableLimits[name] = Object.freeze(limits);
  }
  const work = readWork(options, targets);
  const base = { tables: Object.freeze(specs), tableLimits: Object.freeze(tableLimits), work };
  const made = new WeakSet<object>();
  const make = (
    kind: FunctionKind,
    definition: LooseDefinition,
    at: Function,
  ): FunctionDescriptor => {
    const descriptor = defineFunction(kind, definition, targets, at);
    made.add(descriptor);
    return descriptor;
  };
  const authoring = {
    query: function query(definition: LooseDefinition) {
      return make("query", definition, query);
    },
    mutation: function mutation(definition: LooseDefinition) {
      return make("mutation", definition, mutation);
    },
    action: function action(definition: LooseDefinition) {
      return make("action", definition, action);
    },
    http: function http(definition: LooseDefinition) {
      return make("http", definition, http);
    },
    invariant: function invariant(holds: unknown) {
      return make("query", invariantDefinition(holds, invariant), invariant);
    },
    queue: function queue(fn: unknown, options: QueuePolicyOptions = {}) {
      return declared(made, defineQueue(fn, options, queue));
    },
    on: function on(event: string, fn: unknown, options: ConsumerOptions = {}) {
      assertKnown("event", event, Object.keys(work.events), on);
      return declared(made, defineConsumer({ event }, fn, options, on));
    },
    onChange: function onChange(table: string, fn: unknown, options: ChangeOptions = {}) {
      assertKnown("table", table, [...names], onChange);
      return declared(made, defineConsumer({ table }, fn, options, onChange));
    },
    cron: function cron(schedule: string, options: CronOptions, fn: unknown) {
      return declared(made, defineCron(schedule, options, fn, cron));
    },
    hook: function hook(name: string, options: HookOptions, fn: unknown) {
      return declared(made, defineHook(name, options, fn, hook));
    },
    workflow: function workflow(definition: LooseWorkflow) {
      const descriptor = defineWorkflow(definition, targets, workflow);
      made.add(descriptor);
      return descriptor;
    },
    rules: function rules(entries: Readonly<Record<string, object | undefined>>) {
      return readRules(entries, specs, rules);
    },
    app: function app(parts: AppParts<Modules>) {
      return composeApp(base, parts, made, app);
    },
  };
  return Object.freeze(authoring) as unknown as Authoring<SchemaOf<D>, EventsOf<E>>;
}

function declared(made: WeakSet<object>, descriptor: WorkDescriptor): WorkDescriptor {
  made.add(descriptor);
  return descriptor;
}

function readWork(options: DefineOptions<EventDefinitions>, tables: ReadonlySet<string>): WorkBase {
  const { events = {}, fuel, webhookHosts, ...others } = options;
  for (const key of Object.keys(others)) {
    const fix = "It takes events, fuel and webhookHosts, beside the tables.";
    throw new DefinitionError(`\`define\` takes no "${key}".`, fix, define);
  }
  if (fuel !== undefined && !(Number.isSafeInteger(fuel) && fuel >= 1)) {
    throw new DefinitionError(`\`fuel\` is ${String(fuel)}.`, "Use a whole number from 1.", define);
  }
  const specs: Record<string, EventSpec> = {};
  for (const [name, definition] of Object.entries(events)) {
    specs[name] = readEvent(name, definition, tables, define);
  }
  return {
    events: Object.freeze(specs),
    ...(fuel !== undefined && { fuel }),
    ...(webhookHosts !== undefined && { webhookHosts: Object.freeze([...webhookHosts]) }),
  };
}

function assertKnown(what: string, name: string, known: readonly string[], at: Function): void {
  if (known.includes(name)) return;
  const fix = known.length === 0 ? `There are no ${what}s.` : `There are ${known.join(", ")}.`;
  throw new DefinitionError(`There is no ${what} "${name}".`, fix, at);
}

function readTables(tables: Tables): ReadonlyMap<string, TableDefinition> {
  const definitions = new Map<string, TableDefinition>();
  for (const [name, value] of Object.entries(tables)) {
    checkName("table", name, define);
    if (!(value instanceof TableDefinition)) {
      throw new DefinitionError(`"${name}" is not a table.`, "Write table({ ... }).", define);
    }
    definitions.set(name, value);
  }
  if (!definitions.has("user")) definitions.set("user", defaultUser as unknown as TableDefinition);
  checkCase("table", [...definitions.keys()], define);
  return definitions;
}

interface SystemSwitch {
  readonly db: { asSystem(reason: string): object };
  readonly now: string;
}

function invariantDefinition(holds: unknown, at: Function): LooseDefinition {
  if (typeof holds !== "function") {
    throw new DefinitionError(
      "An invariant is not a function.",
      "Write invariant(async ({ db }) => ...).",
      at,
    );
  }
  const run = (ctx: SystemSwitch): unknown => holds({ ...ctx, db: ctx.db.asSystem("invariant") });
  return { returns: t.bool(), run };
}
