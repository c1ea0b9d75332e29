import assert from "node:assert/strict";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { describe, test } from "node:test";
import { createContext, runInContext } from "node:vm";
import * as fc from "fast-check";
import type { Json } from "../base/json.ts";
import type { Rule, RuleExpr, RuleRoot, RuleValue } from "./rule-ast.ts";
import { compileRule, type RuleInput, type RuleRow, type Truth } from "./rule-evaluate.ts";
import { explainRule, type RuleExplanation } from "./rule-explain.ts";
import { readRules } from "./rule-parse.ts";
import { printRule } from "./rule-print.ts";
import {
  evaluate,
  inputOn,
  now,
  randomData,
  randomMe,
  randomRule,
  tables,
  wildMe,
  type Data,
  type Me,
} from "./rule-random.case.ts";
import { ruleKey, simplifyRule } from "./rule-simplify.ts";
import { callerSource, prepareRuleParams } from "./rule-sql-params.ts";
import { compileRuleSql, type RuleSql } from "./rule-sql.ts";

const runs = Number(process.env["RULE_RUNS"] ?? 200);
const at = { file: "", start: 0, end: 0 };

/** A database with rows of the random schema, as the store lays them out. */
class Database {
  readonly #sqlite = new DatabaseSync(":memory:");

  constructor() {
    const types: Record<string, string> = {
      int: "INTEGER",
      money: "INTEGER",
      bool: "INTEGER",
      number: "REAL",
    };
    for (const [table, { fields }] of Object.entries(tables)) {
      const columns = Object.entries(fields).map(
        ([name, field]) => `"${name}" ${types[field.kind] ?? "TEXT"}`,
      );
      this.#sqlite.exec(
        `CREATE TABLE "${table}" (id TEXT PRIMARY KEY, ${columns.join(", ")}) STRICT`,
      );
    }
  }

  fill(data: Data): void {
    for (const [table, rows] of Object.entries(data)) {
      this.#sqlite.exec(`DELETE FROM "${table}"`);
      for (const row of rows) {
        const names = Object.keys(row).map((name) => `"${name}"`);
        const marks = names.map(() => "?").join(", ");
        this.#sqlite
          .prepare(`INSERT INTO "${table}" (${names.join(", ")}) VALUES (${marks})`)
          .run(...Object.values(row).map(stored));
      }
    }
  }

  query(sql: string, params: readonly SQLInputValue[]): readonly Record<string, unknown>[] {
    return this.#sqlite.prepare(sql).all(...params);
  }
}

function stored(value: Json): SQLInputValue {
  if (Array.isArray(value)) return JSON.stringify(value);
  return typeof value === "boolean" ? Number(value) : (value as SQLInputValue);
}

const database = new Database();

interface Case {
  readonly rule: RuleExpr;
  readonly data: Data;
  readonly me: Me;
}

/** The exact truth of a rule, unknown included, for every booking by SQL; `next` is bound. */
function truthsBySql(
  rule: RuleExpr,
  { data, me }: Case,
  change: (sql: string) => string = String,
): readonly Truth[] {
  const twice: RuleExpr = { kind: "not", part: { kind: "not", part: rule, at }, at };
  const compiled = compile(twice);
  const bind = prepareRuleParams(compiled.params);
  const rows = data["booking"] ?? [];
  database.fill(data);
  return rows.map((row, index) => {
    const next = rows[(index + 1) % rows.length] ?? null;
    const values = bind({ row: null, next, items: {}, bindings: { me, now } });
    const sql = `SELECT ${change(compiled.sql)} AS truth FROM "booking" AS b WHERE b."id" = ?`;
    const [answer] = database.query(sql, [...values, row["id"] as string]);
    const truth = answer?.["truth"];
    return truth === null ? null : truth === 1;
  });
}

function compile(rule: RuleExpr, access: "set" | "row" = "set"): RuleSql {
  return compileRuleSql(rule, {
    dialect: "sqlite",
    access,
    tables,
    roots: {
      row: { kind: "alias", alias: "b", table: "booking" },
      next: { kind: "bound", table: "booking" },
    },
  });
}

/** The ids of bookings that a predicate keeps. */
function kept(
  rule: RuleExpr,
  { data, me }: Case,
  access: "set" | "row" = "set",
): readonly string[] {
  const compiled = compile(rule, access);
  const next = data["booking"]?.[0] ?? null;
  const values = prepareRuleParams(compiled.params)({ ...callerSource({ me, now }), next });
  database.fill(data);
  const sql = `SELECT b."id" AS id FROM "booking" AS b WHERE ${compiled.sql} ORDER BY b."id"`;
  return database.query(sql, values).map((row) => row["id"] as string);
}

function truths(rule: RuleExpr, { data, me }: Case): readonly Truth[] {
  const rows = data["booking"] ?? [];
  return rows.map((row, index) => {
    const next = rows[(index + 1) % rows.length] ?? null;
    return evaluate(rule, data, { row, next, me });
  });
}

const wildCase: fc.Arbitrary<Case> = fc.record({
  rule: randomRule({ presence: "any", some: true, divisions: true, extremes: true }),
  data: randomData({ absent: 3, extremes: true }),
  me: fc.oneof(wildMe, randomMe),
});

const lengthCase: fc.Arbitrary<Case> = fc.record({
  rule: fc.nat(5).map((value): RuleExpr => {
    const of = { kind: "path", root: { kind: "row" }, steps: ["seat"], through: [], at } as const;
    const left = { kind: "length", of, at } as const;
    return { kind: "compare", op: "==", left, right: { kind: "literal", value, at }, at };
  }),
  data: randomData({ absent: 1, extremes: true }),
  me: randomMe,
});

describe("evaluator and SQL", () => {
  test("agree on every row, unknown included", () => {
    const seen = { true: 0, false: 0, null: 0 };
    fc.assert(
      fc.property(wildCase, (given) => {
        const expected = truths(given.rule, given);
        for (const truth of expected) seen[String(truth) as keyof typeof seen] += 1;
        assert.deepEqual(truthsBySql(given.rule, given), expected);
      }),
      { numRuns: runs },
    );
    const total = seen.true + seen.false + seen.null;
    for (const count of Object.values(seen))
      assert.ok(count > total / 20, "each truth is met often");
  });

  test("agree on which rows a predicate keeps, where only true matters", () => {
    fc.assert(
      fc.property(wildCase, (given) => {
        const { rule, data, me } = given;
        const next = data["booking"]?.[0] ?? null;
        const expected = (data["booking"] ?? []).filter(
          (row) => evaluate(rule, data, { row, next, me }) === true,
        );
        assert.deepEqual(
          kept(rule, given),
          expected.map((row) => row["id"]),
        );
      }),
      { numRuns: runs },
    );
  });

  test("agree on a `some` whose outer rows are parameters", () => {
    fc.assert(
      fc.property(
        wildCase,
        fc.constantFrom(...Object.keys(tables)),
        ({ rule: where, data, me }, table) => {
          // The rule stands in for the `where`: its row is the item, its next row the row outside.
          const moved = JSON.parse(JSON.stringify(where), (key, value: Json) => {
            if (key !== "root") return value;
            const { kind } = value as { kind: string };
            if (kind === "row") return { kind: "item", alias: "b0" };
            return kind === "next" ? { kind: "row" } : value;
          }) as RuleExpr;
          const row = data["booking"]?.[1] ?? null;
          const items = { b0: data["booking"]?.[2] as RuleRow };
          const compiled = compileRuleSql(moved, {
            dialect: "sqlite",
            tables,
            roots: {
              row: { kind: "bound", table: "booking" },
              items: {
                b0: { kind: "bound", table: "booking" },
                x9: { kind: "alias", alias: "x", table },
              },
            },
          });
          database.fill(data);
          const values = prepareRuleParams(compiled.params)({
            row,
            next: null,
            items,
            bindings: { me, now },
          });
          const found =
            database.query(`SELECT 1 FROM "${table}" AS x WHERE ${compiled.sql}`, values).length >
            0;
          const some: RuleExpr = { kind: "some", table, alias: "x9", where: moved, at };
          assert.equal(found, evaluate(some, data, { row, next: null, me, items }));
        },
      ),
      { numRuns: runs / 2 },
    );
  });

  test("agree on rows that belong to the caller through references, driven from either side", () => {
    const path = (root: RuleRoot, steps: string[], through: string[] = []): RuleValue => ({
      kind: "path",
      root,
      steps,
      through,
      at,
    });
    const row = { kind: "row" } as const;
    const item = { kind: "item", alias: "x9" } as const;
    const mine = path({ kind: "me" }, ["id"]);
    const equal = (left: RuleValue, right: RuleValue): RuleExpr => ({
      kind: "compare",
      op: "==",
      left,
      right,
      at,
    });
    const some = (table: string, parts: readonly RuleExpr[]): RuleExpr => ({
      kind: "some",
      table,
      alias: "x9",
      where: { kind: "and", parts, at },
      at,
    });
    const owned: readonly RuleExpr[] = [
      equal(path(row, ["screening", "film", "owner"], ["screening", "film"]), mine),
      equal(mine, path(row, ["customer", "boss"], ["user"])),
      some("booking", [
        equal(path(item, ["screening"]), path(row, ["screening"])),
        equal(path(item, ["customer"]), mine),
      ]),
      some("user", [
        equal(mine, path(item, ["boss"])),
        equal(path(row, ["customer"]), path(item, ["boss"])),
        { kind: "truth", value: path(item, ["admin"]), at },
      ]),
    ];
    const cases = fc.record({
      rule: fc
        .tuple(fc.constantFrom(...owned), wildCase, fc.constantFrom("and", "or"))
        .map(([part, { rule }, kind]): RuleExpr => ({ kind, parts: [part, rule], at })),
      data: randomData({ absent: 2 }),
      me: fc.oneof(randomMe, wildMe),
    });
    for (const part of owned) assert.match(compile(part).sql, / IN \(SELECT /);
    fc.assert(
      fc.property(cases, fc.constantFrom("set", "row"), (given, access) => {
        const { rule, data, me } = given;
        const next = data["booking"]?.[0] ?? null;
        const expected = (data["booking"] ?? []).filter(
          (each) => evaluate(rule, data, { row: each, next, me }) === true,
        );
        assert.deepEqual(
          kept(rule, given, access),
          expected.map((each) => each["id"]),
        );
      }),
      { numRuns: runs },
    );
  });

  test("agree on a claim asked for one of two claims", () => {
    const claim = (name: string): RuleValue => ({
      kind: "path",
      root: { kind: "me" },
      steps: [name],
      through: [],
      at,
    });
    const names = ["name", "teams", "level"];
    const cases = fc.record({
      rule: fc
        .tuple(
          fc.constantFrom(...names, "seat"),
          fc.constantFrom(...names),
          fc.constantFrom(...names),
          fc.constantFrom("contains", "compare", "among"),
        )
        .map(([a, b, c, kind]): RuleExpr => {
          const row = { kind: "row" } as const;
          const paid: RuleValue = { kind: "path", root: row, steps: ["paid"], through: [], at };
          const seat: RuleValue = { kind: "path", root: row, steps: ["seat"], through: [], at };
          const when: RuleExpr = { kind: "truth", value: paid, at };
          const first = a === "seat" ? seat : claim(a);
          const value: RuleValue = { kind: "choose", when, yes: first, no: claim(b), at };
          if (kind === "contains") return { kind, list: claim(c), value, at };
          if (kind === "among") return { kind, value, options: [claim(c), seat], at };
          return { kind: "compare", op: "!=", left: claim(c), right: value, at };
        }),
      data: randomData({ absent: 2 }),
      me: wildMe,
    });
    fc.assert(
      fc.property(cases, (given) => {
        assert.deepEqual(truthsBySql(given.rule, given), truths(given.rule, given));
      }),
      { numRuns: runs * 2 },
    );
  });

  test("agree on the length of text", () => {
    fc.assert(
      fc.property(lengthCase, (given) => {
        assert.deepEqual(truthsBySql(given.rule, given), truths(given.rule, given));
      }),
      { numRuns: runs },
    );
  });

  // The properties above are worth something only when they can fail.
  const mutants: readonly (readonly [
    name: string,
    change: (sql: string) => string,
    cases?: fc.Arbitrary<Case>,
  ])[] = [
    ["`!=` is true of absent values", (sql) => sql.replaceAll(" <> ", " IS NOT ")],
    ["`==` is true of two absent values", (sql) => sql.replaceAll(/(\W) = (?=[b?(])/g, "$1 IS ")],
    ["`not` of unknown is true", (sql) => sql.replaceAll("NOT (", "NOT coalesce(0, ")],
    ["numbers divide as integers", (sql) => sql.replaceAll("AS REAL", "AS INTEGER")],
    ["length counts code points", (sql) => sql.replaceAll("octet_length", "length"), lengthCase],
    ["an absent list holds nothing", (sql) => sql.replaceAll("IS NOT NULL AND", "IS NOT NULL OR")],
    ["`<` is `<=`", (sql) => sql.replaceAll(" < ", " <= ")],
    ["presence is absence", (sql) => sql.replaceAll("IS NULL", "IS NOT NULL")],
    ["references lead to no row", (sql) => sql.replaceAll(/"id" = /g, '"id" > ')],
    ["unknown chooses the second", (sql) => sql.replaceAll("WHEN 0 THEN", "ELSE")],
  ];
  for (const [name, change, cases = wildCase] of mutants) {
    test(`are told apart when ${name}`, () => {
      const result = fc.check(
        fc.property(cases, (given) => {
          assert.deepEqual(truthsBySql(given.rule, given, change), truths(given.rule, given));
        }),
        { numRuns: 5_000, endOnFailure: true, seed: 1 },
      );
      assert.ok(result.failed, "the property finds the mutant");
    });
  }
});

describe("a rule that is printed", () => {
  test("and read again is the same rule", () => {
    const spec = {
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
    } as const;
    const any = randomRule({ presence: "any", some: true, divisions: true, extremes: true });
    fc.assert(
      fc.property(any, fc.boolean(), (rule, optionalChains) => {
        const source = `import { define } from "keelson"; const { rules } = define({});
          rules({ booking: { update: ({ row, next, me, now, db }) => ${printRule(rule, { optionalChains })} } });`;
        const { mistakes, tables: found } = readRules({
          sources: new Map([["rules.ts", source]]),
          spec,
        });
        assert.deepEqual(mistakes, []);
        const again = found["booking"]?.rules.update?.expr;
        assert.ok(again);
        assert.deepEqual(JSON.parse(ruleKey(again)), JSON.parse(ruleKey(rule)));
      }),
      { numRuns: runs },
    );
  });
});

/** Runs a rule as the JavaScript that it is, on rows whose references can be walked: an id leads to its row. */
function javascript(
  rule: RuleExpr,
  { data, me }: Case,
  given: { row: RuleRow; next: RuleRow },
): unknown {
  const all = new Map(
    Object.values(data).flatMap((rows) => rows.map((row) => [row["id"] as string, row])),
  );
  const field = (id: string, name: string): Json | undefined => all.get(id)?.[name];
  const fields = Object.values(tables).flatMap((table) => Object.keys(table.fields));
  const names = [...new Set(["id", ...fields])];
  const context = createContext({ field, names, data });
  const setup = `for (const name of names) Object.defineProperty(String.prototype, name, {
    get() { "use strict"; return field(String(this), name); } });
    const db = Object.fromEntries(Object.entries(data).map(([table, rows]) => [table, { some: (test) => rows.some(test) }]));`;
  const run = runInContext(
    `${setup} ({ row, next, me, now }) => (${printRule(rule)})`,
    context,
  ) as (input: object) => unknown;
  return run({ ...given, me, now });
}

describe("evaluator and the JavaScript function itself", () => {
  const total = randomData({ absent: 0 });
  const pairOf = ({ data }: Case) => ({
    row: data["booking"]?.[0] as RuleRow,
    next: data["booking"]?.[1] as RuleRow,
  });

  test("agree exactly where nothing is absent", () => {
    const whole = fc.record({
      rule: randomRule({ presence: "any", some: true }),
      data: total,
      me: randomMe,
    });
    fc.assert(
      fc.property(whole, (given) => {
        const pair = pairOf(given);
        assert.equal(
          evaluate(given.rule, given.data, { ...pair, me: given.me }),
          javascript(given.rule, given, pair),
        );
      }),
      { numRuns: runs },
    );
  });

  test("agree where nothing is absent but for divisions by zero, which are unknown", () => {
    const whole = fc.record({
      rule: randomRule({ presence: false, divisions: true }),
      data: total,
      me: randomMe,
    });
    fc.assert(
      fc.property(whole, (given) => {
        const pair = pairOf(given);
        const truth = evaluate(given.rule, given.data, { ...pair, me: given.me });
        if (truth !== null) assert.equal(truth, javascript(given.rule, given, pair));
      }),
      { numRuns: runs },
    );
  });

  test("where values are absent, what is decided holds whatever the absent values are", () => {
    const whole = fc.record({
      rule: randomRule({ presence: false, divisions: true }),
      data: total,
      me: randomMe,
    });
    let decided = 0;
    fc.assert(
      fc.property(whole, fc.infiniteStream(fc.nat(9)), (given, dice) => {
        const pair = pairOf(given);
        const hide = <T extends Readonly<Record<string, Json>>>(of: T): T =>
          Object.fromEntries(
            Object.entries(of).map(([name, value]) => [
              name,
              name !== "id" && dice.next().value! < 3 ? null : value,
            ]),
          ) as T;
        const data = Object.fromEntries(
          Object.entries(given.data).map(([table, rows]) => [table, rows.map(hide)]),
        );
        const masked = { row: hide(pair.row), next: hide(pair.next), me: hide(given.me) };
        const truth = evaluate(given.rule, data, masked);
        if (truth === null) return;
        decided += 1;
        assert.equal(javascript(given.rule, given, pair), truth);
      }),
      { numRuns: runs },
    );
    assert.ok(decided > runs / 10);
  });

  test("agree on null where only presence tests meet it", () => {
    const whole = fc.record({
      rule: randomRule({ presence: "only", some: true }),
      data: randomData({ absent: 5, nullableOnly: true }),
      me: randomMe,
    });
    fc.assert(
      fc.property(whole, (given) => {
        const pair = pairOf(given);
        assert.equal(
          evaluate(given.rule, given.data, { ...pair, me: given.me }),
          javascript(given.rule, given, pair),
        );
      }),
      { numRuns: runs },
    );
  });
});

describe("a simplified rule", () => {
  test("is true of exactly the same rows, by evaluator and by SQL", () => {
    fc.assert(
      fc.property(wildCase, (given) => {
        const { rule, data, me } = given;
        const left = simplifyRule(rule, { me, now });
        const next = data["booking"]?.[0] ?? null;
        const rows = data["booking"] ?? [];
        const expected = rows.filter((row) => evaluate(rule, data, { row, next, me }) === true);
        const after: RuleExpr =
          typeof left === "boolean" ? { kind: "constant", value: left, at } : left;
        const found = rows.filter((row) => evaluate(after, data, { row, next, me }) === true);
        assert.deepEqual(found, expected);
        assert.deepEqual(
          kept(after, given),
          expected.map((row) => row["id"]),
        );
      }),
      { numRuns: runs },
    );
  });
});

describe("an explanation", () => {
  test("comes to the same verdict, at once and later", async () => {
    await fc.assert(
      fc.asyncProperty(wildCase, async ({ rule: expr, data, me }) => {
        const rule: Rule = {
          expr,
          at: { file: "rules.ts", start: 0, end: 0 },
          line: 1,
          column: 1,
          text: "",
        };
        const [row = null, next = null] = data["booking"] ?? [];
        const input = inputOn(data, { row, next, me });
        const verdict = evaluate(expr, data, { row, next, me });
        const explanation = explainRule(rule, input) as RuleExplanation;
        assert.equal(explanation.verdict, verdict);
        assert.deepEqual(JSON.parse(JSON.stringify(explanation)), explanation);
        const later = await explainRule(rule, laterInput(input));
        assert.deepEqual(later, explanation);
      }),
      { numRuns: runs / 2 },
    );
  });
});

test("an engine that answers later gives the same answers", async () => {
  await fc.assert(
    fc.asyncProperty(wildCase, async ({ rule, data, me }) => {
      const [row = null, next = null] = data["booking"] ?? [];
      const input = inputOn(data, { row, next, me });
      assert.equal(
        await compileRule(rule)(laterInput(input)),
        evaluate(rule, data, { row, next, me }),
      );
    }),
    { numRuns: runs / 2 },
  );
});

function laterInput(input: RuleInput): RuleInput {
  return {
    ...input,
    lookup: async (table, id) => input.lookup(table, id),
    some: async (table, alias, where, outer) => input.some(table, alias, where, outer),
  };
}
