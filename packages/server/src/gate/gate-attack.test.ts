// Attacks on the gate that once went through, each with what it must meet now.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import type { Limits } from "../base/limits.ts";
import type { GateOperation } from "./gate-request.ts";
import { openGateHarness, type Asker, type GateHarness } from "./gate-harness.case.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { mutation, rules, app } = define({
  user: table({ name: t.text({ max: 100 }) }),
  film: table({ title: t.text({ max: 10_000 }), rating: t.number().optional(), stars: t.int().optional() }).index("rating"),
  review: table({ film: t.ref("film"), text: t.text({ max: 200 }) }),
  note: table({ owner: t.ref("user"), text: t.text({ max: 200 }) }).search("text"),
  task: table({ owner: t.ref("user", { onDelete: "clear" }).optional(), done: t.bool().default(false) })
    .check(({ next }) => next.done || next.owner !== null, "an open task has an owner"),
  shift: table({ user: t.ref("user", { onDelete: "clear" }).optional(), closed: t.bool().default(false) })
    .check(({ next }) => next.closed || next.user !== null, "CANARY shift"),
  ledger: table({ film: t.ref("film"), owner: t.ref("user").optional(), amountCanary: t.int() }),
});
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({
  user: { read: () => true, delete: () => true },
  film: { read: () => true, create: () => true },
  review: { read: () => true },
  note: { read: ({ row, me }) => row.owner === me.id || me.role === "staff", create: ({ next, me }) => next.owner === me.id },
  task: { read: () => true },
});
`,
  "fns.ts": `
import { t } from "keelson";
import { mutation } from "./schema.ts";
export const wrong = mutation({
  args: {}, allow: "anyone", returns: t.int(),
  async run({ db }) { await db.film.create({ title: "wrong" }); return "none" as never; },
});
export const large = mutation({
  args: {}, allow: "anyone",
  async run({ db }) { await db.film.create({ title: "large" }); return "x".repeat(5_000_000); },
});
export const fire = mutation({
  args: { user: t.id("user") }, allow: "anyone",
  async run({ db }, { user }) {
    try { await db.user.delete(user); return "gone"; } catch (error) { return (error as { code: string }).code; }
  },
});
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as fns from "./fns.ts";
export default app({ rules, functions: { fns } });
`,
};

async function withApp(
  options: { readonly functions?: boolean; readonly limits?: Partial<Limits> },
  body: (harness: GateHarness) => Promise<void>,
): Promise<void> {
  const harness = await openGateHarness({ files, ...options });
  try {
    await body(harness);
  } finally {
    await harness.close();
  }
}

const list = (table: string, query: Json): GateOperation =>
  ({ kind: "list", table, query }) as GateOperation;

/** Adds rows as the system. @returns their ids. */
function plant(harness: GateHarness, table: string, values: readonly Json[]): Promise<string[]> {
  return harness.asSystem((db) =>
    values.map((value) => {
      const row = db.create(table, value, "system");
      if (row instanceof Promise) throw new Error("the embedded engine answers at once");
      return row["id"] as string;
    }),
  );
}

/** One film of a long title with many reviews. */
async function plantFilm(harness: GateHarness, reviews: number): Promise<string> {
  const [film = ""] = await plant(harness, "film", [{ title: "z".repeat(10_000) }]);
  const rows = Array.from({ length: reviews }, (_, index) => ({ film, text: `review ${index}` }));
  await plant(harness, "review", rows);
  return film;
}

test("rows that a caller may not read move nothing in what it finds, its order and cursor", () =>
  withApp({}, async (harness) => {
    const [ann = "", bob = ""] = await plant(harness, "user", [{ name: "Ann" }, { name: "Bob" }]);
    const texts = ["merger merger talks", "merger talks talks", "talks of a merger"];
    await plant(
      harness,
      "note",
      texts.map((text) => ({ owner: ann, text })),
    );
    const search = list("note", { search: "merger talks", limit: 2 });
    const asAnn = await harness.value({ id: ann }, search);
    const asStaff = await harness.value({ id: ann, role: "staff" }, search);
    const secrets = Array.from({ length: 20 }, () => ({ owner: bob, text: "the merger is on" }));
    await plant(harness, "note", secrets);
    assert.deepEqual(await harness.value({ id: ann }, search), asAnn);
    // Whoever reads every row is told by relevance, as before.
    assert.notDeepEqual(await harness.value({ id: ann, role: "staff" }, search), asStaff);
  }));

test("pages of a search by somebody who may not read every row are newest first and whole", () =>
  withApp({}, async (harness) => {
    const [ann = ""] = await plant(harness, "user", [{ name: "Ann" }]);
    const notes = Array.from({ length: 5 }, (_, index) => ({ owner: ann, text: `soup ${index}` }));
    const ids = await plant(harness, "note", notes);
    const found: string[] = [];
    let after: string | null = null;
    do {
      const query: Json = { search: "soup", limit: 2, ...(after === null ? {} : { after }) };
      const page = (await harness.value({ id: ann }, list("note", query))) as unknown as {
        rows: { id: string }[];
        next: string | null;
      };
      found.push(...page.rows.map(({ id }) => id));
      after = page.next;
    } while (after !== null);
    assert.deepEqual(found, ids.toSorted().toReversed());
  }));

test("a row that stands in an answer many times does not make the answer endless", () =>
  withApp({}, async (harness) => {
    await plantFilm(harness, 200);
    const inner = { film: { with: { review: { limit: 100, with: "film" } } } };
    // 200 reviews, each with a film of 100 reviews, each with the film again: 200 MB of titles.
    const outcome = await harness.ask(null, list("review", { limit: 200, with: inner }));
    assert.equal(outcome.code, "QUERY_TOO_COSTLY");
    assert.equal(outcome.error?.details["limit"], "readBytesMax");
    assert.equal((await harness.ask(null, list("review", { limit: 1, with: inner }))).code, null);
  }));

test("rows of expansions are counted no further than the budget of rows", () =>
  withApp({ limits: { rowsReadMax: 10_000 } }, async (harness) => {
    await plantFilm(harness, 1_000);
    const fan = Object.fromEntries(
      Array.from({ length: 15 }, (_, index) => [
        `r${index}`,
        { from: "review", via: "film", select: ["text"], limit: 1_000 },
      ]),
    );
    const wide = list("review", {
      limit: 1_000,
      with: { film: { select: ["rating"], with: fan } },
    });
    assert.equal((await harness.ask(null, wide)).code, "FUNCTION_ROWS_EXCEEDED");
    const end = { film: { select: ["rating"] } };
    const deep = { film: { select: ["rating"], with: { review: { limit: 1_000, with: end } } } };
    const outcome = await harness.ask(null, list("review", { limit: 1_000, with: deep }));
    assert.equal(outcome.code, "FUNCTION_ROWS_EXCEEDED");
  }));

test("many small answers of one batch are a large answer", () =>
  withApp({ limits: { readBytesMax: 65_536 } }, async (harness) => {
    await plantFilm(harness, 0);
    const step = list("film", {});
    const batch = (steps: number): GateOperation => ({
      kind: "batch",
      steps: Array.from({ length: steps }, () => step),
    });
    assert.equal((await harness.ask(null, batch(5))).code, null);
    const outcome = await harness.ask(null, batch(20));
    assert.equal(outcome.code, "QUERY_TOO_COSTLY");
    assert.equal(outcome.error?.details["step"], 7);
  }));

test("groups are answered all, or refused, or cut off by a limit", () =>
  withApp({ limits: { pageRowsDefault: 2, pageRowsMax: 5 } }, async (harness) => {
    const groups = (more: object = {}) => {
      const query = { aggregate: { films: "count" }, groupBy: ["title"], ...more } as const;
      return harness.ask(null, list("film", query));
    };
    const films = Array.from({ length: 6 }, (_, index) => ({ title: `film ${index}` }));
    await plant(harness, "film", films.slice(1));
    assert.equal((await groups()).text.split("film ").length - 1, 5, "all that fit");
    await plant(harness, "film", films.slice(0, 1));
    const refused = await groups();
    assert.equal(refused.code, "QUERY_INVALID");
    const [issue] = (refused.error?.details["issues"] ?? []) as { path: string; problem: string }[];
    assert.equal(issue?.path, "groupBy");
    assert.match(issue?.problem ?? "", /^makes more than 5 groups/);
    assert.equal((await groups({ limit: 3 })).text.split("film ").length - 1, 3);
    assert.equal((await groups({ where: { title: { not: "film 3" } } })).code, null);
    const steps = [list("film", {}), list("film", { groupBy: ["title"] })];
    const batch = await harness.ask(null, { kind: "batch", steps });
    assert.equal(batch.code, "QUERY_INVALID");
    assert.equal(batch.error?.details["step"], 1);
    const all = await harness.ask(null, list("film", { aggregate: { films: "count" } }));
    assert.match(all.text, /"films":6/);
  }));

test("large rows are measured without expansions too", () =>
  withApp({ limits: { readBytesMax: 65_536 } }, async (harness) => {
    const films = Array.from({ length: 10 }, () => ({ title: "z".repeat(10_000) }));
    await plant(harness, "film", films);
    assert.equal((await harness.ask(null, list("film", { limit: 6 }))).code, null);
    assert.equal((await harness.ask(null, list("film", {}))).code, "QUERY_TOO_COSTLY");
    assert.equal((await harness.ask(null, list("film", { select: ["rating"] }))).code, null);
  }));

test("a table without rules is not there in expansions either, nor are its fields", () =>
  withApp({}, async (harness) => {
    const [film = ""] = await plant(harness, "film", [{ title: "A" }]);
    await plant(harness, "ledger", [{ film, amountCanary: 7 }]);
    const asked: readonly Json[] = [
      { with: "ledger" },
      { with: "ledge" },
      { with: { ledger: { where: { amount: 7 } } } },
      { with: { x: { from: "ledger", where: { amountCanar: 7 } } } },
      { with: { x: { from: "ledgr" } } },
    ];
    for (const query of asked) {
      const outcome = await harness.ask(null, list("film", query));
      assert.equal(outcome.code, "QUERY_INVALID");
      assert.doesNotMatch(outcome.text, /Canary|"ledger\\|did you mean/);
    }
    // The system sees it.
    const page = await harness.asSystem((db) => db.list("film", { with: "ledger" }, "system"));
    assert.match(JSON.stringify(page), /amountCanary/);
  }));

test("a reference that is cleared does not break the checks of its table", () =>
  withApp({ functions: true }, async (harness) => {
    const people = await plant(harness, "user", [{ name: "A" }, { name: "B" }, { name: "C" }]);
    const [busy = "", free = "", hidden = ""] = people;
    const [open = "", done = ""] = await plant(harness, "task", [
      { owner: busy },
      { owner: free, done: true },
    ]);
    await plant(harness, "shift", [{ user: hidden }]);
    const remove = (id: string): GateOperation => ({ kind: "delete", table: "user", id });
    const task = (id: string): GateOperation => ({ kind: "get", table: "task", id, query: {} });

    const refused = await harness.ask(null, remove(busy));
    assert.equal(refused.code, "CHECK_FAILED");
    assert.deepEqual(refused.error?.details, {
      table: "task",
      check: 0,
      message: "an open task has an owner",
    });
    assert.match(JSON.stringify(await harness.value(null, task(open))), new RegExp(busy));

    // A function that catches the refusal finds all as it was, and commits that.
    const fire = await harness.value(null, {
      kind: "call",
      name: "fns.fire",
      args: { user: busy },
    });
    assert.equal(fire, "CHECK_FAILED");
    assert.match(JSON.stringify(await harness.value(null, task(open))), new RegExp(busy));
    assert.match(JSON.stringify(await harness.value(null, list("user", {}))), new RegExp(busy));

    assert.equal((await harness.ask(null, remove(free))).code, null);
    const cleared = (await harness.value(null, task(done))) as { owner: Json };
    assert.equal(cleared.owner, null);

    // What a table that nobody may read asks of its rows is nobody's business.
    const silent = await harness.ask(null, remove(hidden));
    assert.equal(silent.code, "CHECK_FAILED");
    assert.doesNotMatch(silent.text, /shift/);
  }));

test("a result that is refused undoes what its function wrote", () =>
  withApp({ functions: true }, async (harness) => {
    const call = (name: string): GateOperation => ({ kind: "call", name, args: {} });
    assert.equal((await harness.ask(null, call("fns.wrong"), { key: "a" })).code, "RESULT_INVALID");
    assert.equal((await harness.ask(null, call("fns.large"))).code, "RESULT_TOO_LARGE");
    const batch: GateOperation = {
      kind: "batch",
      steps: [
        { kind: "create", table: "film", value: { title: "before" } },
        { kind: "call", name: "fns.wrong", args: {} },
      ],
    };
    assert.equal((await harness.ask(null, batch)).code, "RESULT_INVALID");
    assert.deepEqual(await harness.value(null, list("film", {})), { rows: [], next: null });
  }));

test("a cursor that somebody wrote is refused, or is a place in the list", () =>
  withApp({}, async (harness) => {
    await plant(harness, "film", [
      { title: "A", rating: 1 },
      { title: "B", rating: 2 },
      { title: "C" },
    ]);
    const query = { orderBy: "rating", limit: 1 };
    const page = (await harness.value(null, list("film", query))) as { next: string };
    const [hash] = JSON.parse(Buffer.from(page.next, "base64url").toString()) as [string];
    const ask = (values: string) =>
      harness.ask(
        null,
        list("film", {
          ...query,
          after: Buffer.from(`["${hash}",${values}]`).toString("base64url"),
        }),
      );
    for (const values of [
      '1e400,"x"',
      '-1e400,"x"',
      '"1","x"',
      '{"a":1},"x"',
      "1,null",
      "1",
      '1,"x",2',
    ]) {
      assert.equal((await ask(values)).code, "CURSOR_INVALID", values);
    }
    for (const values of ['1e308,"x"', 'null,"\\u0000"', 'null,"\\ud800"', '-0,""']) {
      assert.equal((await ask(values)).code, null, values);
    }
  }));

test("values of `in` are bounded for a query too, not only for each list", () =>
  withApp({}, async (harness) => {
    const values = Array.from({ length: 500 }, (_, index) => index + 0.5);
    const both = (times: number): Json => ({
      where: {
        and: Array.from({ length: times }, () => ({ rating: { in: values, notIn: values } })),
      },
    });
    assert.equal((await harness.ask(null, list("film", both(10)))).code, null);
    assert.equal((await harness.ask(null, list("film", both(33)))).code, "QUERY_INVALID");
  }));

test("a repeated key brings nobody else the first answer, nor somebody who lost the right to call", () =>
  withApp({}, async (harness) => {
    const [ann = "", bob = ""] = await plant(harness, "user", [{ name: "Ann" }, { name: "Bob" }]);
    const note: GateOperation = {
      kind: "create",
      table: "note",
      value: { owner: ann, text: "mine" },
    };
    const as = (who: Asker) => harness.ask(who, note, { key: "key" });
    const first = await as({ id: ann });
    assert.equal(first.code, null);
    assert.equal((await as({ id: ann })).text, first.text);
    assert.equal((await as({ id: bob })).code, "RULE_DENIED");
    assert.equal((await as(null)).code, "RULE_DENIED");
  }));
