// Codes of authenticator apps: TOTP (RFC 6238) over HMAC-SHA-1 with six digits and thirty seconds, which is the
// one combination that every app speaks. Invariant: a step is accepted once; whoever reads a code over
// somebody's shoulder comes too late (RFC 6238, 5.2).
import { createHmac, timingSafeEqual } from "node:crypto";
import { assert } from "../../base/assert.ts";
import { encodeBase32 } from "./base32.ts";

/** Bytes of a secret: as long as the output of SHA-1 (RFC 4226, 4). */
export const totpSecretBytes = 20;
const stepMs = 30_000;
const digits = 6;
/** Steps before and after the current one that count, for clocks that are not quite right. */
const stepsAround = 1;

/** The step that a moment falls into. @param nowMs ms since the epoch. */
export function totpStep(nowMs: number): number {
  return Math.floor(nowMs / stepMs);
}

/** The code of a step (RFC 4226, 5.3). @returns six digits. */
export function totpCode(secret: Uint8Array, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", secret).update(counter).digest();
  const offset = (mac[mac.length - 1] ?? 0) & 15;
  const number = mac.readUInt32BE(offset) & 0x7f_ff_ff_ff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** A code that somebody typed, and what it is held against. */
export interface TotpTry {
  readonly secret: Uint8Array;
  /** As typed; spaces are allowed. */
  readonly code: string;
  readonly nowMs: number;
  /** The last step whose code was accepted; null for none yet. */
  readonly lastStep: number | null;
}

/**
 * The step whose code this is.
 * @returns null when it is of none that counts now, or of one that was accepted before.
 */
export function matchTotp({ secret, code, nowMs, lastStep }: TotpTry): number | null {
  const typed = code.replaceAll(/\s/gv, "");
  if (!/^\d{6}$/v.test(typed)) return null;
  const now = totpStep(nowMs);
  let found: number | null = null;
  // Every step is tried, so that the time tells nothing of which one it was.
  for (let step = now - stepsAround; step <= now + stepsAround; step++) {
    const matches = timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(typed));
    if (matches && (lastStep === null || step > lastStep)) found ??= step;
  }
  return found;
}

/** What stands in the picture that an app scans. @param names both are shown in the app. */
export function totpUri(
  secret: Uint8Array,
  names: { readonly issuer: string; readonly account: string },
): string {
  assert(secret.length >= 16, "a secret has 128 bits at least (RFC 4226, 4)");
  const issuer = encodeURIComponent(names.issuer);
  const label = `${issuer}:${encodeURIComponent(names.account)}`;
  const query = `secret=${encodeBase32(secret)}&issuer=${issuer}&algorithm=SHA1&digits=${digits}&period=30`;
  return `otpauth://totp/${label}?${query}`;
}
