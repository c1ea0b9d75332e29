// The table of rows by id against a Map.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { IdTable } from "./id-table.ts";

/** Few ids, of which many share the end that is hashed. */
const id = fc.oneof(
  fc.nat({ max: 200 }).map((n) => `note_${n}`),
  fc.nat({ max: 60 }).map((n) => `${n}_the-same-end`),
  fc.constantFrom("", "a", "é", "a".repeat(100)),
);
const step = fc.oneof(
  { weight: 40, arbitrary: fc.record({ kind: fc.constant("put"), id, value: fc.nat() }) },
  { weight: 30, arbitrary: fc.record({ kind: fc.constant("delete"), id, value: fc.nat() }) },
  { weight: 30, arbitrary: fc.record({ kind: fc.constant("get"), id, value: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clear"), id, value: fc.nat() }) },
);

test("a table of rows by id keeps what a map keeps", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600, size: "max" }), (steps) => {
      const table = new IdTable<{ readonly id: string; readonly value: number }>();
      const twin = new Map<string, number>();
      for (const { kind, id, value } of steps) {
        if (kind === "put") {
          table.put({ id, value });
          twin.set(id, value);
        } else if (kind === "delete") {
          table.delete(id);
          twin.delete(id);
        } else if (kind === "clear") {
          table.clear();
          twin.clear();
        }
        assert.equal(table.get(id)?.value, twin.get(id));
        assert.equal(table.size, twin.size);
      }
      for (const [id, value] of twin) assert.equal(table.get(id)?.value, value);
    }),
  );
});
