// The paths of http functions, and what docs/reference/http.md says of them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { checkRoute, ownPaths } from "./route.ts";

const page = readFileSync(new URL("../../../docs/reference/http.md", import.meta.url), "utf8");
const [, section = ""] = /\n## `http` functions\n([^]*?)\n## /v.exec(page) ?? [];
const [examples = "", reserved = ""] = section.split("\nThese addresses are Keelson's own");

/** The paths in code spans of a text. */
const pathsOf = (text: string) => [...text.matchAll(/`(\/[^`]*)`/gv)].map(([, path = ""]) => path);

test("the examples of the page can be used as they are", () => {
  const paths = pathsOf(examples);
  assert.ok(paths.length >= 2, examples);
  for (const path of paths)
    assert.deepEqual(checkRoute("GET", path, test), { method: "GET", path });
});

test("the page lists every address that is Keelson's own, and they are refused", () => {
  const listed = pathsOf(reserved);
  const own = [...ownPaths].map((path) => `/${path}`);
  assert.deepEqual(listed.toSorted(), own.toSorted());
  for (const path of own) {
    for (const below of [path, `${path}/*rest`]) {
      assert.throws(() => checkRoute("GET", below, test), { name: "DefinitionError" }, below);
    }
  }
});
