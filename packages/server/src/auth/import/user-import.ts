// Where users can come from, and the mapper of each.
import { userFromAuth0 } from "./from-auth0.ts";
import { userFromCognito } from "./from-cognito.ts";
import { userFromFirebase, type FirebaseHashing } from "./from-firebase.ts";
import { userFromKeelson } from "./from-keelson.ts";
import { userFromPocketbase } from "./from-pocketbase.ts";
import { userFromSupabase } from "./from-supabase.ts";
import type { ImportedRecord, UserRecord } from "./imported-user.ts";

/** The systems that users can be brought from. */
export const userSources = [
  "auth0",
  "firebase",
  "cognito",
  "supabase",
  "pocketbase",
  "keelson",
] as const;

/** One of them. */
export type UserSource = (typeof userSources)[number];

/** What a file does not say itself. */
export interface UserImportOptions {
  readonly nowMs: number;
  /** Firebase: null leaves passwords behind. */
  readonly hashing: FirebaseHashing | null;
  /** Auth0: hashes by user id. */
  readonly hashes: ReadonlyMap<string, string>;
}

/** Reads one record of a file. */
export function readImportedUser(
  source: UserSource,
  record: UserRecord,
  options: UserImportOptions,
): ImportedRecord {
  switch (source) {
    case "auth0":
      return userFromAuth0(record, options.hashes);
    case "firebase":
      return userFromFirebase(record, options.hashing);
    case "cognito":
      return userFromCognito(record);
    case "supabase":
      return userFromSupabase(record, options.nowMs);
    case "pocketbase":
      return userFromPocketbase(record);
    case "keelson":
      return userFromKeelson(record);
    default:
      return source satisfies never;
  }
}
