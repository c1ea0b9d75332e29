// The composition: everything that is in a backend, listed. Gives the AppSpec (JSON) and, for the
// isolate's guest, each function by name.
import { DefinitionError } from "./definition-error.ts";
import { functionName, isFunctionDescriptor, type FunctionDescriptor } from "./function.ts";
import { checkName } from "./name-check.ts";
import { routeKey } from "./route.ts";
import type { RuleSet } from "./rules.ts";
import type { Schema } from "./schema.ts";
import type { AppSpec, AuthSpec, FunctionSpec } from "./spec.ts";
import { composeWork, type WorkBase } from "./work-compose.ts";
import { isWorkDescriptor } from "./work-define.ts";
import { appWorkflows, collectWorkflows, isWorkflowDescriptor } from "./workflow-define.ts";

/** Modules by name; what they export beside functions is left alone. */
export type Modules = { readonly [module: string]: object };

/** The least that is known of any app. `~schema` and `~modules` are for the type system only. */
export interface AnyApp {
  readonly spec: AppSpec;
  readonly "~schema": Schema;
  readonly "~modules": Modules;
}

/** An app with the tables `S` and the modules `M`: what `createClient<typeof app>` is typed by. */
export interface App<S extends Schema, M extends Modules> extends AnyApp {
  readonly "~schema": S;
  readonly "~modules": M;
}

/** What `app` takes. */
export interface AppParts<M extends Modules> {
  /** From `rules({...})`. Default: none, so no table can be reached. */
  readonly rules?: RuleSet;
  /** Modules with functions: `import * as cinema from "./cinema.ts"`. */
  readonly functions?: M;
  /** Made by `invariant(...)` and exported by one of the modules. */
  readonly invariants?: readonly object[];
  /** Origins that browsers may call from: `"https://example.com"`, or `"*"` for all. Default: only the app's own. */
  readonly cors?: readonly string[];
  /** How people sign in. Default: by e-mail, with a password, a link or a code, and with passkeys. */
  readonly auth?: AuthSpec;
}

/** Where an app keeps its functions: `app[appFunctions].get("cinema.book").run(ctx, args)`. */
export const appFunctions: unique symbol = Symbol.for("keelson.app.functions") as never;

/** The functions of an app by "module.name". @param app what `app(...)` gave. */
export function functionsOf(app: object): ReadonlyMap<string, FunctionDescriptor> {
  const functions = (app as { [appFunctions]?: ReadonlyMap<string, FunctionDescriptor> })[
    appFunctions
  ];
  if (functions === undefined) throw new TypeError("This is not what app(...) gives.");
  return functions;
}

/** @param base tables and their limits. @param made every function of the same `define`. @throws DefinitionError. */
export function composeApp(
  base: Pick<AppSpec, "tables" | "tableLimits"> & { readonly work: WorkBase },
  parts: AppParts<Modules>,
  made: WeakSet<object>,
  at: Function,
): { readonly spec: AppSpec } {
  checkParts(parts, at);
  checkModules(parts.functions ?? {}, at);
  const functions = collect(parts.functions ?? {}, new Set(Object.keys(base.tables)), made, at);
  checkRoutes(functions, at);
  const specs: Record<string, FunctionSpec> = {};
  for (const [name, descriptor] of functions) specs[name] = descriptor.spec;
  const workflows = collectWorkflows(parts.functions ?? {}, made, at);
  const workflowSpecs = Object.fromEntries([...workflows].map(([name, { spec }]) => [name, spec]));
  const work = composeWork(
    base.work,
    parts.functions ?? {},
    made,
    Object.freeze(workflowSpecs),
    at,
  );
  const spec: AppSpec = Object.freeze({
    version: 1,
    tables: base.tables,
    functions: Object.freeze(specs),
    invariants: Object.freeze((parts.invariants ?? []).map((entry) => invariantName(entry, at))),
    cors: checkCors(parts.cors ?? [], at),
    tableLimits: base.tableLimits,
    ...(parts.auth !== undefined && { auth: Object.freeze({ ...parts.auth }) }),
    ...(work !== null && { work }),
  });
  const app = { spec };
  Object.defineProperty(app, appFunctions, { value: functions });
  Object.defineProperty(app, appWorkflows, { value: workflows });
  return Object.freeze(app);
}

/** What each part must be, and what to write. */
const partForms: Readonly<Record<keyof AppParts<Modules>, PartForm>> = {
  rules: {
    isRight: (value) => isPlain(value) && value["kind"] === "rules",
    what: "what rules(...) gives",
    fix: "Write export default rules({ ... }) in rules.ts, and import rules from it.",
  },
  functions: {
    isRight: isPlain,
    what: "an object in braces",
    fix: 'Write import * as cinema from "./cinema.ts", and functions: { cinema }.',
  },
  invariants: {
    isRight: Array.isArray,
    what: "a list",
    fix: "Write invariants: [cinema.oneSeatOneBooking].",
  },
  cors: { isRight: Array.isArray, what: "a list", fix: 'Write cors: ["https://example.com"].' },
  auth: {
    isRight: isPlain,
    what: "an object in braces",
    fix: "Write what differs from the defaults: auth: { password: false }.",
  },
};

interface PartForm {
  readonly isRight: (value: unknown) => boolean;
  readonly what: string;
  readonly fix: string;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Types say all this too, to who looks at them: an app is bundled without. */
function checkParts(parts: AppParts<Modules>, at: Function): void {
  const takes = "It takes rules, functions, invariants, cors and auth";
  if (!isPlain(parts)) {
    throw new DefinitionError(
      "app(...) is not given its parts in braces.",
      `${takes}: app({ rules, functions: { cinema } }).`,
      at,
    );
  }
  for (const [name, value] of Object.entries(parts)) {
    if (!Object.hasOwn(partForms, name)) {
      throw new DefinitionError(`An app takes no "${name}".`, `${takes}.`, at);
    }
    const { isRight, what, fix } = partForms[name as keyof AppParts<Modules>];
    if (value === undefined || isRight(value)) continue;
    throw new DefinitionError(`\`${name}\` is not ${what}.`, fix, at);
  }
}

/** A function in the place of a module would hold no functions, and be left out in silence. */
function checkModules(modules: Modules, at: Function): void {
  for (const [name, module] of Object.entries(modules as Readonly<Record<string, unknown>>)) {
    const isMade =
      isFunctionDescriptor(module) || isWorkDescriptor(module) || isWorkflowDescriptor(module);
    if (typeof module === "object" && module !== null && !isMade) continue;
    throw new DefinitionError(
      `"${name}" in \`functions\` is not a module.`,
      'Write import * as cinema from "./cinema.ts", and functions: { cinema }.',
      at,
    );
  }
}

function collect(
  modules: Modules,
  tables: ReadonlySet<string>,
  made: WeakSet<object>,
  at: Function,
): Map<string, FunctionDescriptor> {
  const functions = new Map<string, FunctionDescriptor>();
  const names = new Map<object, string>();
  for (const [module, exports] of Object.entries(modules)) {
    checkName("module", module, at);
    for (const [key, value] of Object.entries(exports)) {
      if (!isFunctionDescriptor(value)) continue;
      checkName("function", key, at);
      const name = `${module}.${key}`;
      const other = names.get(value);
      if (other !== undefined) {
        throw new DefinitionError(
          `"${name}" and "${other}" are the same function.`,
          "Export it once.",
          at,
        );
      }
      if (!made.has(value)) {
        throw new DefinitionError(
          `"${name}" was made by another \`define\`.`,
          "Import query, mutation, action and http from this app's schema.",
          at,
        );
      }
      value[functionName] = name;
      names.set(value, name);
      functions.set(name, value);
    }
    if (tables.has(module)) checkShared(module, functions, at);
  }
  return functions;
}

/** A module may carry a table's name: `api.film.list` and `api.film.rate` stand side by side. */
function checkShared(
  module: string,
  functions: ReadonlyMap<string, FunctionDescriptor>,
  at: Function,
): void {
  for (const [name, descriptor] of functions) {
    if (!name.startsWith(`${module}.`) || descriptor.kind !== "http") continue;
    throw new DefinitionError(
      `"${name}" is an http function in a module that is named like a table.`,
      "Put http functions into a module of another name.",
      at,
    );
  }
}

function checkRoutes(functions: ReadonlyMap<string, FunctionDescriptor>, at: Function): void {
  const taken = new Map<string, string>();
  for (const [name, { spec }] of functions) {
    if (spec.route === undefined) continue;
    const key = routeKey(spec.route);
    const other = taken.get(key);
    if (other !== undefined) {
      throw new DefinitionError(
        `"${name}" and "${other}" both answer ${spec.route.method} ${spec.route.path}.`,
        "Change one of the paths.",
        at,
      );
    }
    taken.set(key, name);
  }
}

function invariantName(entry: object, at: Function): string {
  const name = isFunctionDescriptor(entry) ? entry[functionName] : undefined;
  if (name === undefined) {
    throw new DefinitionError(
      "An invariant is not exported by any of the listed modules.",
      "Export it, list its module in `functions`, and name it here: invariants: [cinema.oneSeatOneBooking].",
      at,
    );
  }
  const { spec, kind } = entry as FunctionDescriptor;
  const returns = spec.returns?.kind;
  if (kind === "query" && Object.keys(spec.args).length === 0 && returns === "bool") return name;
  throw new DefinitionError(
    `"${name}" is no invariant: it must be a query without arguments that returns t.bool().`,
    "Make it with invariant(...).",
    at,
  );
}

function checkCors(origins: readonly string[], at: Function): readonly string[] {
  if (origins.length > 1 && origins.includes("*")) {
    throw new DefinitionError(
      '`cors` names "*" and others.',
      '"*" lets every origin in: name it alone.',
      at,
    );
  }
  for (const origin of origins) checkOrigin(origin, at);
  return Object.freeze([...origins]);
}

function checkOrigin(origin: string, at: Function): void {
  const isOrigin =
    /^https?:\/\//.test(origin) && URL.canParse(origin) && new URL(origin).origin === origin;
  if (isOrigin || origin === "*") return;
  throw new DefinitionError(
    `${JSON.stringify(origin)} is no origin.`,
    'Write scheme, host and port with no slash at the end: "https://example.com"; or "*" for all.',
    at,
  );
}
