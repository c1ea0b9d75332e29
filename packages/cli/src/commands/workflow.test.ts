// `keelson workflow` on a server that runs: what it shows of runs, and what it does with them.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const files = {
  "schema.ts": `
import { define } from "keelson";
export const { mutation, workflow, app } = define({});
`,
  "shop.ts": `
import { t } from "keelson";
import { mutation, workflow } from "./schema.ts";
export const note = mutation({ args: { text: t.text({ max: 50 }) }, run: async (_, { text }) => text });
let runs = 0;
export const order = workflow({
  args: { order: t.text({ max: 50 }), moody: t.bool().default(false) },
  signals: { sent: { parcel: t.text({ max: 50 }) } },
  async run({ step, signal, tell }, { order, moody }) {
    // State that a module keeps: what a workflow must not look at.
    runs++;
    await step(note, { text: moody ? "run " + runs : order });
    tell("packing");
    return (await signal("sent")).parcel;
  },
});
export const start = mutation({
  args: { order: t.text({ max: 50 }), moody: t.bool() },
  async run({ startWorkflow }, args) { return startWorkflow(order, args); },
});
`,
  "app.ts": `
import { app } from "./schema.ts";
import * as shop from "./shop.ts";
export default app({ functions: { shop } });
`,
};

test(
  "runs are listed, shown, signalled, cancelled and gone on with",
  { timeout: 120_000 },
  async (context) => {
    const app = tempFolder(context);
    mkdirSync(join(app, "keelson"));
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(app, "keelson", name), text);
    }
    const server = await serve(app, ["start", "--threads=0"]);
    context.after(() => server.stop());
    const ended = (args: readonly string[], status: number) => {
      const ended = keelson(app, ["workflow", ...args]);
      assert.equal(ended.status, status, ended.err);
      return ended;
    };
    const workflow = (args: readonly string[], status = 0): string => ended(args, status).out;
    const noted = (args: readonly string[], status = 0): string => ended(args, status).err;
    const start = (order: string, moody: boolean): string => {
      const ended = keelson(app, ["run", "shop.start", JSON.stringify({ order, moody })]);
      assert.equal(ended.status, 0, ended.err);
      return JSON.parse(ended.out) as string;
    };
    const shown = (run: string) =>
      JSON.parse(workflow(["show", run, "--json"])) as {
        readonly state: string;
        readonly result: unknown;
        readonly error: { readonly code: string } | null;
        readonly steps: readonly { readonly kind: string; readonly state: string }[];
      };
    const until = (run: string, isSo: (found: ReturnType<typeof shown>) => boolean) => {
      for (let tries = 0; tries < 20; tries++) {
        const found = shown(run);
        if (isSo(found)) return found;
      }
      throw new Error(JSON.stringify(shown(run)));
    };

    const one = start("one", false);
    until(one, ({ steps }) => steps.length === 2);
    assert.match(
      workflow(["list"]),
      new RegExp(`^${one}  running .* shop\\.order  "packing"$`, "m"),
    );
    assert.match(
      workflow(["show", one]),
      /0 {2}done {6}step shop\.note "one"\n.*1 {2}waiting {3}signal sent/,
    );
    workflow(["signal", one, "sent", '{"parcel":"P1"}']);
    assert.equal(until(one, ({ state }) => state === "done").result, "P1");
    workflow(["signal", one, "sent", '{"parcel":"P2"}'], 2);
    assert.match(workflow(["show", one]), /result: "P1"/);

    const two = start("two", true);
    until(two, ({ steps }) => steps.length === 2);
    workflow(["signal", two, "sent", '{"parcel":"P3"}']);
    assert.equal(
      until(two, ({ state }) => state === "stuck").error?.code,
      "WORKFLOW_NOT_DETERMINISTIC",
    );
    assert.match(
      workflow(["list", "--state=stuck"]),
      new RegExp(`^${two} .*WORKFLOW_NOT_DETERMINISTIC$`, "m"),
    );
    // Its code is as it was: it is stuck again.
    assert.match(noted(["retry", two]), /It is tried on the newest code.*workflow show work_run_/);
    until(two, ({ state }) => state === "stuck");
    workflow(["cancel", two]);
    assert.equal(shown(two).state, "cancelled");
    assert.match(noted(["cancel", two], 2), /The run is over/);
    assert.match(noted(["cancel", "nope"], 2), /WORK_NOT_FOUND/);
    assert.equal(workflow(["list", "shop.other"]), "");
    const unknown = keelson(app, ["workflow", "show", "work_run_01h455vb4pex5vsknk084sn02q"]);
    assert.match(unknown.err, /WORK_NOT_FOUND/);
  },
);
