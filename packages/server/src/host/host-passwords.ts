// How passwords are hashed and judged on a real host.
import { fileURLToPath } from "node:url";
import { foreignHashes } from "../auth/import/foreign-hash.ts";
import { openPasswordHasher, type PasswordHasher } from "../auth/password-hash.ts";
import { openPasswordList, type PasswordList } from "../auth/password-list.ts";
import type { Clock } from "../base/clock.ts";
import type { Disk } from "../base/disk.ts";
import type { Limits } from "../base/limits.ts";
import type { RandomSource } from "../base/random.ts";

/** The hasher of one thread, which also checks hashes that were imported. */
export function openHostPasswords(parts: {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly random: RandomSource;
}): PasswordHasher {
  return openPasswordHasher({ ...parts, verifiers: [foreignHashes] });
}

/** The list of common passwords. @param file where it is; read when it is first asked. */
export function openCommonPasswords(disk: Pick<Disk, "read">, file: URL): PasswordList {
  return openPasswordList(() => {
    const bytes = disk.read(fileURLToPath(file));
    if (bytes !== null) return bytes;
    throw new Error("packages/server/data/common-passwords.txt is not there");
  });
}
