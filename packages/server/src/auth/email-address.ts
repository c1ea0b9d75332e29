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
    const text = value.trim().normalize("NFC").toLowerCase();
    if (text.length <= charsMax && pattern.test(text)) return text;
  }
  throw new PlatformError("ARGUMENT_INVALID", {
    issues: [{ path: "email", problem: "is no e-mail address" }],
  });
}
