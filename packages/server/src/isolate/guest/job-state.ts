// A job as queries and mutations look at it: it waits or runs, or is dead, or its result is kept.
import { ask } from "./ask.ts";
import { part, RealPromise, toJson, whenSettled } from "./primordials.ts";
import type { Call } from "./running.ts";
import { nameOfWork } from "./work.ts";

/** Members of `ctx` for a call that reads. */
export interface JobReads {
  readonly jobState: (work: unknown, job: unknown) => Promise<unknown>;
}

/** Makes them; a method for the reason that workCalls has. */
export function jobReads(call: Call): JobReads {
  return {
    jobState(work, job) {
      return readJob(call, `queue:${nameOfWork(work)}`, job);
    },
  };
}

interface JobRow {
  readonly queue: string;
  readonly result?: unknown;
  readonly info: {
    readonly me?: { readonly id?: unknown };
    readonly startedMs?: number;
    readonly progress?: unknown;
    readonly failure?: { readonly code: string; readonly text: string; readonly details: unknown };
  };
}

const prefix = "work_job_";
/** Where a job may be, with what stands before its id there. It is in one of them at a time. */
const places = [
  ["workJob", prefix],
  ["workDone", "work_done_"],
  ["workDead", "work_dead_"],
] as const;

function readJob(call: Call, queue: string, id: unknown): Promise<unknown> {
  if (typeof id !== "string") throw new TypeError("A job is known by the id that enqueue gave.");
  return new RealPromise((resolve, reject) => {
    const look = (index: number): void => {
      const place = places[index];
      if (place === undefined || part(id, 0, prefix.length) !== prefix) return resolve(null);
      const [table, before] = place;
      const own = before + part(id, prefix.length);
      const found = ask(call, "db.get", toJson({ table, id: own, as: "jobState" }) ?? "");
      whenSettled(
        found,
        (row) => {
          if (row === null) return look(index + 1);
          resolve((row as JobRow).queue === queue ? shown(table, id, row as JobRow) : null);
        },
        reject,
      );
    };
    look(0);
  });
}

function shown(table: (typeof places)[number][0], id: string, { info, result }: JobRow): object {
  const { me, startedMs, progress = null, failure } = info;
  const waits = startedMs === undefined ? "waiting" : "running";
  const isDone = table === "workDone";
  const ended = isDone ? "done" : "dead";
  return {
    id,
    state: table === "workJob" ? waits : ended,
    by: me?.id ?? null,
    progress,
    result: isDone ? (result ?? null) : null,
    error:
      failure === undefined || isDone
        ? null
        : { code: failure.code, text: failure.text, details: failure.details },
  };
}
