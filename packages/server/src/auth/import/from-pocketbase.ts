// Users of PocketBase: the rows of an auth collection, read out of pb_data/data.db (the API gives no hashes out), or
// as CSV, NDJSON or JSON of the same columns. Hashes are bcrypt: `passwordHash` before version 0.23, `password` since.
import {
  checkedUser,
  isTrueAt,
  listAt,
  providerName,
  textAt,
  type ImportedRecord,
  type UserRecord,
} from "./imported-user.ts";

/** @param record a row; `externalAuths` may hold `[{ provider, providerId }]`. */
export function userFromPocketbase(record: UserRecord): ImportedRecord {
  const mail = textAt(record, "email");
  return checkedUser({
    sourceId: textAt(record, "id"),
    email: mail,
    emailVerified: isTrueAt(record, "verified"),
    name: textAt(record, "name") ?? textAt(record, "username"),
    passwordHash: textAt(record, "passwordHash") ?? textAt(record, "password"),
    identities: listAt(record, "externalAuths").flatMap((one) => {
      const provider = textAt(one, "provider");
      const subject = textAt(one, "providerId");
      return provider === null || subject === null
        ? []
        : [{ provider: providerName(provider), subject }];
    }),
    left: textAt(record, "avatar") === null ? [] : ["the picture"],
  });
}
