// Where `http` functions are mounted: a tree of path segments, walked once per request. A literal wins over
// `:param`, which wins over `/*rest`. No pattern is compiled to a regular expression, so no path is slow.
import type { Manifest } from "../model/manifest.ts";

/** A function found for a path. */
export interface Mount {
  /** `module.name`. */
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** What a lookup gave: a function, the methods that the path does take, or nothing. */
export type MountMatch =
  | { readonly kind: "found"; readonly mount: Mount }
  | { readonly kind: "otherMethod"; readonly allow: readonly string[] }
  | { readonly kind: "none" };

/** The mounted paths of one manifest. */
export interface HttpMounts {
  readonly isEmpty: boolean;
  /** @param segments decoded, as pathSegments gives them. HEAD is answered by GET when it has no function of its own. */
  match(method: string, segments: readonly string[]): MountMatch;
}

interface Handler {
  readonly name: string;
  readonly paramNames: readonly string[];
}

interface Branch {
  readonly literals: Map<string, Branch>;
  param: Branch | null;
  /** By method: functions whose path ends here. */
  readonly ends: Map<string, Handler>;
  /** By method: functions whose path goes on with `/*rest`. */
  readonly rests: Map<string, Handler>;
}

/** Builds the tree. Two functions on one method and path: the later one in the manifest's order wins. */
export function openHttpMounts(manifest: Manifest): HttpMounts {
  const root = newBranch();
  let count = 0;
  for (const spec of Object.values(manifest.functions)) {
    if (spec.route === undefined) continue;
    count += 1;
    plant(root, spec.route.method.toUpperCase(), spec.route.path, spec.name);
  }
  return {
    isEmpty: count === 0,
    match: (method, segments) => lookUp(root, method, segments),
  };
}

function newBranch(): Branch {
  return { literals: new Map(), param: null, ends: new Map(), rests: new Map() };
}

function plant(root: Branch, method: string, path: string, name: string): void {
  const paramNames: string[] = [];
  let branch = root;
  for (const segment of path.slice(1).split("/")) {
    if (segment.startsWith("*")) {
      paramNames.push(segment.slice(1) || "rest");
      branch.rests.set(method, { name, paramNames });
      return;
    }
    if (segment.startsWith(":")) {
      paramNames.push(segment.slice(1));
      branch.param ??= newBranch();
      branch = branch.param;
      continue;
    }
    let next = branch.literals.get(segment);
    if (next === undefined) {
      next = newBranch();
      branch.literals.set(segment, next);
    }
    branch = next;
  }
  branch.ends.set(method, { name, paramNames });
}

function lookUp(root: Branch, method: string, segments: readonly string[]): MountMatch {
  const allow = new Set<string>();
  const values: string[] = [];
  const found = walk(root, 0);
  if (found !== null) return { kind: "found", mount: { name: found.name, params: named(found) } };
  return allow.size > 0 ? { kind: "otherMethod", allow: [...allow] } : { kind: "none" };

  /** Every branch is entered at most once: the tree's paths do not meet again. */
  function walk(branch: Branch, depth: number): Handler | null {
    const segment = segments[depth];
    if (segment === undefined) return pick(branch.ends);
    const literal = branch.literals.get(segment);
    const byLiteral = literal === undefined ? null : walk(literal, depth + 1);
    if (byLiteral !== null) return byLiteral;
    if (branch.param !== null && segment !== "") {
      values.push(segment);
      const byParam = walk(branch.param, depth + 1);
      if (byParam !== null) return byParam;
      values.pop();
    }
    const rest = pick(branch.rests);
    if (rest !== null) values.push(segments.slice(depth).join("/"));
    return rest;
  }

  function pick(handlers: ReadonlyMap<string, Handler>): Handler | null {
    const handler = handlers.get(method) ?? (method === "HEAD" ? handlers.get("GET") : undefined);
    if (handler !== undefined) return handler;
    for (const other of handlers.keys()) allow.add(other);
    return null;
  }

  function named(handler: Handler): Record<string, string> {
    const params: Record<string, string> = {};
    handler.paramNames.forEach((name, index) => {
      params[name] = values[index] ?? "";
    });
    return params;
  }
}
