// How steps fail: by which policy they are tried again, which failures are answers, and what a workflow is told.
import { errorCodes, type ErrorCode } from "../../base/error-codes.ts";
import type { GateApp } from "../../gate/gate-app.ts";
import type { Job, JobFailure } from "../job.ts";
import { policyOf, workOf } from "../work-app.ts";
import type { QueuePolicy } from "../work-kind.ts";
import type { WorkflowFailure } from "./replay.ts";

/** The kind of steps that are jobs of their own; their queues are `step:<function>`. */
export const stepKindName = "step";

/** The queue of a function's steps: those of all workflows share its limits. */
export function stepQueue(fn: string): string {
  return `${stepKindName}:${fn}`;
}

/** How a function's steps run: as the queue that is declared for it says. */
export function stepPolicy(app: GateApp, fn: string): QueuePolicy {
  for (const { spec, policy } of workOf(app).queues.values()) {
    if (spec.function === fn) return { ...policy, keepMs: 0, ordered: false };
  }
  return policyOf(app, {});
}

/** Whether a failure is an answer: another attempt would be told the same. */
export function isFinal({ code }: JobFailure): boolean {
  const row = Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode] : undefined;
  return row?.fault === "caller" && row.retry === "never";
}

/** What the tick before failed with, when it was this step. */
export function failureOfJob({ failure }: Job, seq: number): JobFailure | null {
  const details = failure?.details as { readonly workflowStep?: unknown } | null | undefined;
  if (failure === null || details?.workflowStep !== seq) return null;
  const { workflowStep: _, ...own } = details as { readonly [key: string]: never };
  return { ...failure, details: own };
}

/** A failure as a workflow is told of it. */
export function wireFailure({ code, text, details }: JobFailure): WorkflowFailure {
  return { code, text, details };
}
