// Keys for programs as they are handed out: `kk_` and 256 random bits. The prefix lets scanners of leaked secrets find
// them; the data holds a digest.
import { hash } from "node:crypto";
import type { AuthSecrets } from "./auth-secrets.ts";

const prefix = "kk_";
const pattern = /^kk_[\w-]{43}$/;
const hintChars = 8;

/** A new key, what to keep of it, and how to tell it from others. */
export interface DrawnKey {
  readonly text: string;
  readonly digest: string;
  /** Its first characters. */
  readonly hint: string;
}

/** Draws a key. */
export function drawKey(secrets: Pick<AuthSecrets, "draw">): DrawnKey {
  const text = `${prefix}${secrets.draw()}`;
  return { text, digest: digestOfKey(text), hint: text.slice(0, prefix.length + hintChars) };
}

/** Whether a text looks like a key. */
export function isKeyText(text: string): boolean {
  return pattern.test(text);
}

/** What is kept of a key. */
export function digestOfKey(text: string): string {
  return hash("sha256", text, "base64url");
}
