// Which texts may be the recipient of a mail. Stricter than RFC 5322 on purpose: quoted local parts, comments, lists
// and display names are where mail parsers disagree, and a disagreement sends a secret to somebody else.

import { invalidField } from "../ask-body.ts";

/** RFC 5321: 64 before the @, 255 after it. */
const localCharsMax = 64;
const addressCharsMax = 254;
const local = /^[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+(?:\.[\p{L}\p{N}!#$%&'*+/=?^_`{|}~-]+)*$/u;
const label = /^[\p{L}\p{N}](?:[\p{L}\p{N}\-]*[\p{L}\p{N}])?$/v;

/** Whether it is one address and nothing else. */
export function isMailAddress(text: string): boolean {
  if (text.length > addressCharsMax) return false;
  const at = text.lastIndexOf("@");
  const before = text.slice(0, Math.max(0, at));
  if (at < 1 || before.length > localCharsMax || !local.test(before)) return false;
  return text
    .slice(at + 1)
    .split(".")
    .every((part) => part.length <= 63 && label.test(part));
}

/** @throws ARGUMENT_INVALID when no letter goes there. */
export function assertMailable(email: string): void {
  if (!isMailAddress(email)) throw invalidField("email", "is no address that letters can go to");
}
