// Signing in by name while an app is being written: `POST /auth/development-token`. A server in production
// is opened without it, and has no such address. It proves nothing of who asks, so it answers only requests
// of this machine, and none that a page of another site made its browser send.
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { readUserName, type UserName, type UserToken } from "../auth/user-token.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { HttpAsker } from "./http-ask.ts";
import type { HttpExchange } from "./http-exchange.ts";
import { isFromLocalPage, isLocal } from "./http-local.ts";
import { toldRequest } from "./http-told.ts";

/** The address. */
export const developmentTokenPath = "/auth/development-token";

/** Finds or makes the user and signs a token. @param role null: the one in the user's row. */
export type DevelopmentTokens = (user: UserName, role: string | null) => Promise<UserToken>;

/** Answers the address, one request after the other: the same new name twice is one user. */
export class DevelopmentTokenDoor {
  readonly #parts: { readonly answerer: HttpAnswerer; readonly asker: HttpAsker };
  readonly #tokens: DevelopmentTokens;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    parts: { readonly answerer: HttpAnswerer; readonly asker: HttpAsker },
    tokens: DevelopmentTokens,
  ) {
    this.#parts = parts;
    this.#tokens = tokens;
  }

  /** @param method of the request. @throws NOT_FOUND, METHOD_NOT_ALLOWED, and what the body's reading throws. */
  answer(exchange: HttpExchange, method: string): void {
    const { answerer, asker } = this.#parts;
    if (!isLocal(exchange) || !isFromLocalPage(exchange)) throw new PlatformError("NOT_FOUND");
    if (method !== "POST") {
      answerer.refuse(exchange, new PlatformError("METHOD_NOT_ALLOWED"), ["allow", "POST"]);
      return;
    }
    exchange.told = toldRequest(`POST ${developmentTokenPath}`);
    asker.withJson(exchange, (body) => {
      const { user, role } = readBody(body);
      const issued = this.#last.then(() => this.#tokens(user, role));
      this.#last = issued.catch(() => undefined);
      asker.later(exchange, issued, ({ token, user }) => {
        answerer.json(exchange, 200, JSON.stringify({ token, user }));
      });
    });
  }
}

/** `{ name, role? }`, or `{ user, role? }` with an id, e-mail or name. @throws ARGUMENT_INVALID. */
function readBody(body: Json): { readonly user: UserName; readonly role: string | null } {
  if (body === null || typeof body !== "object" || Array.isArray(body)) {
    throw invalid("", "is no object");
  }
  const { name, user, role, ...others } = body as { readonly [key: string]: Json };
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) throw invalid(unknown, "is not known here");
  if ((name === undefined) === (user === undefined)) {
    throw invalid("name", "or user is needed, and not both");
  }
  return {
    user:
      name === undefined
        ? readUserName(textOf("user", user))
        : { by: "name", text: textOf("name", name) },
    role: role === undefined || role === null ? null : textOf("role", role),
  };
}

function textOf(path: string, value: Json | undefined): string {
  if (typeof value === "string" && value !== "") return value;
  throw invalid(path, "is no text");
}

function invalid(path: string, problem: string): PlatformError {
  return new PlatformError("ARGUMENT_INVALID", { issues: [{ path, problem }] });
}
