// Users of another Keelson app, as `keelson users export` writes them. Passkeys and authenticator apps are bound to the
// user's id there, and to the address and the keys of that server: they stay behind, and so does the membership of
// organisations, which are not in the file.
import type { Json } from "../../base/json.ts";
import { accessOf } from "./imported-access.ts";
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
  if (listAt(record, "organisations").length > 0) left.push("organisations");
  const { keys, consents } = accessOf(record);
  if (keys.length < listAt(record, "keys").length) left.push("keys (that can't be read)");
  const waits = isWithoutAccount(record);
  const read = checkedUser({
    sourceId: textAt(record, "id"),
    email: textAt(record, waits ? "row.email" : "email"),
    emailVerified: isTrueAt(record, "emailVerified"),
    name: textAt(record, "row.name"),
    passwordHash: textAt(record, "passwordHash"),
    identities: listAt(record, "identities").flatMap(identityOf),
    disabled: textAt(record, "disabledAt") !== null,
    left,
  });
  if (read.kind === "refused") return read;
  const user = { ...read.user, keys, consents };
  return { ...read, user: waits ? { ...user, withoutAccount: true } : user };
}

/** A row that the operator made (`keelson token --as=ada@example.com`), whom nobody has signed in as. */
function isWithoutAccount(record: UserRecord): boolean {
  const ofAccount = ["email", "passwordHash", "createdAt", "disabledAt"];
  const hasAccount = ofAccount.some((field) => textAt(record, field) !== null);
  return !hasAccount && !isTrueAt(record, "isGuest") && listAt(record, "identities").length === 0;
}

function identityOf(identity: Json) {
  const provider = textAt(identity, "provider");
  const subject = textAt(identity, "subject");
  return provider === null || subject === null ? [] : [{ provider, subject }];
}
