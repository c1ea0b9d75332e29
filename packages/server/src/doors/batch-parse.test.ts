import assert from "node:assert/strict";
import { test } from "node:test";
import type { Json } from "../base/json.ts";
import { PlatformError } from "../base/platform-error.ts";
import { parseBatch } from "./batch-parse.ts";

test("every kind of step becomes its operation", () => {
  const steps = [
    { call: "cinema.book", args: { seat: "F7" } },
    { call: "cinema.ping" },
    { list: "film", query: { limit: 2 } },
    { get: "film", id: "film_1", query: { with: "x" } },
    { create: "film", value: { title: "M" } },
    { update: "film", id: "film_1", value: { title: "N" } },
    { delete: "film", id: "film_1" },
  ];
  assert.deepEqual(parseBatch({ steps }, 10), {
    kind: "batch",
    steps: [
      { kind: "call", name: "cinema.book", args: { seat: "F7" } },
      { kind: "call", name: "cinema.ping", args: {} },
      { kind: "list", table: "film", query: { limit: 2 } },
      { kind: "get", table: "film", id: "film_1", query: { with: "x" } },
      { kind: "create", table: "film", value: { title: "M" } },
      { kind: "update", table: "film", id: "film_1", value: { title: "N" } },
      { kind: "delete", table: "film", id: "film_1" },
    ],
  });
});

test("anything else is malformed, and says which step", () => {
  const bad: Json[] = [
    null,
    [],
    {},
    { steps: {} },
    { steps: [] },
    { steps: [{ get: "a", id: "b" }], more: 1 },
    { steps: Array.from({ length: 11 }, () => ({ call: "a.b" })) },
    { steps: [1] },
    { steps: [{}] },
    { steps: [{ call: "a.b", list: "c" }] },
    { steps: [{ call: 1 }] },
    { steps: [{ get: "a" }] },
    { steps: [{ update: "a", id: "b" }] },
    { steps: [{ delete: "a", id: "b", value: {} }] },
    { steps: [{ batch: [] }] },
  ];
  for (const json of bad) {
    assert.throws(
      () => parseBatch(json, 10),
      (error) => error instanceof PlatformError && error.code === "REQUEST_INVALID",
      JSON.stringify(json),
    );
  }
  assert.throws(
    () => parseBatch({ steps: [{ call: "a.b" }, { nothing: 1 }] }, 10),
    (error) => error instanceof PlatformError && error.details["step"] === 1,
  );
});

test("a step whose query is none is named too", () => {
  const bad: Json[] = [
    { list: "film", query: { limit: "1" } },
    { list: "film", query: { form: 1 } },
    { list: "film", query: null },
    { get: "film", id: "film_1", query: { limit: 1 } },
  ];
  for (const step of bad) {
    assert.throws(
      () => parseBatch({ steps: [{ call: "a.b" }, step] }, 10),
      (error) =>
        error instanceof PlatformError &&
        error.code === "QUERY_INVALID" &&
        error.details["step"] === 1,
      JSON.stringify(step),
    );
  }
});
