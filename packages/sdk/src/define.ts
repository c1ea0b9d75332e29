// `define({...tables})`: where an app's types begin. Everything it hands out is typed by the tables.
import { composeApp, type App, type AppParts, type Modules } from "./app.ts";
import { DefinitionError } from "./definition-error.ts";
import type { Fields } from "./field-types.ts";
import { checkTargets, defineFunction, type LooseDefinition } from "./function-define.ts";
import type {
  ActionContext,
  HttpContext,
  MutationContext,
  QueryContext,
} from "./function-context.ts";
import type {
  AppFunction,
  Awaitable,
  Defined,
  FunctionDefinition,
  FunctionDescriptor,
  FunctionKind,
  Returns,
} from "./function.ts";
import type { BoolType } from "./field-types.ts";
import type { Field } from "./field.ts";
import { checkCase, checkName } from "./name-check.ts";
import { readRules, type Rules, type RuleSet } from "./rules.ts";
import type { Schema, SchemaOf, Tables } from "./schema.ts";
import type { AllowSpec, AppSpec, LimitSpec, TableSpec } from "./spec.ts";
import { t } from "./t.ts";
import { table, TableDefinition } from "./table.ts";

/** Beyond what queries and mutations say: where an action may go. */
export interface WorldDefinition {
  /** Hosts that `fetch` may reach: `api.example.com`, or `*.example.com`. Default: none. */
  readonly hosts?: readonly string[];
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
export interface Authoring<S extends Schema> {
  /** A deterministic function that reads. It sees one moment of the data. */
  readonly query: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, QueryContext<S, P>>,
  ) => Defined<"query", A, P, R, O>;
  /** A deterministic function that reads and writes: one serializable transaction. */
  readonly mutation: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, MutationContext<S, P>>,
  ) => Defined<"mutation", A, P, R, O>;
  /** A function that may call the world; not a transaction. It reads and writes through `run(fn, args)`. */
  readonly action: <
    const A extends Fields = {},
    const P extends AllowSpec = "nobody",
    const R extends Returns | undefined = undefined,
    O = unknown,
  >(
    definition: FunctionDefinition<A, P, R, O, ActionContext<P>> & WorldDefinition,
  ) => Defined<"action", A, P, R, O>;
  /** An action at an address of its own, with raw request and answer. */
  readonly http: <const P extends AllowSpec = "nobody">(
    definition: HttpDefinition<P, HttpContext<P>>,
  ) => AppFunction<"http", {}, Response, false>;
  /**
   * What must be true of all data after every commit: a query that sees everything and returns true.
   * Export it from a module and list it in `app({ invariants: [...] })`.
   */
  readonly invariant: (
    holds: (ctx: InvariantContext<S>) => Awaitable<boolean>,
  ) => Defined<"query", {}, "nobody", Field<BoolType>, boolean>;
  /** The security policy: rights by table. Plain arrow functions, read from source, never called. */
  readonly rules: (rules: Rules<S>) => RuleSet;
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

/**
 * Defines the tables of an app. A table `user` (name, email, role) is added when there is none.
 * @param tables by name: small letter first, letters and digits.
 * @throws DefinitionError at the line of the mistake.
 * @example
 * export const { query, mutation, rules, app } = define({
 *   film: table({ title: t.text({ max: 200 }) }),
 * });
 */
export function define<const D extends Tables>(tables: D): Authoring<SchemaOf<D>> {
  const definitions = readTables(tables);
  const names = new Set(definitions.keys());
  const specs: Record<string, TableSpec> = {};
  const tableLimits: Record<string, AppSpec["tableLimits"][string]> = {};
  for (const [name, definition] of definitions) {
    for (const field of Object.values(definition.fields)) checkTargets(field, names);
    const { spec, limits } = definition;
    specs[name] = spec;
    if (limits.read !== undefined || limits.write !== undefined)
      tableLimits[name] = Object.freeze(limits);
  }
  const base = { tables: Object.freeze(specs), tableLimits: Object.freeze(tableLimits) };
  const made = new WeakSet<object>();
  const make = (
    kind: FunctionKind,
    definition: LooseDefinition,
    at: Function,
  ): FunctionDescriptor => {
    const descriptor = defineFunction(kind, definition, names, at);
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
    rules: function rules(entries: Readonly<Record<string, object | undefined>>) {
      return readRules(entries, specs, rules);
    },
    app: function app(parts: AppParts<Modules>) {
      return composeApp(base, parts, made, app);
    },
  };
  return Object.freeze(authoring) as unknown as Authoring<SchemaOf<D>>;
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
