// Functions at the gate: who may call them, what their data calls may see and do, what becomes of what they
// wrote when they fail. Scenarios are data, as in gate-rights.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Json } from "../base/json.ts";
import { openGateHarness, type GateHarness, type HarnessOptions } from "./gate-harness.case.ts";
import type { GateOperation } from "./gate-request.ts";
import { plantStudio, studioFiles, type Studio } from "./studio.case.ts";

type Who = "nobody" | "ann" | "bob" | "staff";
type Ids = Studio["id"];

interface Scenario {
  readonly name: string;
  readonly who: Who | readonly Who[];
  readonly calls: string;
  readonly args?: (id: Ids) => Json;
  readonly code: string | readonly string[] | null;
  readonly holds?: readonly string[];
  readonly lacks?: readonly string[];
  readonly traced?: readonly string[];
}

const everybody: readonly Who[] = ["nobody", "ann", "bob", "staff"];

const scenarios: readonly Scenario[] = [
  // Who may call
  {
    name: "anyone calls what is for anyone",
    who: everybody,
    calls: "film",
    args: (id) => ({ id: id.open }),
    code: null,
    holds: ["Open"],
  },
  {
    name: "a function with no allow is not there",
    who: everybody,
    calls: "hidden",
    code: "FUNCTION_NOT_FOUND",
  },
  {
    name: "nor is one that does not exist",
    who: "nobody",
    calls: "nothing",
    code: "FUNCTION_NOT_FOUND",
  },
  {
    name: "nor an inherited name",
    who: "nobody",
    calls: "constructor",
    code: "FUNCTION_NOT_FOUND",
  },
  {
    name: "signing in is asked for",
    who: "nobody",
    calls: "add",
    args: () => ({ value: {} }),
    code: "SIGN_IN_REQUIRED",
  },
  { name: "also where a role is", who: "nobody", calls: "staffOnly", code: "SIGN_IN_REQUIRED" },
  { name: "another role is denied", who: ["ann", "bob"], calls: "staffOnly", code: "CALL_DENIED" },
  { name: "the role is not", who: "staff", calls: "staffOnly", code: null, holds: ['"staff"'] },
  {
    name: "arguments are validated",
    who: "nobody",
    calls: "film",
    args: () => ({ id: "x" }),
    code: "ARGUMENT_INVALID",
    holds: ["id"],
  },
  {
    name: "unknown arguments are refused",
    who: "nobody",
    calls: "film",
    args: (id) => ({ id: id.open, as: "system" }),
    code: "ARGUMENT_INVALID",
  },
  { name: "missing ones too", who: "nobody", calls: "film", code: "ARGUMENT_INVALID" },

  // What their data calls see: the caller's rights
  {
    name: "fields go from db.get",
    who: ["nobody", "ann", "bob"],
    calls: "film",
    args: (id) => ({ id: id.open }),
    code: null,
    lacks: ["budget", "code", "CANARY_NOBODY"],
  },
  {
    name: "and stay for staff",
    who: "staff",
    calls: "film",
    args: (id) => ({ id: id.open }),
    code: null,
    holds: ["111111111"],
    lacks: ["CANARY"],
  },
  {
    name: "rows go from db.get",
    who: ["nobody", "bob"],
    calls: "film",
    args: (id) => ({ id: id.draft }),
    code: null,
    holds: ["null"],
    lacks: ["CANARY"],
  },
  {
    name: "rows and fields go from db.list",
    who: "bob",
    calls: "films",
    args: () => ({}),
    code: null,
    holds: ["CANARY_BOB_MEMO"],
    lacks: ["CANARY_ANN", "budget"],
  },
  {
    name: "and from expansions",
    who: "bob",
    calls: "films",
    args: () => ({ expand: true }),
    code: null,
    holds: ["CANARY_BOB_SECRET"],
    lacks: ["CANARY_ANN", "budget"],
  },
  {
    name: "no ordering by what may not be read",
    who: ["nobody", "ann", "bob"],
    calls: "films",
    args: () => ({ by: "budget" }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor by what may be read of some rows",
    who: "ann",
    calls: "films",
    args: () => ({ by: "-memo" }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "nor by a private field",
    who: "staff",
    calls: "films",
    args: () => ({ by: "code" }),
    code: "QUERY_INVALID",
  },
  {
    name: "no sum of what may not be read",
    who: ["nobody", "ann"],
    calls: "total",
    args: () => ({ of: "budget" }),
    code: "FIELD_NOT_READABLE",
  },
  {
    name: "sums of what may be read",
    who: ["nobody", "bob"],
    calls: "total",
    args: () => ({ of: "rating" }),
    code: null,
    holds: ["12"],
  },
  {
    name: "staff sum it",
    who: "staff",
    calls: "total",
    args: () => ({ of: "budget" }),
    code: null,
    holds: ["666666666"],
  },
  {
    name: "asSystem sees all, and the trace says why",
    who: "nobody",
    calls: "titles",
    code: null,
    holds: ["CANARY_ANN_DRAFT"],
    traced: ["titles are no secret"],
  },
  {
    name: "what asSystem reads besides does not leave",
    who: "nobody",
    calls: "titles",
    code: null,
    lacks: ["111111111", "CANARY_NOBODY"],
  },
  {
    name: "a query does not write",
    who: everybody,
    calls: "sneaky",
    code: ["SYSTEM_CALL_DENIED", "FUNCTION_FAILED"],
  },

  // What they ask for that is not there
  {
    name: "a misspelt table is named, with the one that was meant",
    who: "nobody",
    calls: "misspelt",
    args: () => ({ name: "flim" }),
    code: "SYSTEM_CALL_INVALID",
    holds: ["db.flim", 'did you mean \\"film\\"?'],
  },
  {
    name: "one that is like no other, with those that there are",
    who: "nobody",
    calls: "misspelt",
    args: () => ({ name: "hasOwnProperty" }),
    code: "SYSTEM_CALL_INVALID",
    holds: ["db.hasOwnProperty", "there are user, film, note"],
    lacks: ["did you mean", "authTicket"],
  },
  {
    name: "what the language itself looks for is not there, as ever",
    who: "nobody",
    calls: "asked",
    code: null,
    holds: ['[true,"object",false,true]'],
  },
  ...["list", "first", "count", "page"].flatMap((reading) =>
    Object.entries({
      plain: "where.title",
      operator: "where.title.startsWith",
      inside: "where.not.or[1].title",
    }).map(([how, path]) => ({
      name: `${reading} with a filter that got lost on the way is refused, ${how}`,
      who: "nobody" as const,
      calls: "lostFilter",
      args: () => ({ how, reading }),
      code: "QUERY_INVALID" as const,
      holds: [`"path":"${path}"`, "is undefined"],
    })),
  ),
  ...["get", "update", "delete"].flatMap((method) => [
    {
      name: `${method} without an id says so`,
      who: "nobody" as const,
      calls: "withId",
      args: () => ({ method }),
      code: "SYSTEM_CALL_INVALID",
      holds: [`db.box.${method}`, "the id is missing"],
    },
    {
      name: `${method} with another value says what it is`,
      who: "nobody" as const,
      calls: "withId",
      args: () => ({ method, id: 7 }),
      code: "SYSTEM_CALL_INVALID",
      holds: [`db.box.${method}`, "a value of type number"],
    },
  ]),

  // What they may do
  {
    name: "the create rule holds",
    who: "bob",
    calls: "add",
    args: (id) => ({ value: { title: "x", owner: id.ann } }),
    code: "RULE_DENIED",
  },
  {
    name: "field rules of writing hold",
    who: "ann",
    calls: "add",
    args: (id) => ({ value: { title: "x", owner: id.ann, budget: 1 } }),
    code: "FIELD_NOT_WRITABLE",
  },
  {
    name: "values are validated",
    who: "ann",
    calls: "add",
    args: (id) => ({ value: { title: 7, owner: id.ann } }),
    code: "VALUE_INVALID",
  },
  {
    name: "unknown fields are refused",
    who: "ann",
    calls: "add",
    args: (id) => ({ value: { title: "x", owner: id.ann, isAdmin: true } }),
    code: "FIELD_UNKNOWN",
  },
  {
    name: "a row that is made comes back as its maker may read it",
    who: "ann",
    calls: "add",
    args: (id) => ({ value: { title: "made", owner: id.ann } }),
    code: null,
    holds: ["made"],
    lacks: ["budget", "code"],
  },
  {
    name: "the update rule holds",
    who: "bob",
    calls: "change",
    args: (id) => ({ id: id.open, value: { title: "x" } }),
    code: "RULE_DENIED",
  },
  {
    name: "what may not be read is not there to change",
    who: "bob",
    calls: "change",
    args: (id) => ({ id: id.draft, value: { title: "x" } }),
    code: "NOT_FOUND",
  },
  {
    name: "a changed row comes back as its changer may read it",
    who: "ann",
    calls: "change",
    args: (id) => ({ id: id.open, value: { rating: 5 } }),
    code: null,
    holds: ["CANARY_ANN_MEMO"],
    lacks: ["budget"],
  },
  {
    name: "immutable stays",
    who: "ann",
    calls: "change",
    args: (id) => ({ id: id.open, value: { slug: "x" } }),
    code: "FIELD_IMMUTABLE",
  },
  {
    name: "a reference must lead to what may be read",
    who: "bob",
    calls: "takeSeat",
    args: (id) => ({ film: id.draft, seat: "Z1" }),
    code: "REF_MISSING",
  },
  {
    name: "a taken seat is a conflict",
    who: "ann",
    calls: "takeSeat",
    args: (id) => ({ film: id.open, seat: "B1" }),
    code: "UNIQUE_TAKEN",
    lacks: ["B1"],
  },
  {
    name: "a free one is taken",
    who: "ann",
    calls: "takeSeat",
    args: (id) => ({ film: id.open, seat: "C1" }),
    code: null,
    holds: ["booking_"],
  },

  // Results
  {
    name: "unknown keys in a result are refused",
    who: "nobody",
    calls: "wrong",
    code: "RESULT_INVALID",
    lacks: ["extra"],
  },

  // Actions
  {
    name: "an action runs functions as its caller",
    who: "bob",
    calls: "act",
    args: (id) => ({ film: id.open, seat: "D1" }),
    code: null,
    holds: ['"films":', "booking_"],
  },
  {
    name: "with all their refusals",
    who: "bob",
    calls: "act",
    args: (id) => ({ film: id.draft, seat: "D2" }),
    code: "REF_MISSING",
  },
];

async function withStudio(
  options: Partial<HarnessOptions>,
  body: (harness: GateHarness, studio: Studio) => Promise<void>,
): Promise<void> {
  const harness = await openGateHarness({ files: studioFiles, functions: true, ...options });
  try {
    await body(harness, await plantStudio(harness));
  } finally {
    await harness.close();
  }
}

function call(name: string, args: Json = {}): GateOperation {
  return { kind: "call", name: `studio.${name}`, args };
}

async function countBoxes(harness: GateHarness): Promise<number> {
  const page = await harness.asSystem((db) => db.list("box", {}, "system"));
  assert.ok(!(page instanceof Promise));
  return page.rows.length;
}

describe("functions", () => {
  let harness: GateHarness;
  let studio: Studio;
  before(async () => {
    harness = await openGateHarness({ files: studioFiles, functions: true });
    studio = await plantStudio(harness);
  });
  after(() => harness.close());

  for (const scenario of scenarios) {
    const whos = typeof scenario.who === "string" ? [scenario.who] : scenario.who;
    for (const who of whos) {
      test(`${scenario.calls} as ${who}: ${scenario.name}`, async () => {
        const asker = who === "nobody" ? null : studio[who];
        const operation = call(scenario.calls, scenario.args?.(studio.id) ?? {});
        const outcome = await harness.ask(asker, operation);
        if (Array.isArray(scenario.code))
          assert.ok(scenario.code.includes(outcome.code), outcome.text);
        else assert.equal(outcome.code, scenario.code, outcome.text);
        for (const text of scenario.holds ?? [])
          assert.ok(outcome.text.includes(text), `${text} in ${outcome.text}`);
        for (const text of scenario.lacks ?? [])
          assert.ok(!outcome.text.includes(text), `${text} in ${outcome.text}`);
        const { error: _, ...trace } = harness.lastTrace();
        for (const text of scenario.traced ?? []) assert.ok(JSON.stringify(trace).includes(text));
      });
    }
  }
});

test("what a mutation runs is one transaction with it", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const refused = await harness.ask(ann, call("takeTwo", { film: id.open, seats: ["E1", "B1"] }));
    assert.equal(refused.code, "UNIQUE_TAKEN");
    const taken = await harness.ask(ann, call("takeTwo", { film: id.open, seats: ["E1", "E2"] }));
    assert.equal(taken.code, null, taken.text);
    assert.equal((JSON.parse(taken.text) as unknown[]).length, 2);
  }));

test("a mutation that caught the failure of one that it ran does not keep half of it", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const outcome = await harness.ask(ann, call("takeOrNot", { film: id.open, seat: "F1" }));
    assert.equal(outcome.code, "FUNCTION_REFUSED");
    assert.equal(await countBoxes(harness), 0);
  }));

test("a function's own refusal reaches the caller with its code", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const outcome = await harness.ask(ann, call("takeOrNot", { film: id.open, seat: "F1" }));
    assert.equal(outcome.error?.message, "come back later");
    assert.ok(outcome.text.includes("NOT_NOW"));
    assert.ok(outcome.text.includes("tomorrow"));
  }));

test("a batch of calls and rows is one transaction", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const box: GateOperation = { kind: "create", table: "box", value: { text: "x" } };
    const free = call("takeSeat", { film: id.open, seat: "G1" });
    const taken = call("takeSeat", { film: id.open, seat: "B1" });
    const failed = await harness.ask(ann, { kind: "batch", steps: [box, free, taken] });
    assert.equal(failed.code, "UNIQUE_TAKEN");
    assert.equal(failed.error?.details["step"], 2);
    assert.equal(await countBoxes(harness), 0);
    const passed = await harness.ask(ann, { kind: "batch", steps: [box, free] });
    assert.equal(passed.code, null, passed.text);
    assert.equal(await countBoxes(harness), 1);
    const act = call("act", { film: id.open, seat: "G2" });
    assert.equal((await harness.ask(ann, { kind: "batch", steps: [act] })).code, "REQUEST_INVALID");
    const denied = await harness.ask(null, { kind: "batch", steps: [box, free] });
    assert.equal(denied.code, "SIGN_IN_REQUIRED");
    assert.equal(denied.error?.details["step"], 1);
    assert.equal(await countBoxes(harness), 1);
  }));

test("budgets of rows and system calls end a call, and the next one works", () =>
  withStudio({ limits: { rowsReadMax: 100, systemCallsMax: 40 } }, async (harness) => {
    const rows = await harness.ask(null, call("many", { times: 39 }));
    assert.equal(rows.code, null, rows.text);
    assert.equal(
      (await harness.ask(null, call("many", { times: 41 }))).code,
      "FUNCTION_CALLS_EXCEEDED",
    );
    assert.equal((await harness.ask(null, call("many", { times: 1 }))).code, null);
  }));

test("a budget of rows ends a call", () =>
  withStudio({ limits: { rowsReadMax: 100 } }, async (harness) => {
    assert.equal(
      (await harness.ask(null, call("many", { times: 51 }))).code,
      "FUNCTION_ROWS_EXCEEDED",
    );
  }));

test("in production a failure of the app keeps its reasons to itself", () =>
  withStudio({ development: false }, async (harness) => {
    const outcome = await harness.ask(null, call("wrong"));
    assert.equal(outcome.code, "RESULT_INVALID");
    assert.deepEqual(outcome.error?.details, {});
    assert.ok(!outcome.text.includes("wrong"));
  }));

test("a repeated call brings back its first answer", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const take = call("takeSeat", { film: id.open, seat: "H1" });
    const first = await harness.ask(ann, take, { key: "k" });
    const again = await harness.ask(ann, take, { key: "k" });
    assert.equal(again.text, first.text);
    assert.equal(again.answer?.repeated, true);
    assert.equal((await harness.ask(ann, take)).code, "UNIQUE_TAKEN");
  }));

test("invariants are asked as the system and reported", () =>
  withStudio({}, async (harness) => {
    const good = await harness.verify();
    assert.deepEqual(
      good.map(({ name, holds }) => [name, holds]),
      [
        ["studio.solvent", true],
        ["studio.noBox", true],
      ],
    );
    await harness.ask(null, { kind: "create", table: "box", value: { text: "x" } });
    const bad = await harness.verify();
    assert.deepEqual(
      bad.map(({ holds }) => holds),
      [true, false],
    );
    assert.equal(bad[1]?.returned, "false");
  }));

test("the budget of system calls is one for a call and all that it runs", () =>
  withStudio({ limits: { systemCallsMax: 10 } }, async (harness, { ann, id }) => {
    const seats = (count: number) => Array.from({ length: count }, (_, index) => `S${index}`);
    const few = await harness.ask(ann, call("takeTwo", { film: id.open, seats: seats(5) }));
    assert.equal(few.code, null, few.text);
    const many = await harness.ask(ann, call("takeTwo", { film: id.bobs, seats: seats(8) }));
    assert.equal(many.code, "FUNCTION_CALLS_EXCEEDED");
  }));

test("queries do not wait for the writer", () =>
  withStudio({}, async (harness, { ann, id }) => {
    await harness.writer.drain();
    assert.equal((await harness.ask(ann, call("film", { id: id.open }))).code, null);
    const late = await harness.ask(ann, call("takeSeat", { film: id.open, seat: "T1" }));
    assert.equal(late.code, "SHUTTING_DOWN");
  }));

test("what is for people who are signed in does not run without one, inside an action either", () =>
  withStudio({}, async (harness, { id }) => {
    const outcome = await harness.ask(null, call("act", { film: id.open, seat: "T2" }));
    assert.equal(outcome.code, "SIGN_IN_REQUIRED");
  }));

test("an action that may have run is not run again, a query and a mutation are", () =>
  withStudio({}, async (harness, { ann, id }) => {
    const again = { key: "k1", mayBeRepeat: true };
    const action = await harness.ask(ann, call("act", { film: id.open, seat: "T3" }), again);
    assert.equal(action.code, "ACTION_MAYBE_DONE");
    const query = await harness.ask(ann, call("film", { id: id.open }), again);
    assert.equal(query.code, null);
    const seat = call("takeSeat", { film: id.open, seat: "T3" });
    const first = await harness.ask(ann, seat, { key: "k2" });
    const second = await harness.ask(ann, seat, { key: "k2", mayBeRepeat: true });
    assert.equal(first.code, null);
    assert.equal(second.text, first.text);
  }));

test("an http function gets the request raw, as its caller, and answers raw", async () => {
  const harness = await openGateHarness({
    functions: true,
    files: {
      "app.ts": `
import { app } from "./schema.ts";
import * as hooks from "./hooks.ts";
export default app({ functions: { hooks } });
`,
      "schema.ts": `
import { define, table, t } from "keelson";
export const { http, query, app } = define({ thing: table({ name: t.text() }) });
`,
      "hooks.ts": `
import { t } from "keelson";
import { http, query } from "./schema.ts";
export const whoAmI = query({ args: {}, run: ({ me }) => me.id });
export const hook = http({
  method: "POST", path: "/hook/:name", allow: "signed-in",
  async run({ run, params }, request) {
    const me = await run(whoAmI, {});
    const text = params.name + " " + me + " " + request.headers.get("x-test") + " " + (await request.text());
    return new Response(text, { status: 202, headers: { "x-answer": "yes" } });
  },
});
`,
    },
  });
  const operation: GateOperation = {
    kind: "http",
    name: "hooks.hook",
    params: { name: "stripe" },
    request: {
      method: "POST",
      url: "http://localhost/hook/stripe",
      headers: [["x-test", "header"]],
      body: Buffer.from("body").toString("base64"),
    },
  };
  const answer = (await harness.value({ id: "user_1" }, operation)) as {
    status: number;
    headers: [string, string][];
    body: string;
  };
  assert.equal(answer.status, 202);
  assert.equal(Buffer.from(answer.body, "base64").toString(), "stripe user_1 header body");
  assert.ok(answer.headers.some(([name, value]) => name === "x-answer" && value === "yes"));
  assert.equal((await harness.ask(null, operation)).code, "SIGN_IN_REQUIRED");
  // It is no call, and what it runs is not there for others.
  const asCall: GateOperation = { kind: "call", name: "hooks.hook", args: {} };
  assert.equal((await harness.ask({ id: "user_1" }, asCall)).code, "FUNCTION_NOT_FOUND");
  await harness.close();
});
