// Options that nobody knows, as plain JavaScript passes them: refused with the option's name, and the one that was meant.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import { openWorkflowScene } from "./workflow/workflow-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, workflow, rules, app } = define({
  note: table({ text: t.text({ max: 40 }) }),
}, { events: { rang: event({}) } });`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({});`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { mutation, workflow } from "./schema.ts";
export const write = mutation({ async run({ db }) { await db.asSystem("test").note.create({ text: "x" }); } });
export const trip = workflow({ signals: { sent: {} }, async run({ signal, waitFor }) {
  try { await signal("sent", { timout: "1h" }); } catch (error) { return [error.name, error.message]; }
} });
export const probe = mutation({ args: { call: t.text({ max: 20 }), options: t.json().optional() }, allow: "anyone", returns: t.json(),
  async run({ emit, enqueue, schedule, startWorkflow, webhooks }, { call, options }) {
    const calls = {
      enqueue: () => enqueue(write, {}, options),
      schedule: () => schedule("1h", write, {}, options),
      when: () => schedule(options.when ?? undefined, write),
      emit: () => emit("rang", {}, options),
      startWorkflow: () => startWorkflow(trip, {}, options),
      send: () => webhooks.send("a.b", {}, options),
      add: () => webhooks.add(options),
      nobody: () => webhooks.list({ owner: undefined }),
    };
    try { return { answer: await calls[call]() ?? null }; } catch (error) { return { name: error.name, text: error.message }; }
  },
});
`,
};

const refused: readonly {
  readonly call: string;
  readonly options?: Json;
  readonly text: RegExp;
}[] = [
  {
    call: "enqueue",
    options: { prio: 2 },
    text: /^enqueue has no option "prio"\. Did you mean "priority"\? It takes in, at, key, priority, once\.$/v,
  },
  { call: "enqueue", options: { delay: "1h" }, text: /no option "delay"\. It takes in, at/v },
  { call: "enqueue", options: "1h", text: /Options of enqueue are an object/v },
  { call: "enqueue", options: { in: "1h", at: "2027-02-01T00:00:00Z" }, text: /not both/v },
  { call: "schedule", options: { in: "2h" }, text: /schedule has no option "in"/v },
  { call: "emit", options: { key: "a" }, text: /emit takes an event and its payload/v },
  {
    call: "startWorkflow",
    options: { name: "work.other" },
    text: /startWorkflow has no option "name"\. It takes key/v,
  },
  { call: "startWorkflow", options: { keys: "a" }, text: /Did you mean "key"\?/v },
  {
    call: "send",
    options: { onwer: "ada" },
    text: /send has no option "onwer"\. Did you mean "owner"/v,
  },
  {
    call: "add",
    options: { url: "https://a.example", type: ["a"] },
    text: /Did you mean "types"/v,
  },
  { call: "nobody", text: /The owner of webhooks\.list is nobody/v },
];

test("an unknown option is refused by its name, and nothing is started", async (context) => {
  const scene = await openWorkflowScene({ files });
  context.after(() => scene.close());
  for (const { call, options, text } of refused) {
    const args = { call, ...(options === undefined ? {} : { options }) };
    const told = (await scene.call("work.probe", args)) as { readonly [key: string]: string };
    assert.equal(told["name"], "TypeError", call);
    assert.match(told["text"] ?? "", text);
  }
  for (const table of ["workJob", "workEvent", "workRun"]) {
    assert.deepEqual(await scene.rows(table), [], table);
  }
  const known = { key: "a", priority: 1, once: "b", in: "1h" };
  for (const [call, options] of [
    ["enqueue", known],
    ["enqueue", undefined],
    ["schedule", { key: "a" }],
    ["emit", undefined],
    ["startWorkflow", { key: "a" }],
  ] as const) {
    const args: Json = { call, ...(options === undefined ? {} : { options }) };
    const told = (await scene.call("work.probe", args)) as object;
    assert.deepEqual(Object.keys(told), ["answer"], `${call} ${JSON.stringify(told)}`);
  }
});

test("a workflow that waits with an unknown option is told, and does not wait for ever", async (context) => {
  const scene = await openWorkflowScene({ files });
  context.after(() => scene.close());
  await scene.call("work.probe", { call: "startWorkflow", options: { key: "a" } });
  await scene.settle();
  const [run] = await scene.rows("workRun");
  assert.deepEqual(run?.["result"], [
    "TypeError",
    `signal has no option "timout". Did you mean "timeout"? It takes timeout.`,
  ]);
});

test("a time that is none is refused with what was given and the forms that there are", async (context) => {
  const scene = await openWorkflowScene({ files });
  context.after(() => scene.close());
  const given: readonly (readonly [Json, string])[] = [
    ["2 hours", '"2 hours"'],
    ["tomorrow", '"tomorrow"'],
    [-5, "-5"],
    [{ in: "2h" }, '{"in":"2h"}'],
  ];
  for (const [when, shown] of given) {
    const told = (await scene.call("work.probe", { call: "when", options: { when } })) as {
      readonly [key: string]: string;
    };
    const text = told["text"] ?? "";
    assert.ok(text.startsWith(`${shown} is no time: `), text);
    assert.match(text, /as "2030-.* a number and ms, s, m, h or d: schedule\("2h", work\)/v);
  }
  const late = await scene.call("work.probe", { call: "enqueue", options: { in: "2 hours" } });
  assert.match(JSON.stringify(late), /`in` is .*"2 hours.*a number and ms, s, m, h or d/v);
  // Left out it would run at once.
  const now = await scene.call("work.probe", { call: "when", options: {} });
  assert.match(JSON.stringify(now), /schedule takes a time before the work/v);
  assert.deepEqual(await scene.rows("workJob"), []);
});
