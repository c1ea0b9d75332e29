// Functions over the platform's tables: as the caller, and as the system.
import { t } from "keelson";
import { mutation, query, workflow } from "./schema.ts";

export const overview = query({
  args: {},
  allow: "signed-in",
  async run({ db, me }) {
    const system = db.asSystem("an overview for tests");
    const [own] = await db.authSession.list({ where: { user: me.id } });
    return {
      own: own?.methods ?? [],
      sessions: await db.authSession.count(),
      all: await system.authSession.count(),
      events: (await db.authEvent.list({ orderBy: "-at" })).map(({ kind }) => kind),
    };
  },
});

export const places = query({
  args: {},
  allow: "signed-in",
  async run({ db }) {
    const members = await db.orgMember.list({ with: { org: true, user: true } });
    return members.map(({ org, role }) => ({ org: org?.name ?? null, role }));
  },
});

export const raise = mutation({
  args: { user: t.id("user") },
  allow: "signed-in",
  async run({ db }, { user }) {
    await db.asSystem("tests change rights").user.update(user, { role: "staff" });
    return null;
  },
});

/** What types forbid. */
export const meddle = mutation({
  args: { session: t.id("authSession") },
  allow: "signed-in",
  async run({ db }, { session }) {
    const { authSession } = db.asSystem("a hole") as unknown as {
      authSession: { update?(id: string, patch: object): Promise<unknown> };
    };
    return typeof authSession.update === "function"
      ? authSession.update(session, { methods: ["mfa"] })
      : null;
  },
});

export const counted = workflow({
  args: { to: t.int() },
  run: (_ctx, { to }) => Promise.resolve(to),
});

export const begin = mutation({
  args: { to: t.int() },
  allow: "signed-in",
  run: ({ startWorkflow }, args) => startWorkflow(counted, args),
});
