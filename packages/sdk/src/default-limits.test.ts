// The SDK's defaults are the server's: both packages name them, neither imports the other.
import assert from "node:assert/strict";
import { test } from "node:test";
import { defaultLimits } from "./default-limits.ts";

void test("bounds that a definition does not name are those of the server", async () => {
  const path: string = "../../server/src/base/limits.ts";
  const { limits } = (await import(path)) as { readonly limits: Readonly<Record<string, number>> };
  assert.equal(defaultLimits.textMax, limits["textMaxDefault"]);
  assert.equal(defaultLimits.listMax, limits["listMaxDefault"]);
  assert.equal(defaultLimits.jsonBytesMax, limits["jsonBytesMaxDefault"]);
});
