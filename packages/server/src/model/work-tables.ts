// Tables of work that waits: see docs/internals/work.md. Nobody outside reaches them; rows are written by the
// procedures of work/ only.
import type { FieldSpec, IndexSpec, TableModel } from "./manifest.ts";

const short: FieldSpec = { kind: "text", min: 0, max: 300 };
const whole: FieldSpec = { kind: "int", min: -9_007_199_254_740_991, max: 9_007_199_254_740_991 };
const json: FieldSpec = { kind: "json", maxBytes: 1_048_576 };
const time: FieldSpec = { kind: "time" };

const jobFields = {
  queue: short,
  lane: { ...short, private: true },
  place: { ...whole, private: true },
  key: { ...short, optional: true },
  once: { ...short, optional: true },
  attempts: whole,
  input: { ...json, optional: true },
  info: { ...json, private: true },
} as const satisfies Readonly<Record<string, FieldSpec>>;

/** Makes a table of the platform's. @param fields beside `id`. */
export function platformTable(
  name: string,
  fields: Readonly<Record<string, FieldSpec>>,
  indexes: readonly IndexSpec[],
): TableModel {
  return {
    name,
    fields: { id: { kind: "id", table: name, immutable: true }, ...fields },
    indexes,
    search: [],
    checks: [],
    rules: { fields: {} },
    limits: {},
  };
}

/**
 * Tables of which most rows leave soon after they came, often within one group of writes, with ids that the platform
 * makes. A store may keep such a row in memory until its group is committed.
 */
export const briefTables: ReadonlySet<string> = new Set(["workJob"]);

/** By name. */
export const workTables: Readonly<Record<string, TableModel>> = Object.freeze({
  /** What waits or runs. `lane` and `place` are its order; finished jobs leave. */
  workJob: platformTable("workJob", jobFields, [
    { fields: ["lane", "place"] },
    { fields: ["queue", "once"], unique: true, where: { once: { not: null } } },
  ]),
  /** Dead letters: jobs that used up their attempts. */
  workDead: platformTable("workDead", { ...jobFields, diedAt: time }, [
    { fields: ["queue", "diedAt"] },
    { fields: ["diedAt"] },
  ]),
  /** Finished jobs of queues that keep results. */
  workDone: platformTable(
    "workDone",
    { queue: short, result: { ...json, optional: true }, info: json, doneAt: time, until: time },
    [{ fields: ["until"] }, { fields: ["queue", "doneAt"] }],
  ),
  /** Events as they were emitted. `place` is their order, for ever. */
  workEvent: platformTable(
    "workEvent",
    {
      name: short,
      place: whole,
      key: { ...short, optional: true },
      payload: json,
      info: json,
      at: time,
    },
    [
      { fields: ["name", "place"], unique: true },
      // Workflows look for what came while they did something else.
      { fields: ["name", "key", "place"], where: { key: { not: null } } },
      { fields: ["at"] },
    ],
  ),
  /** How far each consumer and trigger has come. */
  workPosition: platformTable("workPosition", { consumer: short, place: whole, info: json }, [
    { fields: ["consumer"], unique: true },
  ]),
  /** What a root has caused so far, once its work causes work. */
  workRoot: platformTable("workRoot", { root: short, spent: whole, at: time }, [
    { fields: ["root"], unique: true },
    { fields: ["at"] },
  ]),
});
