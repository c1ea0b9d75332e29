// The types of identity: `me` with the app's own claims, and `ctx.auth`. Checked by tsc, never run.
import { define, t, table, type Id } from "./index.ts";
import { same } from "./same-type.test-d.ts";

const { query, mutation, action, http, rules } = define({
  user: table({
    email: t.text({ max: 320 }).optional().unique(),
    role: t.oneOf("customer", "staff").default("customer"),
    plan: t.oneOf("free", "gold").default("free").claim(),
    shoe: t.int().optional(),
  }),
  note: table({ owner: t.ref("user"), text: t.text({ max: 100 }) }),
});

rules({
  note: {
    read: ({ row, me }) => row.owner === me.id && me.plan === "gold",
    // @ts-expect-error no such plan
    create: ({ me }) => me.plan === "silver",
  },
});

query({
  args: {},
  allow: "anyone",
  run({ me }) {
    const { plan, org } = me;
    same<"free" | "gold" | null>()<typeof plan>();
    same<Id<"org"> | null | undefined>()<typeof org>();
    // A field that is no claim is nothing that is known of.
    const shoe = me["shoe"];
    same<unknown>()<typeof shoe>();
    return Promise.resolve(null);
  },
});

mutation({
  args: {},
  allow: "signed-in",
  // @ts-expect-error a transaction may run again; what it does with identity might not
  run: ({ auth }) => Promise.resolve(auth),
});

action({
  args: {},
  allow: "signed-in",
  async run({ auth, me }) {
    const found = await auth.verifyPassword({ email: "a@b.cc", password: "x" });
    same<Id<"user"> | null>()<typeof found>();
    const { session, accessToken } = await auth.openSession({ user: me.id });
    same<Id<"authSession">>()<typeof session>();
    same<string>()<typeof accessToken>();
    await auth.setEmail({ user: me.id, email: "c@d.ee", emailVerified: true });
    // @ts-expect-error an address is a text
    await auth.setEmail({ user: me.id, email: null });
    // @ts-expect-error a session is no user
    await auth.issueToken({ user: session });
    const org = await auth.createOrg({ name: "Acme", slug: "acme" });
    same<Id<"org">>()<typeof org>();
    await auth.addMember({ org, user: me.id, role: "member", asSystem: "paid for" });
    // @ts-expect-error only the app adds people who were not asked, and says why
    await auth.addMember({ org, user: me.id, role: "member" });
    // @ts-expect-error an organisation is no user
    await auth.removeMember({ org, user: org });
    const { members } = await auth.listMembers({ org });
    same<Id<"user"> | undefined>()<NonNullable<(typeof members)[0]>["user"] | undefined>();
    return null;
  },
});

http({
  method: "POST",
  path: "/people",
  allow: "anyone",
  run: async ({ auth }) => Response.json({ user: await auth.createUser({ email: "a@b.cc" }) }),
});

// The platform's tables: read as typed, written by nobody.
rules({
  authSession: {
    read: ({ row, me }) => row.user === me.id && row.org?.slug === "acme",
    fields: { address: { read: () => false } },
  },
  workRun: { read: ({ row, me }) => row.by === me.id },
  org: {
    read: ({ row, me, db }) => db.orgMember.some((m) => m.org === row.id && m.user === me.id),
  },
});
rules({
  // @ts-expect-error the platform writes it
  org: { create: () => true },
});
rules({
  // @ts-expect-error a hash is nobody's
  authAccount: { read: ({ row }) => row.passwordHash === "x" },
});
rules({
  // @ts-expect-error a table of secrets
  authTotp: { read: () => true },
});

mutation({
  args: { session: t.id("authSession") },
  allow: "signed-in",
  async run({ db }, { session }) {
    const row = await db.asSystem("typed").authSession.get(session);
    same<Id<"user"> | undefined>()<NonNullable<typeof row>["user"] | undefined>();
    const [member] = await db.orgMember.list({ with: { org: true } });
    same<string | undefined>()<
      NonNullable<NonNullable<typeof member>["org"]>["name"] | undefined
    >();
    // @ts-expect-error sessions end by ctx.auth or under /auth
    await db.asSystem("typed").authSession.delete(session);
    // @ts-expect-error no such field
    await db.asSystem("typed").authSession.list({ where: { cookieEpoch: 1 } });
    return null;
  },
});
