// What other functions do with workflows: start, signal and cancel runs, and look at them.
import { workName } from "@keelson/sdk/guest";
import { ask } from "./ask.ts";
import { assertKnown } from "./known-options.ts";
import { toJson, whenSettled, RealPromise } from "./primordials.ts";
import type { Call } from "./running.ts";

interface StartOptions {
  readonly key?: unknown;
}
const startOptions = ["key"];

/** Members of `ctx` for a call that may start work. */
export interface WorkflowCalls {
  readonly startWorkflow: (
    workflow: unknown,
    args?: unknown,
    options?: StartOptions,
  ) => Promise<unknown>;
  readonly signalWorkflow: (
    workflow: unknown,
    run: unknown,
    signal: unknown,
    payload?: unknown,
  ) => Promise<unknown>;
  readonly cancelWorkflow: (run: unknown) => Promise<unknown>;
}

/** Makes them, at every call; methods for the reason that workCalls has. */
export function workflowCalls(call: Call): WorkflowCalls {
  return {
    startWorkflow(workflow, args, options) {
      assertKnown("startWorkflow", options, startOptions);
      const name = nameOf(workflow);
      return ask(call, "workflow.start", json({ name, args: args ?? {}, key: options?.key }));
    },
    signalWorkflow(workflow, run, signal, payload) {
      const name = nameOf(workflow);
      return ask(call, "workflow.signal", json({ name, run, signal, payload: payload ?? {} }));
    },
    cancelWorkflow(run) {
      return ask(call, "workflow.cancel", json({ run }));
    },
  };
}

/** Members of `ctx` for a call that reads. */
export interface WorkflowReads {
  readonly workflowRun: (workflow: unknown, run: unknown) => Promise<unknown>;
}

/** Makes them. */
export function workflowReads(call: Call): WorkflowReads {
  return {
    workflowRun(workflow, run) {
      return readRun(call, nameOf(workflow), run);
    },
  };
}

const shownFields = [
  "workflow",
  "state",
  "by",
  "status",
  "result",
  "error",
  "startedAt",
  "endedAt",
];

function readRun(call: Call, name: string, id: unknown): Promise<unknown> {
  const query = { select: shownFields };
  const found = ask(call, "db.get", json({ table: "workRun", id, query, as: "workflowRun" }));
  return new RealPromise((resolve, reject) => {
    whenSettled(
      found,
      (row) => {
        const { workflow, ...shown } = (row ?? {}) as { readonly workflow?: unknown };
        resolve(workflow === name ? shown : null);
      },
      reject,
    );
  });
}

function nameOf(workflow: unknown): string {
  const name = (workflow as { [workName]?: unknown } | null | undefined)?.[workName];
  if (typeof name === "string") return name;
  throw new TypeError(
    "This takes a workflow that app.ts lists: startWorkflow(ticket.deliver, args).",
  );
}

function json(value: unknown): string {
  return toJson(value) ?? "null";
}
