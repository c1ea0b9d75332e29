// Texts of webhooks that no field holds: U+0000 and halves of surrogate pairs, which JSON can write, and names that are
// too long. Such an event is handled like any other, and what no argument takes ends as a dead letter that says why.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startServer, type RunningServer } from "@keelson/server";
import { byStandard, byStripe, hmac, post, secrets, seenOf, until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "app");
const orderBy = [{ field: "id", descending: false }];

describe("texts of webhooks that no field holds", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-hooks-text-"));
  let server: RunningServer;
  const rowsOf = async (table: string) => {
    const list = { kind: "list", from: table, orderBy, limit: 1_000 } as const;
    return (await server.current().store.read((tx) => tx.list(list, null))).rows;
  };
  const keptOf = async (hook: string) =>
    (await rowsOf("hookEvent")).filter((row) => row["hook"] === hook);
  const seen = (hook: string, count: number) =>
    until(
      () => seenOf(server.url, hook),
      (rows) => rows.length >= count,
    );

  before(async () => {
    Object.assign(process.env, secrets);
    server = await startServer({ appDir, dataDir: join(folder, "data"), port: 0, threads: 0 });
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });

  test("a body with U+0000 and half a pair is kept as it came and handled with U+FFFD for them", async () => {
    const body = String.raw`{ "name": "a\u0000b", "half": ["x\ud800", "\uDC00y"], "k\u0000": {"deep": "\u0000"},
      "whole": "\ud834\udd1e", "backslash": "\\u0000" }`;
    const answer = await post(server.url, "standard", byStandard(body, "msg_text"));
    assert.deepEqual([answer.status, answer.repeats], [200, 0]);
    const [row] = await seen("standard", 1);
    assert.deepEqual(row?.body, {
      name: "a\ufffdb",
      half: ["x\ufffd", "\ufffdy"],
      "k\ufffd": { deep: "\ufffd" },
      whole: "𝄞",
      backslash: String.raw`\u0000`,
    });
    const [kept] = await until(
      () => keptOf("standard"),
      ([first]) => first?.["state"] === "done",
    );
    assert.equal(kept?.["body"], body, "byte for byte");
    // An action is called with the same.
    assert.equal((await post(server.url, "outside", byStandard(body, "msg_text"))).status, 200);
    assert.deepEqual((await seen("outside", 1))[0]?.body, row?.body);
    const again = await post(server.url, "standard", byStandard(body, "msg_text"));
    assert.deepEqual([again.status, again.repeats], [200, 1]);
  });

  test("bytes with U+0000 among them are no text, and come as base64 like other bytes", async () => {
    const bytes = "\u0001\0protobuf";
    const base64 = Buffer.from(bytes).toString("base64");
    const { body, headers } = byStandard(bytes, "msg_bytes");
    assert.equal((await post(server.url, "standard", { body, headers })).status, 200);
    const rows = await seen("standard", 2);
    assert.deepEqual(rows.find(({ event }) => event === "msg_bytes")?.body, base64);
  });

  test("events whose ids and types no field holds are told apart, and each is handled once", async () => {
    const ids = ["evt_\0", "evt_\ufffd", "evt_\ud800", "evt_\ud801"];
    for (const id of ids) {
      const event = { id, type: "a\0type" };
      assert.equal((await post(server.url, "stripe", byStripe(event))).repeats, 0, id);
      assert.equal((await post(server.url, "stripe", byStripe(event))).repeats, 1, id);
    }
    const rows = await seen("stripe", ids.length);
    assert.deepEqual(new Set(rows.map(({ type }) => type)), new Set(["a\ufffdtype"]));
    assert.equal(new Set(rows.map(({ event }) => event)).size, ids.length);
  });

  test("CloudEvents with long sources, and things with long names, are told apart", async () => {
    const long = "x".repeat(400);
    const event = (id: string): object => ({
      specversion: "1.0",
      id,
      source: `https://sender.example/${long}`,
      type: "booked",
      datacontenttype: "text/plain",
      data: "a\0b",
    });
    for (const [id, repeats] of [
      ["1", 0],
      ["2", 0],
      ["2", 1],
    ] as const) {
      const { body, headers } = byStandard(JSON.stringify(event(id)));
      const type = { "content-type": "application/cloudevents+json" };
      const answer = await post(server.url, "events", { body, headers: { ...headers, ...type } });
      assert.deepEqual([answer.status, answer.repeats], [200, repeats]);
    }
    const rows = await seen("events", 2);
    assert.deepEqual(
      rows.map(({ body }) => [body["id"], body["data"]]),
      [
        ["1", "a\ufffdb"],
        ["2", "a\ufffdb"],
      ],
    );
    // The second is of an earlier time than the first, and about another thing: it is not late.
    for (const [thing, created] of [
      [`${long}1`, 20],
      [`${long}2`, 10],
      ["a\0", 20],
      ["b\0", 10],
    ] as const) {
      const about = { id: `evt_${thing}`.slice(-20), created, data: { object: { id: thing } } };
      assert.equal((await post(server.url, "ordered", byStripe(about))).status, 200);
      await server.current().work?.dispatcher()?.idle();
    }
    assert.equal((await seen("ordered", 4)).length, 4);
  });

  test("what no argument takes ends as a dead letter that says why, and none is lost", async () => {
    const event = String.raw`{"id":"evt_key","constructor":1,"name":"\u0000"}`;
    const deep = `{"id":"evt_deep","at":${"[".repeat(5_000)}"\\u0000"${"]".repeat(5_000)}}`;
    const large = JSON.stringify({ id: "evt_large", text: "x".repeat(100_001) });
    for (const body of [event, deep, large]) {
      const headers = { "x-shop-signature": hmac(secrets.TEST_SHOP, body, "base64") };
      assert.equal((await post(server.url, "shop", { body, headers })).status, 200);
    }
    const dead = await until(
      async () => (await rowsOf("workDead")).filter(({ queue }) => queue === "hook:shop"),
      (rows) => rows.length === 3,
    );
    const problems = dead.map(({ info }) => JSON.stringify(info));
    for (const problem of [
      "has a key that is never allowed",
      "nested too deeply",
      "at most 100000 bytes",
    ]) {
      assert.equal(problems.filter((text) => text.includes(problem)).length, 1, problem);
    }
    assert.deepEqual(
      (await keptOf("shop")).map(({ state }) => state),
      ["dead", "dead", "dead"],
    );
  });
});
