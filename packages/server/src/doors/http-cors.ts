// Which pages of other origins may call (the Fetch standard's CORS protocol), from the manifest's `cors`.
// `"*"` lets every origin in, but then never with credentials: a cookie is not sent, a header must be.
import type { Manifest } from "../model/manifest.ts";
import type { HttpHead } from "./http-head.ts";

/** The CORS headers of one manifest, made once. Lists are flat: name, value, name, value. */
export interface HttpCors {
  /** Whether answers depend on the Origin header: then `Vary: origin` goes on all of them. */
  readonly varies: boolean;
  /** For an answer to `origin`; null when its pages may not read it. */
  headers(origin: string): readonly string[] | null;
  /** For a preflight; null when its pages may not call. */
  preflight(origin: string): readonly string[] | null;
  /** Whether a page of `origin` may use the session cookie of this server. */
  trustsCookie(origin: string, host: string | null): boolean;
}

const exposed =
  "x-request-id, retry-after, ratelimit, ratelimit-policy, idempotency-replayed, location";
const preflightHeaders = [
  "access-control-allow-methods",
  "GET, POST, PATCH, PUT, DELETE",
  "access-control-allow-headers",
  "authorization, content-type, idempotency-key, idempotency-repeat, traceparent, tracestate",
  "access-control-max-age",
  "7200",
];

/** Prepares the headers for every origin of `manifest.cors`. */
export function openHttpCors(manifest: Manifest): HttpCors {
  const isOpen = manifest.cors.includes("*");
  const named = new Map<string, readonly string[]>();
  for (const origin of manifest.cors) {
    if (origin !== "*") named.set(origin.toLowerCase(), originHeaders(origin, true));
  }
  const open = isOpen ? originHeaders("*", false) : null;
  const headers = (origin: string) => named.get(origin.toLowerCase()) ?? open;
  return {
    varies: named.size > 0,
    headers,
    preflight(origin) {
      const base = headers(origin);
      return base === null ? null : [...base, ...preflightHeaders];
    },
    trustsCookie(origin, host) {
      if (named.has(origin.toLowerCase())) return true;
      const scheme = origin.indexOf("://");
      return scheme !== -1 && host !== null && origin.slice(scheme + 3) === host;
    },
  };
}

/** Whether a browser asks before a page's request what it may send. */
export function isPreflight({ origin, preflightMethod }: HttpHead): boolean {
  return origin !== null && preflightMethod !== null;
}

/** Headers of the answer to `OPTIONS`; none when it is no preflight, or when pages of its origin may not call. */
export function preflightGrant(exchange: {
  readonly app: { readonly cors: HttpCors };
  readonly head: HttpHead;
}): readonly string[] {
  const { origin } = exchange.head;
  if (origin === null || !isPreflight(exchange.head)) return [];
  return exchange.app.cors.preflight(origin) ?? [];
}

function originHeaders(origin: string, withCredentials: boolean): readonly string[] {
  const headers = ["access-control-allow-origin", origin, "access-control-expose-headers", exposed];
  if (withCredentials) headers.push("access-control-allow-credentials", "true");
  return headers;
}
