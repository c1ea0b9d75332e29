import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorkScene, untilSo } from "./work-scene.ts";

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";
  test(`${where}: what a mutation starts happens once it is committed, each once`, async (context) => {
    const scene = await openWorkScene(context, { threads });
    const { status } = await scene.call("shop.pay", { key: "a", number: 7 });
    assert.equal(status, 200);
    const rows = await untilSo(
      () => scene.rows("entry", { number: { gte: 0 } }),
      (rows) => rows.length >= 7,
    );
    const kinds = rows
      .map(({ kind }) => kind)
      .toSorted((left, right) => (String(left) < String(right) ? -1 : 1));
    assert.deepEqual(kinds, ["mail", "pay", "remind", "ship", "stock", "tally", "token"]);
    const [audit] = await untilSo(
      () => scene.rows("audit", {}),
      (rows) => rows.length === 1,
    );
    assert.equal(audit?.["change"], "create");
    assert.equal(audit?.["state"], "paid");
    assert.match(String(rows.find(({ kind }) => kind === "token")?.["key"]), /^work_job_/);
  });

  test(`${where}: what a refused mutation started never happens`, async (context) => {
    const scene = await openWorkScene(context, { threads });
    const { status } = await scene.call("shop.pay", { key: "no", number: 1, fail: true });
    assert.equal(status, 400);
    await scene.call("shop.pay", { key: "yes", number: 1 });
    const rows = await untilSo(
      () => scene.rows("entry", {}),
      (rows) => rows.length >= 7,
    );
    assert.deepEqual(
      new Set(rows.map(({ key, kind }) => (kind === "token" ? "yes" : key))),
      new Set(["yes"]),
    );
  });
}
