// Runs begin and end here. A start is part of the transaction that asks for it; the first tick comes after.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { timeText, type ProcedureScope } from "../../gate/gate-app.ts";
import type { Where } from "../../model/query-form.ts";
import { countStart, originOf } from "../lineage.ts";
import { nextPlace } from "../place-number.ts";
import type { WorkflowFailure } from "./replay.ts";
import { answerStep, giveUpSteps, wakeRun } from "./workflow-answer.ts";
import { workflowOf } from "./workflow-app.ts";
import { keepVersion } from "./workflow-code.ts";
import {
  infoJson,
  nowText,
  readRun,
  runOfRow,
  writeRun,
  type RunInfo,
  type RunState,
  type WorkflowRun,
} from "./workflow-run.ts";

/** A run to start. */
export interface NewRun {
  readonly workflow: string;
  /** Untrusted: held against what the workflow takes. */
  readonly args: Json;
  readonly key?: string | null;
  readonly parent?: RunInfo["parent"];
}

const seedBytes = 16;

/**
 * Starts a run.
 * @returns its id, or that of the run that has the key. @throws WORK_NOT_FOUND, ARGUMENT_INVALID, WORK_TOO_DEEP, WORK_FUEL_SPENT: all before
 * anything is written; WORK_TOO_MUCH.
 */
export function startRun(scope: ProcedureScope, given: NewRun): Later<string> {
  const { workflow, key = null } = given;
  const model = workflowOf(scope.run.app, workflow);
  const args = model.args(given.args, nowText(scope));
  const taken = key === null ? null : runningWithKey(scope, workflow, key);
  return andThen(taken, (taken) => {
    if (taken !== null) return taken.id;
    return andThen(countStart(scope), () => insertRun(scope, { ...given, args }));
  });
}

function insertRun(scope: ProcedureScope, given: NewRun): Later<string> {
  const { run, tx } = scope;
  const { app, caller, nowMs } = run;
  const { workflow, args, key = null, parent = null } = given;
  const { deadlineMs, keepMs } = workflowOf(app, workflow).spec;
  const origin = originOf(run);
  const info: RunInfo = {
    root: origin.root,
    chain: origin.chain,
    me: caller.id === null ? null : caller.me,
    seed: Buffer.from(app.random.bytes(seedBytes)).toString("hex"),
    place: nextPlace(scope),
    taken: {},
    answers: 0,
    seen: null,
    fullAt: null,
    bytes: 0,
    signals: 0,
    deadlineMs: deadlineMs === undefined ? null : nowMs + deadlineMs,
    keepMs,
    parent,
    undoFailures: [],
  };
  const id = app.newId("workRun");
  return andThen(keepVersion(scope), (version) => {
    const row = {
      id,
      workflow,
      version,
      state: "running",
      key,
      by: caller.id,
      args,
      status: null,
      result: null,
      error: null,
      startedAt: nowText(scope),
      endedAt: null,
      until: null,
      info: infoJson(info),
    };
    return andThen(tx.insert("workRun", row), () =>
      andThen(wakeRun(scope, runOfRow(row)), () => id),
    );
  });
}

/** How a run is over. */
export type RunEnd =
  | { readonly state: "done"; readonly result: Json }
  | { readonly state: "failed" | "cancelled"; readonly error: WorkflowFailure };

/** Ends a run: what it still waits for is given up, and its parent is told. @param patch what changes with it. */
export function endRun(
  scope: ProcedureScope,
  run: WorkflowRun,
  end: RunEnd,
  patch: { readonly status?: Json; readonly info?: RunInfo } = {},
): Later<void> {
  const info = patch.info ?? run.info;
  const row = {
    state: end.state satisfies RunState,
    status: patch.status === undefined ? run.status : patch.status,
    result: end.state === "done" ? end.result : null,
    error: end.state === "done" ? null : (end.error as unknown as Json),
    endedAt: nowText(scope),
    until: timeText(scope.run.nowMs + info.keepMs),
    info: infoJson(info),
  };
  return andThen(giveUpSteps(scope, run), () =>
    andThen(writeRun(scope, run.id, row), () => {
      const { parent } = info;
      if (parent === null) return undefined;
      const told =
        end.state === "done"
          ? ({ ok: true, value: end.result } as const)
          : ({ ok: false, error: end.error } as const);
      return andThen(answerStep(scope, parent, told), () => undefined);
    }),
  );
}

/** Makes a run fail from outside of its code. */
export function failRun(scope: ProcedureScope, id: string, error: WorkflowFailure): Later<void> {
  return andThen(readRun(scope, id), (run) => {
    if (run === null || run.state !== "running") return undefined;
    return endRun(scope, run, { state: "failed", error });
  });
}

function runningWithKey(
  { tx }: ProcedureScope,
  workflow: string,
  key: string,
): Later<WorkflowRun | null> {
  const where: Where = {
    kind: "and",
    parts: [
      { kind: "field", field: "workflow", condition: { eq: workflow } },
      { kind: "field", field: "key", condition: { eq: key } },
      { kind: "field", field: "state", condition: { in: ["running", "stuck"] } },
    ],
  };
  const orderBy = [{ field: "id", descending: true }];
  const found = tx.list({ kind: "list", from: "workRun", where, orderBy, limit: 1 }, null);
  return andThen(found, ({ rows }) => (rows[0] === undefined ? null : runOfRow(rows[0])));
}
