// Runs and their steps as rows, and back. Everything here happens inside a transaction of somebody's.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { timeText, type ProcedureScope } from "../../gate/gate-app.ts";
import type { WorkOrigin } from "../../gate/work-origin.ts";
import { msOfTime } from "../../model/field-time.ts";
import type { Where } from "../../model/query-form.ts";
import type { Row } from "../../store/store.ts";
import type { Job } from "../job.ts";
import type { WorkflowFailure } from "./replay.ts";

/** How a run stands. `stuck`: its code does something else than before; nothing happens to it until somebody helps. */
export type RunState = "running" | "done" | "failed" | "cancelled" | "stuck";

/** What a run needs to be replayed. Kept as JSON. */
export interface RunInfo {
  readonly root: string;
  readonly chain: readonly string[];
  readonly me: Job["me"];
  /** Of its random numbers. */
  readonly seed: string;
  /** Events after this place are its own. */
  readonly place: number;
  /** Up to where the events of each kind were taken. */
  readonly taken: { readonly [wait: string]: number };
  /** Answers so far, told or not. */
  readonly answers: number;
  /** Answers that the last tick has told; null: there was no tick. */
  readonly seen: number | null;
  /** From which number on nothing more was taken; null: there is room. */
  readonly fullAt: number | null;
  /** Results kept. */
  readonly bytes: number;
  readonly signals: number;
  readonly deadlineMs: number | null;
  readonly keepMs: number;
  /** Whose child it is. */
  readonly parent: { readonly run: string; readonly seq: number } | null;
  /** Whether it undoes what it has done: from then on it ends, and its deadline is none of its concern. Absent: no. */
  readonly isUndoing?: boolean;
  /** Which of its answers is the last interrupt. Absent or null: there was none. */
  readonly interruptedAt?: number | null;
  /** What failed while it undid what it had done. */
  readonly undoFailures: readonly string[];
}

/** A run, read from its row. */
export interface WorkflowRun {
  readonly id: string;
  readonly workflow: string;
  readonly version: string;
  readonly state: RunState;
  readonly key: string | null;
  readonly args: Json;
  readonly status: Json;
  readonly startedMs: number;
  readonly info: RunInfo;
}

/** A step, read from its row. */
export interface WorkflowStep {
  readonly id: string;
  readonly seq: number;
  readonly kind: "step" | "sleep" | "event" | "signal" | "child" | "interrupt";
  readonly name: string;
  readonly hash: string;
  readonly state: "waiting" | "done" | "failed" | "cancelled";
  readonly place: number | null;
  readonly result: Json;
  readonly error: WorkflowFailure | null;
  readonly dueMs: number | null;
  /** When a length of time began to be waited for; null: what is waited for is a time on the wall. */
  readonly sinceMs: number | null;
  readonly job: string | null;
  readonly endedMs: number;
}

/** Reads a row of `workRun`. */
export function runOfRow(row: Row): WorkflowRun {
  return {
    id: row["id"] as string,
    workflow: row["workflow"] as string,
    version: row["version"] as string,
    state: row["state"] as RunState,
    key: row["key"] as string | null,
    args: row["args"] ?? null,
    status: row["status"] ?? null,
    startedMs: msOfTime(row["startedAt"] as string),
    info: row["info"] as unknown as RunInfo,
  };
}

/** A run by id, or null. */
export function readRun(scope: ProcedureScope, id: string): Later<WorkflowRun | null> {
  return andThen(scope.tx.get("workRun", id, null), (row) => (row === null ? null : runOfRow(row)));
}

/** Sets what is given of a run. */
export function writeRun(scope: ProcedureScope, id: string, patch: Row): Later<WorkflowRun> {
  return andThen(scope.tx.update("workRun", id, patch), runOfRow);
}

/** `info` as a row holds it. */
export function infoJson(info: RunInfo): Json {
  return info as unknown as Json;
}

/** Where a run's work comes from. */
export function originOfRun({ info }: WorkflowRun): WorkOrigin {
  return { root: info.root, chain: info.chain };
}

/** What stands in `hash` of an interrupt that ends what undoes, too. */
export const stopHash = "stop";

/** What stands in `waits` of a sleep until a time on the wall. */
export const waitsForTime = "time";

/** Reads a row of `workStep`. */
export function stepOfRow(row: Row): WorkflowStep {
  const dueAt = row["dueAt"] as string | null;
  const endedAt = row["endedAt"] as string | null;
  return {
    id: row["id"] as string,
    seq: row["seq"] as number,
    kind: row["kind"] as WorkflowStep["kind"],
    name: row["name"] as string,
    hash: row["hash"] as string,
    state: row["state"] as WorkflowStep["state"],
    place: row["place"] as number | null,
    result: row["result"] ?? null,
    error: (row["error"] ?? null) as unknown as WorkflowFailure | null,
    dueMs: dueAt === null ? null : msOfTime(dueAt),
    sinceMs: row["waits"] === waitsForTime ? null : msOfTime(row["askedAt"] as string),
    job: row["job"] as string | null,
    endedMs: endedAt === null ? 0 : msOfTime(endedAt),
  };
}

const pageMax = 1_000;

/** All steps of a run, by number: interrupts first. */
export function readSteps(scope: ProcedureScope, run: string): Later<readonly WorkflowStep[]> {
  const found: WorkflowStep[] = [];
  const from = (after: number): Later<readonly WorkflowStep[]> => {
    const where: Where = {
      kind: "and",
      parts: [
        { kind: "field", field: "run", condition: { eq: run } },
        { kind: "field", field: "seq", condition: { gt: after } },
      ],
    };
    const orderBy = [{ field: "seq", descending: false }];
    const page = scope.tx.list(
      { kind: "list", from: "workStep", where, orderBy, limit: pageMax },
      null,
    );
    return andThen(page, ({ rows }) => {
      for (const row of rows) found.push(stepOfRow(row));
      return rows.length < pageMax ? found : from(found.at(-1)?.seq ?? 0);
    });
  };
  return from(Number.MIN_SAFE_INTEGER);
}

/** One step of a run, or null. */
export function readStep(
  scope: ProcedureScope,
  run: string,
  seq: number,
): Later<WorkflowStep | null> {
  const where: Where = {
    kind: "and",
    parts: [
      { kind: "field", field: "run", condition: { eq: run } },
      { kind: "field", field: "seq", condition: { eq: seq } },
    ],
  };
  const orderBy = [{ field: "seq", descending: false }];
  const found = scope.tx.list({ kind: "list", from: "workStep", where, orderBy, limit: 1 }, null);
  return andThen(found, ({ rows }) => (rows[0] === undefined ? null : stepOfRow(rows[0])));
}

/** Goes through a list, one after the other. */
export function eachOf<T>(list: readonly T[], visit: (one: T) => Later<unknown>): Later<void> {
  const from = (index: number): Later<void> => {
    for (let at = index; at < list.length; at++) {
      const done = visit(list[at] as T);
      if (done instanceof Promise) return done.then(() => from(at + 1));
    }
    return undefined;
  };
  return from(0);
}

/** The time of a transaction, as rows have it. */
export function nowText({ run }: ProcedureScope): string {
  return timeText(run.nowMs);
}
