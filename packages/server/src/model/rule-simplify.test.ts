import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import { ada, rule } from "./rule-line.case.ts";
import { printRule } from "./rule-print.ts";
import { now } from "./rule-random.case.ts";
import { ruleKey, simplifyRule } from "./rule-simplify.ts";

describe("a rule is simplified for a caller", () => {
  const left = (source: string, me: Record<string, Json>): string | boolean => {
    const found = simplifyRule(rule(source).expr, { me: { id: null, role: null, ...me }, now });
    return typeof found === "boolean" ? found : printRule(found);
  };

  test("what the caller alone decides disappears", () => {
    const source = "row.customer === me.id || me.role === 'staff'";
    assert.equal(left(source, ada), "row.customer === me.id");
    assert.equal(left(source, { id: "user_2", role: "staff" }), true);
    assert.equal(left(source, {}), false);
    assert.equal(left("me.level > 3 && !row.paid", ada), "!row.paid");
    assert.equal(left("me.vip ? row.paid : row.seat === 'A'", ada), "row.paid");
    assert.equal(left("!(me.role === 'member' && row.paid)", ada), "!row.paid");
    assert.equal(left("!(row.customer === me.id)", {}), false);
    assert.equal(left("row.customer !== me.id || row.paid", {}), "row.paid");
    assert.equal(
      left("row.count > (row.paid ? 1 : me.boss)", ada),
      "row.count > (row.paid ? 1 : null)",
    );
    assert.equal(left("(me.vip ? row.count : row.ratio) > 1", ada), "row.count > 1");
    assert.equal(left("db.user.some((u) => u.id === me.id)", {}), false);
    assert.equal(
      left("[me.id, me.boss].includes(row.customer)", ada),
      "[me.id].includes(row.customer)",
    );
    assert.equal(left("now > '2000-01-01T00:00:00.000Z' && row.paid", {}), "row.paid");
  });

  test("callers of one kind share one key", () => {
    const { expr } = rule("row.customer === me.id || me.role === 'staff'");
    const of = (id: string) => simplifyRule(expr, { me: { id, role: "member" }, now });
    const [a, b] = [of("user_1"), of("user_2")];
    assert.ok(typeof a === "object" && typeof b === "object");
    assert.equal(ruleKey(a), ruleKey(b));
    assert.notEqual(ruleKey(a), ruleKey(expr));
    assert.doesNotMatch(ruleKey(a), /user_1|"at"/);
  });
});
