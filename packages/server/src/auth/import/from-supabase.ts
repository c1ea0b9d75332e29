// Users of Supabase: the rows of auth.users as CSV, NDJSON or JSON (`select * from auth.users`), with bcrypt, Argon2
// or Firebase hashes as Supabase keeps them. `identities` may be joined in as a JSON column.
import type { Json } from "../../base/json.ts";
import { msOfTime, parseTime } from "../../model/field-time.ts";
import {
  checkedUser,
  isTrueAt,
  listAt,
  providerName,
  textAt,
  type ImportedRecord,
  type UserRecord,
} from "./imported-user.ts";

/** @param nowMs to tell who is banned still. */
export function userFromSupabase(record: UserRecord, nowMs: number): ImportedRecord {
  const left: string[] = [];
  if (textAt(record, "phone") !== null) left.push("the phone number");
  const identities = listAt(record, "identities").flatMap(identityOf);
  const { length } = listAt(record, "raw_app_meta_data.providers").filter((one) => one !== "email");
  if (length > identities.length) {
    left.push(
      "accounts elsewhere (join auth.identities in as a column: docs/guides/bring-users.md)",
    );
  }
  return checkedUser({
    sourceId: textAt(record, "id"),
    email: textAt(record, "email"),
    emailVerified:
      (textAt(record, "email_confirmed_at") ?? textAt(record, "confirmed_at")) !== null,
    name:
      textAt(record, "raw_user_meta_data.full_name") ?? textAt(record, "raw_user_meta_data.name"),
    passwordHash: textAt(record, "encrypted_password"),
    identities,
    disabled: isBanned(record, nowMs) || textAt(record, "deleted_at") !== null,
    left: isTrueAt(record, "is_sso_user") ? [...left, "single sign-on (SAML)"] : left,
  });
}

function isBanned(record: UserRecord, nowMs: number): boolean {
  const until = textAt(record, "banned_until");
  // PostgreSQL writes "2099-01-01 00:00:00+00" where RFC 3339 has minutes in the offset.
  const time = until === null ? null : parseTime(until.replace(/([+\-]\d\d)$/v, "$1:00"));
  return time !== null && msOfTime(time) > nowMs;
}

function identityOf(identity: Json) {
  const provider = textAt(identity, "provider");
  const subject =
    textAt(identity, "provider_id") ??
    textAt(identity, "identity_data.sub") ??
    textAt(identity, "id");
  if (provider === null || subject === null) return [];
  if (provider === "email" || provider === "phone") return [];
  return [{ provider: providerName(provider), subject }];
}
