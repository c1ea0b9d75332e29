// What starts work, of one call: `emit`, `enqueue`, `schedule`, `cancel`, `webhooks`, and `job`, the one that it runs for.
import { durationMs, functionName, functionQueues, workName } from "@keelson/sdk/guest";
import { ask } from "./ask.ts";
import { assertKnown } from "./known-options.ts";
import { find, parse, part, toJson } from "./primordials.ts";
import type { Call } from "./running.ts";
import { webhookCalls } from "./webhooks.ts";

interface Options {
  readonly in?: unknown;
  readonly at?: unknown;
  readonly key?: unknown;
  readonly priority?: unknown;
  readonly once?: unknown;
}

const noOptions: Options = {};
const scheduleOptions = ["key", "priority", "once"];
const enqueueOptions = ["in", "at", ...scheduleOptions];

/** Members of `ctx` for a call that may start work. */
export interface WorkCalls {
  readonly emit: (event: unknown, payload?: unknown, more?: unknown) => Promise<unknown>;
  readonly enqueue: (work: unknown, args?: unknown, options?: Options) => Promise<unknown>;
  readonly schedule: (
    when: unknown,
    work: unknown,
    args?: unknown,
    options?: Options,
  ) => Promise<unknown>;
  readonly cancel: (job: unknown) => Promise<unknown>;
  readonly webhooks: object;
  readonly job: object | null;
}

/** Makes them, at every call. Methods: of a function in a property the bundler would write the name anew each time. */
export function workCalls(call: Call): WorkCalls {
  return {
    emit(event, payload, more) {
      if (more !== undefined && more !== null)
        throw new TypeError("emit takes an event and its payload, no options.");
      return ask(call, "work.emit", `{"event":${json(event)},"payload":${json(payload ?? {})}}`);
    },
    enqueue(work, args, options) {
      assertKnown("enqueue", options, enqueueOptions);
      return enqueue(call, work, args, options);
    },
    schedule(when, work, args, options) {
      assertKnown("schedule", options, scheduleOptions);
      return enqueue(call, work, args, { ...options, ...timeOf(when) });
    },
    cancel(job) {
      return ask(call, "work.cancel", `{"id":${json(job)}}`);
    },
    webhooks: webhookCalls(call),
    job: call.job === "" ? null : jobOf(call),
  };
}

/** A time, or a length of time from now. Without one it would be now, which nobody calls `schedule` for. */
function timeOf(when: unknown): Options {
  if (when === undefined || when === null) {
    throw new TypeError('schedule takes a time before the work: schedule("10m", work, args).');
  }
  return durationMs(when) === null ? { at: when } : { in: when };
}

function enqueue(
  call: Call,
  work: unknown,
  args: unknown,
  options: Options | null | undefined,
): Promise<unknown> {
  const { in: after, at, key, priority, once } = options ?? noOptions;
  if (after !== undefined && at !== undefined && at !== null) {
    throw new TypeError("enqueue takes `in`, a length of time, or `at`, a time: not both.");
  }
  const inMs = after === undefined ? undefined : durationMs(after);
  if (inMs === null) {
    throw new TypeError(
      `\`in\` is ${toJson(after) ?? "no text"}. Write a number and ms, s, m, h or d: "90s", "10m", "3d".`,
    );
  }
  const payload = {
    name: nameOfWork(work),
    args: args ?? {},
    options: { inMs, at, key, priority, once },
  };
  return ask(call, "work.enqueue", json(payload));
}

interface Named {
  readonly [functionName]?: unknown;
  readonly [functionQueues]?: readonly string[];
  readonly [workName]?: unknown;
}

/** The name of a queue or function that app.ts lists; of a function with a queue, that queue's. @throws TypeError. */
export function nameOfWork(work: unknown): string {
  if (typeof work === "string") return work;
  const named = work as Named | null | undefined;
  const queues = named?.[functionQueues];
  if (queues !== undefined && queues.length > 1) {
    throw new TypeError(
      `${String(named?.[functionName])} has several queues: name one of them, ${queues[0]} or ${queues[1]}.`,
    );
  }
  const name = queues?.[0] ?? named?.[functionName] ?? named?.[workName];
  if (typeof name === "string") return name;
  throw new TypeError(
    "This takes a queue, mutation or action that app.ts lists: enqueue(mail.send, args).",
  );
}

/** @param call.job `id token attempt`. */
function jobOf(call: Call): object {
  const first = find(call.job, " ");
  const second = find(call.job, " ", first + 1);
  return {
    id: part(call.job, 0, first),
    token: part(call.job, first + 1, second),
    attempt: parse(part(call.job, second + 1)),
    progress: (value: unknown) => ask(call, "work.progress", `{"value":${json(value ?? null)}}`),
  };
}

function json(value: unknown): string {
  return toJson(value) ?? "null";
}
