// Rules of one line for tests: read from source, evaluated on a few rows.
import assert from "node:assert/strict";
import type { AppSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import type { Rule } from "./rule-ast.ts";
import type { RuleInput, RuleRow } from "./rule-evaluate.ts";
import { readRules } from "./rule-parse.ts";
import { now, tables } from "./rule-random.case.ts";

const spec: AppSpec = {
  version: 1,
  tables: Object.fromEntries(
    Object.entries(tables).map(([name, { fields }]) => [
      name,
      { fields, indexes: [], search: [], checks: 0 },
    ]),
  ),
  functions: {},
  invariants: [],
  cors: [],
  tableLimits: {},
};

/** Reads an update rule of `booking` in the schema of the random rules. */
export function rule(body: string): Rule {
  const source = `import { define } from "keelson"; const { rules } = define({});
rules({ booking: { update: ({ row, next, me, now, db }) =>
  ${body} } });`;
  const { mistakes, tables: found } = readRules({ sources: new Map([["rules.ts", source]]), spec });
  assert.deepEqual(mistakes, []);
  const update = found["booking"]?.rules.update;
  assert.ok(update);
  return update;
}

const rows: Readonly<Record<string, RuleRow>> = {
  screening_1: { id: "screening_1", film: "film_1" },
  screening_2: { id: "screening_2", film: null },
  film_1: { id: "film_1", owner: "user_1", genres: ["noir"] },
};

/** An input with a few referenced rows, where no `some` holds. */
export function input(
  row: RuleRow | null,
  me: Record<string, Json> = {},
  next: RuleRow | null = null,
): RuleInput {
  return {
    row,
    next,
    me: { id: null, role: null, ...me },
    now,
    items: {},
    lookup: (_table, id) => rows[id] ?? null,
    some: () => false,
  };
}

/** A caller. */
export const ada = { id: "user_1", role: "member", level: 5, vip: true, teams: ["red", "blue"] };
