// An order that is charged, packed, paid and sent. The tests kill it in between.
import { t } from "keelson";
import { action, mutation, query, queue, workflow } from "./schema.ts";

const text = t.text({ max: 200 });

export const mark = mutation({
  args: { run: text, text },
  async run({ db }, row): Promise<string> {
    await db.asSystem("what was done is counted").mark.create(row);
    return row.text;
  },
});

export const charge = action({
  args: { run: text },
  async run({ run, job }, { run: id }): Promise<string> {
    const token = job?.token ?? "none";
    await run(mark, { run: id, text: `charge ${token}` });
    return token;
  },
});

// An attempt that a kill ends counts: there may be as many kills as there are.
export const charges = queue(charge, { attempts: 1_000, backoff: "10ms", backoffMax: "100ms" });

export const deliver = workflow({
  args: { order: text },
  async run({ id, step, sleep, waitFor, tell }, { order }) {
    tell("ordered");
    await step(mark, { run: id, text: "ordered" });
    const [token] = await Promise.all([
      step(charge, { run: id }),
      step(mark, { run: id, text: "packed" }),
      sleep("20ms"),
    ]);
    tell("waits");
    await waitFor("paid", { key: order });
    tell("paid");
    await step(mark, { run: id, text: "sent" });
    return { order, token, version: "one" };
  },
});

export const order = mutation({
  args: { order: text },
  allow: "anyone",
  returns: text,
  async run({ startWorkflow }, args) {
    return startWorkflow(deliver, args, { key: args.order });
  },
});

export const pay = mutation({
  args: { order: text },
  allow: "anyone",
  returns: t.nothing(),
  async run({ emit }, args) {
    await emit("paid", args);
  },
});

export const status = query({
  args: { run: text },
  allow: "anyone",
  async run({ workflowRun }, { run }) {
    const found = await workflowRun(deliver, run);
    return found === null
      ? null
      : {
          state: found.state,
          status: found.status,
          result: found.result,
          error: found.error,
        };
  },
});
