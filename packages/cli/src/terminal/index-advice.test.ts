import assert from "node:assert/strict";
import { test } from "node:test";
import { indexAdvice, knownIndexes } from "./index-advice.ts";

test("fields compared come first, then the order, then ranges", () => {
  const sql =
    'SELECT t."id" FROM "film" AS t WHERE (t."rating" >= ? AND t."studio" = ?) ORDER BY t."released" DESC, t."id" LIMIT ?';
  assert.equal(
    indexAdvice({ table: "film", sql }, []),
    '.index("studio", "released", "rating") on film',
  );
});

test("a query without condition and order has no index to add", () => {
  assert.equal(indexAdvice({ table: "film", sql: 'SELECT count(*) FROM "film" AS t' }, []), null);
  assert.equal(
    indexAdvice(
      { table: "film", sql: 'SELECT t."id" FROM "film" AS t ORDER BY t."id" LIMIT ?' },
      [],
    ),
    null,
  );
});

test("an index that the table has is not advised", () => {
  const plan = {
    table: "booking",
    sql: 'SELECT t."id" FROM "booking" AS t WHERE (t."screening" = ? AND t."status" IN (?,?)) ORDER BY t."id"',
  };
  assert.equal(indexAdvice(plan, [{ fields: ["screening", "status"] }]), null);
  assert.equal(indexAdvice(plan, [{ fields: ["status", "screening", "seat"] }]), null);
  assert.equal(
    indexAdvice(plan, [{ fields: ["screening", "seat"] }]),
    '.index("screening", "status") on booking',
  );
});

test("rows fetched along want an index by their reference, then by the order", () => {
  // As packages/server/src/store/sqlite/query-expand.ts writes it: the rows of each parent, then all of them in order.
  const along = (where: string, order: string) => ({
    table: "booking",
    sql:
      'SELECT p.key, o."id", o."seat" FROM json_each(?) AS p CROSS JOIN "booking" AS o WHERE o."_n" IN ' +
      `(SELECT t."_n" FROM "booking" AS t WHERE t."screening" = p.value${where} ORDER BY ${order} LIMIT ?) ` +
      `ORDER BY p.key, ${order.replaceAll("t.", "o.")}`,
  });
  const bySeat = along("", 't."seat", t."id"');
  assert.equal(indexAdvice(bySeat, []), '.index("screening", "seat") on booking');
  assert.equal(indexAdvice(bySeat, [{ fields: ["screening", "seat"] }]), null);
  const paid = along(' AND (t."status" = ?)', 't."seat" DESC, t."id" DESC');
  assert.equal(indexAdvice(paid, []), '.index("screening", "status", "seat") on booking');
});

test("what references and unique fields have by themselves is not advised", () => {
  const known = knownIndexes({
    indexes: [{ fields: ["screening", "seat"] }],
    fields: {
      screening: { kind: "ref" },
      customer: { kind: "ref" },
      code: { kind: "text", unique: true },
      seat: { kind: "text" },
    },
  });
  const by = (field: string) => ({
    table: "booking",
    sql: `SELECT t."${field}", count(*) FROM "booking" AS t GROUP BY t."${field}" ORDER BY t."${field}" LIMIT ?`,
  });
  assert.equal(indexAdvice(by("customer"), known), null);
  assert.equal(indexAdvice(by("code"), known), null);
  assert.equal(indexAdvice(by("seat"), known), '.index("seat") on booking');
});
