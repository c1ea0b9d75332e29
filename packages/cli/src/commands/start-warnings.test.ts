import assert from "node:assert/strict";
import { test } from "node:test";
import { filesWarning } from "./start-warnings.ts";

const limits = (soft: string, hard: string) =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                ${hard}                files\n`;

test("a start warns of fewer open files than connections need, where the system tells it", () => {
  assert.match(filesWarning(limits("256", "256"))?.problem ?? "", /may open 256 files/);
  assert.equal(filesWarning(limits("1024", "524288")), null, "Node takes as many as it may have");
  assert.equal(filesWarning(limits("unlimited", "unlimited")), null);
  assert.equal(filesWarning(""), null);
});
