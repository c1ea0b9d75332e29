// Workflows, as modules export them: durable functions that `app(...)` finds in the modules it lists.
import { DefinitionError } from "./definition-error.ts";
import type { AnyField } from "./field.ts";
import type { Fields, Values } from "./field-types.ts";
import { checkTargets, readArgs } from "./function-define.ts";
import type { Awaitable } from "./function.ts";
import { checkName } from "./name-check.ts";
import type { FieldSpec, WorkflowSpec } from "./spec.ts";
import type { workName } from "./work-define.ts";
import { nameDeclared } from "./work-name.ts";
import type { Events } from "./work-context.ts";
import { checkDuration, type Duration } from "./work-duration.ts";
import type { Signals } from "./workflow-calls.ts";
import type { WorkflowContext } from "./workflow-context.ts";

/** What `workflow` takes. */
export interface WorkflowDefinition<A extends Fields, G extends Signals, E extends Events, O> {
  /** Arguments by name. Default: none. */
  readonly args?: A;
  /** Signals that a run can be sent, with the fields of their payloads. Default: none. */
  readonly signals?: G;
  /** A run that takes longer is interrupted: what it waits for fails with WORKFLOW_DEADLINE. Default: none. */
  readonly deadline?: Duration;
  /** How long a run can be looked at after its end. Default: "30d". */
  readonly keep?: Duration;
  /** Runs anew from its start whenever something happens to it: what it does must follow from `ctx` alone. */
  run(ctx: WorkflowContext<E, G, Values<A>>, args: Values<A>): Awaitable<O>;
}

/** Marks workflows across copies of the SDK. */
const workflowMark: unique symbol = Symbol.for("keelson.workflow") as never;

/** A workflow as it is at run time, for the isolate's guest. */
export interface WorkflowDescriptor {
  readonly kind: "workflow";
  readonly spec: WorkflowSpec;
  readonly run: (ctx: never, args: never) => unknown;
  readonly [workflowMark]: true;
  /** `module.name`; undefined until an app lists it. */
  [workName]?: string;
}

/** Whether a value was made by `workflow`. */
export function isWorkflowDescriptor(value: unknown): value is WorkflowDescriptor {
  return typeof value === "object" && value !== null && workflowMark in value;
}

/** A definition before it is checked. */
export interface LooseWorkflow {
  readonly args?: Readonly<Record<string, AnyField>>;
  readonly signals?: Readonly<Record<string, Readonly<Record<string, AnyField>>>>;
  readonly deadline?: Duration;
  readonly keep?: Duration;
  readonly run: WorkflowDescriptor["run"];
}

const keys: ReadonlySet<string> = new Set(["args", "signals", "deadline", "keep", "run"]);
const keepMsDefault = 30 * 86_400_000;

/** @param tables names of the app's tables. @throws DefinitionError. */
export function defineWorkflow(
  definition: LooseWorkflow,
  tables: ReadonlySet<string>,
  at: Function,
): WorkflowDescriptor {
  for (const key of Object.keys(definition)) {
    if (keys.has(key)) continue;
    throw new DefinitionError(
      `A workflow takes no "${key}".`,
      `It takes ${[...keys].join(", ")}. Who may start it is up to the function that calls startWorkflow.`,
      at,
    );
  }
  if (typeof definition.run !== "function") {
    throw new DefinitionError(
      "The workflow has no `run`.",
      "Write async run(ctx, args) { ... }.",
      at,
    );
  }
  const { args = {}, signals = {}, deadline, keep = keepMsDefault } = definition;
  const read: Record<string, Readonly<Record<string, FieldSpec>>> = {};
  for (const [name, fields] of Object.entries(signals)) {
    checkName("argument", name, at);
    for (const field of Object.values(fields)) checkTargets(field, tables);
    read[name] = readArgs(fields, tables, at);
  }
  const spec: WorkflowSpec = {
    args: readArgs(args, tables, at),
    signals: Object.freeze(read),
    ...(deadline !== undefined && { deadlineMs: checkDuration("`deadline`", deadline, 1_000, at) }),
    keepMs: checkDuration("`keep`", keep, 0, at),
  };
  return { kind: "workflow", spec: Object.freeze(spec), run: definition.run, [workflowMark]: true };
}

/** Where an app keeps its workflows: by "module.name". */
export const appWorkflows: unique symbol = Symbol.for("keelson.app.workflows") as never;

/** The workflows of an app's modules, named. @param made all of the same `define`. @throws DefinitionError. */
export function collectWorkflows(
  modules: { readonly [module: string]: object },
  made: WeakSet<object>,
  at: Function,
): ReadonlyMap<string, WorkflowDescriptor> {
  const found = new Map<string, WorkflowDescriptor>();
  for (const [module, exports] of Object.entries(modules)) {
    for (const [key, value] of Object.entries(exports)) {
      if (!isWorkflowDescriptor(value)) continue;
      checkName("function", key, at);
      const name = `${module}.${key}`;
      nameDeclared(value, name, { made, makers: "workflow", at });
      found.set(name, value);
    }
  }
  return found;
}
