import assert from "node:assert/strict";
import { test } from "node:test";
import { openWorkScene, untilSo } from "./work-scene.ts";

const allKinds = [
  ...["create", "load", "mail", "pay", "remind", "ship", "sign", "stock", "tally", "unload"],
];

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";
  test(`${where}: what a mutation starts happens once it is committed, each once; what a refused one starts never`, async (context) => {
    const scene = await openWorkScene(context, { threads });
    const refused = await scene.call("shop.pay", { client: "a", number: 1, fail: true });
    assert.equal(refused.status, 400);
    const { status } = await scene.call("shop.pay", { client: "a", number: 1 });
    assert.equal(status, 200);
    const rows = await untilSo(
      () => scene.rows("entry", { kind: { notIn: ["tick", "night"] } }),
      (rows) => rows.length >= allKinds.length,
    );
    const kinds = rows.map(({ kind }) => String(kind));
    assert.deepEqual(new Set(kinds), new Set(allKinds));
    assert.equal(kinds.length, allKinds.length);
    assert.deepEqual(new Set(rows.map(({ key }) => key)), new Set(["a-1"]));
    const [token = ""] = scene.outside.calls.get("/a-1") ?? [];
    assert.match(token, /^work_job_/);
  });
}
