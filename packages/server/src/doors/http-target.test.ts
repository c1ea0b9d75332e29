import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PlatformError } from "../base/platform-error.ts";
import { decodePart, pathSegments, splitTarget } from "./http-target.ts";

const refused = (code: string) => (error: unknown) =>
  error instanceof PlatformError && error.code === code;

test("path and query are split at the first question mark", () => {
  assert.deepEqual(splitTarget("/a/b?x=1?y", 100), { path: "/a/b", query: "x=1?y" });
  assert.deepEqual(splitTarget("/", 100), { path: "/", query: "" });
});

test("the absolute form stands for its path", () => {
  assert.deepEqual(splitTarget("http://any.example:80/a?b=1", 100), { path: "/a", query: "b=1" });
  assert.deepEqual(splitTarget("HTTP://any.example", 100), { path: "/", query: "" });
  assert.deepEqual(splitTarget("http://any.example?b=1", 100), { path: "/", query: "b=1" });
});

test("a path that can be read in two ways is refused", () => {
  for (const url of [
    "//a",
    "/a//b",
    "/a/../b",
    "/a/..",
    "/./a",
    "/a\\b",
    "/a b",
    "/a#b",
    "/\u00e9",
    "a",
    "*",
    "ftp://x/",
  ]) {
    assert.throws(() => splitTarget(url, 100), refused("REQUEST_INVALID"), url);
  }
  for (const url of ["/.well-known/x", "/a/...", "/a/.b", "/a.", "/a?q=//../"])
    splitTarget(url, 100);
});

test("an address longer than the limit has a code of its own", () => {
  assert.throws(() => splitTarget(`/${"a".repeat(100)}`, 100), refused("URL_TOO_LONG"));
});

test("what encodeURIComponent wrote is read back, or refused for a NUL or a dot segment", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const encoded = encodeURIComponent(text);
      if (text.includes("\0")) assert.throws(() => decodePart(encoded), refused("REQUEST_INVALID"));
      else assert.equal(decodePart(encoded), text);
    }),
  );
});

test("percent signs that decode to nothing, and encoded dot segments, are refused", () => {
  for (const part of ["%", "%zz", "%ff", "%c3%28", "%00"]) {
    assert.throws(() => decodePart(part), refused("REQUEST_INVALID"), part);
  }
  assert.throws(() => pathSegments("/a/%2e%2e/b"), refused("REQUEST_INVALID"));
  assert.deepEqual(pathSegments("/a%2fb/c/"), ["a/b", "c", ""]);
});
