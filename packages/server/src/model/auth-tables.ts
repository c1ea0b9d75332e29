// Tables of identity. What stands here is what must last; what a person may see of it is the business of `/auth/*`.
// Secrets are kept as digests (tickets, keys, codes) or as slow hashes (passwords), never as they are.
import type { FieldFlags, FieldKind } from "@keelson/sdk/spec";
import type { FieldSpec, IndexSpec, TableModel } from "./manifest.ts";

const oneDocumentBytes = 16_384;

/** One row for each user that can sign in: `user` is the app's table, this is what identity knows of the person. */
const authAccount = table("authAccount", {
  user: user({ unique: true, immutable: true }),
  /** The address to sign in with, lower case. Absent: guests, and people who came by another provider without one. */
  email: text(320, { optional: true, unique: true }),
  emailVerified: flag(),
  /** A guest: no way to sign in again but the session. */
  isGuest: flag(),
  /** A service: it has keys and nothing else. */
  isService: flag(),
  /** In PHC format, or in the format it was imported with. */
  passwordHash: text(1_024, { optional: true, private: true }),
  passwordChangedAt: time({ optional: true }),
  /** Whether a second factor is set up: the password alone then opens no session. */
  hasSecondFactor: flag(),
  disabledAt: time({ optional: true }),
  createdAt: time(),
  lastSignInAt: time({ optional: true }),
});

/** A sign-in that lasts, on one device. Deleted when it ends: that is what revokes it on every thread. */
const authSession = table(
  "authSession",
  {
    user: user(),
    createdAt: time(),
    /** Written at most once in limits.authSeenMs. */
    seenAt: time(),
    /** Ends then if it is not used; moved on by use. */
    expiresAt: time(),
    /** Ends then whatever happens. */
    endsAt: time(),
    /** When the person last proved who they are: for what asks for that again. */
    authenticatedAt: time(),
    /** How (RFC 8176): pwd, otp, mfa, swk, email, fed, guest. */
    methods: list(text(20), 10),
    /** Counts up with each change of rights: cookies of an older one are void. */
    cookieEpoch: int({ private: true }),
    /** Counts up with each refresh token handed out; only the newest is good. */
    refreshCount: int({ private: true }),
    refreshedAt: time({ optional: true, private: true }),
    /** The organisation that the caller speaks for. */
    org: ref("org", { optional: true, onDelete: "clear" }),
    /** The OpenID client that it was made for; absent: this app itself. */
    client: text(200, { optional: true }),
    address: text(64, { optional: true }),
    userAgent: text(400, { optional: true }),
  },
  [{ fields: ["user", "createdAt"] }, { fields: ["endsAt"] }],
);

/** A right that is used once: a link by e-mail, a code, a state of a redirect. Deleted when used. */
const authTicket = table(
  "authTicket",
  {
    /** verifyEmail, resetPassword, magicLink, emailCode, changeEmail, secondFactor, oidcState, oidcCode, passkey... */
    purpose: text(40),
    user: user({ optional: true }),
    /** Whatever it is about: an address, a client. */
    subject: text(400, { optional: true }),
    /** SHA-256 of the secret, base64url. */
    digest: text(64, { private: true }),
    data: json({ optional: true, private: true }),
    /** Wrong codes so far. */
    tries: int(),
    createdAt: time(),
    expiresAt: time(),
  },
  [{ fields: ["expiresAt"] }, { fields: ["user", "purpose"] }, { fields: ["purpose", "subject"] }],
);

/** An account elsewhere (OpenID Connect, social) that signs in the user. */
const authIdentity = table(
  "authIdentity",
  {
    user: user(),
    provider: text(60),
    /** Its `sub` there. */
    subject: text(400),
    email: text(320, { optional: true }),
    emailVerified: flag(),
    /** The address only passes letters on. Null: nobody said. */
    isPrivateEmail: { kind: "bool", optional: true },
    createdAt: time(),
    lastSignInAt: time({ optional: true }),
  },
  [{ fields: ["provider", "subject"], unique: true }, { fields: ["user"] }],
);

const authPasskey = table(
  "authPasskey",
  {
    user: user(),
    /** Base64url. */
    credential: text(1_400, { unique: true }),
    publicKey: text(2_000),
    counter: int(),
    transports: list(text(40), 10),
    backedUp: flag(),
    /** What the person calls it. */
    name: text(100),
    createdAt: time(),
    lastUsedAt: time({ optional: true }),
  },
  [{ fields: ["user"] }],
);

/** An authenticator app. */
const authTotp = table("authTotp", {
  user: user({ unique: true }),
  /** Base32; sealed with the server's key. */
  secret: text(400, { private: true }),
  confirmedAt: time({ optional: true }),
  /** The newest time step whose code was used: none up to it is accepted again. */
  lastStep: int(),
  createdAt: time(),
});

const authRecovery = table(
  "authRecovery",
  {
    user: user(),
    digest: text(64, { private: true }),
    createdAt: time(),
  },
  [{ fields: ["user"] }],
);

/** A key for programs, in the name of a user. */
const authKey = table(
  "authKey",
  {
    user: user(),
    name: text(100),
    /** The first characters, to tell keys apart. */
    hint: text(20),
    digest: text(64, { unique: true, private: true }),
    /** What it may do; empty: everything its user may. */
    scopes: list(text(100), 100),
    /** Whether it was made in a session that had shown a second factor. False also of keys from before this was kept. */
    isStrong: flag({ default: { value: false } }),
    createdAt: time(),
    expiresAt: time({ optional: true }),
    lastUsedAt: time({ optional: true }),
  },
  [{ fields: ["user"] }],
);

/** What happened to an account, for the person to see. */
const authEvent = table(
  "authEvent",
  {
    user: user({ optional: true }),
    at: time(),
    kind: text(60),
    session: text(40, { optional: true }),
    address: text(64, { optional: true }),
    userAgent: text(400, { optional: true }),
    details: json({ optional: true }),
  },
  [{ fields: ["user", "at"] }, { fields: ["at"] }],
);

/** What a person allowed an OpenID client. */
const authConsent = table(
  "authConsent",
  {
    user: user(),
    client: text(200),
    scopes: list(text(100), 50),
    createdAt: time(),
    changedAt: time(),
  },
  [{ fields: ["user", "client"], unique: true }],
);

const org = table("org", {
  name: text(200),
  slug: text(60, { unique: true }),
  createdAt: time(),
});

const orgMember = table(
  "orgMember",
  {
    org: ref("org", { onDelete: "cascade" }),
    user: user(),
    role: text(50),
    createdAt: time(),
  },
  [{ fields: ["org", "user"], unique: true }, { fields: ["user"] }],
);

const orgInvitation = table(
  "orgInvitation",
  {
    org: ref("org", { onDelete: "cascade" }),
    email: text(320),
    role: text(50),
    invitedBy: user({ optional: true, onDelete: "clear" }),
    digest: text(64, { unique: true, private: true }),
    createdAt: time(),
    expiresAt: time(),
    acceptedAt: time({ optional: true }),
  },
  [{ fields: ["org"] }, { fields: ["email"] }],
);

/** By name. */
export const authTables: Readonly<Record<string, TableModel>> = Object.freeze({
  authAccount,
  authSession,
  authTicket,
  authIdentity,
  authPasskey,
  authTotp,
  authRecovery,
  authKey,
  authEvent,
  authConsent,
  org,
  orgMember,
  orgInvitation,
});

function table(
  name: string,
  fields: Readonly<Record<string, FieldSpec>>,
  indexes: readonly IndexSpec[] = [],
): TableModel {
  const id: FieldSpec = { kind: "id", table: name, immutable: true };
  return Object.freeze({
    name,
    fields: { id, ...fields },
    indexes,
    search: [],
    checks: [],
    rules: { fields: {} },
    limits: {},
  });
}

function ref(
  table: string,
  flags: FieldFlags & { readonly onDelete: (FieldKind & { kind: "ref" })["onDelete"] },
): FieldSpec {
  return { kind: "ref", table, ...flags };
}

/** The user that the row is of; it goes with the user unless told. */
function user(flags: FieldFlags & { readonly onDelete?: "cascade" | "clear" } = {}): FieldSpec {
  return ref("user", { onDelete: "cascade", ...flags });
}

function text(max: number, flags: FieldFlags = {}): FieldSpec {
  return { kind: "text", min: 0, max, ...flags };
}

function int(flags: FieldFlags = {}): FieldSpec {
  return { kind: "int", min: 0, max: Number.MAX_SAFE_INTEGER, ...flags };
}

function time(flags: FieldFlags = {}): FieldSpec {
  return { kind: "time", ...flags };
}

function flag(flags: FieldFlags = {}): FieldSpec {
  return { kind: "bool", ...flags };
}

function list(item: FieldSpec, max: number): FieldSpec {
  return { kind: "list", item, min: 0, max };
}

function json(flags: FieldFlags): FieldSpec {
  return { kind: "json", maxBytes: oneDocumentBytes, ...flags };
}
