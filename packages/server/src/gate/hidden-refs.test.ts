// Rules that walk to what a caller names must not tell it about rows that it may not read.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import { openGateHarness } from "./gate-harness.case.ts";

const files = {
  "schema.ts": `
import { define, table, t } from "keelson";
export const { rules, app } = define({
  user: table({ name: t.text() }),
  vault: table({ owner: t.ref("user"), level: t.int() }),
  note: table({
    author: t.ref("user"), vault: t.ref("vault").optional(), text: t.text(), pin: t.text().optional(),
    mark: t.text().private().optional(), secret: t.text().optional(),
  }).unique("text", "mark").unique("text", "pin"),
});
`,
  "rules.ts": `
import { rules } from "./schema.ts";
export default rules({
  vault: { read: ({ row, me }) => row.owner === me.id },
  note: {
    read: () => true,
    create: ({ next, me }) => next.author === me.id && (next.vault === null || next.vault.level > 5),
    update: ({ row, next, me }) => row.author === me.id && (next.vault === null || next.vault.level > 5),
    fields: { pin: { read: () => false } },
  },
});
`,
  "app.ts": `
import { app } from "./schema.ts";
import rules from "./rules.ts";
export default app({ rules });
`,
};

async function inApp(
  body: (scene: {
    readonly ask: (
      who: string,
      operation: "create" | "update",
      value: Json,
    ) => Promise<{ readonly code: string | null; readonly text: string }>;
    readonly ids: Readonly<Record<"ada" | "eve" | "high" | "low" | "own", string>>;
  }) => Promise<void>,
): Promise<void> {
  const harness = await openGateHarness({ files });
  try {
    const plant = (table: string, value: Json) =>
      harness.asSystem((db) => {
        const row = db.create(table, value, "system");
        if (row instanceof Promise) throw new Error("the embedded engine answers at once");
        return row["id"] as string;
      });
    const [ada, eve] = [await plant("user", { name: "Ada" }), await plant("user", { name: "Eve" })];
    const high = await plant("vault", { owner: ada, level: 9 });
    const low = await plant("vault", { owner: ada, level: 3 });
    const own = await plant("vault", { owner: eve, level: 9 });
    const note = await plant("note", { author: eve, text: "first", mark: "m", pin: "p" });
    await plant("note", { author: ada, text: "taken", mark: "m" });
    await plant("note", { author: ada, text: "pinned", pin: "p" });
    await body({
      ids: { ada, eve, high, low, own },
      ask: (who, operation, value) =>
        harness.ask(
          { id: who },
          operation === "create"
            ? { kind: "create", table: "note", value }
            : { kind: "update", table: "note", id: note, value },
        ),
    });
  } finally {
    await harness.close();
  }
}

for (const operation of ["create", "update"] as const) {
  test(`a rule that walks to a hidden row says of each what it says of none: ${operation}`, () =>
    inApp(async ({ ask, ids }) => {
      const { eve, high, low, own } = ids;
      const value = (vault: string, text: string): Json =>
        operation === "create" ? { author: eve, text, vault } : { vault };
      const missing = `${high.slice(0, -1)}${high.endsWith("0") ? "1" : "0"}`;
      const answers = [];
      for (const vault of [high, low, missing]) {
        const { code, text } = await ask(eve, operation, value(vault, "x"));
        answers.push({ code, text });
      }
      assert.equal(answers[0]?.code, "RULE_DENIED");
      assert.deepEqual(answers[1], answers[0]);
      assert.deepEqual(answers[2], answers[0]);
      assert.equal((await ask(eve, operation, value(own, "y"))).code, null);
    }));
}

test("a value that is taken names only fields that the caller may read", () =>
  inApp(async ({ ask, ids }) => {
    for (const text of ["taken", "pinned"]) {
      const refused = await ask(ids.eve, "update", { text });
      assert.equal(refused.code, "UNIQUE_TAKEN");
      assert.match(refused.text, /\{"table":"note","fields":\["text"\]\}$/);
    }
  }));
