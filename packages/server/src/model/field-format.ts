// What text may hold, and the formats of text fields. Each is a bounded check without backtracking; the sources are shared with the
// JSON Schemas, so that a client's own check says the same.

/** Formats by name. */
export type TextFormat = "email" | "url" | "slug";

const label = "[a-zA-Z0-9](?:[a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?";

/** ECMAScript sources (flag `v`, whole text) of the formats that are patterns. */
export const formatPatterns: Readonly<Record<"email" | "slug", string>> = {
  // What browsers take for <input type=email> (HTML Living Standard), with a domain of two labels at least.
  email: `[a-zA-Z0-9.!#$%&'*+\\/=?^_\`\\{\\|\\}~\\-]{1,64}@${label}(?:\\.${label})+`,
  slug: "[a-z0-9]+(?:-[a-z0-9]+)*",
};

/** RFC 5321 4.5.3.1.3 and erratum 1690 of RFC 3696. */
export const emailCharsMax = 254;

const email = new RegExp(`^${formatPatterns.email}$`, "v");
// Every character decides alone whether it goes on, so this runs in linear time.
const slug = new RegExp(`^${formatPatterns.slug}$`, "v");

/** @param text of bounded length. @returns what is wrong with it, or null. */
export function checkFormat(format: TextFormat, text: string): string | null {
  switch (format) {
    case "email":
      return text.length <= emailCharsMax && email.test(text) ? null : "must be an email address";
    case "slug":
      return slug.test(text) ? null : "must be a slug: a-z, 0-9 and single hyphens between";
    case "url":
      return isWebAddress(text) ? null : "must be a full http or https address";
    default:
      return format satisfies never;
  }
}

function isWebAddress(text: string): boolean {
  // URL would drop spaces and line ends silently; the text that is stored must be the one that was checked.
  return (
    /^https?:\/\/[^\s\p{Cc}/?#\\]/iu.test(text) && !/[\s\p{Cc}]/u.test(text) && URL.canParse(text)
  );
}

/** What no text may hold, whatever its field. @returns the problem or null. */
export function textProblem(text: string): string | null {
  if (!text.isWellFormed()) return "must be well-formed Unicode (it has half of a surrogate pair)";
  // PostgreSQL can't store it, and an app must not be able to tell engines apart.
  return text.includes("\0") ? "must not contain the character U+0000" : null;
}

/** A text of others, with U+FFFD for what no text may hold, as browsers read such text. */
export function fitText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
