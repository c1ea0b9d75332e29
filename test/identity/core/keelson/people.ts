// Functions that tell who calls, and an API shape of the app's own over the platform's identity.
import { t } from "keelson";
import { action, http, mutation, query } from "./schema.ts";

export const who = query({
  args: {},
  allow: "anyone",
  run: ({ me }) => Promise.resolve({ ...me }),
});

export const staffOnly = query({
  args: {},
  allow: { role: ["staff"] },
  returns: t.text(),
  run: ({ me }) => Promise.resolve(me.role),
});

export const promote = mutation({
  args: { user: t.id("user"), role: t.oneOf("customer", "staff"), plan: t.oneOf("free", "gold") },
  allow: "signed-in",
  async run({ db }, { user, role, plan }) {
    await db.asSystem("tests change rights").user.update(user, { role, plan });
    return null;
  },
});

export const write = mutation({
  args: { text: t.text({ max: 200 }) },
  allow: "signed-in",
  run: async ({ db, me }, { text }) => (await db.note.create({ text, owner: me.id })).id,
});

/** Something that goes with its writer. */
export const sketch = mutation({
  args: { text: t.text({ max: 200 }) },
  allow: "signed-in",
  run: async ({ db, me }, { text }) =>
    (await db.asSystem("a draft of the caller").draft.create({ text, owner: me.id })).id,
});

interface Entry {
  readonly email: string;
  readonly password: string;
  readonly name?: string;
  readonly device?: string;
}

/** `POST /shop/people { email, password, name }`. */
export const join = http({
  method: "POST",
  path: "/shop/people",
  allow: "anyone",
  async run({ auth }, request) {
    const { email, password, name } = (await request.json()) as Entry;
    const fields = name === undefined ? {} : { name };
    const user = await auth.createUser({ email, password, fields });
    return Response.json({ user, token: await auth.issueToken({ user }) }, { status: 201 });
  },
});

/** `POST /shop/login { email, password, device? }`. */
export const login = http({
  method: "POST",
  path: "/shop/login",
  allow: "anyone",
  async run({ auth }, request) {
    const { email, password, device } = (await request.json()) as Entry;
    const known = device === undefined ? {} : { device };
    const user = await auth.verifyPassword({ email, password, ...known });
    if (user === null) return Response.json({ error: "no" }, { status: 403 });
    const opened = await auth.openSession({ user });
    return Response.json(opened, { headers: { "set-cookie": opened.cookie } });
  },
});

/** `POST /shop/logout`, in the session of the caller. */
export const logout = http({
  method: "POST",
  path: "/shop/logout",
  allow: "signed-in",
  run: async ({ auth }) => Response.json({ ended: await auth.endSession() }),
});

/** Another password for the caller. */
export const repass = action({
  args: { password: t.text({ max: 300 }) },
  allow: "signed-in",
  async run({ auth, me }, { password }) {
    await auth.setPassword({ user: me.id, password });
    return null;
  },
});

/** `PUT /shop/email { email, proven? }`: another address for the caller. */
export const readdress = http({
  method: "PUT",
  path: "/shop/email",
  allow: "signed-in",
  async run({ auth, me }, request) {
    const { email, proven } = (await request.json()) as { email: string; proven?: boolean };
    const emailVerified = proven === undefined ? {} : { emailVerified: proven };
    await auth.setEmail({ user: me.id, email, ...emailVerified });
    return new Response(null, { status: 204 });
  },
});

/** Ends the caller's account. */
export const leave = action({
  args: {},
  allow: "signed-in",
  run: ({ auth, me }) => auth.deleteUser({ user: me.id }),
});
