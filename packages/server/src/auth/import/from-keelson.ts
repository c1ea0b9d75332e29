// Users of another Keelson app, as `keelson users export` writes them. Passkeys and authenticator apps are bound to the
// address and the keys of the server that they were made for, and stay behind.
import type { Json } from "../../base/json.ts";
import {
  checkedUser,
  isTrueAt,
  listAt,
  textAt,
  type ImportedRecord,
  type UserRecord,
} from "./imported-user.ts";

/** A line of that file. */
export function userFromKeelson(record: UserRecord): ImportedRecord {
  const left: string[] = [];
  if (listAt(record, "passkeys").length > 0) left.push("passkeys");
  if (isTrueAt(record, "hasSecondFactor")) left.push("the second factor");
  return checkedUser({
    sourceId: textAt(record, "id"),
    email: textAt(record, "email"),
    emailVerified: isTrueAt(record, "emailVerified"),
    name: textAt(record, "row.name"),
    passwordHash: textAt(record, "passwordHash"),
    identities: listAt(record, "identities").flatMap(identityOf),
    disabled: textAt(record, "disabledAt") !== null,
    left,
  });
}

function identityOf(identity: Json) {
  const provider = textAt(identity, "provider");
  const subject = textAt(identity, "subject");
  return provider === null || subject === null ? [] : [{ provider, subject }];
}
