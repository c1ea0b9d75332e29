import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { AppSpec, FieldSpec } from "@keelson/sdk/spec";
import { readRules, type RuleReading } from "./rule-parse.ts";
import { printRule } from "./rule-print.ts";

const text = { kind: "text", min: 0, max: 100 } as const;

function table(fields: Record<string, FieldSpec>, checks = 0) {
  return { fields, indexes: [], search: [], checks };
}

const tables = {
  user: table({ name: text, role: text }),
  film: table({ title: text, owner: { kind: "ref", table: "user", onDelete: "refuse" } }),
  screening: table({
    film: { kind: "ref", table: "film", onDelete: "refuse" },
    startsAt: { kind: "time" },
    price: { kind: "money", currency: "EUR" },
  }),
  booking: table({
    screening: { kind: "ref", table: "screening", onDelete: "cascade" },
    customer: { kind: "ref", table: "user", onDelete: "refuse" },
    guest: { kind: "id", table: "user" },
    seat: text,
    status: { kind: "oneOf", values: ["held", "paid", "cancelled"] },
    paid: { kind: "bool" },
    count: { kind: "int", min: 0, max: 10 },
    day: { kind: "date" },
    at: { kind: "time" },
    tags: { kind: "list", item: text, min: 0, max: 10 },
    notes: { kind: "json", maxBytes: 1000 },
    proof: { kind: "bytes", max: 100 },
    address: { kind: "object", fields: { city: text } },
  }),
};

function spec(more: Partial<AppSpec> = {}): AppSpec {
  return {
    version: 1,
    tables,
    functions: {},
    invariants: [],
    cors: [],
    tableLimits: {},
    ...more,
  };
}

const schema = `import { define, table, t } from "keelson";
export const { query, mutation, rules, app } = define({ booking: table({ seat: t.text() }) });
`;

function read(files: Record<string, string>, of: AppSpec = spec()): RuleReading {
  return readRules({ sources: new Map(Object.entries(files)), spec: of });
}

/** Reads one rule of `booking`. */
function one(rule: string, { key = "read", around = "" } = {}): RuleReading {
  return read({
    "schema.ts": schema,
    "rules.ts": `import { rules } from "./schema.ts";\n${around}\nexport default rules({ booking: { ${key}: ${rule} } });\n`,
  });
}

function printed(
  rule: string,
  options: { key?: "read" | "create" | "update"; around?: string } = {},
): string {
  const reading = one(rule, options);
  assert.deepEqual(reading.mistakes, []);
  const found = reading.tables["booking"]?.rules[options.key ?? "read"];
  assert.ok(found, "the rule was read");
  return printRule(found.expr);
}

describe("a rule is read", () => {
  const accepted: readonly (readonly [source: string, meaning: string])[] = [
    ["() => true", "true"],
    ["({ me }) => me.role === 'staff'", 'me.role === "staff"'],
    [
      "({ row, me }) => row.customer === me.id || me.role === `staff`",
      'row.customer === me.id || me.role === "staff"',
    ],
    ["({ row: r, me: { id } }) => r.customer === id", "row.customer === me.id"],
    [
      "({ row: { customer, screening: { film } }, me }) => customer === me.id && film !== null",
      "row.customer === me.id && row.screening.film != null",
    ],
    ["(input) => input.row.customer === input.me.id", "row.customer === me.id"],
    ["function ({ row, me }) { return row.customer === me.id; }", "row.customer === me.id"],
    [
      "({ row, me }) => { const mine = row.customer === me.id; return mine && !row.paid; }",
      "row.customer === me.id && !row.paid",
    ],
    [
      "({ row, me }) => { if (me.id === null) return false; if (row.paid) { return true } else return row.seat > 'F'; }",
      'me.id == null ? false : row.paid ? true : row.seat > "F"',
    ],
    [
      "({ row, me }) => { const { customer } = row; return customer === me.id; }",
      "row.customer === me.id",
    ],
    ["({ row, me }) => row.screening?.film?.owner === me.id", "row.screening.film.owner === me.id"],
    [
      "({ row, me }) => row.screening!.film.owner! === (me.id as string)",
      "row.screening.film.owner === me.id",
    ],
    ["({ row }) => row['seat'] === 'A1'", 'row.seat === "A1"'],
    [
      "({ row }) => row.seat === undefined || null !== row.guest",
      "row.seat === null || row.guest !== null",
    ],
    [
      "({ row }) => row.seat == null || row.guest != undefined",
      "row.seat === null || row.guest !== null",
    ],
    ["({ me }) => me.id !== null", "me.id != null"],
    [
      "({ row, me }) => row.count * 2 + 1 <= me.level % 7 - 3 / row.count",
      "row.count * 2 + 1 <= me.level % 7 - 3 / row.count",
    ],
    ["({ row }) => row.count === -5 && -row.count < 2", "row.count === -5 && 0 - row.count < 2"],
    ["({ row }) => ['held', 'paid'].includes(row.status)", '["held", "paid"].includes(row.status)'],
    [
      "({ row, me }) => row.tags.includes(me.tag) && row.tags.length > 2",
      "row.tags.includes(me.tag) && row.tags.length > 2",
    ],
    ["({ row, me }) => me.teams.includes(row.seat)", "me.teams.includes(row.seat)"],
    [
      "({ row }) => row.seat.startsWith('A') && row.seat.endsWith('1') && row.seat.includes('') && row.seat.length < 3",
      'row.seat.startsWith("A") && row.seat.endsWith("1") && row.seat.includes("") && row.seat.length < 3',
    ],
    [
      "({ row, now }) => row.at <= now && row.day <= now && row.at > '2026-01-31T20:15:00.000Z'",
      'row.at <= now && row.day <= now && row.at > "2026-01-31T20:15:00.000Z"',
    ],
    [
      "({ row }) => row.paid && !row.paid && row.paid === false",
      "row.paid && !row.paid && row.paid === false",
    ],
    [
      "({ row, me }) => (row.paid ? row.seat : row.status) === me.x",
      "(row.paid ? row.seat : row.status) === me.x",
    ],
    ["({ row }) => (row.count ?? 0) > 1", "(row.count !== null ? row.count : 0) > 1"],
    [
      "({ row, me, db }) => db.booking.some((b) => b.customer === me.id && b.screening === row.screening)",
      "db.booking.some((b) => b.customer === me.id && b.screening === row.screening)",
    ],
    [
      "({ me, db }) => db.booking.some(({ customer, seat }) => customer === me.id && seat === 'A')",
      'db.booking.some((booking) => booking.customer === me.id && booking.seat === "A")',
    ],
    [
      "({ db }) => db.booking.some((b) => db.film.some((b) => b.title === 'x') && b.paid)",
      'db.booking.some((b) => db.film.some((b2) => b2.title === "x") && b.paid)',
    ],
    ["({ db }) => db.booking.some((row) => row.paid)", "db.booking.some((row2) => row2.paid)"],
    [
      "({ row, me }) => me.id === row.customer && (row.paid && (row.count > 1 && row.count < 3))",
      "me.id === row.customer && row.paid && row.count > 1 && row.count < 3",
    ],
  ];
  for (const [source, meaning] of accepted) {
    test(source, () => assert.equal(printed(source), meaning));
  }

  test("as a method", () => {
    const reading = read({
      "schema.ts": schema,
      "rules.ts": `import { rules } from "./schema"; rules({ booking: { read({ row, me }) { return row.customer === me.id } } });`,
    });
    assert.deepEqual(reading.mistakes, []);
    assert.equal(printRule(reading.tables["booking"]!.rules.read!.expr), "row.customer === me.id");
  });

  test("through helpers and constants of this and other files", () => {
    const reading = read({
      "schema/index.ts": schema,
      "lib/people.ts": `export const ROLES = { staff: "staff", admin: "admin" } as const;
        export const bosses = [ROLES.staff, ROLES.admin];
        export function isBoss(me: Me) { return bosses.includes(me.role); }
        export const owns = ({ row, me }: X) => row.customer === me.id;
        export default (a: string, b: string) => a === b;`,
      "lib/index.ts": `export * from "./people.js"; export { isBoss as boss } from "./people.ts"; export { default as same } from "./people";`,
      "rules.ts": `import { rules as r } from "./schema";
        import { boss, same } from "./lib/index.js"; import * as people from "./lib/people.ts";
        const mine = ({ row, me }) => people.owns({ row, me }) || boss(me) || same(row.seat, "A");
        export default r({ booking: { read: mine, delete: people.owns } });`,
    });
    assert.deepEqual(reading.mistakes, []);
    const { rules } = reading.tables["booking"]!;
    assert.equal(
      printRule(rules.read!.expr),
      'row.customer === me.id || ["staff", "admin"].includes(me.role) || row.seat === "A"',
    );
    assert.equal(printRule(rules.delete!.expr), "row.customer === me.id");
    assert.equal(rules.delete!.at.file, "lib/people.ts");
  });

  test("write stands for create, update and delete unless they are given", () => {
    const reading = read({
      "schema.ts": schema,
      "rules.ts": `import { rules } from "./schema.ts"; export default rules({ booking: { write: ({ me }) => me.role === "staff", update: () => false } });`,
    });
    const { rules } = reading.tables["booking"]!;
    assert.deepEqual(reading.mistakes, []);
    assert.equal(printRule(rules.create!.expr), 'me.role === "staff"');
    assert.equal(printRule(rules.update!.expr), "false");
    assert.equal(printRule(rules.delete!.expr), 'me.role === "staff"');
    assert.equal(rules.read, undefined);
  });

  test("with rules of fields", () => {
    const reading = read({
      "schema.ts": schema,
      "rules.ts": `import { rules } from "./schema.ts"; export default rules({ booking: { fields: { customer: {
        read: ({ row, me }) => row.customer === me.id, write: ({ row, next, me }) => row === null && next.customer === me.id } } } });`,
    });
    assert.deepEqual(reading.mistakes, []);
    const rules = reading.tables["booking"]!.rules.fields["customer"]!;
    assert.equal(printRule(rules.read!.expr), "row.customer === me.id");
    assert.equal(printRule(rules.write!.expr), "row.id === null && next.customer === me.id");
  });

  test("with its text and place, and frozen", () => {
    const { tables: found } = one("({ me }) => me.id !== null");
    const rule = found["booking"]!.rules.read!;
    assert.equal(rule.text, "({ me }) => me.id !== null");
    assert.deepEqual([rule.at.file, rule.line, rule.column], ["rules.ts", 3, 41]);
    assert.ok(Object.isFrozen(rule.expr));
  });
});

describe("what lies outside the language is refused", () => {
  const refused: readonly (readonly [source: string, problem: RegExp, fix: RegExp])[] = [
    ["({ row, me }) => row.custmer === me.id", /no field `custmer`/, /Did you mean `customer`/],
    ["({ row }) => row.screening.titel === 'x'", /`screening` has no field `titel`/, /Fields: /],
    ["({ row }) => row.guest.name === 'x'", /can't follow `row.guest`/, /t\.ref\("user"\)/],
    ["({ row }) => row.address.city === 'x'", /JSON/, /field of its own/],
    ["({ row }) => row.seat.trim() === 'x'", /`.trim\(\)`/, /normalised copy/],
    ["({ row }) => row.seat", /is text, not a condition/, /!== null/],
    ["({ row }) => row.count && true", /`row.count` is a number, not a condition/, /!== null/],
    ["({ row }) => !row", /whole row/, /fields/],
    ["({ me }) => me", /whole caller/, /me\.id !== null/],
    ["({ row }) => row.seat === 5", /`row.seat` is text and `5` is a number/, /one type/],
    ["({ row }) => row.status === 'payd'", /never holds "payd"/, /"held", "paid", "cancelled"/],
    ["({ row }) => ['held', 'gone'].includes(row.status)", /never holds "gone"/, /one of/],
    [
      "({ row, me }) => row.screening === me.id",
      /id of `screening` is never an id of `user`/,
      /one table/,
    ],
    ["({ row }) => row.customer === 'Ada'", /not an id of `user`/, /begin with "user_"/],
    ["({ row }) => row.at > '2026-01-31'", /not a time/, /milliseconds/],
    ["({ row }) => row.day === '31.1.2026'", /not a date/, /2026-01-31/],
    ["({ row, now }) => row.day === now", /date never equals a time/, /<=/],
    ["({ row }) => row.paid > false", /no order/, /===/],
    ["({ row }) => row.notes === 'x'", /JSON/, /!== null/],
    ["({ row }) => row.proof === 'x'", /bytes/, /!== null/],
    ["({ row }) => row.tags === 'x'", /list/, /includes/],
    ["({ row }) => row.seat == 'A'", /`==` converts/, /Write `===`/],
    ["({ row }) => row.at > new Date()", /new Date\(\)/, /Use `now`/],
    ["({ row }) => row.at > Date.now()", /`Date` is not known/, /Use `now`/],
    ["({ row }) => row.seat + 'x' === 'Ax'", /not a number/, /do not join text/],
    ["({ row }) => row.seat === `a${row.seat}`", /do not join text/, /one by one/],
    ["({ row }) => row.at - 5 > 0", /time, not a number/, /do not compute with times/],
    ["({ row, next }) => next.paid", /read rule has no `next`/, /use `row`/],
    ["({ me }) => row.paid", /`row` is not known/, /from the parameter/],
    ["async ({ row }) => row.paid", /plain functions/, /async/],
    ["({ row }) => { row.paid; return true }", /no effect/, /return/],
    ["({ row }) => { let x = true; return x }", /no `let`/, /const/],
    ["({ row }) => { if (row.paid) return true; }", /returns nothing/, /return/],
    ["({ row }) => { if (row.paid) { } return true; }", /returns nothing/, /return/],
    [
      "({ row }) => { for (const x of row.tags) return true; return false; }",
      /no loops/,
      /includes/,
    ],
    ["({ row }) => { throw new Error() }", /does not throw/, /return false/],
    ["({ row }) => { switch (row.seat) { default: return true } }", /no `switch`/, /if/],
    ["({ row }) => { return }", /gives true or false/, /return false/],
    ["({ row }) => row.tags.some((x) => x === 'a')", /`.some\(\)`/, /includes/],
    ["({ db }) => db.booking.list({})", /`.list\(\)` of the table/, /some/],
    ["({ db }) => db.bookng.some((b) => b.paid)", /no table `bookng`/, /Did you mean `booking`/],
    ["({ db }) => db.booking.some()", /takes one argument/, /\(x\) =>/],
    ["({ db }) => db.booking.some(true)", /takes a function/, /\(x\) =>/],
    ["({ row }) => row[row.seat] === 1", /computed names/, /field's name/],
    ["({ row }) => /a/.test(row.seat)", /know text, numbers/, /startsWith/],
    ["({ row }) => row.count === 5n", /know text, numbers/, /without `n`/],
    ["({ row }) => typeof row.seat === 'string'", /no `typeof`/, /comparisons/],
    ["({ row }) => 'seat' in row", /no `in`/, /Compare/],
    ["({ row }) => (row.paid = true)", /not part of the rule language/, /===/],
    ["({ row }) => isBoss(row)", /`isBoss` is not known/, /Names here/],
    [
      "({ row }) => (row.paid && row.paid) === (row.paid || row.paid)",
      /is a condition, not a value/,
      /&&/,
    ],
    ["({ row }) => [].includes(row.seat)", /empty list/, /false/],
    ["({ row, ...rest }) => row.paid", /no `...`/, /Name/],
    ["({ row = null }) => row.paid", /default values/, /\?\?/],
    ["({ me }) => me.constructor === 'x'", /no claim `constructor`/, /claim/],
    ["({ me }) => me.id.name === 'x'", /can't follow/, /db\.user\.some/],
    ["true", /A rule is a function/, /\(\) => true/],
    ["'nobody'", /A rule is a function, not text/, /function/],
    ["({ row }, more) => row.paid", /argument is missing/, /one parameter/],
    ["({ row }) => row.count === 1e999", /too large/, /1\.8e308/],
    ["({ row }) => row.paid ? null : row.seat", /absent value/, /choice/],
    ["({ row }) => null", /absent value, not a condition/, /true or false/],
    ["({ row }) => ({ a: 1 }).a", /a number, not a condition/, /Compare/],
    ["({ row }) => row.seat === '\\u0000'", /no database stores/, /U\+0000/],
    ["({ row }) => row.seat < null", /no order/, /=== null/],
  ];
  for (const [source, problem, fix] of refused) {
    test(source, () => {
      const { mistakes, tables: found } = one(source);
      const [mistake] = mistakes;
      assert.ok(mistake, "a mistake is told");
      assert.match(mistake.problem, problem);
      assert.match(mistake.fix, fix);
      assert.equal(mistake.file, "rules.ts");
      assert.match(mistake.frame, /^> 3 \| .*\n.*\^/m);
      assert.equal(
        mistake.frame
          .split("\n")
          .find((line) => line.includes("^"))
          ?.indexOf("^"),
        5 + mistake.column,
      );
      assert.equal(found["booking"]!.rules.read, undefined, "a rule with a mistake denies");
    });
  }

  test("row in a create rule, and in a write rule where it stands for create", () => {
    assert.match(
      one("({ row }) => row.paid", { key: "create" }).mistakes[0]!.problem,
      /A create rule has no `row`/,
    );
    const { mistakes } = one("({ row }) => row.paid", { key: "write" });
    assert.equal(mistakes.length, 1);
    assert.match(mistakes[0]!.problem, /A write rule, where it stands for create, has no `row`/);
    assert.match(mistakes[0]!.fix, /`create` a rule of its own/);
  });

  test("recursion, straight and around", () => {
    const around =
      "const a = (x) => b(x); const b = (x) => a(x); const c = c2 && true; const c2 = c;";
    assert.match(one("({ row }) => a(row)", { around }).mistakes[0]!.problem, /itself/);
    assert.match(one("({ row }) => c", { around }).mistakes[0]!.problem, /refers to itself/);
  });

  test("helpers of packages, things that are not exported, and things that may change", () => {
    const around =
      "import { isBoss } from 'bosses'; import { gone } from './schema.ts'; let flag = true;";
    assert.match(
      one("({ me }) => isBoss(me)", { around }).mistakes[0]!.problem,
      /comes from "bosses"/,
    );
    assert.match(one("({ me }) => gone(me)", { around }).mistakes[0]!.problem, /does not export/);
    assert.match(one("({ me }) => flag", { around }).mistakes[0]!.problem, /its value may change/);
  });

  test("a rule that grows beyond every bound", () => {
    const lines = Array.from(
      { length: 60 },
      (_, i) => `const c${i + 1} = c${i} && c${i} && !c${i};`,
    );
    const { mistakes } = one(
      `({ row }) => { const c0 = row.paid; ${lines.join(" ")} return c60; }`,
    );
    assert.match(mistakes[0]!.problem, /larger than 2000/);
  });

  test("a rule that is nested too deeply, and one that is only long", () => {
    const long = Array.from({ length: 400 }, (_, i) => `row.seat !== "${i}"`);
    assert.deepEqual(one(`({ row }) => ${long.join(" && ")}`).mistakes, []);
    const deep = (count: number) => `({ row }) => ${"!".repeat(count)}row.paid`;
    assert.deepEqual(one(deep(90)).mistakes, []);
    for (const source of [deep(101), deep(1_990), deep(5_000)]) {
      assert.match(one(source).mistakes[0]!.problem, /larger than|nested/);
    }
    const chain = Array.from({ length: 3_000 }, () => "row.paid").join(" && ");
    assert.match(one(`({ row }) => ${chain}`).mistakes[0]!.problem, /larger than/);
  });

  test("every mistake of an app at once, in the order of the file", () => {
    const { mistakes } = read({
      "schema.ts": schema,
      "rules.ts": `import { rules } from "./schema.ts";
export default rules({
  boking: { read: () => true },
  booking: { red: () => true, read: ({ row, me }) => row.seet === me.id && row.status === "x", fields: { nope: {}, seat: { see: () => true } } },
});
rules({ booking: {} });`,
    });
    assert.deepEqual(
      mistakes.map(({ problem }) => problem),
      [
        "There is no table `boking`.",
        "There is no rule `red`.",
        "`booking` has no field `seet`.",
        'The field never holds "x".',
        "`booking` has no field `nope`.",
        "There is no field rule `see`.",
        "The rules of `booking` are written twice.",
      ],
    );
  });

  test("sources that are not TypeScript", () => {
    const { mistakes } = read({ "schema.ts": schema, "rules.ts": "export default rules({" });
    assert.match(mistakes[0]!.problem, /not valid TypeScript/);
  });
});

describe("the app around the rules", () => {
  const files = {
    "schema.ts": `import { define as d, table, t } from "keelson";
import { film } from "./film";
const seats = table({ seat: t.text() });
const backend = d({
  film,
  booking: seats.index("seat")
    .check(({ next }) => next.count >= 0, "Not below zero.")
    .unique("seat").check(({ row, next }) => row === null || next.count >= row.count),
});
export const { query, mutation, app } = backend;
export const rules = backend.rules;`,
    "film.ts":
      "import { table } from 'keelson'; const grown = (r) => r.next.title !== null;\nexport const film = table({}).check(grown, `A title.`) as Film;",
    "rules.ts": `import * as schema from "./schema.ts"; export default schema.rules({ film: { read: () => true } });`,
    "cinema.ts": `import { query, mutation as m } from "./schema.ts";
export const seats = query({});
export const book = m({}), helper = () => 1;
const later = query({}); export { later as afterwards };`,
    "app.ts": `import { app } from "./schema.ts"; import rules from "./rules.ts"; import * as cinema from "./cinema.ts";
export default app({ rules, functions: { cinema, pictures: cinema } });`,
  };
  const withChecks = spec({
    tables: {
      ...tables,
      film: { ...tables.film, checks: 1 },
      booking: { ...tables.booking, checks: 2 },
    },
  });

  test("gives checks in order, with messages, and places of tables", () => {
    const reading = read(files, withChecks);
    assert.deepEqual(reading.mistakes, []);
    const { film, booking } = reading.tables;
    assert.deepEqual(
      booking!.checks.map(({ rule, message }) => [printRule(rule.expr), message]),
      [
        ["next.count >= 0", "Not below zero."],
        ["row.id === null || next.count >= row.count", undefined],
      ],
    );
    assert.equal(film!.checks[0]!.message, "A title.");
    assert.equal(printRule(film!.checks[0]!.rule.expr), "next.title !== null");
    assert.deepEqual(booking!.at, { file: "schema.ts", line: 6, column: 3 });
    assert.equal(printRule(film!.rules.read!.expr), "true");
  });

  test("gives places of functions", () => {
    const { functions } = read(files, withChecks);
    assert.deepEqual(Object.keys(functions).toSorted(), [
      "cinema.afterwards",
      "cinema.book",
      "cinema.seats",
      "pictures.afterwards",
      "pictures.book",
      "pictures.seats",
    ]);
    assert.deepEqual(functions["cinema.book"], { file: "cinema.ts", line: 3, column: 14 });
  });

  test("a function stands at its own name, whatever its kind, type or comment repeats of it", () => {
    const own = `import { query, mutation } from "./schema.ts";
export const mut = mutation({}), que: que.Type /* que */ = /* que */ query({});
const seats = query({}); export { seats as s };`;
    const { functions } = read({ ...files, "cinema.ts": own }, withChecks);
    assert.deepEqual(functions["cinema.mut"], { file: "cinema.ts", line: 2, column: 14 });
    assert.deepEqual(functions["cinema.que"], { file: "cinema.ts", line: 2, column: 34 });
    assert.deepEqual(functions["cinema.s"], { file: "cinema.ts", line: 3, column: 7 });
  });

  test("a check that can't be seen, or speaks of the caller, is a mistake", () => {
    const more = spec({ tables: { ...tables, booking: { ...tables.booking, checks: 3 } } });
    const [hidden] = read(files, more).mistakes.filter(({ problem }) => /booking/.test(problem));
    assert.match(hidden!.problem, /has 3 checks, of which 2 can be read/);
    const source =
      'import { define, table } from "keelson"; export const { rules } = define({ booking: table({}).check(({ next, me }) => next.customer === me.id) });';
    const [caller] = read(
      { "schema.ts": source },
      spec({ tables: { ...tables, booking: { ...tables.booking, checks: 1 } } }),
    ).mistakes;
    assert.match(caller!.problem, /A check has no `me`/);
  });

  test("rules and schemas that can't be seen are a mistake, not a silent denial", () => {
    const hidden = {
      "schema.ts": schema,
      "rules.ts": 'import { rules } from "./schema.ts"; export default (() => rules({}))();',
      "app.ts":
        'import { app } from "./schema.ts"; import rules from "./rules.ts"; export default app({ rules });',
    };
    const [rules] = read(hidden).mistakes;
    assert.match(rules!.problem, /rules could not be found/);
    assert.equal(rules!.file, "app.ts");
    const late = 'import { define } from "keelson"; let a; function make() { a = define({}); }';
    assert.match(read({ "schema.ts": late }).mistakes[0]!.problem, /call of `define`/);
  });

  test("tables of the platform are read as rules say, walked to, and written by nobody", () => {
    const rulesOf = (entries: string) =>
      read({
        "schema.ts": schema,
        "rules.ts": `import { rules } from "./schema.ts"; export default rules({ ${entries} });`,
      });
    const { tables: readings, mistakes } = rulesOf(
      `authSession: { read: ({ row, me }) => row.user === me.id && row.org.slug === "acme" },
       orgMember: { read: ({ me, db }) => db.orgMember.some((m) => m.user === me.id) }`,
    );
    assert.deepEqual(mistakes, []);
    assert.notEqual(readings["authSession"]?.rules.read, undefined);
    assert.notEqual(readings["orgMember"]?.rules.read, undefined);
    assert.equal(readings["org"], undefined);
    const problems = {
      "authTotp: { read: () => true }": "There is no table `authTotp`.",
      "authTicket: { read: () => true }": "There is no table `authTicket`.",
      "org: { create: () => true }": "`org` is written by the platform alone.",
      "org: { write: () => true }": "`org` is written by the platform alone.",
      "authSession: { fields: { methods: { write: () => true } } }":
        "`authSession` is written by the platform alone.",
      "authAccount: { read: ({ row }) => row.passwordHash === 'x' }":
        "`authAccount` has no field `passwordHash`.",
      "authAccount: { fields: { passwordHash: { read: () => true } } }":
        "`authAccount` has no field `passwordHash`.",
    };
    for (const [entries, problem] of Object.entries(problems)) {
      assert.deepEqual(
        rulesOf(entries).mistakes.map((mistake) => mistake.problem),
        [problem],
        entries,
      );
    }
  });

  test("a function called rules that does not come from define is left alone", () => {
    const reading = read({
      "rules.ts": "const rules = (x) => x; export default rules({ nothing: 1 });",
    });
    assert.deepEqual(reading.mistakes, []);
  });
});
