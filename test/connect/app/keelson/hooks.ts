// Webhooks of every kind, each of which leaves a row.
import { Refusal, t } from "keelson";
import { action, hook, mutation, query } from "./schema.ts";

const input = {
  id: t.text({ max: 300 }),
  type: t.text({ max: 300 }).optional(),
  body: t.json({ maxBytes: 100_000 }),
  headers: t.json({ maxBytes: 10_000 }),
};
const system = "webhooks come from nobody";

const leave = (name: string) =>
  mutation({
    args: input,
    async run({ db, me }, { id, type, body, headers }) {
      await db
        .asSystem(system)
        .seen.create({ hook: name, event: id, type, body, headers, by: me.id });
      const { fail = false, work = 0 } = (body ?? {}) as { fail?: boolean; work?: number };
      if (fail) throw new Refusal("BROKEN", "This one is not liked.");
      let sum = 0;
      for (let step = 0; step < work * 1_000_000; step++) sum += step % 7;
      if (sum < 0) throw new Error("impossible");
    },
  });

export const onStripe = leave("stripe");
export const onOrdered = leave("ordered");
export const onGithub = leave("github");
export const onStandard = leave("standard");
export const onShop = leave("shop");
export const onEvents = leave("events");
export const onPlaid = leave("plaid");
export const note = leave("outside");

export const onOutside = action({
  args: input,
  run: ({ run, job }, args) => run(note, { ...args, headers: { token: job?.token ?? null } }),
});

export const stripe = hook(
  "stripe",
  {
    verify: "stripe",
    secrets: ["TEST_STRIPE_NEW", "TEST_STRIPE_OLD"],
    attempts: 2,
    backoff: "50ms",
  },
  onStripe,
);
export const ordered = hook(
  "ordered",
  {
    verify: "stripe",
    secrets: ["TEST_STRIPE_NEW"],
    order: { key: "data.object.id", at: "created" },
  },
  onOrdered,
);
export const github = hook("github", { verify: "github", secrets: ["TEST_GITHUB"] }, onGithub);
export const standard = hook(
  "standard",
  { verify: "standard", secrets: ["TEST_STANDARD"] },
  onStandard,
);
export const shop = hook(
  "shop",
  {
    verify: {
      kind: "hmac",
      header: "X-Shop-Signature",
      algorithm: "sha256",
      encoding: "base64",
      idHeader: "X-Shop-Id",
    },
    secrets: ["TEST_SHOP"],
    attempts: 2,
    backoff: "50ms",
  },
  onShop,
);
export const cloud = hook(
  "events",
  { verify: "standard", secrets: ["TEST_STANDARD"], form: "cloudevents" },
  onEvents,
);
export const plaid = hook(
  "plaid",
  { verify: "plaid", secrets: ["TEST_PLAID_CLIENT_ID", "TEST_PLAID_SECRET"] },
  onPlaid,
);
export const outside = hook(
  "outside",
  { verify: "standard", secrets: ["TEST_STANDARD"] },
  onOutside,
);
export const unready = hook("unready", { verify: "github", secrets: ["TEST_NEVER_SET"] }, onGithub);

export const seen = query({
  args: { hook: t.text({ max: 40 }) },
  allow: "anyone",
  returns: t.json({ maxBytes: 1_000_000 }),
  run: ({ db }, { hook }) => db.asSystem(system).seen.list({ where: { hook }, limit: 1000 }),
});

export const events = mutation({
  args: { hook: t.text({ max: 40 }) },
  allow: "anyone",
  returns: t.json(),
  run: ({ webhooks }, { hook }) => webhooks.events(hook),
});

export const replay = mutation({
  args: { id: t.text({ max: 60 }) },
  allow: "anyone",
  run: ({ webhooks }, { id }) => webhooks.replay(id),
});

const order = { key: "thing", at: "at" };
export const onAllStripe = leave("allstripe");
export const onAllStandard = leave("allstandard");
export const onAllPlaid = leave("allplaid");
export const allStripe = hook(
  "allstripe",
  { verify: "stripe", secrets: ["TEST_STRIPE_NEW", "TEST_STRIPE_OLD"], order },
  onAllStripe,
);
export const allStandard = hook(
  "allstandard",
  { verify: "standard", secrets: ["TEST_STANDARD", "TEST_STANDARD_OLD"], order },
  onAllStandard,
);
export const allPlaid = hook(
  "allplaid",
  { verify: "plaid", secrets: ["TEST_PLAID_CLIENT_ID", "TEST_PLAID_SECRET"], order },
  onAllPlaid,
);
