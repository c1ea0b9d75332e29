// What runs wait for that somebody else brings: events and signals. Those that came before they were waited for are
// kept: events where all events are, signals in a table of their own.
import type { Json } from "../../base/json.ts";
import { andThen, type Later } from "../../base/later.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { ProcedureScope } from "../../gate/gate-app.ts";
import type { Where } from "../../model/query-form.ts";
import { eventOfRow, type EventListener, type WorkEvent } from "../event-write.ts";
import { addJob } from "../job-write.ts";
import { answerStep, workflowKindName } from "./workflow-answer.ts";
import { eachOf, infoJson, readRun, writeRun } from "./workflow-run.ts";

const keyCharsMax = 150;
/** Runs that one transaction tells of an event; the others are told by a job. */
const runsMax = 200;

/** What stands in `waits` for an event. */
export function waitOfEvent(name: string, key: string | null): string {
  return key === null ? `event ${name}` : `event ${name} ${key.slice(0, keyCharsMax)}`;
}

/** What stands in `waits` for a signal. */
export function waitOfSignal(run: string, name: string): string {
  return `signal ${run} ${name}`;
}

/** The first event after a place, or null. */
export function takeEvent(
  { tx }: ProcedureScope,
  after: { readonly name: string; readonly key: string | null; readonly place: number },
): Later<WorkEvent | null> {
  const { name, key, place } = after;
  const parts: Where[] = [
    { kind: "field", field: "name", condition: { eq: name } },
    { kind: "field", field: "place", condition: { gt: place } },
  ];
  if (key !== null) parts.push({ kind: "field", field: "key", condition: { eq: key } });
  const orderBy = [{ field: "place", descending: false }];
  const found = tx.list(
    { kind: "list", from: "workEvent", where: { kind: "and", parts }, orderBy, limit: 1 },
    null,
  );
  return andThen(found, ({ rows }) => (rows[0] === undefined ? null : eventOfRow(rows[0])));
}

/** Tells runs that wait for an event, in the transaction that emits it. */
export const workflowListener: EventListener = (scope, event) => tellRuns(scope, event);

/** What a job that tells further runs brings. */
export interface ToldEvent {
  readonly name: string;
  readonly key: string | null;
  readonly place: number;
  readonly payload: Json;
}

/** Tells up to `runsMax` runs; a job tells those that are left. */
export function tellRuns(scope: ProcedureScope, event: ToldEvent): Later<void> {
  const { name, key, place, payload } = event;
  const waits = [waitOfEvent(name, null), ...(key === null ? [] : [waitOfEvent(name, key)])];
  return eachOf(waits, (wait) =>
    andThen(waitingFor(scope, wait), (found) => {
      const told = new Set<string>();
      const telling = eachOf(found, ({ run, seq }) => {
        // Of one run, the wait that it began first.
        if (told.has(run)) return undefined;
        told.add(run);
        return answerStep(scope, { run, seq }, { ok: true, value: payload }, (info) => ({
          ...info,
          taken: { ...info.taken, [wait]: place },
        }));
      });
      return andThen(telling, () => {
        if (found.length < runsMax) return undefined;
        const input = { event: { name, key, place, payload } };
        return addJob(scope, { queue: `${workflowKindName}:events`, input, me: null });
      });
    }),
  );
}

interface Waiting {
  readonly run: string;
  readonly seq: number;
}

function waitingFor({ tx }: ProcedureScope, wait: string): Later<readonly Waiting[]> {
  const where: Where = { kind: "field", field: "waits", condition: { eq: wait } };
  const orderBy = [{ field: "id", descending: false }];
  const found = tx.list({ kind: "list", from: "workStep", where, orderBy, limit: runsMax }, null);
  return andThen(found, ({ rows }) =>
    rows.map((row) => ({ run: row["run"] as string, seq: row["seq"] as number })),
  );
}

/**
 * Sends a signal to a run: to the wait that came first, or kept until there is one.
 * @returns whether the run can be told. @throws WORK_TOO_MUCH when it has too many that it did not take.
 */
export function sendSignal(
  scope: ProcedureScope,
  to: { readonly run: string; readonly name: string; readonly payload: Json },
): Later<boolean> {
  const { run: id, name, payload } = to;
  return andThen(readRun(scope, id), (run) => {
    if (run === null || run.state !== "running") return false;
    return andThen(waitingFor(scope, waitOfSignal(id, name)), ([first]) => {
      if (first !== undefined) return answerStep(scope, first, { ok: true, value: payload });
      const { workflowSignalsMax } = scope.run.app.limits;
      const signals = run.info.signals + 1;
      if (signals > workflowSignalsMax) {
        throw new PlatformError("WORK_TOO_MUCH", { workflowSignalsMax });
      }
      const { tx, run: own } = scope;
      const row = { id: own.app.newId("workSignal"), run: id, name, place: tx.seq, payload };
      return andThen(tx.insert("workSignal", row), () =>
        andThen(writeRun(scope, id, { info: infoJson({ ...run.info, signals }) }), () => true),
      );
    });
  });
}

/** The first signal of a name that a run has not taken, taken; undefined when there is none. */
export function takeSignal(
  scope: ProcedureScope,
  id: string,
  name: string,
): Later<Json | undefined> {
  const { tx } = scope;
  const where: Where = {
    kind: "and",
    parts: [
      { kind: "field", field: "run", condition: { eq: id } },
      { kind: "field", field: "name", condition: { eq: name } },
    ],
  };
  const orderBy = [
    { field: "place", descending: false },
    { field: "id", descending: false },
  ];
  const found = tx.list({ kind: "list", from: "workSignal", where, orderBy, limit: 1 }, null);
  return andThen(found, ({ rows }) => {
    const [row] = rows;
    if (row === undefined) return undefined;
    return andThen(tx.delete("workSignal", row["id"] as string), () =>
      andThen(readRun(scope, id), (run) => {
        if (run === null) return row["payload"] ?? null;
        const info = { ...run.info, signals: run.info.signals - 1 };
        return andThen(writeRun(scope, id, { info: infoJson(info) }), () => row["payload"] ?? null);
      }),
    );
  });
}
