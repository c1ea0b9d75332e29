// The addresses of identity over HTTP: finds the route, tells it what was asked, writes what it answers. What makes a
// browser do something in the name of whoever sits before it, without their knowing, is refused here.
import { isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Clock } from "../base/clock.ts";
import { addressKey } from "../gate/address-key.ts";
import { anonymous } from "../gate/identity.ts";
import type { Identified } from "../auth/app-identity.ts";
import { assertAccess, matchRoute, type RouteMatch } from "../auth/auth-match.ts";
import type { AuthAnswer, AuthAsk } from "../auth/auth-route.ts";
import type { AuthService } from "../auth/auth-service.ts";
import type { AuthRate } from "../auth/auth-rates.ts";
import { refusalPage } from "../auth/pages/refusal-page.ts";
import { cookieValue, setCookieText } from "../auth/session-cookie.ts";
import type { HttpAnswerer } from "./http-answer.ts";
import type { FlatHeaders } from "./http-head.ts";
import type { HttpAsker } from "./http-ask.ts";
import { preflightGrant } from "./http-cors.ts";
import { hasBody, parseJsonBody } from "./http-body.ts";
import type { HttpExchange } from "./http-exchange.ts";
import type { HttpTarget } from "./http-target.ts";
import { tellRefusal, toldRequest, type ToldRequest } from "./http-told.ts";

/** What the door is made of. */
export interface AuthHttpParts {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly answerer: HttpAnswerer;
  readonly asker: HttpAsker;
}

/** Requests to identity from one address, whatever they are. */
const perAddress: AuthRate = { name: "identity", quota: "1200/minute" };
const formType = "application/x-www-form-urlencoded";
const authority = /^(?:[\w\-.]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i;

/** Whether a path may be one of identity. */
export function isAuthPath(path: string): boolean {
  return path.startsWith("/auth/") || path.startsWith("/.well-known/");
}

/** Answers requests to identity. */
export class AuthHttpDoor {
  readonly #parts: AuthHttpParts;

  constructor(parts: AuthHttpParts) {
    this.#parts = parts;
  }

  /**
   * Answers, or hands the request on. @param method HEAD counts as GET.
   * @param otherwise called when no address of identity fits.
   */
  handle(
    exchange: HttpExchange,
    asked: { readonly method: string; readonly target: HttpTarget },
    otherwise: () => void,
  ): void {
    const { auth } = exchange.app;
    if (auth === null) {
      otherwise();
      return;
    }
    this.#parts.asker.later(exchange, auth.service(), (service) => {
      const method = asked.method === "HEAD" ? "GET" : asked.method;
      const isForm = (exchange.head.contentType ?? "").toLowerCase().startsWith(formType);
      const isForPeople = isForm || (method === "GET" && wantsHtml(exchange));
      const routes = isForPeople ? service.forPeople : service.forPrograms;
      const found = matchRoute(routes, method, asked.target.path);
      if (found === null) this.#unmatched(exchange, service, asked, otherwise);
      else this.#answer(exchange, service, { found, isForm, target: asked.target });
    });
  }

  #unmatched(
    exchange: HttpExchange,
    { forPeople }: AuthService,
    { method, target }: { readonly method: string; readonly target: HttpTarget },
    otherwise: () => void,
  ): void {
    const allowed = ["GET", "POST", "PUT", "PATCH", "DELETE"].filter(
      (other) => matchRoute(forPeople, other, target.path) !== null,
    );
    if (allowed.length === 0) {
      otherwise();
      return;
    }
    const { answerer } = this.#parts;
    const allow = [...allowed, "OPTIONS"].join(", ");
    if (method !== "OPTIONS") {
      answerer.refuse(exchange, new PlatformError("METHOD_NOT_ALLOWED"), ["allow", allow]);
      return;
    }
    answerer.raw(exchange, 204, ["allow", allow, ...preflightGrant(exchange)], null);
  }

  #answer(
    exchange: HttpExchange,
    service: AuthService,
    {
      found,
      isForm,
      target,
    }: { readonly found: RouteMatch; readonly isForm: boolean; readonly target: HttpTarget },
  ): void {
    exchange.route = "auth";
    const { asker } = this.#parts;
    const { route } = found;
    const told = (exchange.told = toldRequest(`${route.method} ${route.path}`));
    const { desk } = service;
    desk.rates.take(perAddress, addressKey(asker.addressOf(exchange)));
    if (route.method !== "GET" && route.kind !== "protocol") assertOwnSite(exchange, isForm);
    asker.withBody(exchange, (bytes) => {
      const body = this.#bodyOf(exchange, bytes, isForm);
      const isProtocol = route.kind === "protocol";
      const identified = isProtocol ? null : identify(service, exchange);
      asker.later(exchange, identified, (who) => {
        told.caller = who?.found?.caller ?? anonymous;
        const ask = this.#askOf(exchange, service, { found, isForm, target, body, who });
        asker.later(exchange, answerOf(ask, service, found, told), (answer) => {
          // Other programs are refused in the words of their own standard, which has no codes of ours.
          const isRefused = answer.status !== undefined && answer.status >= 400;
          told.code ??= answer.refusal ?? (isRefused ? "REQUEST_INVALID" : null);
          this.#write(exchange, ask, answer);
        });
      });
    });
  }

  #bodyOf(exchange: HttpExchange, bytes: Buffer, isForm: boolean): AuthAsk["body"] {
    if (bytes.length === 0 || !hasBody(exchange.head)) return {};
    if (isForm) return formOf(bytes.toString("utf8"));
    const { contentType } = exchange.head;
    const value = parseJsonBody(bytes, contentType, this.#parts.limits.jsonDepthMax);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      return value as { readonly [name: string]: Json };
    }
    throw new PlatformError("ARGUMENT_INVALID", {
      issues: [{ path: "", problem: "is no object" }],
    });
  }

  #askOf(
    exchange: HttpExchange,
    { desk }: AuthService,
    asked: {
      readonly found: RouteMatch;
      readonly isForm: boolean;
      readonly target: HttpTarget;
      readonly body: AuthAsk["body"];
      readonly who: Looked | null;
    },
  ): AuthAsk {
    const { head, request } = exchange;
    const { found, isForm, target, body, who } = asked;
    const origin = desk.publicUrl ?? desk.settings.url ?? this.#originOf(exchange);
    const isSecure = origin.startsWith("https:");
    return {
      method: found.route.method,
      path: target.path,
      params: found.params,
      query: new URLSearchParams(target.query),
      body,
      isForm,
      origin,
      authorization: head.authorization,
      address: this.#parts.asker.addressOf(exchange),
      userAgent: headerOf(exchange, "user-agent"),
      requestId: exchange.requestId,
      nowMs: this.#parts.clock.nowMs(),
      caller: who?.found?.caller ?? anonymous,
      session: who?.found?.session ?? null,
      credentialError: who?.error ?? null,
      header: (name) => {
        const value = request.headers[name.toLowerCase()];
        return typeof value === "string" ? value : null;
      },
      cookie: (name) => (head.cookie === null ? null : cookieValue(head.cookie, name, isSecure)),
    };
  }

  /** @throws REQUEST_INVALID when the host that was asked is none. */
  #originOf(exchange: HttpExchange): string {
    const scheme = this.#parts.asker.isSecure(exchange) ? "https" : "http";
    const host = exchange.head.host ?? "localhost";
    if (!authority.test(host)) {
      throw new PlatformError("REQUEST_INVALID", { header: "host", problem: "is no host" });
    }
    return new URL(`${scheme}://${host}`).origin;
  }

  #write(exchange: HttpExchange, ask: AuthAsk, answer: AuthAnswer): void {
    const { answerer } = this.#parts;
    const headers: (string | number)[] = [];
    for (const [name, value] of answer.headers ?? []) headers.push(name, value);
    const isSecure = ask.origin.startsWith("https:");
    for (const cookie of answer.cookies ?? [])
      headers.push("set-cookie", setCookieText(cookie, isSecure));
    const { status, json, html, location } = answer;
    if (!hasHeader(headers, "cache-control")) headers.push("cache-control", "no-store");
    if (location !== undefined) {
      answerer.raw(exchange, status ?? 303, [...headers, "location", location], null);
    } else if (html !== undefined) {
      headers.push("content-type", "text/html; charset=utf-8");
      answerer.raw(exchange, status ?? 200, headers, html);
    } else if (json === undefined) {
      answerer.raw(exchange, status ?? 204, headers, null);
    } else {
      const type = hasHeader(headers, "content-type") ? [] : ["content-type", "application/json"];
      answerer.raw(exchange, status ?? 200, [...headers, ...type], JSON.stringify(json));
    }
  }
}

/** Who asks, or why the credentials that came do not hold. */
interface Looked {
  readonly found: Identified | null;
  readonly error: unknown;
}

function identify({ identity }: AuthService, exchange: HttpExchange): Later<Looked> {
  const { head } = exchange;
  const cookie = trustedCookie(exchange);
  const refused = (error: unknown): Looked => {
    if (error instanceof PlatformError && error.status === 401) return { found: null, error };
    throw error;
  };
  try {
    const found = identity.look(head.authorization, cookie);
    if (!isLater(found)) return { found, error: null };
    return found.then((found) => ({ found, error: null }), refused);
  } catch (error) {
    return refused(error);
  }
}

function trustedCookie({ head, app }: HttpExchange): string | null {
  if (head.cookie === null || head.origin === null) return head.cookie;
  return app.cors.trustsCookie(head.origin, head.host) ? head.cookie : null;
}

async function answerOf(
  ask: AuthAsk,
  { desk }: AuthService,
  { route }: RouteMatch,
  told: ToldRequest,
): Promise<AuthAnswer> {
  try {
    assertAccess(route, ask, desk);
    return await route.handle(ask, desk);
  } catch (error) {
    if (route.kind !== "page") throw error;
    tellRefusal(told, error);
    return refusalPage(error, ask, desk);
  }
}

/**
 * A request that changes something comes from a page of this server, of an origin in the app's `cors`, or from no
 * browser at all. Every browser tells (the Fetch standard's Origin, Sec-Fetch-Site); a form that tells nothing is none.
 * @throws CROSS_SITE_DENIED.
 */
function assertOwnSite(exchange: HttpExchange, isForm: boolean): void {
  const { head, app } = exchange;
  const site = headerOf(exchange, "sec-fetch-site");
  if (head.origin !== null) {
    const isOwn = isForm
      ? head.origin.slice(head.origin.indexOf("://") + 3) === head.host
      : app.cors.trustsCookie(head.origin, head.host);
    if (isOwn && (site !== "cross-site" || !isForm)) return;
    // Both as the browser said them: a proxy in between may have changed the one.
    throw new PlatformError("CROSS_SITE_DENIED", { origin: head.origin, host: head.host });
  }
  if (site === "same-origin" || site === "none") return;
  if (site === null && !isForm) return;
  throw new PlatformError("CROSS_SITE_DENIED");
}

/** The fields of a form. @throws ARGUMENT_INVALID when one is there twice. */
function formOf(text: string): AuthAsk["body"] {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (fields.has(name)) {
      const issues = [{ path: name.slice(0, 64), problem: "is there twice" }];
      throw new PlatformError("ARGUMENT_INVALID", { issues });
    }
    fields.set(name, value);
  }
  return Object.fromEntries(fields);
}

function wantsHtml({ head }: HttpExchange): boolean {
  return (head.accept ?? "").includes("text/html");
}

function headerOf({ request }: HttpExchange, name: string): string | null {
  const value = request.headers[name];
  return typeof value === "string" ? value : null;
}

function hasHeader(headers: FlatHeaders, name: string): boolean {
  return headers.some((entry, index) => index % 2 === 0 && String(entry).toLowerCase() === name);
}
