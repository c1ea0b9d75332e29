// The platform's tables that an app may name: in rules, in `t.ref`, as `db.org`, as `api.authSession`. They are written by
// the platform; an app says who reads them. Their secrets are not here, nor tables that hold little else.
// The server keeps the tables themselves; a test there holds both against each other.
import { t } from "./t.ts";
import { table, type TableDefinition } from "./table.ts";
import type { TableSpec } from "./spec.ts";

const short = t.text({ max: 300 });

const definitions = {
  /** An organisation. */
  org: table({
    name: t.text({ max: 200 }),
    slug: t.text({ max: 60 }).unique(),
    createdAt: t.time(),
  }),
  /** Who belongs to one, as what. */
  orgMember: table({
    org: t.ref("org", { onDelete: "cascade" }),
    user: t.ref("user", { onDelete: "cascade" }),
    role: t.text({ max: 50 }),
    createdAt: t.time(),
  }),
  /** Who was asked to join one. */
  orgInvitation: table({
    org: t.ref("org", { onDelete: "cascade" }),
    email: t.text({ max: 320 }),
    role: t.text({ max: 50 }),
    invitedBy: t.ref("user", { onDelete: "clear" }).optional(),
    createdAt: t.time(),
    expiresAt: t.time(),
    acceptedAt: t.time().optional(),
  }),
  /** What identity knows of a user. */
  authAccount: table({
    user: t.ref("user", { onDelete: "cascade" }).unique().immutable(),
    email: t.text({ max: 320 }).optional().unique(),
    emailVerified: t.bool(),
    isGuest: t.bool(),
    isService: t.bool(),
    passwordChangedAt: t.time().optional(),
    hasSecondFactor: t.bool(),
    disabledAt: t.time().optional(),
    createdAt: t.time(),
    lastSignInAt: t.time().optional(),
  }),
  /** Where somebody is signed in. */
  authSession: table({
    user: t.ref("user", { onDelete: "cascade" }),
    createdAt: t.time(),
    seenAt: t.time(),
    expiresAt: t.time(),
    endsAt: t.time(),
    authenticatedAt: t.time(),
    methods: t.list(t.text({ max: 20 }), { max: 10 }),
    org: t.ref("org", { onDelete: "clear" }).optional(),
    client: t.text({ max: 200 }).optional(),
    address: t.text({ max: 64 }).optional(),
    userAgent: t.text({ max: 400 }).optional(),
  }),
  /** What happened to an account. */
  authEvent: table({
    user: t.ref("user", { onDelete: "cascade" }).optional(),
    at: t.time(),
    kind: t.text({ max: 60 }),
    session: t.text({ max: 40 }).optional(),
    address: t.text({ max: 64 }).optional(),
    userAgent: t.text({ max: 400 }).optional(),
    details: t.json({ maxBytes: 16_384 }).optional(),
  }),
  /** A key for programs, without the key. */
  authKey: table({
    user: t.ref("user", { onDelete: "cascade" }),
    name: t.text({ max: 100 }),
    hint: t.text({ max: 20 }),
    scopes: t.list(t.text({ max: 100 }), { max: 100 }),
    isStrong: t.bool().default(false),
    createdAt: t.time(),
    expiresAt: t.time().optional(),
    lastUsedAt: t.time().optional(),
  }),
  /** A webhook that came in and was genuine. */
  hookEvent: table({
    hook: short,
    event: short,
    type: short.optional(),
    body: t.text({ max: 1_500_000 }),
    form: short,
    headers: t.json({ maxBytes: 262_144 }),
    at: t.time(),
    signedAt: t.time().optional(),
    state: short,
  }),
  /** A run of a workflow. */
  workRun: table({
    workflow: short,
    version: short,
    state: t.oneOf("running", "done", "failed", "cancelled", "stuck"),
    key: short.optional(),
    by: t.id("user").optional(),
    args: t.json({ maxBytes: 4_194_304 }),
    status: t.json({ maxBytes: 4_194_304 }).optional(),
    result: t.json({ maxBytes: 4_194_304 }).optional(),
    error: t.json({ maxBytes: 4_194_304 }).optional(),
    startedAt: t.time(),
    endedAt: t.time().optional(),
    until: t.time().optional(),
  }),
  /** A job that waits or runs. */
  workJob: table({
    queue: short,
    key: short.optional(),
    once: short.optional(),
    attempts: t.int(),
    input: t.json({ maxBytes: 1_048_576 }).optional(),
  }),
};

/** Their fields, for the type system. */
export type PlatformSchema = {
  readonly [T in keyof typeof definitions]: (typeof definitions)[T]["~fields"];
};

/** Their names. */
export type PlatformTable = keyof PlatformSchema;

/** By name. */
export const platformTables: Readonly<Record<string, TableSpec>> = Object.freeze(
  Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => [
      name,
      (definition as unknown as TableDefinition).spec,
    ]),
  ),
);
