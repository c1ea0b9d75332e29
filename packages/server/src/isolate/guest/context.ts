// `ctx`: what a function is given beside its arguments. A plain object, so that user code may spread it.
import { functionName } from "@keelson/sdk/guest";
import { ask, askNow } from "./ask.ts";
import { authCalls } from "./auth.ts";
import type { OpenDatabase } from "./database.ts";
import { jobReads } from "./job-state.ts";
import { mailCalls } from "./mail.ts";
import { create, freeze, parse, RealDate, toJson } from "./primordials.ts";
import type { Call } from "./running.ts";
import { workCalls } from "./work.ts";
import { workflowCalls, workflowReads } from "./workflow-calls.ts";

/** Makes contexts for one app. */
export class ContextMaker {
  readonly #reading: OpenDatabase;
  readonly #writing: OpenDatabase;
  /** Callers and moments repeat from call to call; the last of each is kept, frozen. */
  #meJson = "";
  #me: unknown = null;
  #nowMs = Number.NaN;
  #now = "";

  constructor(reading: OpenDatabase, writing: OpenDatabase) {
    this.#reading = reading;
    this.#writing = writing;
  }

  /** @param params the named parts of an http function's address. */
  make(call: Call, params: unknown): object {
    const { kind, requestId } = call;
    const me = this.#meOf(call.meJson);
    const now = this.#nowOf(call.nowMs);
    const { run } = {
      // A method: of any other function the bundler would write the name anew at every call.
      run(fn: unknown, args?: unknown): Promise<unknown> {
        return runFunction(call, fn, args);
      },
    };
    switch (kind) {
      case "query": {
        const { jobState } = jobReads(call);
        const { workflowRun } = workflowReads(call);
        return { db: this.#reading(call), me, now, run, requestId, jobState, workflowRun };
      }
      case "mutation":
        return this.#mutating(call, me, now, run);
      case "action":
        return {
          me,
          now,
          run,
          requestId,
          auth: authCalls(call),
          mail: mailCalls(call),
          secret: (name: unknown) => parse(askNow(call, "secret", String(name))),
          ...workCalls(call),
          ...workflowCalls(call),
        };
      case "http":
        return {
          me,
          now,
          run,
          requestId,
          params,
          auth: authCalls(call),
          mail: mailCalls(call),
          secret: (name: unknown) => parse(askNow(call, "secret", String(name))),
          ...workCalls(call),
          ...workflowCalls(call),
        };
      case "workflow":
        return { me };
      default:
        kind satisfies never;
        return create(null) as object;
    }
  }

  /** Members named one by one: to spread the parts cost as much as to make them. */
  #mutating(call: Call, me: unknown, now: string, run: object): object {
    const { requestId } = call;
    const { emit, enqueue, schedule, cancel, webhooks, job } = workCalls(call);
    const { jobState } = jobReads(call);
    const { startWorkflow, signalWorkflow, cancelWorkflow } = workflowCalls(call);
    const { workflowRun } = workflowReads(call);
    return {
      db: this.#writing(call),
      me,
      now,
      run,
      requestId,
      emit,
      enqueue,
      schedule,
      cancel,
      webhooks,
      job,
      jobState,
      startWorkflow,
      signalWorkflow,
      cancelWorkflow,
      workflowRun,
    };
  }

  #meOf(json: string): unknown {
    if (json !== this.#meJson) {
      this.#me = deepFreeze(parse(json));
      this.#meJson = json;
    }
    return this.#me;
  }

  #nowOf(nowMs: number): string {
    if (nowMs !== this.#nowMs) {
      this.#nowMs = nowMs;
      this.#now = new RealDate(nowMs).toISOString();
    }
    return this.#now;
  }
}

function runFunction(call: Call, fn: unknown, args: unknown): Promise<unknown> {
  const name = typeof fn === "string" ? fn : (fn as { [functionName]?: unknown })?.[functionName];
  if (typeof name !== "string") {
    throw new TypeError(
      "run takes a function that app.ts lists, or its name: run(cinema.book, args).",
    );
  }
  return ask(call, "run", `{"name":${toJson(name)},"args":${toJson(args ?? {}) ?? "{}"}}`);
}

function deepFreeze(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const key of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[key]);
  return freeze(value);
}
