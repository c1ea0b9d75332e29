import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { assertRowSize } from "./row-size.ts";
import { encodeRow } from "./sqlite/row-codec.ts";
import { layoutOf } from "./table-layout.ts";

const table = layoutOf({
  note: {
    fields: {
      text: { kind: "text", min: 0, max: 10_000 },
      more: { kind: "json", maxBytes: 100_000 },
      raw: { kind: "bytes", max: 10_000 },
      count: { kind: "int", min: 0, max: 1_000 },
    },
    indexes: [],
    search: [],
  },
}).get("note");

test("a row is as large by its cells as by its text", () => {
  assert.ok(table !== undefined);
  const text = fc.string({ unit: "binary", maxLength: 60 });
  const row = fc.record({
    text: fc.oneof(
      text,
      fc.constantFrom("\u0000".repeat(50), "\ud83c\udfac".repeat(40), '"\\'.repeat(40)),
    ),
    more: fc.jsonValue().map((value) => ({ value })),
    raw: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("base64")),
    count: fc.maxSafeInteger(),
  });
  const isTooLarge = (run: () => void): boolean => {
    try {
      run();
      return false;
    } catch (error) {
      assert.ok(error instanceof PlatformError && error.code === "VALUE_INVALID");
      return true;
    }
  };
  fc.assert(
    fc.property(row, fc.integer({ min: 50, max: 1_500 }), (given, rowBytesMax) => {
      const whole = { id: "note_01h2xcejqtf2nbrexx3vqjhp41", ...given } as never;
      const own = { ...limits, rowBytesMax };
      const cells = encodeRow(table, whole);
      assert.equal(
        isTooLarge(() => assertRowSize(table, whole, own, cells)),
        isTooLarge(() => assertRowSize(table, whole, own)),
      );
    }),
    { numRuns: 500 },
  );
});
