import { strict as assert } from "node:assert";
import { test } from "node:test";
import { errorCodes } from "./error-codes.ts";

test("every error code has a status that fits whose fault it is", () => {
  for (const [code, row] of Object.entries(errorCodes)) {
    assert.match(code, /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$/);
    assert.ok(row.status >= 400 && row.status < 600, code);
    if (row.fault === "host") assert.ok(row.status >= 500, `${code}: the host's fault is 5xx`);
    if (row.status === 429 || row.status === 503) assert.equal(row.retry, "later", code);
    assert.match(row.text, /^[A-Z].*\.$/, `${code} has a sentence`);
    assert.ok(Object.isFrozen(row));
  }
});
