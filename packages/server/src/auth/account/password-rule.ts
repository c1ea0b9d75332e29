// Which passwords are taken: long enough, not what everybody tries first, not the person's own address or name.
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { invalidField } from "../ask-body.ts";
import type { AuthDesk } from "../auth-desk.ts";

/** Words about the person that no password may consist of. */
const ownWordCharsMin = 4;

/**
 * Reads a password that somebody chooses. @param own what it must not be made of: address, name.
 * @throws ARGUMENT_INVALID; PASSWORD_WEAK, details `{ reason: "short" | "common" | "own", min }`.
 */
export function chosenPassword(
  desk: Pick<AuthDesk, "settings" | "limits" | "commonPasswords">,
  value: Json | undefined,
  own: readonly (string | null)[],
): string {
  const min = desk.settings.password?.min ?? 0;
  if (typeof value !== "string") throw invalidField("password", "is missing");
  if (value.length > desk.limits.passwordCharsMax) {
    throw invalidField("password", `is longer than ${desk.limits.passwordCharsMax} characters`);
  }
  // Characters as people count them.
  if (Array.from(value).length < min)
    throw new PlatformError("PASSWORD_WEAK", { reason: "short", min });
  if (desk.commonPasswords.has(value))
    throw new PlatformError("PASSWORD_WEAK", { reason: "common", min });
  if (isOwn(value, own)) throw new PlatformError("PASSWORD_WEAK", { reason: "own", min });
  return value;
}

/** Whether what is left of a password without the person's own words is next to nothing. */
function isOwn(password: string, own: readonly (string | null)[]): boolean {
  let rest = password.toLowerCase();
  for (const text of own) {
    for (const word of (text ?? "").toLowerCase().split(/[\s@.]+/)) {
      if (word.length >= ownWordCharsMin) rest = rest.replaceAll(word, "");
    }
  }
  return rest !== password.toLowerCase() && rest.length < ownWordCharsMin;
}
