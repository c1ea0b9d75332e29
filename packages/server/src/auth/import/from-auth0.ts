// Users of Auth0: the export job's NDJSON, JSON or CSV, and the file of password hashes that Auth0's support hands
// out (bcrypt), which is joined by the user's id. Also what its own import takes (`custom_password_hash`).
import type { Json } from "../../base/json.ts";
import {
  checkedUser,
  isTrueAt,
  listAt,
  providerName,
  textAt,
  type ImportedRecord,
  type UserRecord,
} from "./imported-user.ts";

/** The id and hash of a line of the file of hashes; null when it is none. */
export function auth0Hash(
  record: UserRecord,
): { readonly id: string; readonly hash: string } | null {
  const id = textAt(record, "_id.$oid") ?? textAt(record, "_id") ?? textAt(record, "user_id");
  const hash = textAt(record, "passwordHash") ?? textAt(record, "password_hash");
  if (id === null || hash === null) return null;
  return { id: id.includes("|") ? id : `auth0|${id}`, hash };
}

/** @param hashes by user id, from `auth0Hash`. */
export function userFromAuth0(
  record: UserRecord,
  hashes: ReadonlyMap<string, string>,
): ImportedRecord {
  const own = auth0Hash(record);
  const sourceId = textAt(record, "user_id") ?? textAt(record, "Id") ?? own?.id ?? null;
  const email = textAt(record, "email") ?? textAt(record, "Email");
  const left: string[] = [];
  if (textAt(record, "phone_number") !== null) left.push("the phone number");
  if (listAt(record, "mfa_factors").length > 0 || listAt(record, "multifactor").length > 0) {
    left.push("the second factor");
  }
  const given = (sourceId === null ? undefined : hashes.get(sourceId)) ?? own?.hash;
  const custom = given ?? customHash(record);
  if (custom === "") left.push("the password (a hash of a kind that is not taken)");
  return checkedUser({
    sourceId,
    email,
    emailVerified: isTrueAt(record, "email_verified") || isTrueAt(record, "Email Verified"),
    name: nameOf(record, email),
    passwordHash: custom ?? null,
    identities: identitiesOf(record, sourceId),
    disabled: isTrueAt(record, "blocked"),
    left,
  });
}

/** Auth0 writes the e-mail where it knows no name. */
function nameOf(record: UserRecord, email: string | null): string | null {
  const name = textAt(record, "name") ?? textAt(record, "Name") ?? textAt(record, "nickname");
  return name === email ? null : name;
}

function identitiesOf(record: UserRecord, sourceId: string | null) {
  const listed = listAt(record, "identities").flatMap((identity) => {
    const provider = textAt(identity, "provider");
    const subject = textAt(identity, "user_id");
    return provider === null || subject === null ? [] : [{ provider, subject }];
  });
  const [provider = "", ...rest] = (sourceId ?? "").split("|");
  const all = listed.length > 0 ? listed : [{ provider, subject: rest.join("|") }];
  return all
    .filter(
      ({ provider, subject }) =>
        !["", "auth0", "email", "sms"].includes(provider) && subject !== "",
    )
    .map(({ provider, subject }) => ({ provider: providerName(provider), subject }));
}

/** Null: there is none. Empty: of a kind that is not taken. */
function customHash(record: UserRecord): string | null {
  const value = textAt(record, "custom_password_hash.hash.value");
  if (value === null) return null;
  switch (textAt(record, "custom_password_hash.algorithm") ?? "") {
    case "bcrypt":
    case "pbkdf2":
    case "argon2":
      return value;
    case "scrypt":
      return scryptHash(record, value);
    default:
      return "";
  }
}

function scryptHash(record: UserRecord, value: string): string {
  const at = "custom_password_hash";
  const cost = Number(textAt(record, `${at}.cost`) ?? 16_384);
  const r = textAt(record, `${at}.blockSize`) ?? "8";
  const p = textAt(record, `${at}.parallelization`) ?? "1";
  const salt = bytesOf(record, `${at}.salt`);
  const key = Buffer.from(value, encodingOf(textAt(record, `${at}.hash.encoding`)));
  return `$scrypt$ln=${Math.log2(cost)},r=${r},p=${p}$${salt.toString("base64")}$${key.toString("base64")}`;
}

function bytesOf(record: Json, path: string): Buffer {
  return Buffer.from(
    textAt(record, `${path}.value`) ?? "",
    encodingOf(textAt(record, `${path}.encoding`)),
  );
}

function encodingOf(name: string | null): "hex" | "base64" | "utf8" {
  if (name === "hex" || name === "base64") return name;
  return "utf8";
}
