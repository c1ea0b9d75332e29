// What an organisation is asked with, by its addresses and by an app's functions alike.
import { invalidField, textField } from "../ask-body.ts";
import type { AuthAsk } from "../auth-route.ts";

const nameCharsMax = 200;
const slugPattern = /^[a-z0-9](?:[a-z0-9\-]{0,58}[a-z0-9])?$/v;

/** @throws ARGUMENT_INVALID. */
export function orgNameOf(body: AuthAsk["body"]): string {
  const name = textField(body, "name", nameCharsMax).trim();
  // It stands in letters and on pages: one line.
  if (name === "" || /\p{Cc}/v.test(name)) throw invalidField("name", "is no line of text");
  return name;
}

/** @throws ARGUMENT_INVALID. */
export function orgSlugOf(body: AuthAsk["body"]): string {
  const slug = textField(body, "slug", 60);
  if (slugPattern.test(slug)) return slug;
  throw invalidField("slug", "is not of small letters, digits and dashes");
}

/** @param roles of the app's organisations. @throws ARGUMENT_INVALID. */
export function orgRoleOf(body: AuthAsk["body"], roles: readonly string[]): string {
  const role = textField(body, "role", 50);
  if (roles.includes(role)) return role;
  throw invalidField("role", "is none of the app's");
}
