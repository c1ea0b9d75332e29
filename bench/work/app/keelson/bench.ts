// A job that does nothing, and who enqueues it: one, or many for later. And a workflow that only sleeps.
import { t } from "keelson";
import { mutation, queue, workflow } from "./schema.ts";

export const nothing = mutation({ args: {}, async run() {} });
export const nothings = queue(nothing);

export const put = mutation({
  args: {},
  run: ({ enqueue }) => enqueue(nothings, {}).then(() => {}),
});

export const fill = mutation({
  args: { count: t.int(), isLater: t.bool() },
  async run({ enqueue }, { count, isLater }) {
    for (let index = 0; index < count; index++) {
      await (isLater ? enqueue(nothings, {}, { in: "10d" }) : enqueue(nothings, {}));
    }
  },
});

export const dream = workflow({
  async run({ sleep }) {
    await sleep("10d");
  },
});

export const doze = mutation({
  args: { count: t.int() },
  async run({ startWorkflow }, { count }) {
    for (let index = 0; index < count; index++) await startWorkflow(dream);
  },
});
