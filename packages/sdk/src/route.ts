// Addresses of http functions: their form, and that no two answer the same request.
import { DefinitionError } from "./definition-error.ts";
import type { FunctionSpec } from "./spec.ts";

/** Where an http function is mounted. */
export type Route = NonNullable<FunctionSpec["route"]>;

const methods: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);
const segmentPattern = /^(?:[A-Za-z0-9._~!$&'()+,;=@-]+|:[a-z][A-Za-z0-9]*)$/;
const restPattern = /^\*[a-z][A-Za-z0-9]*$/;

/** First segments, or pairs of them, that Keelson answers itself. */
export const ownPaths: ReadonlySet<string> = new Set(
  (
    "api/fn api/tables api/batch api/openapi.json api/live " +
    "auth .well-known files hooks graphql mcp healthz readyz metrics _"
  ).split(" "),
);

/** @returns the route, frozen. @throws DefinitionError for an unknown method, a malformed path, or one of Keelson's own. */
export function checkRoute(method: unknown, path: unknown, at: Function): Route {
  if (typeof method !== "string" || !methods.has(method)) {
    throw new DefinitionError(
      `The method is ${JSON.stringify(method)}.`,
      `Use one of ${[...methods].join(", ")}.`,
      at,
    );
  }
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw new DefinitionError(
      `The path is ${JSON.stringify(path)}.`,
      'Begin with a slash: "/api/users/:id".',
      at,
    );
  }
  const segments = path === "/" ? [] : path.slice(1).split("/");
  const names = new Set<string>();
  for (const [index, segment] of segments.entries()) {
    const isRest = index === segments.length - 1 && restPattern.test(segment);
    if (!isRest && !segmentPattern.test(segment)) {
      throw new DefinitionError(
        `The path has the part ${JSON.stringify(segment)}.`,
        "Parts are plain text, `:name` for any one part, or `*name` at the end for all the rest.",
        at,
      );
    }
    if (!/^[:*]/.test(segment)) continue;
    if (names.has(segment.slice(1))) {
      throw new DefinitionError(
        `The path names "${segment.slice(1)}" twice.`,
        "Give each part its own name.",
        at,
      );
    }
    names.add(segment.slice(1));
  }
  const first = segments.slice(0, 1).join("/");
  const two = segments.slice(0, 2).join("/");
  if (ownPaths.has(first) || ownPaths.has(two)) {
    throw new DefinitionError(
      `Keelson answers "/${ownPaths.has(first) ? first : two}" itself.`,
      "Choose another path.",
      at,
    );
  }
  return Object.freeze({ method, path });
}

/** What two routes share when they answer the same requests: the names of their parts do not matter. */
export function routeKey(route: Route): string {
  return `${route.method} ${route.path.replaceAll(/:[A-Za-z0-9]+/g, ":").replace(/\*[A-Za-z0-9]+$/, "*")}`;
}
