import { strict as assert } from "node:assert";
import { test } from "node:test";
import { limits, limitTable, type LimitName } from "./limits.ts";

test("every limit stands within its own bounds", () => {
  for (const [name, { value, min, max, reason }] of Object.entries(limitTable)) {
    assert.ok(min <= value && value <= max, name);
    assert.ok(Number.isSafeInteger(value) && Number.isSafeInteger(max), name);
    assert.ok(reason.length > 0, name);
    assert.equal(limits[name as LimitName], value);
  }
  assert.ok(limits.pageRowsDefault <= limits.pageRowsMax);
  assert.ok(limits.argsBytesMax <= limits.bodyBytesMax);
});
