// What the operator does with work by hand (`keelson work`): dead letters tried again, with another input if
// need be, or dropped; jobs moved up; consumers sent back to an earlier place.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Procedure, ProcedureScope } from "../gate/gate-app.ts";
import { parseTime } from "../model/field-time.ts";
import type { FieldCondition, OrderTerm, Where } from "../model/query-form.ts";
import { cancelJob } from "./job-cancel.ts";
import { jobOfRow, type Job } from "./job.ts";
import { deadIdOf, jobIdOf, kindOf } from "./job-run.ts";
import { jobByOnce, moreOf, moveJob } from "./job-write.ts";
import { afterLanes, readyLane, timedLane } from "./lane.ts";
import { nextPlace } from "./place-number.ts";
import { readPosition, writePosition } from "./position.ts";
import { workOf } from "./work-app.ts";
import type { WorkKind, WorkKinds } from "./work-kind.ts";
import { listWork, showWork } from "./work-list.ts";

type Input = Readonly<Record<string, Json>>;

/** By name. @param kinds those that are told what becomes of their jobs. */
export function operatorProcedures(kinds: WorkKinds): Readonly<Record<string, Procedure["run"]>> {
  return {
    "work.retry": (scope, input) => retry(scope, kinds, input as Input),
    "work.drop": (scope, input) => drop(scope, (input as Input)["id"] as string),
    "work.list": (scope, input) => listWork(scope, kinds, input as Input),
    "work.show": (scope, input) => showWork(scope, kinds, input as Input),
    "work.retryAll": (scope, input) => retryAll(scope, kinds, (input as Input)["queue"] as string),
    "work.stop": (scope, input) => stop(scope, kinds, (input as Input)["id"] as string),
    "work.stopAll": (scope, input) => stopAll(scope, kinds, input as Input),
    "work.replay": (scope, input) => replay(scope, input as Input),
  };
}

/**
 * A dead letter waits again, with its attempts counted anew; a job that waits for a time runs at once.
 * @param order `isIdle`: no server works on the data, so what began is not under way.
 * @returns the id of what runs: of a cron that waits for its next tick, a tick of its own.
 */
function retry(scope: ProcedureScope, kinds: WorkKinds, order: Input): Later<Json> {
  const { id, input, isIdle } = order;
  const jobId = jobIdOf(id as string);
  const { tx } = scope;
  return andThen(tx.get("workJob", jobId, null), (waiting) => {
    if (waiting !== null) {
      const job = jobOfRow(waiting);
      // A second attempt beside it would be taken for the first one.
      if (job.startedMs !== null && isIdle !== true) {
        const problem = "an attempt is under way: wait for its end, or cancel it";
        throw new PlatformError("ARGUMENT_INVALID", { id: jobId, problem });
      }
      assertMayHave(kinds, job, input);
      return hurry(scope, kindOf(kinds, job.queue), job, input);
    }
    return andThen(tx.get("workDead", deadIdOf(jobId), null), (dead) => {
      if (dead === null) throw new PlatformError("WORK_NOT_FOUND", { id: jobId });
      const job = { ...jobOfRow(dead), id: jobId, dueMs: null };
      assertMayHave(kinds, job, input);
      const given = input === undefined ? job : { ...job, input };
      return andThen(revive(scope, given), () =>
        andThen(kindOf(kinds, job.queue)?.revived?.(scope, given), () => jobId),
      );
    });
  });
}

/** Moves a job up, unless its kind has something else run in its place. */
function hurry(
  scope: ProcedureScope,
  kind: WorkKind | null,
  job: Job,
  input: Json | undefined,
): Later<Json> {
  return andThen(kind?.hurried?.(scope, job) ?? null, (instead) => {
    if (instead !== null) return instead;
    const given = input === undefined ? {} : { input };
    // One that has a place among those of its key keeps it.
    const inLine = job.lane !== timedLane(job.queue);
    const move = { dueMs: null, attempts: 0, inLine, ...given };
    return andThen(moveJob(scope, job, move), () => job.id);
  });
}

function assertMayHave(kinds: WorkKinds, job: Job, input: Json | undefined): void {
  if (input === undefined || kindOf(kinds, job.queue)?.hasOwnInput !== true) return;
  const problem = `jobs of ${job.queue} take no input: leave --input out`;
  throw new PlatformError("ARGUMENT_INVALID", { id: job.id, problem });
}

/** A dead letter is a job again. Its `once` is given up when another job holds it by now: both run. */
function revive(scope: ProcedureScope, job: Job): Later<void> {
  const { tx } = scope;
  const taken = job.once === null ? null : jobByOnce(scope, job.queue, job.once);
  return andThen(taken, (holder) => {
    const row = {
      id: job.id,
      queue: job.queue,
      lane: readyLane(job.queue, job.priority, job.key),
      place: nextPlace(scope),
      key: job.key,
      once: holder === null ? job.once : null,
      attempts: 0,
      input: job.input,
      info: moreOf(job),
    };
    return andThen(tx.delete("workDead", deadIdOf(job.id)), () =>
      andThen(tx.insert("workJob", row), () => undefined),
    );
  });
}

function drop(scope: ProcedureScope, id: string): Later<Json> {
  const deadId = deadIdOf(jobIdOf(id));
  return andThen(scope.tx.get("workDead", deadId, null), (row) => {
    if (row === null) throw new PlatformError("WORK_NOT_FOUND", { id });
    return andThen(scope.tx.delete("workDead", deadId), () => deadId);
  });
}

/** So many in one transaction: other writes have their turn. */
const allMax = 500;

/** Dead letters of a queue wait again, the oldest first. @returns how many did; as many as `allMax`: there may be more. */
function retryAll(scope: ProcedureScope, kinds: WorkKinds, queue: string): Later<Json> {
  return andThen(deadOf(scope, queue), (ids) => eachId(ids, (id) => retry(scope, kinds, { id })));
}

/**
 * Takes away the jobs of a queue, or its dead letters (`dead`). @returns how many it did; as many as `allMax`: there
 * may be more.
 */
function stopAll(scope: ProcedureScope, kinds: WorkKinds, { queue, dead }: Input): Later<Json> {
  const name = queue as string;
  if (dead === true)
    return andThen(deadOf(scope, name), (ids) => eachId(ids, (id) => drop(scope, id)));
  // What its job is taken from undoes its work, by further jobs of that queue: there would be no end to it.
  if (name.startsWith("workflow:")) {
    const problem = "these are runs of a workflow: keelson workflow cancel ends one";
    throw new PlatformError("ARGUMENT_INVALID", { queue: name, problem });
  }
  const lane = { gte: name, lt: afterLanes(name) };
  const orderBy = ["lane", "place"].map((field) => ({ field, descending: false }));
  const ids = idsOf(scope, { from: "workJob", field: "lane", condition: lane, orderBy });
  return andThen(ids, (ids) => eachId(ids, (id) => cancelJob(scope, kinds, id)));
}

function deadOf(scope: ProcedureScope, queue: string): Later<readonly string[]> {
  const orderBy = [{ field: "diedAt", descending: false }];
  return idsOf(scope, { from: "workDead", field: "queue", condition: { eq: queue }, orderBy });
}

function idsOf(
  { tx }: ProcedureScope,
  asked: {
    readonly from: string;
    readonly field: string;
    readonly condition: FieldCondition;
    readonly orderBy: readonly OrderTerm[];
  },
): Later<readonly string[]> {
  const { from, field, condition, orderBy } = asked;
  const where: Where = { kind: "field", field, condition };
  const found = tx.list({ kind: "list", from, where, orderBy, limit: allMax }, null);
  return andThen(found, ({ rows }) => rows.map(({ id }) => id as string));
}

/** @returns how many there were. */
function eachId(ids: readonly string[], does: (id: string) => Later<unknown>): Later<number> {
  const from = (index: number): Later<number> => {
    const id = ids[index];
    return id === undefined ? ids.length : andThen(does(id), () => from(index + 1));
  };
  return from(0);
}

/** Takes away a job that waits or runs, or else its dead letter. */
function stop(scope: ProcedureScope, kinds: WorkKinds, id: string): Later<Json> {
  const jobId = jobIdOf(id);
  return andThen(cancelJob(scope, kinds, jobId), (isDone) => (isDone ? jobId : drop(scope, jobId)));
}

/**
 * Sends a consumer back.
 * @param input `consumer`, and `at`, a time: it has again what was emitted from then on; or `place`: the last that it
 * is taken to have had (0: all that is kept, which is what there is for tables).
 */
function replay(scope: ProcedureScope, { consumer, place, at }: Input): Later<Json> {
  const name = consumer as string;
  const spec = workOf(scope.run.app).consumers.get(name)?.spec;
  if (spec === undefined)
    throw new PlatformError("WORK_NOT_FOUND", { consumer: name.slice(0, 130) });
  const { event } = spec;
  if (typeof at === "string" && event === undefined) {
    const problem = "changes of a table are known by no time here: send it back to the start";
    throw new PlatformError("ARGUMENT_INVALID", { consumer: name, problem });
  }
  const asked =
    typeof at === "string" && event !== undefined
      ? placeBefore(scope, event, at)
      : (place as number);
  return andThen(asked, (asked) =>
    andThen(readPosition(scope.tx, name), (before) => {
      if (asked === null || (before !== null && asked > before)) {
        const problem =
          asked === null
            ? "no event came from that time on, so there is none to have again"
            : "a consumer is sent back, not forward";
        throw new PlatformError("ARGUMENT_INVALID", { consumer: name, problem });
      }
      return andThen(writePosition(scope, name, asked), () => asked);
    }),
  );
}

/**
 * The place before the first event from a time on, or null when there is none. Times need not grow with places: the
 * clock may have been set back. So it is the first of them all, not the one of the earliest time.
 */
function placeBefore({ tx }: ProcedureScope, event: string, at: string): Later<number | null> {
  const time = parseTime(at);
  if (time === null) throw new PlatformError("ARGUMENT_INVALID", { at: at.slice(0, 40) });
  const parts: Where[] = [
    { kind: "field", field: "name", condition: { eq: event } },
    { kind: "field", field: "at", condition: { gte: time } },
  ];
  const orderBy = [{ field: "place", descending: false }];
  const where: Where = { kind: "and", parts };
  return andThen(
    tx.list({ kind: "list", from: "workEvent", where, orderBy, limit: 1 }, null),
    ({ rows }) => (rows[0] === undefined ? null : (rows[0]["place"] as number) - 1),
  );
}
