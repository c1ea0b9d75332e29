// How pages work: each does everything through the API's own addresses, with the same handler and the same checks. So
// there is no second road into identity; a page only asks and shows.
import { errorCodes, type ErrorCode } from "../../base/error-codes.ts";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { AuthDesk } from "../auth-desk.ts";
import type { AuthAnswer, AuthAsk, AuthRoute } from "../auth-route.ts";
import { assertAccess, matchRoute } from "../auth-match.ts";

/** One call of the API. */
export interface PageCall {
  readonly method: AuthRoute["method"];
  readonly path: string;
  readonly body?: { readonly [name: string]: Json };
}

/** What a page works with. */
export interface PageContext {
  readonly ask: AuthAsk;
  readonly desk: AuthDesk;
  /** Whether the app has an address of the API. */
  has(method: AuthRoute["method"], path: string): boolean;
  /** Calls the API as the person who looks at the page. @throws what the API refuses. */
  call(call: PageCall): Promise<AuthAnswer>;
  /** The same for what answers an object. */
  read(path: string): Promise<JsonObject>;
}

/** An object of JSON. */
export type JsonObject = { readonly [name: string]: Json };

/** Opens the API for one request of a page. */
export function openPageContext(
  api: readonly AuthRoute[],
  ask: AuthAsk,
  desk: AuthDesk,
): PageContext {
  const find = (method: string, path: string) => {
    const found = matchRoute(api, method, path);
    return found === null || found.route.isOn?.(desk.settings) === false ? null : found;
  };
  async function call({ method, path, body = {} }: PageCall): Promise<AuthAnswer> {
    const [pathname = path, search = ""] = path.split("?");
    const found = find(method, pathname);
    if (found === null) throw new PlatformError("NOT_FOUND");
    const { route, params } = found;
    const query = new URLSearchParams(search);
    const asked: AuthAsk = { ...ask, method, path: pathname, params, query, body, isForm: false };
    assertAccess(route, asked, desk);
    return route.handle(asked, desk);
  }
  return {
    ask,
    desk,
    has: (method, path) => find(method, path) !== null,
    call,
    read: async (path) => objectOf((await call({ method: "GET", path })).json),
  };
}

/** The object that a value is; an empty one when it is none. */
export function objectOf(value: Json | undefined): JsonObject {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return {};
  return value as JsonObject;
}

/** The objects in a list. */
export function objectsOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly Json[]).map(objectOf) : [];
}

/** A text, or an empty one. */
export function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Refusals that another page mends: refusal-page.ts leads there. */
const leadsElsewhere: ReadonlySet<string> = new Set(["SIGN_IN_REQUIRED", "FRESH_SIGN_IN_REQUIRED"]);

/** What a person is told of a refusal; null: it is no refusal of theirs, and the page fails. */
export function problemText(
  error: unknown,
): { readonly code: ErrorCode; readonly text: string; readonly status: number } | null {
  if (!(error instanceof PlatformError) || leadsElsewhere.has(error.code)) return null;
  const { code } = error;
  const row = errorCodes[code];
  if (row.fault !== "caller") return null;
  const { issues, retryAfterSeconds } = error.details;
  if (typeof retryAfterSeconds === "number") {
    return {
      code,
      text: `Too many attempts. Try again in ${waitText(retryAfterSeconds)}.`,
      status: row.status,
    };
  }
  const [first] = objectsOf(issues);
  const told = first === undefined ? "" : ` ${textOf(first["path"])}: ${textOf(first["problem"])}.`;
  return { code, text: `${row.text}${told}`, status: row.status };
}

function waitText(seconds: number): string {
  const rounded = Math.max(1, Math.ceil(seconds));
  if (rounded < 90) return `${rounded} seconds`;
  return `${Math.ceil(rounded / 60)} minutes`;
}
