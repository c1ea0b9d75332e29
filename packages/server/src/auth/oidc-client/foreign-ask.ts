// One request to a provider: JSON comes back, or it failed. Redirects are not followed: they would carry secrets to
// wherever it says. Which addresses may be reached at all is the business of the host's `fetch`.
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import { failed } from "./foreign-document.ts";

/** A JSON object that came from a provider. */
export type ForeignJson = Readonly<Record<string, unknown>>;

const answerCharsMax = 524_288;

/** Asks for an object. @throws PROVIDER_FAILED. */
export async function askForeign(
  desk: Pick<AuthDesk, "fetch">,
  url: string,
  init: RequestInit = {},
): Promise<ForeignJson> {
  const json = await askForeignAny(desk, url, init);
  if (Array.isArray(json)) throw failed("its answer is no object");
  return json as ForeignJson;
}

/** Asks for an object or a list. @throws PROVIDER_FAILED. */
export async function askForeignAny(
  { fetch }: Pick<AuthDesk, "fetch">,
  url: string,
  init: RequestInit = {},
): Promise<object> {
  const headers = {
    accept: "application/json",
    ...(init.headers as Record<string, string> | undefined),
  };
  let text: string;
  let status: number;
  try {
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    ({ status } = response);
    text = await response.text();
  } catch (cause) {
    throw failed(`it does not answer${whyOf(cause)}`, cause);
  }
  if (status !== 200) throw failed(`it answers with ${status}`);
  try {
    const json: unknown = text.length > answerCharsMax ? null : JSON.parse(text);
    if (typeof json === "object" && json !== null) return json;
  } catch (cause) {
    throw failed("its answer is no JSON", cause);
  }
  throw failed("its answer is no object");
}

/** What the host's rules say against it: whoever runs the app can mend that. */
function whyOf(cause: unknown): string {
  if (!(cause instanceof PlatformError) || cause.code !== "EGRESS_DENIED") return "";
  return `: ${String(cause.details["reason"])}`;
}
