// No text with U+0000 or half of a surrogate pair gets in by any road of an app's function: it is refused by a stable
// code, and nothing of it is kept or asked.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorkScene } from "./work-scene.case.ts";

const files = {
  "schema.ts": `
import { define, event, table, t } from "keelson";
export const { mutation, query, on, rules, app } = define(
  { note: table({ text: t.text({ max: 40 }), more: t.json({ maxBytes: 500 }).optional() }).search("text") },
  { events: { made: event({ text: t.text({ max: 40 }) }) } },
);`,
  "rules.ts": `import { rules } from "./schema.ts"; export default rules({ note: { read: () => true } });`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as work from "./work.ts";
export default app({ rules, functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { mutation, on } from "./schema.ts";
export const keep = mutation({
  args: { text: t.text({ max: 40 }), more: t.json({ maxBytes: 500 }).optional() },
  allow: "anyone",
  run: ({ db }, row) => db.asSystem("a test").note.create(row).then(() => null),
});
export const made = mutation({ args: { text: t.text({ max: 40 }) }, run: () => null });
export const mades = on("made", made);
export const go = mutation({
  args: { way: t.text({ max: 40 }), code: t.int() },
  allow: "anyone",
  returns: t.json(),
  async run({ db: own, emit, enqueue, run }, { way, code }) {
    const text = "a" + String.fromCharCode(code) + "b";
    const { note } = own.asSystem("a test");
    const ways = {
      create: () => note.create({ text }),
      json: () => note.create({ text: "x", more: { deep: [text] } }),
      key: () => note.create({ text: "x", more: { [text]: 1 } }),
      filter: () => note.list({ where: { text } }),
      contains: () => note.list({ where: { text: { startsWith: text } } }),
      in: () => note.list({ where: { text: { in: ["x", text] } } }),
      search: () => note.list({ search: text }),
      run: () => run(keep, { text }),
      emit: () => emit("made", { text }),
      enqueue: () => enqueue(keep, { text: "x", more: { text } }),
      enqueueKey: () => enqueue(keep, { text: "x" }, { key: text }),
      enqueueOnce: () => enqueue(keep, { text: "x" }, { once: text }),
    };
    return (await ways[way]()) ?? true;
  },
});`,
};

const ways = {
  create: "VALUE_INVALID",
  json: "VALUE_INVALID",
  key: "VALUE_INVALID",
  filter: "QUERY_INVALID",
  contains: "QUERY_INVALID",
  in: "QUERY_INVALID",
  search: "QUERY_INVALID",
  run: "ARGUMENT_INVALID",
  emit: "ARGUMENT_INVALID",
  enqueue: "ARGUMENT_INVALID",
  enqueueKey: "ARGUMENT_INVALID",
  enqueueOnce: "ARGUMENT_INVALID",
} as const;

test("U+0000 and half of a pair are refused on every road of a function, and nothing of them is kept", async (context) => {
  const scene = await openWorkScene({ files });
  context.after(() => scene.close());
  for (const code of [0, 0xd8_00, 0xdc_00]) {
    const told: Record<string, string | null> = {};
    for (const way of Object.keys(ways)) {
      told[way] = (await scene.ask("work.go", { way, code })).code;
    }
    assert.deepEqual(told, ways, `U+${code.toString(16)}`);
    const text = String.fromCharCode(code);
    assert.equal((await scene.ask("work.keep", { text })).code, "ARGUMENT_INVALID");
    assert.equal(
      (await scene.ask("work.keep", { text: "x", more: [text] })).code,
      "ARGUMENT_INVALID",
    );
  }
  await scene.idle();
  for (const table of ["note", "workJob", "workEvent", "workDead"]) {
    assert.deepEqual(await scene.rows(table), [], table);
  }
});
