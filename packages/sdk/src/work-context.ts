// What functions that can start work are given for it. In a mutation it all waits for the transaction: it
// happens with it, or not at all. In an action each is a transaction of its own.
import type { Fields, Input } from "./field-types.ts";
import type { AnyFunction, ArgsIn } from "./function.ts";
import type { WebhookCalls } from "./webhook-context.ts";
import type { Duration } from "./work-duration.ts";

/** Payloads of an app's events by name. */
export type Events = { readonly [event: string]: Fields };

/** The least that is known of any queue. `~in`: arguments of its jobs; `~out`: their results. */
export interface AnyQueue {
  readonly kind: "queue";
  readonly "~in": object;
  readonly "~out": unknown;
}

/** A queue whose jobs take `In` and end with `Out`. */
export interface Queue<In extends object, Out = unknown> extends AnyQueue {
  readonly "~in": In;
  readonly "~out": Out;
}

/** What can be put off: a queue, or a function, which has a queue of its own name with the default policy. */
export type Deferrable = AnyQueue | AnyFunction<"mutation" | "action">;

type InOf<W extends Deferrable> = W extends AnyFunction
  ? ArgsIn<W>
  : W extends AnyQueue
    ? W["~in"]
    : never;

/** When and how a job runs. */
export interface EnqueueOptions {
  /** Not before so long from now. Default: at once. */
  readonly in?: Duration;
  /** Not before this time, RFC 3339. */
  readonly at?: string;
  /** Jobs of one key share the queue's limits per key. Default: none. */
  readonly key?: string;
  /** -4 to 4; higher runs first. Default: 0. */
  readonly priority?: number;
  /** While a job of this text waits or runs in the queue, no second one is added. Default: none. */
  readonly once?: string;
}

/** Arguments and options; arguments may be left out when none is required. */
type EnqueueArgs<W extends Deferrable> =
  object extends InOf<W>
    ? [args?: InOf<W>, options?: EnqueueOptions]
    : [args: InOf<W>, options?: EnqueueOptions];

type ScheduleArgs<W extends Deferrable> =
  object extends InOf<W>
    ? [args?: InOf<W>, options?: Omit<EnqueueOptions, "in" | "at">]
    : [args: InOf<W>, options?: Omit<EnqueueOptions, "in" | "at">];

/** The job that a function runs for. */
export interface JobContext {
  readonly id: string;
  /** The same in every attempt, and after a replay: give it to the other side as idempotency key. */
  readonly token: string;
  /** 1 for the first. */
  readonly attempt: number;
  /**
   * In actions: tells how far it is; anything small. @returns false when the job was cancelled meanwhile: stop.
   */
  progress(value: unknown): Promise<boolean>;
}

/** What can be started. */
export interface WorkContext<in out E extends Events> {
  /** Emits an event to all its consumers. @throws VALUE_INVALID, WORK_TOO_DEEP, WORK_FUEL_SPENT. */
  readonly emit: <N extends keyof E & string>(event: N, payload: Input<E[N]>) => Promise<void>;
  /** Adds a job. @returns its id. @throws ARGUMENT_INVALID, WORK_TOO_DEEP, WORK_FUEL_SPENT. */
  readonly enqueue: <W extends Deferrable>(work: W, ...rest: EnqueueArgs<W>) => Promise<string>;
  /** Adds a job for a time. @param when RFC 3339, or a length of time from now: `"10m"`, or ms. @returns its id. */
  readonly schedule: <W extends Deferrable>(
    when: string | number,
    work: W,
    ...rest: ScheduleArgs<W>
  ) => Promise<string>;
  /** Takes back a job that has not ended; an action under way is told. @returns whether there was one. */
  readonly cancel: (job: string) => Promise<boolean>;
  /** The app's own webhooks: endpoints, and what is sent to them. */
  readonly webhooks: WebhookCalls;
  /** The job that this call is for; null when it was called otherwise. */
  readonly job: JobContext | null;
}
