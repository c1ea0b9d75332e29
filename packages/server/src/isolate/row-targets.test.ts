import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { SystemCall } from "./app-isolate.ts";
import { openTestApp, queries, saidBy, type TestApp } from "./isolate-harness.case.ts";
import { RowTargets } from "./row-targets.ts";

test("a pair has one number, and a number one pair", () => {
  const targets = new RowTargets();
  const first = targets.number({ table: "film", reason: "" });
  assert.equal(targets.number({ table: "film", reason: "" }), first);
  assert.notEqual(targets.number({ table: "film", reason: "nightly" }), first);
  assert.deepEqual(targets.target(first), { table: "film", reason: "" });
  assert.equal(targets.target(0), undefined);
  assert.equal(targets.target(-1), undefined);
  assert.equal(targets.target(99), undefined);
});

test("there are no more numbers than fit, and none for long texts", () => {
  const targets = new RowTargets();
  for (let index = 0; index < 2_000; index++)
    targets.number({ table: "film", reason: `reason ${index}` });
  assert.equal(targets.number({ table: "film", reason: "one more" }), 0);
  assert.notEqual(targets.number({ table: "film", reason: "reason 3" }), 0);
  assert.equal(new RowTargets().number({ table: "film", reason: "x".repeat(2_000) }), 0);
});

describe("reads by id", () => {
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      queries({
        many: `for (let n = 0; n < 1_500; n++) await ctx.db.asSystem("reason " + n).film.get("film_" + n);`,
        both: `return [await ctx.db.film.get(args.id), await ctx.db.asSystem("why").film.get(args.id)];`,
      }),
    );
  });
  after(() => app.close());

  test("take an id for an id, whatever is in it", async () => {
    const ids = ["a\nfilm\nwhy", "", "\u0000", "é😀", '","as":"x"', "\ud800"];
    for (const id of ids) {
      const said: unknown[] = [];
      const system: SystemCall = (...call) => {
        said.push(saidBy(...call));
        return "null";
      };
      await app.value("both", { id }, system);
      assert.deepEqual(said, [
        { table: "film", id, reason: "" },
        { table: "film", id, reason: "why" },
      ]);
    }
  });

  test("say their reason, however many there are", async () => {
    const said: unknown[] = [];
    const system: SystemCall = (...call) => {
      const { id, reason, as } = saidBy(...call);
      said.push([id, reason ?? as]);
      return "null";
    };
    await app.value("many", {}, system);
    const wanted = Array.from({ length: 1_500 }, (_, n) => [`film_${n}`, `reason ${n}`]);
    assert.deepEqual(said, wanted);
  });
});
