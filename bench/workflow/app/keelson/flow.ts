// A workflow of three steps, and one that sleeps for a month.
import { t } from "keelson";
import { mutation, query, workflow } from "./schema.ts";

export const mark = mutation({
  args: { text: t.text({ max: 50 }) },
  async run({ db }, { text }) {
    await db.asSystem("benchmark").mark.create({ text });
  },
});

export const three = workflow({
  async run({ step }) {
    for (const text of ["one", "two", "three"]) await step(mark, { text });
  },
});

export const month = workflow({
  async run({ sleep }) {
    await sleep("30d");
  },
});

export const start = mutation({
  allow: "anyone",
  returns: t.text({ max: 100 }),
  run: async ({ startWorkflow }) => startWorkflow(three),
});

export const startSleeping = mutation({
  args: { count: t.int({ min: 1, max: 400 }) },
  allow: "anyone",
  async run({ startWorkflow }, { count }) {
    for (let started = 0; started < count; started++) await startWorkflow(month);
  },
});

export const isDone = query({
  args: { run: t.text({ max: 100 }) },
  allow: "anyone",
  run: async ({ workflowRun }, { run }) => (await workflowRun(three, run))?.state === "done",
});
