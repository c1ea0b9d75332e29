// E-mail addresses as identity knows them: lower case, so that one person can't have two accounts by capitals.
import { PlatformError } from "../base/platform-error.ts";
import type { Json } from "../base/json.ts";

const charsMax = 320;
/** What can't break a header or a list of addresses, with a name on both sides of one @. The letter tells the rest. */
const pattern =
  /^[^\s@<>(),;:\\"[\]\p{Cc}]{1,64}@[^\s@<>(),;:\\"[\]\p{Cc}.]+(?:\.[^\s@<>(),;:\\"[\]\p{Cc}.]+)+$/u;

/** An address as it is kept. @param value what somebody wrote. @throws ARGUMENT_INVALID. */
export function normalEmail(value: Json | undefined): string {
  if (typeof value === "string") {
    const written = value.trim();
    const text = written.normalize("NFC").toLowerCase();
    const isOwn = plainChars(text) <= plainChars(written);
    if (isOwn && text.length <= charsMax && pattern.test(text)) return text;
  }
  throw new PlatformError("ARGUMENT_INVALID", {
    issues: [{ path: "email", problem: "is no e-mail address" }],
  });
}

/**
 * How much of a text is ASCII. Where that grows, a letter became another's (the kelvin sign becomes k): a provider that tells
 * the two apart would vouch for one address, and open the account of the other.
 */
function plainChars(text: string): number {
  return text.replaceAll(/\P{ASCII}/gv, "").length;
}
