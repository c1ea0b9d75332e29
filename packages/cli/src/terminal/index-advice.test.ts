import assert from "node:assert/strict";
import { test } from "node:test";
import { indexAdvice } from "./index-advice.ts";

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
