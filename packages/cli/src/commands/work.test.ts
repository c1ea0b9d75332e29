// `keelson work` on data that a killed server left behind, and on a cron that waits for its next tick.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `
import { define } from "keelson";
export const { mutation, action, cron, queue, app } = define({});`,
  "app.ts": `
import { app } from "./schema.ts";
import * as work from "./work.ts";
export default app({ functions: { work } });`,
  "work.ts": `
import { t } from "keelson";
import { action, cron, mutation, queue } from "./schema.ts";
export const slow = action({ args: { ms: t.int() }, async run(_, { ms }) {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return "ran";
} });
export const slows = queue(slow, { keep: "1h" });
export const put = mutation({ returns: t.json(), run: ({ enqueue }) => enqueue(slows, { ms: 60_000 }) });
export const report = mutation({ args: { at: t.time() }, async run(_, { at }) { console.log("report of", at); } });
export const yearly = cron("0 0 1 1 *", { zone: "UTC" }, report);
`,
};

/** Each look takes as long as a command. */
function until(isSo: () => boolean): void {
  for (let tries = 0; tries < 40; tries++) if (isSo()) return;
  throw new Error("It did not come to that.");
}

test("what began before a kill is tried again without a server; a cron is run now", async (context) => {
  const app = tempFolder(context);
  mkdirSync(join(app, "keelson"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(app, "keelson", name), text);
  const work = (...args: string[]): string => {
    const ended = keelson(app, ["work", ...args]);
    assert.equal(ended.status, 0, ended.err);
    return ended.out;
  };
  const rows = () =>
    JSON.parse(work("list", "--json")) as readonly Record<"id" | "queue" | "state", string>[];
  const stateOf = (queue: string) => rows().find((row) => row.queue === queue);

  const first = await serve(app, ["start", "--threads=0"]);
  const put = keelson(app, ["run", "work.put"]);
  const id = JSON.parse(put.out) as string;
  until(() => stateOf("queue:work.slows")?.state === "running");
  const busy = keelson(app, ["work", "retry", id]);
  assert.match(busy.err, /under way/);
  await first.stop("SIGKILL");

  for (const what of ["show", "retry", "cancel", "replay"]) {
    const without = keelson(app, ["work", what, ...(what === "replay" ? ["--from=start"] : [])]);
    assert.equal(without.status, 1, without.err);
    assert.match(without.err, /WORD_MISSING/);
  }
  const every = keelson(app, ["work", "cancel", "--all"]);
  assert.equal(every.status, 1, every.err);
  assert.match(every.err, /FLAG_MISSING {2}--queue/);
  const both = keelson(app, ["work", "list", "--dead", "--done"]);
  assert.equal(both.status, 1, both.err);
  assert.match(both.err, /FLAGS_EXCLUDE {2}--dead and --done/);

  assert.equal(stateOf("queue:work.slows")?.state, "waiting");
  assert.match(work("list", "--queues"), /^queue:work\.slows +1 +0 +\d{4}-/mv);
  assert.match(work("retry", id, '--input={"ms":1}'), /waits again/);
  const cron = stateOf("cron:work.yearly");
  const ran = work("retry", cron?.id ?? "");
  assert.match(ran, /runs as a tick of now; the schedule stays as it was/);
  assert.doesNotMatch(ran, new RegExp(cron?.id ?? "", "v"));

  const second = await serve(app, ["dev"]);
  context.after(() => second.stop());
  await second.wait(/info report of \d{4}-/v);
  until(() => stateOf("queue:work.slows") === undefined);
  assert.match(work("show", id), /"result": "ran"/);
  assert.deepEqual(stateOf("cron:work.yearly"), cron);
  for (let count = 0; count < 2; count++) keelson(app, ["run", "work.put"]);
  assert.match(work("cancel", "--all", "--queue=queue:work.slows"), /2 jobs are gone/);
  assert.equal(stateOf("queue:work.slows"), undefined);
  assert.match(work("cancel", "--all", "--dead", "--queue=queue:work.slows"), /0 dead letters/);
});

test("start tells of a queue that the app has no more, by the code of the table of errors", async (context) => {
  const app = tempFolder(context);
  mkdirSync(join(app, "keelson"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(app, "keelson", name), text);
  const first = await serve(app, ["start", "--threads=0"]);
  assert.equal(keelson(app, ["run", "work.put"]).status, 0);
  await first.stop("SIGKILL");
  const renamed = (files["work.ts"] ?? "").replaceAll("slows", "others");
  writeFileSync(join(app, "keelson", "work.ts"), renamed);
  const second = await serve(app, ["start", "--threads=0"]);
  context.after(() => second.stop());
  await second.wait(/"code":"WORK_STRANDED","error":"[^"]*queue:work\.slows/v);
  const { out } = keelson(app, ["work", "list", "--queues"]);
  assert.match(out, /^queue:work\.slows .* stranded$/mv);
});
