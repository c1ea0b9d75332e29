import assert from "node:assert/strict";
import { test } from "node:test";
import type { CompareOp, RuleExpr, RuleValue } from "../../model/rule-ast.ts";
import { wishesOf, type WishScene } from "./rule-wish.ts";
import { World } from "./world.ts";

const at = { file: "rules.ts", start: 0, end: 0 };
const path = (kind: "row" | "next" | "me", ...steps: string[]): RuleValue => ({
  ...{ kind: "path", at, root: { kind }, steps, through: steps.slice(1).map(() => "table") },
});
const literal = (value: string | number | boolean): RuleValue => ({ kind: "literal", at, value });
const compare = (left: RuleValue, op: CompareOp, right: RuleValue): RuleExpr => ({
  ...{ kind: "compare", at, op, left, right },
});
const and = (...parts: RuleExpr[]): RuleExpr => ({ kind: "and", at, parts });
const or = (...parts: RuleExpr[]): RuleExpr => ({ kind: "or", at, parts });
const scene: WishScene = {
  ...{ root: "row", me: { id: "user_1", role: "doctor" }, now: "2026-05-01T12:00:00.000Z" },
  world: new World([]),
};
const mine = compare(path("row", "visit", "slot", "doctor"), "==", path("me", "id"));

test("all parts of a rule are wished at once, also of the rows that it leads to", () => {
  const rule = and(
    mine,
    compare(literal("open"), "==", path("row", "visit", "state")),
    compare(path("row", "until"), ">", { kind: "now", at }),
    compare(path("row", "left"), ">=", literal(3)),
    { kind: "not", at, part: { kind: "truth", at, value: path("row", "closed") } },
  );
  assert.deepEqual(wishesOf(rule, scene), [
    {
      fields: { until: "2026-05-02T12:00:00.000Z", left: 4, closed: false },
      under: {
        visit: {
          fields: { state: "open" },
          under: { slot: { fields: { doctor: "user_1" }, under: {} } },
        },
      },
    },
  ]);
});

test("a rule that the caller can't meet has no way, and one that asks for their role alone wishes nothing", () => {
  const staff = compare(path("me", "role"), "==", literal("staff"));
  const doctor = compare(path("me", "role"), "==", literal("doctor"));
  assert.deepEqual(wishesOf(and(mine, staff), scene), []);
  assert.deepEqual(wishesOf(or(staff, doctor), scene), [{ fields: {}, under: {} }]);
});

test("what a rule says of the other side of a change, or of other rows, wishes nothing", () => {
  const next = compare(path("next", "state"), "==", literal("done"));
  const same = compare(path("next", "owner"), "==", path("row", "owner"));
  const nothing = { fields: {}, under: {} };
  assert.deepEqual(wishesOf(and(next, same), scene), [nothing]);
});
