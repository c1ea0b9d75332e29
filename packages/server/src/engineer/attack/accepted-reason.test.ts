import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptedReason, type Acceptable } from "./accepted-reason.ts";

const at = { file: "keelson/shop.ts", line: 3, column: 14 };
const booking = { id: "booking_1", status: "held", seat: "A1" };

function change(table: string, before: Readonly<Record<string, string>>, after: object | null) {
  return { table, id: before["id"] ?? "", before, after: after as typeof before | null };
}

function reasonFor(only: string, shown: Partial<Acceptable>, why = "it is nobody's any more") {
  const text = `// A hold.\n// keelson-attack A202${only}: ${why}\nexport const hold = mutation({`;
  const found = { code: "A202", subject: "shop.hold", fields: ["booking.status"], at };
  return acceptedReason(new Map([[at.file, text]]), { ...found, ...shown });
}

const held = change("booking", booking, { ...booking, status: "cancelled" });
const paid = change("booking", { ...booking, status: "paid" }, { ...booking, status: "cancelled" });

test("without a table or field, every finding of the code at its place is accepted", () => {
  const reason = "it is nobody's any more";
  assert.equal(reasonFor("", { changed: held }), reason);
  assert.equal(reasonFor("", { changed: paid }), reason);
  assert.equal(reasonFor("", { fields: [] }), reason);
  assert.equal(reasonFor("", { code: "A201" }), null);
  assert.equal(reasonFor("", { at: { ...at, file: "keelson/other.ts" } }), null);
  assert.equal(reasonFor("", {}, "so what"), null);
});

test("a field is accepted, and no other one beside it", () => {
  const only = " booking.status";
  assert.notEqual(reasonFor(only, { changed: paid }), null);
  assert.equal(reasonFor(only, { fields: ["booking.status", "booking.seat"] }), null);
  assert.equal(reasonFor(only, { fields: ["order.status"] }), null);
  const both = " booking.status, booking.seat";
  assert.notEqual(reasonFor(both, { fields: ["booking.status", "booking.seat"] }), null);
});

test("a field with a value is accepted where it held that value before", () => {
  const only = " booking.status=held";
  assert.notEqual(reasonFor(only, { changed: held }), null);
  assert.equal(reasonFor(only, { changed: paid }), null);
  assert.equal(reasonFor(only, {}), null);
});

test("a table is accepted with all its fields, and only it covers rows that are deleted", () => {
  const deleted = change("booking", booking, null);
  assert.notEqual(reasonFor(" booking", { changed: paid }), null);
  assert.notEqual(reasonFor(" booking", { fields: [], changed: deleted }), null);
  assert.equal(reasonFor(" booking.status", { fields: [], changed: deleted }), null);
  assert.equal(reasonFor(" order", { fields: [], changed: deleted }), null);
  assert.notEqual(reasonFor(" booking", { subject: "booking", fields: ["seat"] }), null);
});
