import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import type { RuleRow } from "./rule-evaluate.ts";
import { explainRule, type RuleExplanation } from "./rule-explain.ts";
import { input, rule } from "./rule-line.case.ts";

describe("a decision is explained", () => {
  const explain = (source: string, row: RuleRow, me: Record<string, Json>): RuleExplanation =>
    explainRule(rule(source), input(row, me)) as RuleExplanation;

  test("by the clauses that decided, with their values", () => {
    const { verdict, text, tree, line } = explain(
      "(row.customer === me.id ||\n    me.role === 'staff') && !row.paid",
      { customer: "user_1", paid: false },
      {},
    );
    assert.equal(verdict, null);
    assert.equal(
      text,
      'row.customer === me.id  →  "user_1" === null (absent)  →  unknown\n' +
        "me.role === 'staff'  →  null (absent) === \"staff\"  →  unknown",
    );
    assert.equal(line, 2);
    const [or, not] = tree.parts;
    assert.deepEqual(
      or?.parts.map((part) => part.line),
      [3, 4],
    );
    assert.deepEqual(or?.parts[0]?.values, [
      { text: "row.customer", value: "user_1" },
      { text: "me.id", value: null },
    ]);
    assert.deepEqual([or?.decided, not?.decided, not?.verdict], [true, false, true]);
  });

  test("an allowing clause ends the search", () => {
    const { verdict, text, tree } = explain(
      "me.role === 'staff' || row.paid",
      { paid: false },
      { role: "staff" },
    );
    assert.equal(verdict, true);
    assert.equal(text, 'me.role === \'staff\'  →  "staff" === "staff"  →  true');
    assert.equal(tree.parts.length, 1);
  });
});
