// What PostgreSQL 15 wrote for `COPY ... TO STDOUT WITH CSV HEADER`, cell by cell.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { valueOfCell } from "./cell-value.ts";
import { arrayItems, type ArrayItem } from "./postgres-text.ts";

const texts: FieldSpec = {
  kind: "list",
  item: { kind: "text", min: 0, max: 99 },
  min: 0,
  max: 99,
};
const numbers: FieldSpec = { ...texts, item: { kind: "int", min: 0, max: 99 } };
const bytes: FieldSpec = { kind: "bytes", max: 99 };

for (const [cell, field, value] of [
  ["{a,b}", texts, ["a", "b"]],
  ["{}", texts, []],
  [
    String.raw`{"a,b","c \"q\" \\ d","NULL",NULL,""}`,
    texts,
    ["a,b", 'c "q" \\ d', "NULL", null, ""],
  ],
  ["{1,2}", numbers, [1, 2]],
  [
    "{{a,b},{c,d}}",
    { ...texts, item: texts },
    [
      ["a", "b"],
      ["c", "d"],
    ],
  ],
  ['["a","b"]', texts, ["a", "b"]],
  [String.raw`\xdeadbeef`, bytes, "3q2+7w=="],
  [String.raw`\x`, bytes, ""],
  ["3q2+7w==", bytes, "3q2+7w=="],
  ["t", { kind: "bool" }, true],
  ["f", { kind: "bool" }, false],
] as const satisfies readonly (readonly [string, FieldSpec, Json])[]) {
  test(`${cell} is ${JSON.stringify(value)}`, () => {
    assert.deepEqual(valueOfCell(cell, field, null), value);
  });
}

for (const cell of [
  "{a",
  "{a,}",
  "{,a}",
  "{a}b",
  "a,b",
  "{{a}",
  '{"a}',
  "{a}}",
  '{"a"b}',
  "",
  "{a b,}",
]) {
  test(`${cell} is no array, and stays the text that it is`, () => {
    assert.equal(arrayItems(cell), null);
    assert.equal(valueOfCell(cell, texts, null), cell);
  });
}

test("bytes that are no pairs of hex digits stay the text that they are", () => {
  for (const cell of [String.raw`\xdea`, String.raw`\xzz`, "xdead"])
    assert.equal(valueOfCell(cell, bytes, null), cell);
});

/** As array_out has it: what could be read as something else is quoted. */
function written(item: ArrayItem): string {
  if (item === null) return "NULL";
  if (typeof item !== "string") return `{${item.map(written).join(",")}}`;
  const isBare = item !== "" && !/[\s{},"\\]|^null$/iu.test(item);
  return isBare ? item : `"${item.replaceAll(/["\\]/gu, String.raw`\$&`)}"`;
}

test("arrays come back as they were written, whatever is in them", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom('"', ",", "{", "}", "\\", " ", "\n", "a", "NULL") }),
  );
  const { items } = fc.letrec<{ items: readonly ArrayItem[]; item: ArrayItem }>((tie) => ({
    items: fc.array(tie("item"), { maxLength: 4 }),
    item: fc.oneof({ depthSize: "small" }, fc.option(text), tie("items")),
  }));
  fc.assert(fc.property(items, (list) => assert.deepEqual(arrayItems(written(list)), list)));
});
