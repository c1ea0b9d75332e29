// A run's history out of its rows: what it asked for, and the answers in the order in which they came.
import { andThen, type Later } from "../../base/later.ts";
import { assert } from "../../base/assert.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Asked, Delivery, History } from "./replay.ts";
import { readSteps, stopHash, type WorkflowStep } from "./workflow-run.ts";

/** What a replay works on. */
export function historyOf(
  steps: readonly WorkflowStep[],
  { seen, fullAt }: Pick<History, "seen" | "fullAt">,
): History {
  const commands: Asked[] = [];
  for (const { seq, kind, name, hash } of steps) {
    if (kind === "interrupt") continue;
    assert(seq === commands.length, "steps of a run are numbered without gaps");
    commands.push({ kind, name, hash });
  }
  return { commands, deliveries: deliveriesOf(steps), seen, fullAt };
}

/** All answers of a run, in their order. */
export function readDeliveries(scope: ProcedureScope, run: string): Later<readonly Delivery[]> {
  return andThen(readSteps(scope, run), deliveriesOf);
}

function deliveriesOf(steps: readonly WorkflowStep[]): readonly Delivery[] {
  return steps
    .filter(({ place }) => place !== null)
    .toSorted((left, right) => (left.place ?? 0) - (right.place ?? 0))
    .map(deliveryOf);
}

function deliveryOf({ kind, seq, hash, state, result, error, endedMs }: WorkflowStep): Delivery {
  const atMs = endedMs;
  if (kind === "interrupt") {
    return { kind, error: error ?? noError, atMs, ...(hash === stopHash ? { isStop: true } : {}) };
  }
  if (state === "done") return { kind: "done", seq, value: result, atMs };
  return { kind: "failed", seq, error: error ?? noError, atMs };
}

const noError = { code: "INTERNAL", text: "It failed.", details: {} };
