import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { rule } from "./rule-line.case.ts";
import { tables } from "./rule-random.case.ts";
import { compileRuleSql } from "./rule-sql.ts";

describe("a predicate in SQL", () => {
  const sql = (source: string, access: "set" | "row" = "set"): string =>
    compileRuleSql(rule(source).expr, {
      dialect: "sqlite",
      access,
      tables,
      roots: { row: { kind: "alias", alias: "b", table: "booking" } },
    }).sql;

  test("compares columns with parameters, and steps through references by primary key", () => {
    assert.equal(sql("row.customer === me.id"), '(b."customer" = ?)');
    assert.equal(
      sql("row.screening.film.owner === me.id", "row"),
      '(EXISTS (SELECT 1 FROM "screening" AS r1, "film" AS r2 WHERE r1."id" = b."screening" AND r2."id" = r1."film" AND r2."owner" = ?))',
    );
    assert.equal(
      sql("!(row.screening.film === 'film_1')"),
      `(NOT ((SELECT r1."film" FROM "screening" AS r1 WHERE r1."id" = b."screening") = 'film_1'))`,
    );
  });

  test("looks for the caller's own rows first where references lead to them", () => {
    assert.equal(
      sql("row.screening.film.owner === me.id"),
      '(b."screening" IN (SELECT r2."id" FROM "screening" AS r2 WHERE r2."film" IN (SELECT r1."id" FROM "film" AS r1 WHERE r1."owner" = ?)))',
    );
    const member =
      "db.booking.some((x) => x.screening === row.screening && x.customer === me.id && x.paid)";
    assert.equal(
      sql(member),
      '(b."screening" IN (SELECT r1."screening" FROM "booking" AS r1 WHERE (r1."customer" = ?) AND (r1."paid" = 1)))',
    );
    assert.match(sql(member, "row"), /^\(EXISTS \(SELECT 1 FROM "booking" AS r1 WHERE \(r1/);
    assert.match(sql(`!${member}`), /^\(NOT \(EXISTS/);
    assert.match(sql("row.screening.film.title === 'x'"), /^\(EXISTS/);
  });

  test("binds what could end a text, and never writes it", () => {
    const { sql: text, params } = compileRuleSql(
      rule(`row.seat === "it's; DROP TABLE x --?"`).expr,
      {
        dialect: "sqlite",
        tables,
        roots: { row: { kind: "alias", alias: "b", table: "booking" } },
      },
    );
    assert.equal(text, '(b."seat" = ?)');
    assert.deepEqual(params, [{ kind: "literal", value: "it's; DROP TABLE x --?" }]);
  });

  test("stays within the depth that SQLite takes, at the largest a rule may be", () => {
    const database = new DatabaseSync(":memory:");
    database.exec(
      "CREATE TABLE booking (id TEXT PRIMARY KEY, seat TEXT, count INTEGER, paid INTEGER) STRICT",
    );
    const long = Array.from({ length: 390 }, (_, i) => `row.seat !== "${i}"`).join(" && ");
    const ifs = "row.paid ? row.count > 1 : ".repeat(97);
    const sums = `(row.count + `.repeat(97) + "1" + ")".repeat(97);
    for (const source of [long, `${ifs}!row.paid`, `${sums} > 0`]) {
      database.prepare(`SELECT 1 FROM booking AS b WHERE ${sql(source)}`);
    }
  });

  test("lets SQLite drive a list from either side of a reference", () => {
    const database = new DatabaseSync(":memory:");
    database.exec(`CREATE TABLE film (id TEXT PRIMARY KEY, owner TEXT) STRICT;
      CREATE TABLE screening (id TEXT PRIMARY KEY, film TEXT) STRICT;
      CREATE TABLE booking (id TEXT PRIMARY KEY, screening TEXT, customer TEXT) STRICT;
      CREATE INDEX film_owner ON film (owner); CREATE INDEX screening_film ON screening (film);
      CREATE INDEX booking_screening ON booking (screening); CREATE INDEX booking_customer ON booking (customer);
      ANALYZE sqlite_schema;
      INSERT INTO sqlite_stat1 VALUES ('film', 'film_owner', '100000 10'), ('film', 'sqlite_autoindex_film_1', '100000 1'),
        ('screening', 'screening_film', '1000000 10'), ('screening', 'sqlite_autoindex_screening_1', '1000000 1'),
        ('booking', 'booking_screening', '10000000 10'), ('booking', 'booking_customer', '10000000 10'),
        ('booking', 'sqlite_autoindex_booking_1', '10000000 1');
      ANALYZE sqlite_schema;`);
    const plan = (source: string): string =>
      database
        .prepare(`EXPLAIN QUERY PLAN SELECT * FROM booking AS b WHERE ${sql(source)}`)
        .all()
        .map((row) => row["detail"])
        .join("; ");
    assert.match(plan("row.customer === me.id"), /SEARCH b USING INDEX booking_customer/);
    assert.match(
      plan("row.customer === me.id || row.screening === 'screening_1'"),
      /MULTI-INDEX OR/,
    );
    const owned = plan("row.screening.film.owner === me.id || row.customer === me.id");
    assert.match(owned, /SEARCH r1 USING INDEX film_owner.*SEARCH b USING INDEX booking_screening/);
    assert.doesNotMatch(owned, /SCAN/);
    const denied = plan("!(row.screening.film.owner === me.id)");
    assert.doesNotMatch(denied, /SCAN r/);
    const member = plan(
      "db.booking.some((x) => x.screening === row.screening && x.customer === me.id)",
    );
    assert.match(
      member,
      /SEARCH b USING INDEX booking_screening .*SEARCH r1 USING INDEX booking_customer/,
    );
  });
});
