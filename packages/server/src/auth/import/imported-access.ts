// What else opened an account of another Keelson app and can open it here: keys, kept as digests that hold anywhere, and what
// the user allowed to systems that sign in with this one.
import { timeText, type ProcedureScope } from "../../gate/gate-app.ts";
import { parseTime } from "../../model/field-time.ts";
import type { Json } from "../../base/json.ts";
import {
  isTrueAt,
  listAt,
  textAt,
  type ImportedAccess,
  type ImportedConsent,
  type ImportedKey,
} from "./imported-user.ts";

const digestPattern = /^[\w\-]{43}$/v;
const keysMax = 10_000;
const consentsMax = 1_000;
const clientCharsMax = 200;

/** Reads them of a line of `keelson users export`; what does not fit is left out. */
export function accessOf(record: Json): ImportedAccess {
  return {
    keys: listAt(record, "keys").slice(0, keysMax).flatMap(keyOf),
    consents: listAt(record, "consents").slice(0, consentsMax).flatMap(consentOf),
  };
}

function keyOf(key: Json): ImportedKey[] {
  const digest = textAt(key, "digest");
  const expires = textAt(key, "expiresAt");
  const expiresAt = timeAt(key, "expiresAt");
  const scopes = scopesOf(key, 100);
  // A key whose end or scopes can't be read would open more than it did.
  const isWhole = scopes !== null && (expires === null || expiresAt !== null);
  if (digest === null || !digestPattern.test(digest) || !isWhole) return [];
  return [
    {
      name: textAt(key, "name")?.slice(0, 100) ?? "",
      hint: textAt(key, "hint")?.slice(0, 20) ?? "",
      digest,
      scopes,
      isStrong: isTrueAt(key, "isStrong"),
      createdAt: timeAt(key, "createdAt"),
      expiresAt,
      lastUsedAt: timeAt(key, "lastUsedAt"),
    },
  ];
}

function consentOf(consent: Json): ImportedConsent[] {
  const client = textAt(consent, "client");
  const scopes = scopesOf(consent, 50);
  if (client === null || client.length > clientCharsMax || scopes === null) return [];
  return [{ client, scopes }];
}

/** Null: they are no scopes. */
function scopesOf(of: Json, max: number): readonly string[] | null {
  const isObject = of !== null && typeof of === "object" && !Array.isArray(of);
  const scopes = isObject ? (of as { readonly [key: string]: Json })["scopes"] : null;
  if (!Array.isArray(scopes) || scopes.length > max) return null;
  const texts = scopes.filter((scope) => typeof scope === "string" && scope.length <= 100);
  return texts.length === scopes.length ? (texts as string[]) : null;
}

function timeAt(of: Json, path: string): string | null {
  const text = textAt(of, path);
  return text === null ? null : parseTime(text);
}

/** Gives them to a user. @throws UNIQUE_TAKEN when a key is somebody else's here. */
export async function importAccess(
  { run, tx }: ProcedureScope,
  user: string,
  { keys, consents }: ImportedAccess,
): Promise<void> {
  const now = timeText(run.nowMs);
  for (const key of keys) {
    const id = run.app.newId("authKey");
    await tx.insert("authKey", { id, user, ...key, createdAt: key.createdAt ?? now });
  }
  for (const consent of new Map(consents.map((each) => [each.client, each])).values()) {
    const id = run.app.newId("authConsent");
    await tx.insert("authConsent", { id, user, ...consent, createdAt: now, changedAt: now });
  }
}
