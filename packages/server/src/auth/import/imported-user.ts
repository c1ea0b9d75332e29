// A user as every import file comes down to: what is carried over, and what is not. Nothing is guessed: an e-mail
// counts as verified only where the file says so, and a hash is taken only when it can be checked later.
import type { Json } from "../../base/json.ts";
import { isMailAddress } from "../mail/mail-address.ts";
import { isForeignHash } from "./foreign-hash.ts";

/** An account at another provider that signs this user in. */
export interface ImportedIdentity {
  /** As this app calls it: `google`, `github`. */
  readonly provider: string;
  /** The user's id there (`sub`). */
  readonly subject: string;
}

/** A key for programs. Times are RFC 3339. */
export type ImportedKey = {
  readonly name: string;
  readonly hint: string;
  readonly digest: string;
  readonly scopes: readonly string[];
  readonly isStrong: boolean;
  readonly createdAt: string | null;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
};

/** What was allowed to one system. */
export type ImportedConsent = { readonly client: string; readonly scopes: readonly string[] };

/** Both, of one user. */
export type ImportedAccess = {
  readonly keys: readonly ImportedKey[];
  readonly consents: readonly ImportedConsent[];
};

/** A user to take on. Plain JSON. */
export type ImportedUser = {
  /** Its id where it came from. */
  readonly sourceId: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  /** True: the row of the app alone, which waits for whoever proves the address. Of Keelson's own export only. */
  readonly withoutAccount?: boolean;
  readonly name: string | null;
  /** In a form of foreign-hash.ts; null: a new password is set by e-mail. */
  readonly passwordHash: string | null;
  readonly identities: readonly { readonly provider: string; readonly subject: string }[];
  /** Whether it was not let in there either. */
  readonly disabled: boolean;
  /** Keys and consents: of Keelson's own export only. */
  readonly keys?: ImportedAccess["keys"];
  readonly consents?: ImportedAccess["consents"];
  /** What the file has and this import does not carry over, for the report. */
  readonly left: readonly string[];
};

/** What a mapper makes of a record. */
export type ImportedRecord =
  | { readonly kind: "user"; readonly user: ImportedUser }
  | { readonly kind: "refused"; readonly sourceId: string | null; readonly problem: string };

/** A record of a file: an object of JSON, or a row of a CSV file, where every value is text. */
export type UserRecord = { readonly [key: string]: Json };

/** What a mapper found, unchecked. */
export interface UserDraft {
  readonly sourceId: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly name?: string | null;
  readonly passwordHash?: string | null;
  readonly identities?: readonly ImportedIdentity[];
  readonly disabled?: boolean;
  readonly left?: readonly string[];
}

const nameCharsMax = 200;
const idCharsMax = 255;

/** Checks a draft: a user that could never sign in is refused, a hash that can't be checked is left out and told. */
export function checkedUser(draft: UserDraft): ImportedRecord {
  const { sourceId, identities = [] } = draft;
  if (sourceId === null || sourceId === "" || sourceId.length > idCharsMax) {
    return { kind: "refused", sourceId: null, problem: "it has no id" };
  }
  const refused = (problem: string): ImportedRecord => ({ kind: "refused", sourceId, problem });
  const email =
    draft.email === null || draft.email === "" ? null : draft.email.trim().toLowerCase();
  if (email !== null && !isMailAddress(email)) return refused("its e-mail is no address");
  if (email === null && identities.length === 0) {
    return refused("it has neither an e-mail nor an account elsewhere: nobody could sign in as it");
  }
  const left = [...(draft.left ?? [])];
  let passwordHash = draft.passwordHash ?? null;
  if (passwordHash === "") passwordHash = null;
  if (passwordHash !== null && !isForeignHash(passwordHash)) {
    left.push("the password (a hash of a kind or cost that is not taken)");
    passwordHash = null;
  }
  if (passwordHash !== null && email === null) {
    left.push("the password (without an e-mail)");
    passwordHash = null;
  }
  return {
    kind: "user",
    user: {
      sourceId,
      email,
      emailVerified: email !== null && draft.emailVerified,
      name: nameOf(draft.name ?? null),
      passwordHash,
      identities: identities.map(({ provider, subject }) => ({ provider, subject })),
      disabled: draft.disabled ?? false,
      left,
    },
  };
}

function nameOf(name: string | null): string | null {
  const text = (name ?? "").replaceAll(/\p{Cc}+/gv, " ").trim();
  return text === "" ? null : text.slice(0, nameCharsMax);
}

/** A text or number at a path (`identities.0.provider`), or null. */
export function textAt(record: Json, path: string): string | null {
  const value = valueAt(record, path);
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : null;
}

/** Whether there is a yes at a path, in the spelling of JSON, CSV files and databases. */
export function isTrueAt(record: Json, path: string): boolean {
  const value = valueAt(record, path);
  return (
    value === true ||
    value === 1 ||
    (typeof value === "string" && /^(?:true|t|1|yes)$/iv.test(value))
  );
}

/** A list at a path, also one that a CSV cell or an attribute holds as JSON text; else none. */
export function listAt(record: Json, path: string): readonly Json[] {
  const value = parsed(valueAt(record, path));
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

/** The value at a path; null when there is none. Objects inside a text of JSON are entered. */
export function valueAt(record: Json, path: string): Json {
  let value: Json = record;
  for (const key of path.split(".")) {
    const inner = parsed(value);
    if (inner === null || typeof inner !== "object" || !Object.hasOwn(inner, key)) return null;
    value = (inner as { readonly [key: string]: Json })[key] ?? null;
  }
  return value;
}

function parsed(value: Json): Json {
  if (typeof value !== "string" || !/^\s*[\[\{]/v.test(value)) return value;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return value;
  }
}

const providers: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  "google-oauth2": "google",
  "google.com": "google",
  "facebook.com": "facebook",
  "github.com": "github",
  "apple.com": "apple",
  "microsoft.com": "microsoft",
  "twitter.com": "twitter",
  windowslive: "microsoft",
  azure: "microsoft",
  signinwithapple: "apple",
  loginwithamazon: "amazon",
});

/** What this app calls a provider. */
export function providerName(name: string): string {
  const lower = name.toLowerCase();
  return providers[lower] ?? lower;
}
