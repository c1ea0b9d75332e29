// For tests: an app with workflows behind a real gate, with a real store, real isolates and a real dispatcher. The
// clock is moved by the test: thirty days are over when it says so.
import assert from "node:assert/strict";
import { startWork } from "../../gate/work.ts";
import {
  openGateHarness,
  type Asker,
  type GateHarness,
  type HarnessOptions,
} from "../../gate/gate-harness.case.ts";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { openCommitRelay, feedingStore, type CommitRelay } from "../../store/commit-feed.ts";
import type { Row, Store } from "../../store/store.ts";
import { cronKind } from "../cron-kind.ts";
import type { WorkTold } from "../dispatch-parts.ts";
import { openDispatcher, type Dispatcher } from "../dispatcher.ts";
import { consumerKind, queueKind, tickKind } from "../function-kind.ts";
import { openWorkActor } from "../work-actor.ts";
import type { WorkKind } from "../work-kind.ts";
import { openWorkProcedures } from "../work-procedures.ts";
import { workJob, type SubmitWork } from "../work-submit.ts";
import { workflowProcedures } from "./workflow-procedures.ts";
import { workflowStepKind } from "./workflow-step-kind.ts";
import { workflowKind } from "./workflow-tick.ts";
import { workflowListener } from "./workflow-wait.ts";

const all: readonly WorkKind[] = [
  workflowKind,
  workflowStepKind,
  queueKind,
  consumerKind,
  tickKind,
  cronKind,
];
const kinds = new Map(all.map((kind) => [kind.kind, kind]));

/** An app whose workflows run. */
export interface WorkflowScene {
  readonly harness: GateHarness;
  /** Attempts that ended, oldest first. */
  readonly told: readonly WorkTold[];
  /** Calls a function. Fails when it is refused. */
  call(name: string, args?: Json, who?: Asker): Promise<Json>;
  /** Runs all that is due. */
  settle(): Promise<void>;
  /** Lets time pass, and runs what becomes due on the way. */
  pass(ms: number): Promise<void>;
  /** Sets the clock on the wall on or back; no time passes. */
  setClock(byMs: number): Promise<void>;
  /** A run's row. */
  run(id: Json): Promise<Row>;
  /** Steps of a run as `kind name state`, by number. */
  steps(id: Json): Promise<readonly string[]>;
  /** Rows of a table. */
  rows(table: string): Promise<readonly Row[]>;
  /** Runs a procedure. */
  procedure(name: string, input: Json): Promise<Json>;
  /** The dispatcher forgets all it knows and begins anew, as after a crash. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** Opens one. @param options.files `app.ts`, `schema.ts`... */
export async function openWorkflowScene(
  options: Pick<HarnessOptions, "files" | "limits">,
): Promise<WorkflowScene> {
  let relay: CommitRelay | null = null;
  const harness = await openGateHarness({
    ...options,
    functions: true,
    procedures: new Map([
      ...openWorkProcedures({ kinds, listeners: [workflowListener] }),
      ...workflowProcedures,
    ]),
    wrapStore: (store: Store) => {
      const feed = openCommitRelay({
        lastSeq: () => store.lastSeq() as number,
        commitsAfter: (seq, limit) => store.commitsAfter(seq, limit),
        report: fail,
      });
      relay = feed;
      return feedingStore(store, (commits) => feed.publish(commits));
    },
  });
  const commits = relay ?? assert.fail("the store is wrapped");
  const { app } = harness.gate.watcher;
  const timers = new Set<() => void>();
  const clock: Clock = {
    nowMs: () => harness.clock.ms,
    monotonicUs: () => harness.clock.monotonicUs(),
    after(_, run) {
      timers.add(run);
      return () => timers.delete(run);
    },
  };
  const { store, writer } = harness;
  const submit: SubmitWork = async (job, work = startWork()) =>
    JSON.parse((await writer.submit(job, work)).json) as Json;
  const told: WorkTold[] = [];
  const egress = { send: () => assert.fail("nothing here reaches the network") };
  const open = async (): Promise<Dispatcher> => {
    const actor = openWorkActor({ app, kinds, places: { store, writer }, egress, clock });
    const opened = openDispatcher({
      app,
      kinds,
      store,
      commits,
      submit,
      actor,
      clock,
      report: fail,
      told: (each) => void told.push(each),
    });
    await opened.start();
    return opened;
  };
  let dispatcher = await open();
  const turn = async (): Promise<void> => {
    for (const run of [...timers]) {
      timers.delete(run);
      run();
    }
    await dispatcher.idle();
  };
  const rows = async (table: string): Promise<readonly Row[]> => {
    const orderBy = [{ field: "id", descending: false }];
    const page = await store.read((tx) =>
      tx.list({ kind: "list", from: table, orderBy, limit: 1_000 }, null),
    );
    return page.rows;
  };
  return {
    harness,
    told,
    call: (name, args = {}, who = null) => harness.value(who, { kind: "call", name, args }),
    settle: turn,
    async pass(ms) {
      harness.clock.ms += ms;
      await turn();
    },
    async setClock(byMs) {
      harness.clock.setMs += byMs;
      harness.clock.ms += byMs;
      await turn();
    },
    async run(id) {
      const row = await store.read((tx) => tx.get("workRun", id as string, null));
      return row ?? assert.fail(`there is no run ${String(id)}`);
    },
    async steps(id) {
      return (await rows("workStep"))
        .filter(({ run }) => run === id)
        .toSorted((left, right) => Number(left["seq"]) - Number(right["seq"]))
        .map(({ kind, name, state }) => `${String(kind)} ${String(name)} ${String(state)}`);
    },
    rows,
    procedure: (procedure, input) => submit(workJob(app, { procedure, input, cause: "test" })),
    async restart() {
      await dispatcher.stop();
      timers.clear();
      dispatcher = await open();
    },
    async close() {
      await dispatcher.stop();
      await harness.close();
    },
  };
}

function fail(error: unknown): never {
  throw error;
}
