import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Manifest } from "../model/manifest.ts";
import { openHttpMounts } from "./http-mounts.ts";

function manifestOf(routes: readonly (readonly [string, string])[]): Manifest {
  const functions = routes.map(([method, path]) => {
    const name = `${method} ${path}`;
    return [
      name,
      { name, kind: "http" as const, args: {}, allow: "anyone" as const, route: { method, path } },
    ] as const;
  });
  return {
    version: 1,
    tables: {},
    functions: Object.fromEntries(functions),
    invariants: [],
    cors: [],
    hash: "h",
  };
}

function find(mounts: ReturnType<typeof openHttpMounts>, method: string, path: string): unknown {
  const match = mounts.match(method, path.slice(1).split("/"));
  if (match.kind === "found") return [match.mount.name, match.mount.params];
  return match.kind === "otherMethod" ? match.allow : null;
}

test("a literal wins over a parameter, which wins over the rest", () => {
  const mounts = openHttpMounts(
    manifestOf([
      ["GET", "/users/:id"],
      ["GET", "/users/me"],
      ["GET", "/users/*all"],
      ["POST", "/users/:name/posts/:post"],
      ["GET", "/"],
    ]),
  );
  assert.deepEqual(find(mounts, "GET", "/users/me"), ["GET /users/me", {}]);
  assert.deepEqual(find(mounts, "GET", "/users/7"), ["GET /users/:id", { id: "7" }]);
  assert.deepEqual(find(mounts, "GET", "/users/7/a/b"), ["GET /users/*all", { all: "7/a/b" }]);
  assert.deepEqual(find(mounts, "POST", "/users/7/posts/8"), [
    "POST /users/:name/posts/:post",
    { name: "7", post: "8" },
  ]);
  assert.deepEqual(find(mounts, "GET", "/"), ["GET /", {}]);
  assert.equal(find(mounts, "GET", "/other"), null);
});

test("a literal that leads nowhere does not hide a parameter that leads somewhere", () => {
  const mounts = openHttpMounts(
    manifestOf([
      ["GET", "/a/b/c"],
      ["GET", "/a/:x/d"],
    ]),
  );
  assert.deepEqual(find(mounts, "GET", "/a/b/d"), ["GET /a/:x/d", { x: "b" }]);
});

test("another method is told apart from no such path, and GET answers HEAD", () => {
  const mounts = openHttpMounts(
    manifestOf([
      ["GET", "/a"],
      ["PUT", "/a"],
    ]),
  );
  assert.deepEqual(find(mounts, "HEAD", "/a"), ["GET /a", {}]);
  assert.deepEqual(find(mounts, "POST", "/a"), ["GET", "PUT"]);
  assert.equal(find(mounts, "POST", "/b"), null);
});

test("an empty parameter is no parameter; an empty rest is one", () => {
  const mounts = openHttpMounts(
    manifestOf([
      ["GET", "/u/:id"],
      ["GET", "/f/*rest"],
    ]),
  );
  assert.equal(find(mounts, "GET", "/u/"), null);
  assert.deepEqual(find(mounts, "GET", "/f/"), ["GET /f/*rest", { rest: "" }]);
  assert.equal(find(mounts, "GET", "/f"), null);
});

test("the tree finds what trying every route one by one finds", () => {
  const segment = fc.constantFrom("a", "b", ":x", ":y");
  const route = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([parts, rest]) => `/${[...parts, ...(rest ? ["*r"] : [])].join("/")}`);
  const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.uniqueArray(route, { maxLength: 8 }), path, (routes, segments) => {
      const mounts = openHttpMounts(manifestOf(routes.map((path) => ["GET", path] as const)));
      const match = mounts.match("GET", segments);
      assert.equal(
        match.kind === "found",
        routes.some((route) => fits(route, segments)),
      );
      if (match.kind !== "found") return;
      const found = match.mount.name.slice(4);
      assert.ok(fits(found, segments), found);
    }),
  );
});

function fits(route: string, segments: readonly string[]): boolean {
  const parts = route.slice(1).split("/");
  const hasRest = parts.at(-1)?.startsWith("*") === true;
  if (hasRest ? segments.length < parts.length : segments.length !== parts.length) return false;
  return parts.every(
    (part, index) => part.startsWith("*") || part.startsWith(":") || part === segments[index],
  );
}
