// Users of Amazon Cognito: `aws cognito-idp list-users` (JSON), or the header and rows of its CSV. Cognito gives no
// hashes out, so everybody sets a new password by e-mail at their first sign-in.
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

/** A user of either form. */
export function userFromCognito(record: UserRecord): ImportedRecord {
  const attributes = attributesOf(record);
  const enabled = record["Enabled"];
  const left: string[] = [];
  if (textAt(attributes, "phone_number") !== null) left.push("the phone number");
  if (isTrueAt(attributes, "cognito:mfa_enabled") || listAt(record, "MFAOptions").length > 0) {
    left.push("the second factor");
  }
  if (Object.keys(attributes).some((name) => name.startsWith("custom:")))
    left.push("custom attributes");
  return checkedUser({
    sourceId:
      textAt(attributes, "sub") ?? textAt(record, "Username") ?? textAt(record, "cognito:username"),
    email: textAt(attributes, "email"),
    emailVerified: isTrueAt(attributes, "email_verified"),
    name: nameOf(attributes),
    identities: listAt(attributes, "identities").flatMap(identityOf),
    disabled: enabled === false || enabled === "false",
    left,
  });
}

/** The API lists attributes as pairs, the CSV has a column each. */
function attributesOf(record: UserRecord): UserRecord {
  const pairs = [...listAt(record, "Attributes"), ...listAt(record, "UserAttributes")];
  if (pairs.length === 0) return record;
  const attributes: Record<string, Json> = Object.create(null);
  for (const pair of pairs) {
    const name = textAt(pair, "Name");
    if (name !== null) attributes[name] = textAt(pair, "Value");
  }
  return attributes;
}

function nameOf(attributes: UserRecord): string | null {
  const parts = [textAt(attributes, "given_name"), textAt(attributes, "family_name")];
  const name = textAt(attributes, "name") ?? parts.filter((part) => part !== null).join(" ");
  return name === "" ? null : name;
}

function identityOf(identity: Json) {
  const provider = textAt(identity, "providerName");
  const subject = textAt(identity, "userId");
  if (provider === null || subject === null) return [];
  return [{ provider: providerName(provider), subject }];
}
