import assert from "node:assert/strict";
import { test } from "node:test";
import type { Where } from "../model/query-form.ts";
import type { IndexKeys, Narrowest } from "./index-key.ts";
import { whereKeys } from "./where-keys.ts";

const first: Narrowest = (bounds) => bounds.find((bound) => bound !== null) ?? null;
const field = (name: string, condition: object): Where => ({
  kind: "field",
  field: name,
  condition,
});
const range = (
  name: string,
  low: string | number | null,
  high: string | number | null,
): IndexKeys => [{ kind: "range", field: name, range: { low, high } }];

test("filters tell which values a row must have, or between which", () => {
  const cases: readonly (readonly [Where, IndexKeys])[] = [
    [field("hall", { eq: "A" }), [{ kind: "value", field: "hall", value: "A" }]],
    [field("rating", { gt: 5 }), range("rating", 5, null)],
    [field("rating", { gte: 5, lt: 9 }), range("rating", 5, 9)],
    [field("title", { startsWith: "be" }), range("title", "be", "bf")],
    [field("title", { startsWith: "be", gte: "beta" }), range("title", "beta", "bf")],
    [
      { kind: "and", parts: [field("rating", { gt: 5 }), field("rating", { lte: 7 })] },
      range("rating", 5, 7),
    ],
    // Nothing is both.
    [{ kind: "and", parts: [field("rating", { gt: 7 }), field("rating", { lt: 5 })] }, []],
    [
      { kind: "or", parts: [field("rating", { lt: 1 }), field("hall", { eq: "A" })] },
      [
        { kind: "range", field: "rating", range: { low: null, high: 1 } },
        { kind: "value", field: "hall", value: "A" },
      ],
    ],
    // Any row may matter to these.
    [{ kind: "not", part: field("rating", { gt: 5 }) }, null],
    [{ kind: "or", parts: [field("rating", { lt: 1 }), field("hall", { not: "A" })] }, null],
    [field("open", { gte: true }), null],
  ];
  for (const [where, keys] of cases) {
    assert.deepEqual(whereKeys(where, first), keys, JSON.stringify(where));
  }
});
