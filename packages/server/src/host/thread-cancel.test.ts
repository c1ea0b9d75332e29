// Work that is cancelled while no door is ready to run it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Json } from "../base/json.ts";
import { startWork } from "../gate/work.ts";
import { workJob } from "../work/work-submit.ts";
import { realClock } from "./real-clock.ts";
import { openRealRandom } from "./real-random.ts";
import { ThreadScene } from "./thread-scene.case.ts";

const timeout = 60_000;
const schema = `
import { define, table, t } from "keelson";
export const { action, rules, app } = define({
  note: table({ text: t.text({ max: 200 }) }), counter: table({ value: t.int() }),
});`;
const work = (host: string): string => `
import { t } from "keelson";
import { action } from "./schema.ts";
export const act = action({
  args: { path: t.text({ max: 20 }) },
  hosts: ["${host}"],
  run: (_, { path }) => fetch("http://${host}/" + path).then(() => null),
});`;

test(
  "an action that is cancelled while no door is ready does not run later",
  { timeout },
  async () => {
    const asked: string[] = [];
    const outside = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.end();
    }).listen(0, "localhost");
    await once(outside, "listening");
    const scene = new ThreadScene({ doors: 1 });
    try {
      scene.write("schema.ts", schema);
      scene.write("work.ts", work(`localhost:${(outside.address() as AddressInfo).port}`));
      await scene.start();
      const parts = { clock: realClock, random: openRealRandom() };
      const ask = async (procedure: string, input: Json): Promise<Json> => {
        const job = workJob(parts, { procedure, input, cause: "test" });
        const { json } = await scene.server.current().writer.submit(job, startWork());
        return JSON.parse(json) as Json;
      };
      const add = (path: string) => ask("work.enqueue", { name: "work.act", args: { path } });
      const rows = async () => {
        const jobs = { kind: "list", from: "workJob", orderBy: [], limit: 10 } as const;
        return (await scene.server.current().store.read((tx) => tx.list(jobs, null))).rows;
      };
      const door = scene.server.threads().find(({ role }) => role === "door");
      await door?.end();
      const id = await add("cancelled");
      await add("kept");
      while ((await rows()).some(({ attempts }) => attempts === 0)) await wait(1);
      assert.equal(scene.server.isReady(), false);
      assert.equal(await ask("work.cancel", { id }), true);
      await scene.untilReady();
      while ((await rows()).length > 0) await wait(5);
      await wait(300);
      assert.deepEqual(asked, ["/kept"]);
    } finally {
      await scene.end();
      outside.closeAllConnections();
      outside.close();
    }
  },
);
