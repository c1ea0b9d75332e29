import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { analyseRule } from "./rule-analyse.ts";
import { rule } from "./rule-line.case.ts";

describe("a rule is analysed", () => {
  test("what it depends on is told", () => {
    const facts = analyseRule(
      rule(
        "row.screening.film.owner === me.id && next.seat === row.seat && now > row.dueAt && db.user.some((u) => u.level > me.level && u.boss.admin)",
      ).expr,
    );
    assert.deepEqual(facts, {
      dependsOnRow: true,
      dependsOnNext: true,
      dependsOnMe: true,
      dependsOnNow: true,
      claims: ["id", "level"],
      rowFields: ["dueAt", "screening", "seat"],
      nextFields: ["seat"],
      reads: { screening: ["film"], film: ["owner"], user: ["admin", "boss", "id", "level"] },
      someTables: ["user"],
      freeItems: [],
      always: null,
    });
  });

  test("a rule that is the same for everybody is told", () => {
    assert.equal(analyseRule(rule("true").expr).always, true);
    assert.equal(analyseRule(rule("!(row.paid && false)").expr).always, true);
    assert.equal(analyseRule(rule("row.paid || false").expr).always, null);
    assert.equal(analyseRule(rule("true ? false : row.paid").expr).always, false);
  });
});
