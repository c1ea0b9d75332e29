// The fixed addresses of DESIGN section 6, told apart by prefix. What is not here belongs to the app's own
// http functions and to its static folder.
import { decodePart } from "./http-target.ts";

/** A fixed address. */
export type HttpRoute =
  | { readonly kind: "call"; readonly name: string }
  | { readonly kind: "table"; readonly table: string }
  | { readonly kind: "row"; readonly table: string; readonly id: string }
  | { readonly kind: "batch" | "openapi" | "health" | "ready" | "metrics" };

const tablesPrefix = "/api/tables/";
const callPrefix = "/api/fn/";

const fixed: Readonly<Record<string, HttpRoute>> = Object.assign(Object.create(null), {
  "/api/batch": { kind: "batch" },
  "/api/openapi.json": { kind: "openapi" },
  "/healthz": { kind: "health" },
  "/readyz": { kind: "ready" },
  "/metrics": { kind: "metrics" },
});

/** Finds the fixed address of a path. @returns null for every other path. @throws REQUEST_INVALID. */
export function routeOf(path: string): HttpRoute | null {
  if (path.startsWith(tablesPrefix)) return rowRoute(path);
  if (path.startsWith(callPrefix)) {
    const name = path.slice(callPrefix.length);
    return name.includes("/") ? null : { kind: "call", name: decodePart(name) };
  }
  return fixed[path] ?? null;
}

/** Methods that a fixed address takes, as the Allow header has them. */
export function allowOf(route: HttpRoute): string {
  switch (route.kind) {
    case "call":
    case "batch":
      return "POST, OPTIONS";
    case "table":
      return "GET, HEAD, POST, OPTIONS";
    case "row":
      return "GET, HEAD, PATCH, DELETE, OPTIONS";
    case "openapi":
    case "health":
    case "ready":
    case "metrics":
      return "GET, HEAD, OPTIONS";
    default:
      return route satisfies never;
  }
}

function rowRoute(path: string): HttpRoute | null {
  const slash = path.indexOf("/", tablesPrefix.length);
  if (slash === -1) return { kind: "table", table: decodePart(path.slice(tablesPrefix.length)) };
  if (path.includes("/", slash + 1)) return null;
  return {
    kind: "row",
    table: decodePart(path.slice(tablesPrefix.length, slash)),
    id: decodePart(path.slice(slash + 1)),
  };
}
