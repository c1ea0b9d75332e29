// A call of the API: where it is, and what it does.
import type { StripeParams } from "./stripe-params.ts";
import type { StripeState } from "./stripe-state.ts";

/** What a call works with. */
export interface StripeCall {
  readonly state: StripeState;
  readonly params: StripeParams;
  /** Parts of the path: `:id`. */
  readonly path: Readonly<Record<string, string>>;
  /** Where the simulator is reached, for pages. */
  readonly url: string;
}

/** One call. */
export interface StripeRoute {
  readonly method: "GET" | "POST" | "DELETE";
  /** `/v1/customers/:id`. */
  readonly path: string;
  readonly run: (call: StripeCall) => object;
}

/** Finds the call of a request. */
export function matchRoute(
  routes: readonly StripeRoute[],
  method: string,
  path: string,
): { readonly route: StripeRoute; readonly path: Readonly<Record<string, string>> } | null {
  const parts = path.split("/");
  for (const route of routes) {
    if (route.method !== method) continue;
    const wanted = route.path.split("/");
    if (wanted.length !== parts.length) continue;
    const found: Record<string, string> = {};
    const fits = wanted.every((part, index) => {
      const given = parts[index] ?? "";
      if (!part.startsWith(":")) return part === given;
      found[part.slice(1)] = decodeURIComponent(given);
      return given !== "";
    });
    if (fits) return { route, path: found };
  }
  return null;
}
