// What tsc must accept and refuse about workflows and work. Compiled with the package, never run.
import { define } from "./define.ts";
import type { Id } from "./id.ts";
import { same } from "./same-type.test-d.ts";
import { t } from "./t.ts";
import { table } from "./table.ts";
import { event } from "./work-define.ts";

const { mutation, query, action, queue, workflow, onChange } = define(
  { order: table({ state: t.oneOf("new", "paid") }) },
  { events: { paid: event({ order: t.id("order"), amount: t.int() }), bell: event({}) } },
);

const charge = action({ args: { order: t.id("order") }, returns: t.int(), run: () => 1 });
const total = query({ returns: t.int(), run: () => 1 });

const deliver = workflow({
  args: { order: t.id("order"), note: t.text({ max: 9 }).optional() },
  signals: { sent: { parcel: t.text({ max: 9 }) } },
  deadline: "3d",
  async run({ step, waitFor, signal, sleep, restart, id, now }, { order, note }) {
    same<Id<"order">>()<typeof order>();
    same<string | null>()<typeof note>();
    const charged = await step(charge, { order });
    same<number>()<typeof charged>();
    same<number>()<Awaited<ReturnType<typeof step<typeof total>>>>();
    await step(total);
    const paid = await waitFor("paid");
    same<number>()<(typeof paid)["amount"]>();
    const inTime = await waitFor("paid", { timeout: "1h" });
    // @ts-expect-error -- With a timeout it may be null.
    void inTime.amount;
    const { parcel } = await signal("sent");
    same<string>()<typeof parcel>();
    // @ts-expect-error -- No such event.
    await waitFor("pad");
    // @ts-expect-error -- No such signal.
    await signal("send");
    // @ts-expect-error -- The action takes an order.
    await step(charge);
    // @ts-expect-error -- No length of time.
    await sleep("soon");
    await sleep({ until: now() });
    if (id === "") restart({ order, note: null });
    return { parcel, charged };
  },
});

export const outer = workflow({
  async run({ child }) {
    const result = await child(deliver, { order: "order_1" });
    same<{ parcel: string; charged: number }>()<typeof result>();
    // @ts-expect-error -- It takes an order.
    await child(deliver, {});
    return result;
  },
});

export const start = mutation({
  async run({ startWorkflow, signalWorkflow, cancelWorkflow, workflowRun }) {
    const run = await startWorkflow(deliver, { order: "order_1" }, { key: "one" });
    same<string>()<typeof run>();
    await startWorkflow(outer);
    // @ts-expect-error -- Arguments are needed.
    await startWorkflow(deliver);
    await signalWorkflow(deliver, run, "sent", { parcel: "P1" });
    // @ts-expect-error -- The payload lacks its parcel.
    await signalWorkflow(deliver, run, "sent", {});
    await cancelWorkflow(run);
    const found = await workflowRun(deliver, run);
    same<{ parcel: string; charged: number }>()<NonNullable<NonNullable<typeof found>["result"]>>();
  },
});

const charges = queue(charge, { keep: "1h" });
export const lookAtJob = query({
  async run({ jobState }) {
    const found = await jobState(charges, "work_job_1");
    same<number | null>()<NonNullable<typeof found>["result"]>();
    // @ts-expect-error -- Nobody enqueues a query.
    await jobState(total, "work_job_1");
    return (await jobState(charge, "work_job_1"))?.state;
  },
});

export const look = query({
  async run({ workflowRun, ...others }) {
    // @ts-expect-error -- A query starts nothing.
    void others.startWorkflow;
    return (await workflowRun(outer, "work_run_1"))?.state;
  },
});

// @ts-expect-error -- Who may start it is up to the function that starts it.
export const open = workflow({ allow: "anyone", run: () => 1 });

const follow = mutation({
  args: {
    id: t.id("order"),
    change: t.oneOf("create", "update", "delete"),
    before: t.json().optional(),
    after: t.json().optional(),
    at: t.time(),
  },
  run: () => undefined,
});
export const follows = onChange("order", follow);
const misspelt = mutation({ args: { when: t.time() }, run: () => undefined });
// @ts-expect-error -- A change has no such part.
export const misses = onChange("order", misspelt);
