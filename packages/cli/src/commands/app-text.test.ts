import assert from "node:assert/strict";
import { test } from "node:test";
import { allowText, functionLines, rulesText, tableLines, type ShownApp } from "./app-text.ts";

const yes = { expr: { kind: "constant", value: true } };
const rule = { expr: { kind: "compare" } };

test("rights that are answered alike stand together", () => {
  assert.equal(
    rulesText({ read: yes, create: rule, update: rule, delete: rule }),
    "read: anyone · create, update, delete: by rule",
  );
  assert.equal(rulesText({ read: rule }), "read: by rule · create, update, delete: nobody");
  assert.equal(rulesText({}), "nobody (functions only)");
});

test("who may call is told in words", () => {
  assert.equal(allowText("nobody"), "nobody outside");
  assert.equal(allowText("signed-in"), "signed-in");
  assert.equal(allowText({ role: ["staff", "admin"] }), "role staff or admin");
});

test("tables and functions are one line each", () => {
  const app: ShownApp = {
    tables: { film: { rules: { read: yes } }, user: { rules: {} } },
    functions: {
      "cinema.book": { kind: "mutation", allow: "signed-in" },
      "web.home": { kind: "http", allow: "anyone", route: { method: "GET", path: "/" } },
    },
  };
  assert.deepEqual(tableLines(app, { film: 3_201, user: 1 }), [
    "film  3,201 rows  read: anyone · create, update, delete: nobody",
    "user       1 row  nobody (functions only)",
  ]);
  assert.deepEqual(functionLines(app), [
    "cinema.book  mutation  signed-in",
    "web.home     GET /     anyone",
  ]);
});
