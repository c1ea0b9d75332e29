// Codes for whoever lost the second factor: drawn once, shown once, each good for one sign-in. Kept as digests;
// 80 random bits can't be guessed from a digest, so a fast one is enough.
import { createHash } from "node:crypto";
import type { RandomSource } from "../../base/random.ts";
import { encodeBase32 } from "./base32.ts";

/** How many are drawn at a time. */
export const recoveryCodesCount = 10;
const codeBytes = 10;

/** Draws a set. @returns `abcd-efgh-ijkl-mnop`, each once. */
export function drawRecoveryCodes(random: RandomSource): readonly string[] {
  return Array.from({ length: recoveryCodesCount }, () => {
    const letters = encodeBase32(random.bytes(codeBytes)).toLowerCase();
    return (letters.match(/.{4}/gv) ?? []).join("-");
  });
}

/** What is kept of a code. @param typed with or without hyphens and spaces, in any case. */
export function recoveryCodeDigest(typed: string): string {
  const letters = typed.toLowerCase().replaceAll(/[\s\-]/gv, "");
  return createHash("sha256").update(`recovery:${letters}`).digest("base64url");
}
