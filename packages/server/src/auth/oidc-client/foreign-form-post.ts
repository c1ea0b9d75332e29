// The way back from a provider that answers by a form (OAuth 2.0 Form Post Response Mode; Apple). Its page posts the
// form from another site, so browsers bring neither the state's cookie nor the session's: both are SameSite=Lax, and
// stay so. The answer is read, sealed, and comes again by a GET of the same browser, which brings both: there it is
// checked like every other. What is sealed is no more believed than it was; the seal keeps code and name out of
// histories and logs.
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthAnswer, AuthAsk } from "../auth-route.ts";

/** What a provider answers. */
export interface ForeignAnswer {
  readonly state: string | null;
  readonly code: string | null;
  readonly error: string | null;
  readonly iss: string | null;
  /** Apple tells a name beside the token, the first time only. */
  readonly name: string | null;
}

interface Sealed {
  readonly provider: string;
  readonly answer: ForeignAnswer;
}

const label = "foreign answer";
const textCharsMax = 2_048;
const nameCharsMax = 200;
const sealedCharsMax = 16_384;

/** Reads the form that a provider's page posts. @returns the same browser's way on, by GET. */
export function takeFormPost(ask: AuthAsk, desk: AuthDesk, provider: string): AuthAnswer {
  const { body, path } = ask;
  const text = (name: string): string | null => {
    const value = body[name];
    return typeof value === "string" && value.length <= textCharsMax ? value : null;
  };
  const answer: ForeignAnswer = {
    state: text("state"),
    code: text("code"),
    error: text("error"),
    iss: text("iss"),
    name: nameOf(text("user")),
  };
  const sealed: Sealed = { provider, answer };
  const query = new URLSearchParams([
    ["answer", desk.secrets.seal(label, JSON.stringify(sealed))],
  ]).toString();
  return { status: 303, location: `${path}?${query}` };
}

/** Reads what `takeFormPost` sealed. @throws TICKET_INVALID. */
export function openFormPost(
  { query }: Pick<AuthAsk, "query">,
  { secrets }: Pick<AuthDesk, "secrets">,
  provider: string,
): ForeignAnswer {
  const text = query.get("answer") ?? "";
  if (text === "" || text.length > sealedCharsMax) throw new PlatformError("TICKET_INVALID");
  let sealed: Sealed;
  try {
    sealed = JSON.parse(secrets.unseal(label, text)) as Sealed;
  } catch (cause) {
    throw new PlatformError("TICKET_INVALID", {}, { cause });
  }
  if (sealed.provider !== provider) throw new PlatformError("TICKET_INVALID");
  return sealed.answer;
}

/** `{"name":{"firstName":"Ann","lastName":"Lee"},"email":"..."}`. Nobody signed it: the address in it is not looked at. */
function nameOf(user: string | null): string | null {
  if (user === null) return null;
  let read: unknown;
  try {
    read = JSON.parse(user);
  } catch {
    return null;
  }
  const { name } = (typeof read === "object" && read !== null ? read : {}) as { name?: unknown };
  if (typeof name !== "object" || name === null) return null;
  const { firstName, lastName } = name as { firstName?: unknown; lastName?: unknown };
  const parts = [firstName, lastName].filter((part) => typeof part === "string" && part !== "");
  return parts.length === 0 ? null : parts.join(" ").slice(0, nameCharsMax);
}
