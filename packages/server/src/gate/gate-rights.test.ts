// Rights on data at the gate, as data: who, what, and what must and must not come of it. Field rules are
// walked over every operation that could tell of a field.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import { openGateHarness, type GateHarness } from "./gate-harness.case.ts";
import type { GateOperation } from "./gate-request.ts";
import type { QueryForm } from "../model/query-form.ts";
import { plantStudio, studioFiles, type Studio, type StudioRow } from "./studio.case.ts";

type Who = "nobody" | "ann" | "bob" | "staff";

interface Scenario {
  readonly name: string;
  readonly who: Who | readonly Who[];
  readonly does: (id: Readonly<Record<StudioRow, string>>) => GateOperation;
  /** Null: it is answered. */
  readonly code: string | null;
  readonly holds?: readonly string[];
  readonly lacks?: readonly string[];
  /** What the trace must hold, for people who develop the app. */
  readonly traced?: readonly string[];
}

const everybody: readonly Who[] = ["nobody", "ann", "bob", "staff"];
const list =
  (table: string, query: QueryForm = {}) =>
  (): GateOperation => ({ kind: "list", table, query });
const get =
  (table: string, row: StudioRow, query: QueryForm = {}) =>
  (id: Readonly<Record<StudioRow, string>>): GateOperation => ({
    kind: "get",
    table,
    id: id[row],
    query,
  });
const create =
  (table: string, value: (id: Readonly<Record<StudioRow, string>>) => Json) =>
  (id: Readonly<Record<StudioRow, string>>): GateOperation => ({
    kind: "create",
    table,
    value: value(id),
  });
const update =
  (
    table: string,
    row: StudioRow,
    value: Json | ((id: Readonly<Record<StudioRow, string>>) => Json),
  ) =>
  (id: Readonly<Record<StudioRow, string>>): GateOperation => ({
    kind: "update",
    table,
    id: id[row],
    value: typeof value === "function" ? value(id) : value,
  });
const remove =
  (table: string, row: StudioRow) =>
  (id: Readonly<Record<StudioRow, string>>): GateOperation => ({
    kind: "delete",
    table,
    id: id[row],
  });

const budgets = ["111111111", "222222222", "333333333"];

const scenarios: readonly Scenario[] = [
  // Reading rows
  {
    name: "a row that may be read is answered",
    who: everybody,
    does: get("film", "open"),
    code: null,
    holds: ["Open"],
  },
  {
    name: "a row that may not be read does not exist",
    who: ["nobody", "bob"],
    does: get("film", "draft"),
    code: "NOT_FOUND",
    lacks: ["CANARY"],
    traced: ["row.owner === me.id"],
  },
  {
    name: "its owner and staff read it",
    who: ["ann", "staff"],
    does: get("film", "draft"),
    code: null,
    holds: ["CANARY_ANN_DRAFT"],
  },
  {
    name: "lists leave it out",
    who: ["nobody", "bob"],
    does: list("film"),
    code: null,
    holds: ["Open", "Bobs"],
    lacks: ["CANARY_ANN"],
  },
  {
    name: "counts leave it out",
    who: ["nobody", "bob"],
    does: list("film", { aggregate: { n: "count" } }),
    code: null,
    holds: ['{"n":2}'],
  },
  {
    name: "and count it for its owner",
    who: ["ann", "staff"],
    does: list("film", { aggregate: { n: "count" } }),
    code: null,
    holds: ['{"n":3}'],
  },
  {
    name: "maxima leave it out",
    who: ["nobody", "bob"],
    does: list("film", { aggregate: { top: { max: "rating" } } }),
    code: null,
    holds: ['{"top":7}'],
  },
  {
    name: "sums leave it out",
    who: ["nobody", "bob"],
    does: list("film", { aggregate: { all: { sum: "rating" } } }),
    code: null,
    holds: ['{"all":12}'],
  },
  {
    name: "groups leave it out",
    who: ["nobody", "bob"],
    does: list("film", { aggregate: { n: "count" }, groupBy: ["rating"] }),
    code: null,
    lacks: ['"rating":9'],
  },
  {
    name: "searches leave it out",
    who: ["nobody", "bob"],
    does: list("film", { search: "CANARY_ANN_DRAFT" }),
    code: null,
    holds: ['"rows":[]'],
  },
  {
    name: "filters do not find it",
    who: ["nobody", "bob"],
    does: list("film", { where: { rating: 9 } }),
    code: null,
    holds: ['"rows":[]'],
  },
  {
    name: "an expansion of a reference to it is null",
    who: ["nobody", "bob"],
    does: list("note", { with: "film", where: { text: "on a draft" } }),
    code: null,
    holds: ['"text":"on a draft"'],
    lacks: ["CANARY_ANN"],
  },
  {
    name: "a rule with db.some is asked",
    who: "ann",
    does: list("booking"),
    code: null,
    holds: ["A1"],
    lacks: ["B1"],
  },
  {
    name: "a table with no rule is not there",
    who: everybody,
    does: get("vault", "vault"),
    code: "TABLE_NOT_FOUND",
    lacks: ["CANARY"],
  },
  { name: "nor to list", who: everybody, does: list("vault"), code: "TABLE_NOT_FOUND" },
  {
    name: "nor to write",
    who: everybody,
    does: create("vault", () => ({ text: "x" })),
    code: "TABLE_NOT_FOUND",
  },
  {
    name: "nor is one that does not exist",
    who: "nobody",
    does: list("nothing"),
    code: "TABLE_NOT_FOUND",
  },
  {
    name: "a table with no read rule is not listed",
    who: everybody,
    does: list("box"),
    code: "RULE_DENIED",
  },
  {
    name: "nor counted",
    who: everybody,
    does: list("box", { aggregate: { n: "count" } }),
    code: "RULE_DENIED",
  },
  {
    name: "a table whose rule hides all is an empty list",
    who: "nobody",
    does: list("account"),
    code: null,
    holds: ['"rows":[]'],
  },

  // Field rules that are never true for a caller
  {
    name: "a field goes from get",
    who: ["nobody", "ann", "bob"],
    does: get("film", "open"),
    code: null,
    lacks: ["budget", ...budgets],
  },
  {
    name: "from list",
    who: ["nobody", "ann", "bob"],
    does: list("film"),
    code: null,
    lacks: ["budget", ...budgets],
  },
  {
    name: "also when it is selected",
    who: ["nobody", "ann"],
    does: list("film", { select: ["title", "budget"] }),
    code: null,
    holds: ["Open"],
    lacks: ["budget", ...budgets],
  },
  {
    name: "from an expansion",
    who: ["nobody", "ann"],
    does: list("note", { with: { film: true } }),
    code: null,
    holds: ['"title":"Open"'],
    lacks: ["budget", ...budgets],
  },
  {
    name: "from an expansion that selects it",
    who: ["nobody", "bob"],
    does: list("note", { with: { film: { select: ["title", "budget"] } } }),
    code: null,
    holds: ["Open"],
    lacks: ["budget"],
  },
  {
    name: "from an expansion inside an expansion",
    who: "ann",
    does: list("film", { with: { note: { with: { film: true } } } }),
    code: null,
    holds: ["by bob"],
    lacks: ["budget", ...budgets],
  },
  {
    name: "staff read it",
    who: "staff",
    does: get("film", "open"),
    code: null,
    holds: ['"budget":111111111'],
  },
  {
    name: "no ordering by it",
    who: ["nobody", "ann", "bob"],
    does: list("film", { orderBy: "budget" }),
    code: "FIELD_NOT_READABLE",
    lacks: budgets,
  },
  {
    name: "nor as a second term",
    who: "ann",
    does: list("film", { orderBy: ["-title", "-budget"] }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no filtering by it",
    who: ["nobody", "ann", "bob"],
    does: list("film", { where: { budget: { gt: 1 } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor for its absence",
    who: "ann",
    does: list("film", { where: { budget: null } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor below or and not",
    who: "ann",
    does: list("film", { where: { or: [{ title: "x" }, { not: { budget: 1 } }] } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor in an aggregate's filter",
    who: "ann",
    does: list("film", { where: { budget: 1 }, aggregate: { n: "count" } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no sum of it",
    who: "ann",
    does: list("film", { aggregate: { s: { sum: "budget" } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no minimum of it",
    who: "ann",
    does: list("film", { aggregate: { s: { min: "budget" } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no average of it",
    who: "ann",
    does: list("film", { aggregate: { s: { avg: "budget" } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no grouping by it",
    who: "ann",
    does: list("film", { aggregate: { n: "count" }, groupBy: ["budget"] }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "all of it for staff",
    who: "staff",
    does: list("film", { where: { budget: { gt: 1 } }, aggregate: { s: { sum: "budget" } } }),
    code: null,
    holds: ["666666666"],
  },

  // Field rules that depend on the row
  {
    name: "a field goes from the rows of others",
    who: "ann",
    does: list("film"),
    code: null,
    holds: ["CANARY_ANN_MEMO"],
    lacks: ["CANARY_BOB_MEMO"],
  },
  {
    name: "from get",
    who: ["nobody", "bob", "staff"],
    does: get("film", "open"),
    code: null,
    lacks: ["memo", "CANARY"],
  },
  {
    name: "not from one's own",
    who: "bob",
    does: get("film", "bobs"),
    code: null,
    holds: ["CANARY_BOB_MEMO"],
  },
  {
    name: "also when what the rule looks at is not selected",
    who: "ann",
    does: list("film", { select: ["memo"] }),
    code: null,
    holds: ["CANARY_ANN_MEMO"],
    lacks: ["CANARY_BOB_MEMO", "owner", "title"],
  },
  {
    name: "in expansions",
    who: "bob",
    does: list("note", { with: { film: { select: ["memo"] } } }),
    code: null,
    holds: ["CANARY_BOB_MEMO"],
    lacks: ["CANARY_ANN_MEMO", "owner"],
  },
  {
    name: "in rows of many",
    who: "ann",
    does: get("film", "open", { with: { note: true } }),
    code: null,
    holds: ["by bob"],
    lacks: ["CANARY_BOB"],
  },
  {
    name: "in rows of many that select it",
    who: "ann",
    does: list("film", { with: { note: { select: ["secret"] } } }),
    code: null,
    holds: ["CANARY_ANN_SECRET"],
    lacks: ["CANARY_BOB", "by bob"],
  },
  {
    name: "no ordering by it",
    who: ["ann", "staff"],
    does: list("film", { orderBy: "memo" }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no filtering by it",
    who: ["ann", "staff"],
    does: list("film", { where: { memo: { startsWith: "CANARY_B" } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no filtering by it in an expansion",
    who: "ann",
    does: list("film", { with: { note: { where: { secret: "CANARY_BOB_SECRET" } } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no ordering by it in an expansion",
    who: "ann",
    does: list("film", { with: { note: { orderBy: "secret" } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor two levels down",
    who: "ann",
    does: list("booking", { with: { film: { with: { note: { where: { secret: "x" } } } } } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "no search where it is searched",
    who: ["nobody", "ann", "bob"],
    does: list("note", { search: "CANARY_BOB_SECRET" }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor counting what a search finds",
    who: "ann",
    does: list("note", { search: "CANARY_BOB_SECRET", aggregate: { n: "count" } }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "a search for nothing is a list",
    who: "nobody",
    does: list("note", { search: "" }),
    code: null,
    holds: ["by bob"],
    lacks: ["CANARY_BOB"],
  },
  {
    name: "a reference that may not be read is not expanded",
    who: "nobody",
    does: list("note", { with: "author" }),
    code: null,
    holds: ["by bob"],
    lacks: ["author", "CANARY_BOB"],
  },
  {
    name: "one's own is",
    who: "ann",
    does: get("note", "annNote", { with: "author" }),
    code: null,
    holds: ['"author":{"id":"user_', '"name":"Ann"'],
    lacks: ["CANARY_NOBODY", "password"],
  },
  {
    name: "a rule that walks the expanded reference still holds",
    who: "bob",
    does: get("note", "annNote", { with: "film" }),
    code: null,
    holds: ['"film":{"id":"film_', '"author":"user_'],
    lacks: ["CANARY_ANN"],
  },
  {
    name: "also for somebody else",
    who: "nobody",
    does: get("note", "annNote", { with: "film" }),
    code: null,
    holds: ['"film":{"id":"film_'],
    lacks: ["author", "CANARY"],
  },
  {
    name: "no expansion back along a reference that may not be read",
    who: "ann",
    does: get("user", "ann", { with: { note: { via: "author" } } }),
    code: "FIELD_NOT_READABLE",
  },

  // Private fields
  {
    name: "a private field leaves by no get",
    who: ["ann", "staff"],
    does: get("user", "ann"),
    code: null,
    holds: ["ann@x.example"],
    lacks: ["password", "CANARY_NOBODY"],
  },
  {
    name: "by no list",
    who: "staff",
    does: list("user"),
    code: null,
    holds: ["Sam"],
    lacks: ["password", "CANARY_NOBODY"],
  },
  {
    name: "by no select",
    who: "staff",
    does: list("user", { select: ["password"] }),
    code: "QUERY_INVALID",
    lacks: ["CANARY"],
  },
  {
    name: "by no filter",
    who: "staff",
    does: list("user", { where: { password: { startsWith: "C" } } }),
    code: "QUERY_INVALID",
  },
  {
    name: "by no order",
    who: "staff",
    does: list("user", { orderBy: "password" }),
    code: "QUERY_INVALID",
  },
  {
    name: "by no expansion",
    who: "staff",
    does: list("film", { with: "owner" }),
    code: null,
    holds: ["Ann"],
    lacks: ["password", "CANARY_NOBODY"],
  },
  {
    name: "and is never written",
    who: "staff",
    does: create("film", () => ({ title: "x", code: "mine" })),
    code: "FIELD_UNKNOWN",
  },

  // Writing
  {
    name: "create is for whom the rule says",
    who: ["nobody", "bob"],
    does: create("film", (id) => ({ title: "x", owner: id.ann })),
    code: "RULE_DENIED",
  },
  {
    name: "create answers without what may not be read",
    who: "ann",
    does: create("film", (id) => ({ title: "new", owner: id.ann, memo: "mine" })),
    code: null,
    holds: ['"title":"new"', '"memo":"mine"'],
    lacks: ["budget", "code"],
  },
  {
    name: "a field rule of writing holds on create",
    who: "ann",
    does: create("film", (id) => ({ title: "new", owner: id.ann, budget: 5 })),
    code: "FIELD_NOT_WRITABLE",
  },
  {
    name: "also when the value is null",
    who: "ann",
    does: create("film", (id) => ({ title: "new", owner: id.ann, budget: null })),
    code: "FIELD_NOT_WRITABLE",
  },
  {
    name: "on update",
    who: "ann",
    does: update("film", "open", { budget: 5 }),
    code: "FIELD_NOT_WRITABLE",
  },
  {
    name: "staff write it, and read of the answer what they may",
    who: "staff",
    does: update("film", "bobs", { budget: 333_333_333 }),
    code: null,
    holds: ['"budget":333333333'],
    lacks: ["CANARY_BOB_MEMO"],
  },
  {
    name: "update of a row that may not be read is 404",
    who: ["nobody", "bob"],
    does: update("film", "draft", { title: "x" }),
    code: "NOT_FOUND",
    lacks: ["CANARY"],
  },
  {
    name: "update of a row that may be read and not written is 403",
    who: ["nobody", "bob"],
    does: update("film", "open", { title: "x" }),
    code: "RULE_DENIED",
    traced: ["row.owner === me.id"],
  },
  {
    name: "an update may not give a row away",
    who: "bob",
    does: update("film", "bobs", (id) => ({ owner: id.ann })),
    code: "RULE_DENIED",
  },
  {
    name: "update answers without what may not be read",
    who: "ann",
    does: update("film", "open", { title: "Open" }),
    code: null,
    holds: ["CANARY_ANN_MEMO"],
    lacks: ["budget", "111111111"],
  },
  {
    name: "immutable stays",
    who: "staff",
    does: update("film", "open", { slug: "other" }),
    code: "FIELD_IMMUTABLE",
  },
  {
    name: "ids stay",
    who: "staff",
    does: update("film", "open", (id) => ({ id: id.bobs })),
    code: "FIELD_IMMUTABLE",
  },
  {
    name: "unknown fields are refused",
    who: "staff",
    does: update("film", "open", { isAdmin: true }),
    code: "FIELD_UNKNOWN",
  },
  {
    name: "values are validated before rights are asked",
    who: "nobody",
    does: create("film", () => ({ title: 7 })),
    code: "VALUE_INVALID",
  },
  {
    name: "delete of a row that may not be read is 404",
    who: "bob",
    does: remove("film", "draft"),
    code: "NOT_FOUND",
  },
  {
    name: "delete of one that may be read is 403",
    who: ["nobody", "bob", "ann"],
    does: remove("film", "open"),
    code: "RULE_DENIED",
  },
  {
    name: "a table without delete rule denies",
    who: "ann",
    does: remove("account", "annAccount"),
    code: "RULE_DENIED",
  },
  {
    name: "a row that may be made and not read answers its id alone",
    who: "nobody",
    does: create("box", () => ({ text: "CANARY_BOX" })),
    code: null,
    holds: ['{"id":"box_'],
    lacks: ["CANARY_BOX", "text"],
  },
  {
    name: "a check holds",
    who: "ann",
    does: update("account", "annAccount", { balance: -1 }),
    code: "CHECK_FAILED",
    holds: ["never overdrawn"],
  },
  {
    name: "a taken value names fields, not values or rows",
    who: "ann",
    does: create("booking", (id) => ({ film: id.open, customer: id.ann, seat: "B1" })),
    code: "UNIQUE_TAKEN",
    holds: ['"fields":["film","seat"]'],
    lacks: ["B1", "booking_", "user_", "film_"],
  },
  {
    name: "a row in use is not deleted, nor told by whom",
    who: "staff",
    does: remove("film", "open"),
    code: "REF_IN_USE",
    lacks: ["count", "booking_"],
  },

  // References
  {
    name: "a reference to a row that may not be read is missing",
    who: "bob",
    does: create("note", (id) => ({ film: id.draft, author: id.bob, text: "x" })),
    code: "REF_MISSING",
    holds: ['{"table":"note","field":"film"}'],
  },
  {
    name: "exactly as one that does not exist",
    who: "bob",
    does: create("note", (id) => ({
      film: `${id.draft.slice(0, -1)}${id.draft.endsWith("0") ? "1" : "0"}`,
      author: id.bob,
      text: "x",
    })),
    code: "REF_MISSING",
    holds: ['{"table":"note","field":"film"}'],
  },
  {
    name: "to one that may be read is fine",
    who: "ann",
    does: create("note", (id) => ({ film: id.draft, author: id.ann, text: "fine" })),
    code: null,
    holds: ["fine"],
  },
  {
    name: "one's own user is fine",
    who: "bob",
    does: create("note", (id) => ({ film: id.open, author: id.bob, text: "me" })),
    code: null,
  },
  {
    name: "another user who may not be read is missing",
    who: "bob",
    does: create("film", (id) => ({ title: "x", owner: id.bob, partner: id.ann })),
    code: "REF_MISSING",
    holds: ['"field":"partner"'],
  },
  {
    name: "also on update",
    who: "bob",
    does: update("film", "bobs", (id) => ({ partner: id.ann })),
    code: "REF_MISSING",
  },
  {
    name: "not for somebody who may read all users",
    who: "staff",
    does: update("film", "bobs", (id) => ({ partner: id.sam })),
    code: null,
  },
  {
    name: "and what one reads already may be sent back",
    who: "bob",
    does: update("film", "bobs", (id) => ({ partner: id.sam })),
    code: null,
  },
  {
    name: "a reference may be taken away",
    who: "bob",
    does: update("film", "bobs", { partner: null }),
    code: null,
  },
];

describe("rights", () => {
  let harness: GateHarness;
  let studio: Studio;
  before(async () => {
    harness = await openGateHarness({ files: studioFiles });
    studio = await plantStudio(harness);
  });
  after(() => harness.close());

  for (const scenario of scenarios) {
    const whos = typeof scenario.who === "string" ? [scenario.who] : scenario.who;
    for (const who of whos) {
      test(`as ${who}: ${scenario.name}`, async () => {
        const asker = who === "nobody" ? null : studio[who];
        const outcome = await harness.ask(asker, scenario.does(studio.id));
        assert.equal(outcome.code, scenario.code, outcome.text);
        for (const text of scenario.holds ?? [])
          assert.ok(outcome.text.includes(text), `${text} in ${outcome.text}`);
        for (const text of scenario.lacks ?? [])
          assert.ok(!outcome.text.includes(text), `${text} in ${outcome.text}`);
        const { error: _, ...trace } = harness.lastTrace();
        for (const text of scenario.traced ?? [])
          assert.ok(JSON.stringify(trace).includes(text.replaceAll('"', '\\"')));
      });
    }
  }
});
