// What a caller is answered is what a naive reader would leave of all rows: every row judged by the rule
// evaluator with the rule as it was written, every field by its own rule. Random rules over a small world.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../base/json.ts";
import { timeOfMs } from "../model/field-time.ts";
import { compileRule, type RuleInput } from "../model/rule-evaluate.ts";
import type { Rule } from "../model/rule-ast.ts";
import type { ReadTx, Row } from "../store/store.ts";
import { openGateHarness, type Asker, type GateHarness } from "./gate-harness.case.ts";

const tables = 8;

/** Rules as people write them. */
const ruleText = fc.letrec<{ rule: string; atom: string }>((tie) => ({
  atom: fc.constantFrom(
    "true",
    "row.owner === me.id",
    "row.owner !== me.id",
    'me.role === "staff"',
    'me.role !== "staff"',
    "me.team === row.kind",
    "me.id !== null",
    "row.owner === null",
    "row.level !== null",
    "row.level >= 3",
    "row.level < 3",
    'row.kind === "a"',
    '["a", "b"].includes(row.kind)',
    "row.flag",
    "row.owner.level > 1",
    "row.parent.owner === me.id",
    "row.parent.level >= row.level",
    'row.kind.startsWith("b")',
    "db.member.some((m) => m.who === me.id && m.level >= row.level)",
    "db.member.some((m) => m.who === row.owner)",
    'now > "2027-01-15T08:00:00.000Z"',
    'now < "2027-01-15T08:00:00.000Z"',
  ),
  rule: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie("atom"),
    fc.tuple(tie("rule"), tie("rule")).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie("rule"), tie("rule")).map(([a, b]) => `(${a} || ${b})`),
    tie("rule").map((a) => `!(${a})`),
    fc.tuple(tie("atom"), tie("rule"), tie("rule")).map(([c, a, b]) => `(${c} ? ${a} : ${b})`),
  ),
}));

const cell = {
  owner: fc.option(fc.nat(2)),
  parent: fc.option(fc.nat(2)),
  kind: fc.constantFrom("a", "b", "c"),
  level: fc.option(fc.integer({ min: 0, max: 5 })),
  flag: fc.option(fc.boolean()),
};

const world = fc.record({
  rules: fc.array(fc.record({ read: ruleText.rule, field: ruleText.rule }), {
    minLength: tables,
    maxLength: tables,
  }),
  rows: fc.array(fc.record(cell), { minLength: 3, maxLength: 12 }),
  members: fc.array(fc.record({ who: fc.nat(2), level: fc.nat(5) }), { maxLength: 3 }),
});

function sourceOf(rules: readonly { readonly read: string; readonly field: string }[]): string {
  const names = rules.map((_, index) => `thing${"abcdefgh"[index]}`);
  const input = "({ row, me, now, db })";
  return `
import { define, table, t } from "keelson";
const thing = () => table({
  owner: t.ref("user").optional(), parent: t.ref("base").optional(), kind: t.text(),
  level: t.int().optional(), flag: t.bool().optional(), secret: t.text().private(),
}).index("kind").search("kind");
export const { app, rules } = define({
  user: table({ level: t.int().optional() }),
  base: table({ owner: t.ref("user").optional(), level: t.int().optional() }),
  member: table({ who: t.ref("user"), level: t.int() }),
  ${names.map((name) => `${name}: thing()`).join(", ")}
});
const policy = rules({
  ${rules
    .map(
      ({ read, field }, index) =>
        `${names[index]}: { read: ${input} => ${read}, fields: { level: { read: ${input} => ${field} } } }`,
    )
    .join(",\n  ")}
});
export default app({ rules: policy });
`;
}

/** What an evaluator of rules needs, straight from the store, with the system's rights. */
function inputOf(
  tx: ReadTx,
  row: Row,
  me: { readonly [claim: string]: Json },
  now: string,
): RuleInput {
  return {
    row,
    next: null,
    me,
    now,
    items: {},
    lookup: (table, id) => tx.get(table, id, null),
    some: (table, alias, where, outer) => tx.some(table, alias, where, outer),
  };
}

function naiveRows(
  harness: GateHarness,
  table: string,
  me: { readonly [claim: string]: Json },
): readonly Row[] {
  const { read, fields } = harness.manifest.tables[table]?.rules ?? assert.fail("no such table");
  const now = timeOfMs(harness.clock.ms);
  const allows = (rule: Rule | undefined, tx: ReadTx, row: Row): boolean =>
    rule !== undefined && compileRule(rule.expr)(inputOf(tx, row, me, now)) === true;
  const query = {
    kind: "list",
    from: table,
    orderBy: [{ field: "id", descending: false }],
    limit: 1_000,
  } as const;
  const rows = harness.store.read((tx) => {
    const page = tx.list(query, null);
    assert.ok(!(page instanceof Promise));
    return page.rows
      .filter((row) => allows(read, tx, row))
      .map((row) => {
        const { secret: _, level, ...rest } = row;
        return allows(fields["level"]?.read, tx, row) ? { ...rest, level: level ?? null } : rest;
      });
  });
  assert.ok(!(rows instanceof Promise));
  return rows;
}

async function pagedRows(harness: GateHarness, who: Asker, table: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const query = { limit: 4, ...(after === undefined ? {} : { after }) };
    const page = await harness.value(who, { kind: "list", table, query });
    const { rows: more, next } = page as { rows: readonly Row[]; next: string | null };
    rows.push(...more);
    after = next;
  }
  return rows;
}

test("a caller is answered exactly what a naive reader leaves of all rows", async () => {
  await fc.assert(
    fc.asyncProperty(world, async ({ rules, rows, members }) => {
      const harness = await openGateHarness({ files: { "app.ts": sourceOf(rules) } });
      try {
        const names = Object.keys(harness.manifest.tables).filter((name) =>
          name.startsWith("thing"),
        );
        const users = await harness.asSystem((db) => {
          const add = (table: string, value: { readonly [field: string]: Json }) =>
            (db.create(table, value, "system") as Row)["id"] as string;
          const users = [0, 2, null].map((level) => add("user", { level }));
          const bases = [0, 1, 2].map((n) =>
            add("base", { owner: n === 2 ? null : (users[n] ?? null), level: n }),
          );
          for (const { who, level } of members) add("member", { who: users[who] ?? null, level });
          for (const { owner, parent, ...rest } of rows) {
            const value = {
              ...rest,
              owner: owner === null ? null : (users[owner] ?? null),
              parent: parent === null ? null : (bases[parent] ?? null),
              secret: "CANARY",
            };
            for (const name of names) add(name, value);
          }
          return users;
        });
        const askers: readonly Asker[] = [
          null,
          { id: users[0] ?? "" },
          { id: users[1] ?? "", role: "staff" },
          { id: users[2] ?? "", role: "guest", team: "a" },
          { id: "user_of_another_world", team: "b" },
        ];
        // Before and after the moment that some rules speak of: rights are remembered, time goes on.
        for (const afterMs of [0, 1_000]) {
          harness.clock.ms += afterMs;
          for (const table of names) {
            for (const who of askers) await compareTable(harness, table, who);
          }
        }
      } finally {
        await harness.close();
      }
    }),
    { numRuns: 10 },
  );
});

async function compareTable(harness: GateHarness, table: string, who: Asker): Promise<void> {
  const { id = null, role = null, ...claims } = who ?? {};
  const me = { id, role, ...claims } as { readonly [claim: string]: Json };
  const expected = naiveRows(harness, table, me);
  const told = `${table}: ${harness.manifest.tables[table]?.rules.read?.text} as ${JSON.stringify(me)}`;
  assert.deepEqual(await pagedRows(harness, who, table), expected, told);
  const count = { aggregate: { n: "count" } };
  const counted = await harness.value(who, { kind: "list", table, query: count });
  assert.deepEqual(counted, { rows: [{ n: expected.length }], next: null }, told);
  const kinds = await harness.value(who, {
    kind: "list",
    table,
    query: { where: { kind: "a" }, select: ["kind"] },
  });
  const ofKind = expected.filter((row) => row["kind"] === "a").map((row) => row["id"]);
  assert.deepEqual(
    (kinds as { rows: readonly Row[] }).rows.map((row) => row["id"]),
    ofKind,
    told,
  );
  const all = await harness.asSystem((db) => db.list(table, {}, "system"));
  assert.ok(!(all instanceof Promise));
  for (const { id } of all.rows) {
    const outcome = await harness.ask(who, { kind: "get", table, id: id as string, query: {} });
    const row = expected.find((row) => row["id"] === id);
    assert.equal(outcome.code, row === undefined ? "NOT_FOUND" : null, told);
    if (row !== undefined) assert.deepEqual(JSON.parse(outcome.text), row, told);
  }
}
