// What a workflow is given: all that it does, and all that it learns, goes through this.
import type { Values } from "./field-types.ts";
import type { Me } from "./function-context.ts";
import type { AnyFunction, ArgsIn, Awaitable, ResultOf } from "./function.ts";
import type { Events } from "./work-context.ts";
import type { Duration } from "./work-duration.ts";
import type { AnyWorkflow, Signals } from "./workflow-calls.ts";

type OptionalArgs<I extends object> = object extends I ? [args?: I] : [args: I];

/** How long to wait. */
export interface WaitOptions {
  /** After so long the answer is null. Default: as long as it takes. */
  readonly timeout?: Duration;
}

/** Which event to wait for. */
export interface EventWaitOptions extends WaitOptions {
  /** The value of the field that the event is ordered by. Default: any. */
  readonly key?: string;
}

type Waited<V, O extends WaitOptions> = O extends { readonly timeout: Duration } ? V | null : V;

/** What a workflow is given. */
export interface WorkflowContext<
  in out E extends Events,
  in out G extends Signals,
  in out I extends object,
> {
  /** The run's id, as `startWorkflow` gave it. */
  readonly id: string;
  /** Who started it. */
  readonly me: Me;
  /** The time of the last thing that happened to the run, RFC 3339. `Date.now()` shows the same. */
  readonly now: () => string;
  /**
   * Runs a function of the app. A mutation runs once, in one transaction with the record of its result; an action
   * at least once, with the same `ctx.job.token` in every attempt. A result that is recorded is never computed again.
   * @throws what the function refused, or what its last attempt failed with.
   */
  readonly step: <F extends AnyFunction<"query" | "mutation" | "action">>(
    fn: F,
    ...args: OptionalArgs<ArgsIn<F>>
  ) => Promise<ResultOf<F>>;
  /** Waits, for days if need be. @param time a length of time, or a moment as RFC 3339. */
  readonly sleep: (time: Duration | { readonly until: string }) => Promise<void>;
  /** Waits for an event that is emitted after the run began. Each wait of a run gets another one. */
  readonly waitFor: <N extends keyof E & string, const O extends EventWaitOptions = {}>(
    event: N,
    options?: O,
  ) => Promise<Waited<Values<E[N]>, O>>;
  /** Waits for a signal. Those that came before are kept, in order. */
  readonly signal: <N extends keyof G & string, const O extends WaitOptions = {}>(
    name: N,
    options?: O,
  ) => Promise<Waited<Values<G[N]>, O>>;
  /** Starts another workflow and waits for its end. @throws what it failed with. */
  readonly child: <W extends AnyWorkflow>(
    workflow: W,
    ...args: OptionalArgs<W["~in"]>
  ) => Promise<W["~out"]>;
  /** What undoes what was done so far: run when the workflow fails or is cancelled, the last one first. */
  readonly compensate: (undo: () => Awaitable<unknown>) => void;
  /** Shows how far it is, to whoever looks at the run. Anything small. */
  readonly tell: (status: unknown) => void;
  /** Ends this pass and begins anew with other arguments, no history, and the newest code. The run's id stays. */
  readonly restart: (args: I) => never;
}
