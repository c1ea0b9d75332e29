import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  evaluate,
  now,
  randomData,
  randomRule,
  tables,
  wildMe,
} from "../../model/rule-random.case.ts";
import { judgeRule } from "./judge-rule.ts";
import { World } from "./world.ts";

const runs = Number(process.env["RULE_RUNS"] ?? 400);

test("the judge and the gate's evaluator agree on random rules, rows and callers, unknown included", () => {
  const options = { presence: "any", some: true, divisions: true, extremes: true } as const;
  let unknowns = 0;
  fc.assert(
    fc.property(
      randomRule(options),
      randomData({ absent: 3, extremes: true }),
      wildMe,
      (rule, data, me) => {
        const world = new World([...Object.keys(tables), ...Object.keys(data)]);
        for (const [table, rows] of Object.entries(data)) {
          for (const row of rows) world.put(table, row);
        }
        const [row = null, next = null] = data["booking"] ?? [];
        const expected = evaluate(rule, data, { row, next, me });
        const judged = judgeRule(rule, {
          row: row,
          next: next,
          me,
          now,
          world,
          items: {},
        });
        if (judged === null) unknowns += 1;
        assert.equal(judged, expected);
      },
    ),
    { numRuns: runs },
  );
  assert.ok(unknowns > 0, "the generator reaches unknown");
});
