// The work of an app, put together: what its modules declare, with the functions by name.
import { DefinitionError } from "./definition-error.ts";
import { functionName, functionQueues } from "./function.ts";
import { checkName } from "./name-check.ts";
import type {
  ConsumerSpec,
  CronSpec,
  EventSpec,
  HookSpec,
  QueueSpec,
  WorkflowSpec,
  WorkSpec,
} from "./spec.ts";
import { isWorkDescriptor, type WorkDescriptor } from "./work-define.ts";
import { nameDeclared } from "./work-name.ts";

/** What `define` was told of work. */
export interface WorkBase {
  readonly events: Readonly<Record<string, EventSpec>>;
  readonly fuel?: number;
  /** Private hosts that endpoints of outgoing webhooks may name. */
  readonly webhookHosts?: readonly string[];
}

/** @param modules of the app, their functions named already. @returns null when there is none. @throws DefinitionError. */
export function composeWork(
  base: WorkBase,
  modules: { readonly [module: string]: object },
  made: WeakSet<object>,
  workflows: Readonly<Record<string, WorkflowSpec>>,
  at: Function,
): WorkSpec | null {
  const queues: Record<string, QueueSpec> = {};
  const consumers: Record<string, ConsumerSpec> = {};
  const crons: Record<string, CronSpec> = {};
  const hooks: Record<string, HookSpec> = {};
  for (const [module, exports] of Object.entries(modules)) {
    for (const [key, value] of Object.entries(exports)) {
      if (!isWorkDescriptor(value)) continue;
      checkName("function", key, at);
      const name = `${module}.${key}`;
      const own = nameWork(value, name, made, at);
      if (value.kind === "queue") {
        queues[name] = { ...value.spec, function: own };
        value.fn[functionQueues] = [...(value.fn[functionQueues] ?? []), name];
      } else if (value.kind === "consumer") consumers[name] = { ...value.spec, function: own };
      else if (value.kind === "cron") crons[name] = { ...value.spec, function: own };
      else if (value.kind === "hook") {
        if (Object.hasOwn(hooks, value.address)) throw takenAddress(value.address, at);
        hooks[value.address] = { ...value.spec, function: own };
      }
    }
  }
  const all = [base.events, queues, consumers, crons, hooks, workflows];
  const { fuel, webhookHosts } = base;
  if (
    fuel === undefined &&
    webhookHosts === undefined &&
    all.every((part) => Object.keys(part).length === 0)
  )
    return null;
  return Object.freeze({
    events: base.events,
    queues: Object.freeze(queues),
    consumers: Object.freeze(consumers),
    crons: Object.freeze(crons),
    ...(Object.keys(workflows).length > 0 && { workflows }),
    ...(Object.keys(hooks).length > 0 && { hooks: Object.freeze(hooks) }),
    ...(base.webhookHosts !== undefined && { webhookHosts: base.webhookHosts }),
    ...(base.fuel !== undefined && { fuel: base.fuel }),
  });
}

/** @returns the name of its function. */
function nameWork(
  value: WorkDescriptor,
  name: string,
  made: WeakSet<object>,
  at: Function,
): string {
  nameDeclared(value, name, { made, makers: "queue, on, onChange, cron and hook", at });
  const own = value.fn[functionName];
  if (own !== undefined) return own;
  throw new DefinitionError(
    `The function that "${name}" runs is not exported by any of the listed modules.`,
    "Export it, and list its module in `functions`.",
    at,
  );
}

function takenAddress(address: string, at: Function): DefinitionError {
  return new DefinitionError(
    `There are two hooks at /hooks/${address}.`,
    "Give one of them another name.",
    at,
  );
}
