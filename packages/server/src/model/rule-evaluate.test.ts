import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import { compileRule, type RuleRow, type Truth } from "./rule-evaluate.ts";
import { ada, input, rule } from "./rule-line.case.ts";
import { compareText } from "./rule-operators.ts";
import { now } from "./rule-random.case.ts";

describe("a rule is evaluated", () => {
  const table: readonly (readonly [
    rule: string,
    row: RuleRow,
    me: Record<string, Json>,
    truth: Truth,
  ])[] = [
    // An absent owner never matches an anonymous caller, also negated.
    ["row.customer === me.id", { customer: "user_1" }, ada, true],
    ["row.customer === me.id", { customer: "user_2" }, ada, false],
    ["row.customer === me.id", { customer: null }, {}, null],
    ["row.customer !== me.id", { customer: null }, {}, null],
    ["!(row.customer === me.id)", { customer: "user_2" }, {}, null],
    ["row.customer !== me.id", { customer: "user_2" }, ada, true],
    // Kleene's and, or, not, if.
    ["row.paid && true", { paid: null }, {}, null],
    ["row.paid && false", { paid: null }, {}, false],
    ["row.paid || true", { paid: null }, {}, true],
    ["row.paid || false", { paid: null }, {}, null],
    ["!row.paid", { paid: null }, {}, null],
    ["!row.paid", { paid: false }, {}, true],
    ["row.paid ? true : true", { paid: null }, {}, null],
    ["row.paid ? false : true", { paid: false }, {}, true],
    // Presence is never unknown.
    ["row.seat === null", { seat: null }, {}, true],
    ["row.seat !== null", { seat: "" }, {}, true],
    ["me.id === null", {}, {}, true],
    ["me.unheard === null", {}, {}, true],
    // References: absent, dangling, followed.
    ["row.screening.film.owner === me.id", { screening: "screening_1" }, ada, true],
    ["row.screening.film.owner === me.id", { screening: "screening_2" }, ada, null],
    ["row.screening.film.owner === me.id", { screening: "screening_9" }, ada, null],
    ["row.screening.film.owner === me.id", { screening: null }, ada, null],
    ["row.screening.film.owner === null", { screening: "screening_9" }, ada, true],
    ["row.screening.film.genres.includes('noir')", { screening: "screening_1" }, {}, true],
    // Types are never converted.
    ["row.count === me.level", { count: 5 }, { level: "5" }, null],
    ["row.count !== me.level", { count: 5 }, { level: "5" }, null],
    ["row.count < me.level", { count: 4 }, ada, true],
    ["me.vip", {}, ada, true],
    ["me.level", {}, ada, null],
    ["me.vip", {}, { vip: "true" }, null],
    ["me.role === 'member'", {}, { role: 7 }, null],
    // Numbers.
    ["row.count / 2 === 2.5", { count: 5 }, {}, true],
    ["row.count % 3 === -2", { count: -5 }, {}, true],
    ["row.count / 0 > 1", { count: 5 }, {}, null],
    ["row.count % 0 === 0", { count: 5 }, {}, null],
    ["row.count + 1 > 0", { count: null }, {}, null],
    // Text and lists.
    ["row.seat.startsWith('A')", { seat: "A1" }, {}, true],
    ["row.seat.startsWith('a')", { seat: "A1" }, {}, false],
    ["row.seat.endsWith('')", { seat: "" }, {}, true],
    ["row.seat.includes('%')", { seat: "A1" }, {}, false],
    ["row.seat.length === 4", { seat: "a😀b" }, {}, true],
    ["row.tags.includes('x')", { tags: ["y", "x"] }, {}, true],
    ["row.tags.includes('x')", { tags: [] }, {}, false],
    ["row.tags.includes('x')", { tags: null }, {}, null],
    ["row.tags.includes(row.seat)", { tags: ["y"], seat: null }, {}, null],
    ["row.tags.length > 1", { tags: ["y", "x"] }, {}, true],
    ["me.teams.includes(row.seat)", { seat: "red" }, ada, true],
    ["me.teams.includes(row.seat)", { seat: "red" }, { teams: "redder" }, true],
    ["me.teams.includes(row.seat)", { seat: "red" }, {}, null],
    ["row.tags.includes(me.teams)", { tags: [] }, ada, null],
    ["['held', 'paid'].includes(row.status)", { status: "paid" }, {}, true],
    ["['held', 'paid'].includes(row.status)", { status: null }, {}, null],
    ["[row.seat, 'b'].includes('a')", { seat: null }, {}, null],
    ["(row.count ?? 3) === 3", { count: null }, {}, true],
    // Times and dates.
    ["row.dueAt <= now", { dueAt: now }, {}, true],
    ["row.dueAt > now", { dueAt: "2026-01-31T20:15:00.001Z" }, {}, true],
    ["row.day <= now", { day: "2026-01-31" }, {}, true],
    ["row.day > now", { day: "2026-02-01" }, {}, true],
  ];
  for (const [source, row, me, truth] of table) {
    test(`${source} with ${JSON.stringify(row)} and ${JSON.stringify(me)} is ${truth ?? "unknown"}`, () => {
      assert.equal(compileRule(rule(source).expr)(input(row, me)), truth);
    });
  }

  test("with a row that is not there, everything of it is absent", () => {
    const { expr } = rule("row.customer === me.id || row === null && next.customer === me.id");
    assert.equal(
      compileRule(expr)(input(null, ada, { id: "booking_1", customer: "user_1" })),
      true,
    );
    assert.equal(compileRule(expr)(input({ id: "booking_1" }, ada, { customer: "user_1" })), null);
  });

  test("claims and fields never reach a prototype", () => {
    for (const claim of ["toLocaleString", "hasOwnProperty", "isPrototypeOf"]) {
      assert.equal(compileRule(rule(`me.${claim} === null`).expr)(input({})), true);
    }
  });

  test("malformed text in a claim is absent, since no database could hold it", () => {
    assert.equal(
      compileRule(rule("row.seat === me.name").expr)(input({ seat: "\ufffd" }, { name: "\ud800" })),
      null,
    );
  });

  test("text is ordered by code points", () => {
    const texts = [
      "",
      "a",
      "ab",
      "b",
      "é",
      "\ud7ff",
      "\ue000",
      "\uffff",
      "\u{10000}",
      "\u{1f600}",
      "\u{10ffff}",
    ];
    for (const [i, a] of texts.entries()) {
      for (const [j, b] of texts.entries()) {
        assert.equal(Math.sign(compareText(a, b)), Math.sign(i - j), `${a} ${b}`);
        assert.equal(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))), Math.sign(i - j));
      }
    }
  });

  test("no row is looked up once the answer is known", () => {
    const { expr } = rule("me.role === 'staff' || row.screening.film.owner === me.id");
    const given = {
      ...input({ screening: "screening_1" }, { role: "staff" }),
      lookup: () => assert.fail("a lookup"),
    };
    assert.equal(compileRule(expr)(given), true);
  });
});
