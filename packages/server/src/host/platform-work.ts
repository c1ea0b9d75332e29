// Every kind of work of this server, put together: what the floors of work and connect bring.
import { hookKind } from "../connect/hook-kind.ts";
import { webhookKind } from "../connect/webhook-kind.ts";
import { cronKind } from "../work/cron-kind.ts";
import type { EventListener } from "../work/event-write.ts";
import { consumerKind, queueKind, tickKind } from "../work/function-kind.ts";
import type { WorkKind, WorkKinds } from "../work/work-kind.ts";
import { workflowStepKind } from "../work/workflow/workflow-step-kind.ts";
import { workflowKind } from "../work/workflow/workflow-tick.ts";
import { workflowListener } from "../work/workflow/workflow-wait.ts";

const kinds: readonly WorkKind[] = [
  workflowKind,
  workflowStepKind,
  queueKind,
  consumerKind,
  tickKind,
  cronKind,
  hookKind,
  webhookKind,
];

/** By name. */
export const workKinds: WorkKinds = new Map(kinds.map((kind) => [kind.kind, kind]));

/** Told of every event in the transaction that emits it. */
export const eventListeners: readonly EventListener[] = [workflowListener];
