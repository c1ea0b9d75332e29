// Codes about workflows and other work.
import type { CheckCode } from "./check-code.ts";

const schema = `
// keelson/schema.ts
import { define, table, t } from "keelson";

export const { query, mutation, action, workflow, rules, app } = define({
  note: table({
    owner: t.ref("user", { onDelete: "cascade" }).immutable(),
    title: t.text({ max: 200 }),
  }),
});
`;

const workflow = (body: string, steps: string): string => `${schema}
// keelson/notes.ts
import { Refusal, t } from "keelson";
import { action, mutation, workflow } from "./schema.ts";
${steps}
export const tell = workflow({
  args: { titles: t.list(t.text({ max: 200 }), { max: 5_000 }) },
  async run({ step, sleep, restart }, { titles }) {
${body}
  },
});

export const begin = mutation({
  allow: "signed-in",
  returns: t.text({ max: 60 }),
  run: ({ startWorkflow }) => startWorkflow(tell, { titles: [] }),
});
`;

const send = `
export const send = action({
  args: { titles: t.list(t.text({ max: 200 }), { max: 5_000 }) },
  hosts: ["api.example.com"],
  async run({ job }, { titles }) {
    const headers = { "idempotency-key": job?.token ?? "" };
    const body = JSON.stringify(titles);
    const answer = await fetch("https://api.example.com/tell", { method: "POST", headers, body });
    if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");
  },
});
`;

/** K414, K415. */
export const workCodes = {
  K414: {
    severity: "risk",
    category: "functions",
    title: "Network where there is none",
    why: "The call fails whenever it is reached, in production as well.",
    about:
      "`fetch` stands in a workflow, a query or a mutation, or in a helper that it calls. Only actions and http functions reach the network.",
    bad: workflow(
      `    const answer = await fetch("https://api.example.com/tell?count=" + titles.length); // <- K414
    if (!answer.ok) throw new Refusal("UPSTREAM", "Try again later.");`,
      "",
    ),
    good: workflow("    await step(send, { titles });", send),
  },
  K415: {
    severity: "cost",
    category: "functions",
    title: "Workflow with more steps than fit",
    why: "A run's record is bounded and replayed from its start: the run fails in its middle, on the day when there is much to do.",
    about:
      "A step, sleep, wait or child stands in a loop over a list that may hold more than `limits.workflowStepsMax` items (an argument, or what a step answers), or in a loop without end that never calls `restart`.",
    bad: workflow(
      `    for (const title of titles) {
      await step(send, { titles: [title] }); // <- K415
    }`,
      send,
    ),
    good: workflow(
      `    await step(send, { titles });
    await sleep("1d");
    restart({ titles });`,
      send,
    ),
  },
} satisfies Readonly<Record<string, CheckCode>>;
