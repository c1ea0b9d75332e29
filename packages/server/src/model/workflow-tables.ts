// Tables of workflows: see docs/internals/workflows.md. Nobody outside reaches them; rows are written by the procedures of
// work/workflow only.
import type { FieldSpec, TableModel } from "./manifest.ts";
import { platformTable } from "./work-tables.ts";

const short: FieldSpec = { kind: "text", min: 0, max: 300 };
const whole: FieldSpec = { kind: "int", min: -9_007_199_254_740_991, max: 9_007_199_254_740_991 };
const json: FieldSpec = { kind: "json", maxBytes: 4_194_304 };
const time: FieldSpec = { kind: "time" };
const run: FieldSpec = { kind: "ref", table: "workRun", onDelete: "cascade" };

/** By name. */
export const workflowTables: Readonly<Record<string, TableModel>> = Object.freeze({
  /** A run of a workflow, and how far it is. `info`: what its replay needs (workflow-run.ts). */
  workRun: platformTable(
    "workRun",
    {
      workflow: short,
      /** Hash of the bundle whose code it runs on. */
      version: short,
      state: { kind: "oneOf", values: ["running", "done", "failed", "cancelled", "stuck"] },
      /** While it runs, no second one of its workflow has this key. */
      key: { ...short, optional: true },
      /** The user who started it. */
      by: { kind: "id", table: "user", optional: true },
      args: json,
      status: { ...json, optional: true },
      result: { ...json, optional: true },
      error: { ...json, optional: true },
      startedAt: time,
      endedAt: { ...time, optional: true },
      /** When it is forgotten. */
      until: { ...time, optional: true },
      info: { ...json, private: true },
    },
    [
      { fields: ["workflow", "startedAt"] },
      { fields: ["workflow", "key"], where: { key: { not: null } } },
      { fields: ["state", "startedAt"] },
      { fields: ["version", "state"] },
      { fields: ["until"], where: { until: { not: null } } },
      // For rules that show people their own.
      { fields: ["by", "startedAt"] },
    ],
  ),
  /** What a run asked for, by number, and what came of it. Interrupts have numbers below zero. */
  workStep: platformTable(
    "workStep",
    {
      run,
      seq: whole,
      kind: short,
      name: short,
      /** Of the arguments. */
      hash: short,
      state: { kind: "oneOf", values: ["waiting", "done", "failed", "cancelled"] },
      /** Among the answers of its run; null while it waits. */
      place: { ...whole, optional: true },
      result: { ...json, optional: true },
      error: { ...json, optional: true },
      /** What it waits for, when something else brings it: an event or a signal. */
      waits: { ...short, optional: true },
      /** When it is over by itself. */
      dueAt: { ...time, optional: true },
      /** The job or run that does it. */
      job: { ...short, optional: true },
      askedAt: time,
      endedAt: { ...time, optional: true },
    },
    [
      { fields: ["run", "seq"], unique: true },
      { fields: ["waits"], where: { waits: { not: null } } },
    ],
  ),
  /** Signals that a run was sent and has not taken yet. */
  workSignal: platformTable("workSignal", { run, name: short, place: whole, payload: json }, [
    { fields: ["run", "name", "place"] },
  ]),
  /** Bundles that runs go on with: the newest one, and those before it while a run needs them. */
  workCode: platformTable(
    "workCode",
    { hash: short, code: { kind: "text", min: 0, max: 100_000_000, private: true }, at: time },
    [{ fields: ["at"] }],
  ),
});
