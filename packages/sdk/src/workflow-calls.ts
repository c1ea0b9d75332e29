// Workflows as other functions see them: what starts, signals, cancels and shows a run.
import type { Fields, Input } from "./field-types.ts";

/** Payloads of a workflow's signals by name. */
export type Signals = { readonly [signal: string]: Fields };

/** The least that is known of any workflow. `~in`, `~out` and `~signals` are for the type system only. */
export interface AnyWorkflow {
  readonly kind: "workflow";
  readonly "~in": object;
  readonly "~out": unknown;
  readonly "~signals": Signals;
}

/** A workflow that takes `In`, ends with `Out`, and can be sent the signals `G`. */
export interface Workflow<In extends object, Out, G extends Signals> extends AnyWorkflow {
  readonly "~in": In;
  readonly "~out": Out;
  readonly "~signals": G;
}

type InOf<W extends AnyWorkflow> = W["~in"];
/** How a run is started. */
export interface StartOptions {
  /** While a run of this workflow with the same key is not over, no second one is started. Default: none. */
  readonly key?: string;
}

type StartArgs<W extends AnyWorkflow> =
  object extends InOf<W>
    ? [args?: InOf<W>, options?: StartOptions]
    : [args: InOf<W>, options?: StartOptions];

/** What functions that can start work are given for workflows. */
export interface WorkflowCalls {
  /** Starts a workflow: with this transaction, or not at all. @returns the run's id. */
  readonly startWorkflow: <W extends AnyWorkflow>(
    workflow: W,
    ...rest: StartArgs<W>
  ) => Promise<string>;
  /** Sends a signal to a run. @returns whether it runs. */
  readonly signalWorkflow: <W extends AnyWorkflow, N extends keyof W["~signals"] & string>(
    workflow: W,
    run: string,
    signal: N,
    payload: Input<W["~signals"][N]>,
  ) => Promise<boolean>;
  /** Asks a run to end: what it waits for fails with WORKFLOW_CANCELLED. @returns whether it ran. */
  readonly cancelWorkflow: (run: string) => Promise<boolean>;
}

/** A run as functions see it. */
export interface WorkflowRun<W extends AnyWorkflow> {
  readonly id: string;
  readonly state: "running" | "done" | "failed" | "cancelled" | "stuck";
  /** Who started it: the id of a user, or null. */
  readonly by: string | null;
  /** What it told last. */
  readonly status: unknown;
  /** Null until it is done. */
  readonly result: W["~out"] | null;
  /** Why it failed, or is stuck. */
  readonly error: {
    readonly code: string;
    readonly text: string;
    readonly details: unknown;
  } | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

/** What queries and mutations are given to look at runs. A live query that looks is run again when the run goes on. */
export interface WorkflowReads {
  /** A run of this workflow, whoever started it: compare `by`. Null when there is none. */
  readonly workflowRun: <W extends AnyWorkflow>(
    workflow: W,
    run: string,
  ) => Promise<WorkflowRun<W> | null>;
}
