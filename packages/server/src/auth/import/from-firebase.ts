// Users of Firebase Authentication: `firebase auth:export users.json`, with the project's password hash parameters
// as the console shows them (Authentication, Users, the menu at the top right).
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

/** How a project hashes passwords. */
export interface FirebaseHashing {
  readonly signerKey: string;
  readonly saltSeparator: string;
  readonly rounds: number;
  readonly memCost: number;
}

/** Reads the parameters: what the console shows, or JSON with the same names. @returns null when some are missing. */
export function firebaseHashing(text: string): FirebaseHashing | null {
  const find = (name: string) =>
    new RegExp(`\\b${name}"?\\s*[:=]\\s*"?([A-Za-z0-9+\\/=_\\-]+)`, "v").exec(text)?.[1] ?? null;
  const signerKey = find("base64_signer_key");
  const saltSeparator = find("base64_salt_separator");
  const rounds = Number(find("rounds"));
  const memCost = Number(find("mem_cost"));
  const isWhole =
    Number.isInteger(rounds) && rounds > 0 && Number.isInteger(memCost) && memCost > 0;
  if (signerKey === null || saltSeparator === null || !isWhole) return null;
  return { signerKey, saltSeparator, rounds, memCost };
}

/** @param hashing null: passwords are left behind. */
export function userFromFirebase(
  record: UserRecord,
  hashing: FirebaseHashing | null,
): ImportedRecord {
  const hash = textAt(record, "passwordHash");
  const salt = textAt(record, "salt");
  const left: string[] = [];
  if (hash !== null && hashing === null) left.push("the password (without --hash-config)");
  if (textAt(record, "phoneNumber") !== null) left.push("the phone number");
  if (listAt(record, "mfaInfo").length > 0) left.push("the second factor");
  if (textAt(record, "customAttributes") !== null) left.push("custom claims");
  const isHashed = hash !== null && salt !== null && hashing !== null;
  return checkedUser({
    sourceId: textAt(record, "localId"),
    email: textAt(record, "email"),
    emailVerified: isTrueAt(record, "emailVerified"),
    name: textAt(record, "displayName"),
    passwordHash: isHashed ? hashText(hash, salt, hashing) : null,
    identities: listAt(record, "providerUserInfo").flatMap(identityOf),
    disabled: isTrueAt(record, "disabled"),
    left,
  });
}

function identityOf(info: Json) {
  const provider = textAt(info, "providerId");
  const subject = textAt(info, "rawId") ?? textAt(info, "federatedId");
  if (provider === null || subject === null) return [];
  if (provider === "password" || provider === "phone" || provider === "anonymous") return [];
  return [{ provider: providerName(provider), subject }];
}

function hashText(hash: string, salt: string, hashing: FirebaseHashing): string {
  const { signerKey, saltSeparator, rounds, memCost } = hashing;
  const plain = (text: string) => Buffer.from(text, "base64").toString("base64");
  return `$fbscrypt$v=1,n=${memCost},r=${rounds},p=1,ss=${plain(saltSeparator)},sk=${plain(signerKey)}$${plain(salt)}$${plain(hash)}`;
}
