// Migrations on real files: what is planned, what is refused with which counts, and that whatever fails
// leaves the old schema and every row.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { FieldSpec } from "@keelson/sdk/spec";
import type { TableModel } from "../../model/manifest.ts";
import { idOf, listOf, storeTables, tableModel, write } from "../store.fixture.ts";
import type { Page } from "../store.ts";
import { applyMigration, planMigration, type MigrationTarget } from "./migrate.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

type Tables = Readonly<Record<string, TableModel>>;

const clock = { nowMs: () => 1_800_000_000_000, monotonicUs: () => 0, after: () => () => {} };
const text: FieldSpec = { kind: "text", min: 0, max: 200 };
const int: FieldSpec = { kind: "int", min: 0, max: 1_000 };

const before: Tables = {
  film: tableModel(
    "film",
    {
      title: text,
      rating: { kind: "number", optional: true },
      year: { ...int, max: 3_000, optional: true },
      code: { ...text, optional: true },
    },
    { indexes: [{ fields: ["rating"] }], search: ["title"] },
  ),
  screening: tableModel("screening", {
    film: { kind: "ref", table: "film", onDelete: "cascade" },
    room: text,
  }),
};

/** A file of the `before` schema with ten films and ten screenings. */
async function filledFile(): Promise<string> {
  const path = tempFile();
  const store = openSqliteStore({ path, manifest: { tables: before }, limits });
  await write(store, (tx) => {
    for (let index = 0; index < 10; index++) {
      tx.insert("film", {
        id: idOf("film", index),
        title: `film ${index}`,
        rating: index < 7 ? index / 2 : null,
        year: 1_990 + index,
        code: index < 4 ? "same" : `c${index}`,
      });
      tx.insert("screening", {
        id: idOf("screening", index),
        film: idOf("film", index),
        room: "1",
      });
    }
  });
  store.close();
  return path;
}

function withFilm(fields: Readonly<Record<string, FieldSpec>>, more = {}): Tables {
  const film = { rating: { kind: "number", optional: true } as FieldSpec, title: text };
  return { ...before, film: tableModel("film", { ...film, ...fields }, more) };
}

function targetOf(
  path: string,
  tables: Tables,
  more: Partial<MigrationTarget> = {},
): MigrationTarget {
  return { path, manifest: { tables }, limits, clock, ...more };
}

/** Everything in a file: its schema and its rows. */
function contents(path: string): unknown {
  const db = new DatabaseSync(path, { readOnly: true });
  const schema = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();
  const tables = schema
    .map((row) => String(row["name"]))
    .filter((name) => /^(film|screening|_meta|_rows|_commit|extra)$/.test(name));
  const rows = tables.map((name) => db.prepare(`SELECT * FROM "${name}"`).all());
  db.close();
  return structuredClone({ schema, rows });
}

function refusedWith(names: readonly string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof PlatformError, String(error));
    assert.equal(error.code, "MIGRATION_REFUSED");
    const steps = error.details["steps"] as unknown as readonly { name: string }[];
    assert.deepEqual(
      steps.map((step) => step.name),
      names,
    );
    return true;
  };
}

const full: Readonly<Record<string, FieldSpec>> = {
  title: text,
  rating: { kind: "number", optional: true },
  year: { ...int, max: 3_000, optional: true },
  code: { ...text, optional: true },
};
const filmOnly = (fields: Readonly<Record<string, FieldSpec>>, more = {}): Tables => ({
  ...before,
  film: tableModel("film", fields, {
    indexes: [{ fields: ["rating"] }],
    search: ["title"],
    ...more,
  }),
});

describe("migration", () => {
  test("an empty file is brought to any schema; a file of the schema needs nothing", () => {
    const path = tempFile();
    const target = targetOf(path, storeTables);
    const plan = planMigration(target);
    assert.equal(plan.fresh, true);
    assert.ok(plan.steps.every((step) => step.kind === "safe"));
    applyMigration(plan);
    const again = planMigration(target);
    assert.deepEqual([again.fresh, again.steps, again.drift], [false, [], []]);
  });

  test("an index of the engine's own, as it was made before, is made anew when the file is opened", async () => {
    const path = await filledFile();
    const indexSql = (): unknown => {
      const db = new DatabaseSync(path);
      const found = db.prepare("SELECT sql FROM sqlite_schema WHERE name = '_commit_key'").get();
      db.close();
      return found?.["sql"];
    };
    const wanted = indexSql();
    const db = new DatabaseSync(path);
    db.exec(`DROP INDEX "_commit_key";
      CREATE UNIQUE INDEX "_commit_key" ON "_commit" (scope, key) WHERE key IS NOT NULL`);
    db.close();
    assert.notEqual(indexSql(), wanted);
    assert.deepEqual(planMigration(targetOf(path, before)).drift, []);
    openSqliteStore({ path, manifest: { tables: before }, limits, migrate: "none" }).close();
    assert.equal(indexSql(), wanted);
  });

  test("opening applies what is safe and refuses what is not", async () => {
    const path = await filledFile();
    const wider = filmOnly({ ...full, made: { kind: "json", maxBytes: 100, optional: true } });
    assert.throws(
      () => openSqliteStore({ path, manifest: { tables: wider }, limits, migrate: "none" }),
      refusedWith(["add column film.made"]),
    );
    const store = openSqliteStore({ path, manifest: { tables: wider }, limits });
    const page = await store.read<Page>((tx) => tx.list(listOf("film"), null));
    assert.equal(page.rows.length, 10);
    assert.equal(page.rows[0]?.["made"], null);
    store.close();
    assert.throws(
      () => openSqliteStore({ path, manifest: { tables: before }, limits, readOnly: true }),
      refusedWith(["drop column film.made"]),
    );
    openSqliteStore({ path, manifest: { tables: before }, limits }).close();
  });

  test("a column that holds values is dropped only when it is named, with its counts told", async () => {
    const path = await filledFile();
    const { rating: _rating, ...rest } = full;
    const tables = filmOnly(
      { ...rest, score: { kind: "number", optional: true } },
      { indexes: [] },
    );
    const plan = planMigration(targetOf(path, tables));
    const step = plan.steps.find((each) => each.kind === "destructive");
    assert.equal(step?.text, "drop column film.rating: 7 of 10 rows hold a value");
    assert.equal(step.rows, 7);
    assert.equal(step.examples.length, 5);
    assert.match(step.hint ?? "", /keelson migrate --rename film\.rating=score$/);
    assert.throws(() => applyMigration(plan), refusedWith(["drop column film.rating"]));
    assert.throws(
      () => applyMigration(plan, { allow: ["drop column film.title"] }),
      refusedWith(["drop column film.rating"]),
    );
    applyMigration(plan, { allow: ["drop column film.rating"] });
    const db = new DatabaseSync(path);
    assert.equal(db.prepare("SELECT count(*) AS n FROM film WHERE score IS NULL").get()?.["n"], 10);
    db.close();
  });

  test("a rename that is named keeps the values", async () => {
    const path = await filledFile();
    const { rating: _rating, ...rest } = full;
    const tables = filmOnly(
      { ...rest, score: { kind: "number", optional: true } },
      { indexes: [{ fields: ["score"] }] },
    );
    const plan = planMigration(targetOf(path, tables, { renamed: { "film.rating": "score" } }));
    assert.ok(plan.steps.every((step) => step.kind === "safe"));
    applyMigration(plan);
    const store = openSqliteStore({ path, manifest: { tables }, limits });
    const page = await store.read<Page>((tx) =>
      tx.list(listOf("film", { search: "film 6" }), null),
    );
    assert.equal(page.rows[0]?.["score"], 3);
    store.close();
    assert.throws(
      () => planMigration(targetOf(path, tables, { renamed: { "film.nothing": "score" } })),
      (error: unknown) => error instanceof PlatformError && error.code === "ARGUMENT_INVALID",
    );
  });

  test("amounts do not become another currency without a word", async () => {
    const path = tempFile();
    const priced = (currency: string): Tables => ({
      item: tableModel("item", { price: { kind: "money", currency, optional: true } }),
    });
    const store = openSqliteStore({ path, manifest: { tables: priced("EUR") }, limits });
    await write(store, (tx) => tx.insert("item", { id: idOf("item", 1), price: 500 }));
    store.close();
    const plan = planMigration(targetOf(path, priced("USD")));
    const name = "change currency item.price from EUR to USD";
    assert.deepEqual(
      plan.steps.map((step) => [step.name, step.kind, step.text]),
      [
        [name, "destructive", `${name}: 1 of 1 rows hold an amount, which is not converted`],
        ["change column item.price", "safe", "change column item.price"],
      ],
    );
    assert.throws(() => applyMigration(plan), refusedWith([name]));
    assert.throws(
      () => openSqliteStore({ path, manifest: { tables: priced("USD") }, limits }),
      refusedWith([name]),
    );
    applyMigration(plan, { allow: [name] });
    assert.deepEqual(planMigration(targetOf(path, priced("USD"))).steps, []);
  });

  test("a table that goes is named with its rows; an empty one goes without a word", async () => {
    const path = await filledFile();
    const { film } = before;
    assert.ok(film);
    const target = targetOf(path, { film });
    const plan = planMigration(target);
    const step = plan.steps.find((each) => each.kind === "destructive");
    assert.equal(step?.text, "drop table screening: 10 rows are lost");
    const db = new DatabaseSync(path);
    db.exec("DELETE FROM screening WHERE id > (SELECT min(id) FROM screening)");
    const [one] = planMigration(target).steps.filter((each) => each.kind === "destructive");
    assert.equal(one?.text, "drop table screening: 1 row is lost");
    db.close();
    applyMigration(plan, { allow: ["drop table screening"] });
    applyMigration(planMigration(targetOf(path, before)));
    assert.ok(planMigration(target).steps.every((each) => each.kind === "safe"));
  });

  const narrowings: readonly (readonly [string, Tables, string, RegExp, number])[] = [
    [
      "a range",
      filmOnly({ ...full, year: { ...int, max: 1_995, optional: true } }),
      "narrow column film.year",
      /4 rows .* at most 1995/,
      4,
    ],
    [
      "a text's max",
      filmOnly({ ...full, code: { ...text, max: 3, optional: true } }),
      "narrow column film.code",
      /4 rows/,
      4,
    ],
    [
      "a pattern",
      filmOnly({ ...full, code: { ...text, pattern: "c\\d", optional: true } }),
      "narrow column film.code",
      /4 rows/,
      4,
    ],
    [
      "oneOf",
      filmOnly({ ...full, code: { kind: "oneOf", values: ["same"], optional: true } }),
      "narrow column film.code",
      /6 rows/,
      6,
    ],
    [
      "number to int",
      filmOnly({ ...full, rating: { ...int, optional: true } }),
      "narrow column film.rating",
      /3 rows .* whole/,
      3,
    ],
    [
      "optional to required",
      filmOnly({ ...full, rating: { kind: "number" } }),
      "require column film.rating",
      /3 rows/,
      3,
    ],
    [
      "a new required field without default",
      filmOnly({ ...full, extra: text }),
      "require column film.extra",
      /10 rows/,
      10,
    ],
    [
      "a new unique field",
      filmOnly({ ...full, code: { ...text, optional: true, unique: true } }),
      "unique film(code)",
      /4 rows/,
      4,
    ],
    [
      "a new unique set with a condition",
      filmOnly(full, {
        indexes: [
          { fields: ["rating"] },
          { fields: ["code"], unique: true, where: { year: { gte: 1_992 } } },
        ],
      }),
      "unique film(code)",
      /2 rows/,
      2,
    ],
    [
      "a reference to rows that are not there",
      filmOnly({
        ...full,
        code: { kind: "ref", table: "screening", onDelete: "clear", optional: true },
      }),
      "refer from film.code to screening",
      /10 rows/,
      10,
    ],
  ];
  for (const [what, tables, name, message, rows] of narrowings) {
    test(`rows that do not fit are counted, with examples: ${what}`, async () => {
      const path = await filledFile();
      const was = contents(path);
      const plan = planMigration(targetOf(path, tables));
      const step = plan.steps.find((each) => each.name === name);
      assert.equal(step?.kind, "needs-data", JSON.stringify(plan.steps));
      assert.match(step.text, message);
      assert.equal(step.rows, rows);
      assert.equal(step.examples.length, Math.min(5, rows));
      assert.ok(step.examples.every((id) => id.startsWith("film_")));
      assert.throws(() => applyMigration(plan, { allow: [name] }), PlatformError);
      assert.deepEqual(contents(path), was);
    });
  }

  test("everything in the way is told at once", async () => {
    const path = await filledFile();
    const tables = filmOnly(
      {
        title: text,
        year: { ...int, max: 1_995, optional: true },
        code: { ...text, optional: true, unique: true },
        extra: text,
      },
      { indexes: [] },
    );
    assert.throws(
      () => applyMigration(planMigration(targetOf(path, tables))),
      refusedWith([
        "drop column film.rating",
        "require column film.extra",
        "narrow column film.year",
        "unique film(code)",
      ]),
    );
  });

  test("changes that fit are made: required with default, int to number, wider ranges, time of now", async () => {
    const path = await filledFile();
    const tables = filmOnly(
      {
        added: { kind: "time", default: { now: true } },
        year: { kind: "number", optional: true },
        title: { ...text, max: 500 },
        code: { ...text, default: { value: "none" } },
        rating: { kind: "number", default: { value: 1.5 } },
        color: { kind: "bool", default: { value: true } },
      },
      { indexes: [{ fields: ["year", "rating"] }], search: ["title", "code"] },
    );
    const plan = planMigration(targetOf(path, tables));
    assert.deepEqual(
      plan.steps.filter((step) => step.kind !== "safe"),
      [],
    );
    assert.ok(
      plan.steps.some((step) => step.text === "add column film.color: 10 rows get the default"),
    );
    applyMigration(plan);
    const store = openSqliteStore({ path, manifest: { tables }, limits });
    const row = await store.read((tx) => tx.get("film", idOf("film", 9), null));
    assert.deepEqual(
      { ...row },
      {
        id: idOf("film", 9),
        added: "2027-01-15T08:00:00.000Z",
        year: 1_999,
        title: "film 9",
        code: "c9",
        rating: 1.5,
        color: true,
      },
    );
    const found = await store.read<Page>((tx) => tx.list(listOf("film", { search: "same" }), null));
    assert.equal(found.rows.length, 4);
    await write(store, (tx) => tx.delete("film", idOf("film", 0)));
    store.close();
  });

  test("a column whose kind cannot be converted goes and comes anew", async () => {
    const path = await filledFile();
    const tables = filmOnly({ ...full, code: { kind: "bool", optional: true } });
    const plan = planMigration(targetOf(path, tables));
    assert.deepEqual(
      plan.steps.map(({ name, kind }) => [name, kind]),
      [
        ["add column film.code", "safe"],
        ["drop column film.code", "destructive"],
      ],
    );
    applyMigration(plan, { allow: ["drop column film.code"] });
    assert.deepEqual(planMigration(targetOf(path, tables)).steps, []);
  });

  test("a file that was changed by hand is refused until that is put right", async () => {
    const path = await filledFile();
    const db = new DatabaseSync(path);
    db.exec("ALTER TABLE film ADD COLUMN sneaked TEXT; CREATE TABLE extra (x)");
    db.close();
    const plan = planMigration(targetOf(path, before));
    assert.deepEqual(plan.drift, [
      '"film" is not as the app defines it',
      '"extra" is not part of the app',
    ]);
    assert.throws(() => applyMigration(plan), refusedWith([]));
    assert.throws(
      () => openSqliteStore({ path, manifest: { tables: before }, limits }),
      refusedWith([]),
    );
  });

  test("a file that is no database of ours is STORE_FAILED", () => {
    const path = tempFile();
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE theirs (x)");
    db.close();
    assert.throws(
      () => openSqliteStore({ path, manifest: { tables: before }, limits }),
      (error: unknown) => error instanceof PlatformError && error.code === "STORE_FAILED",
    );
  });

  test("a failure at any step leaves the old schema and all data", async () => {
    const path = await filledFile();
    const was = contents(path);
    const tables: Tables = {
      film: tableModel(
        "film",
        { year: { kind: "number", optional: true }, name: text, code: { ...text, optional: true } },
        { indexes: [{ fields: ["year"] }], search: ["name"] },
      ),
      visit: tableModel("visit", { film: { kind: "ref", table: "film", onDelete: "cascade" } }),
    };
    const target = targetOf(path, tables, { renamed: { "film.title": "name" } });
    const allow = ["drop column film.rating", "drop table screening"];
    const steps: string[] = [];
    const plan = planMigration(target);
    assert.throws(() =>
      applyMigration(plan, {
        allow,
        onStep: (name) => {
          steps.push(name);
          if (name === "commit") throw new Error("planted");
        },
      }),
    );
    assert.ok(steps.length > 10, steps.join());
    for (const planted of steps) {
      assert.throws(
        () =>
          applyMigration(plan, {
            allow,
            onStep: (name) => {
              if (name === planted) throw new Error(`planted at ${name}`);
            },
          }),
        (error: unknown) => error instanceof PlatformError && error.code === "MIGRATION_FAILED",
      );
      assert.deepEqual(contents(path), was, planted);
    }
    applyMigration(plan, { allow });
    assert.deepEqual(planMigration(targetOf(path, tables)).steps, []);
  });

  test("rows keep their numbers and their searches through a rebuild", async () => {
    const path = await filledFile();
    const tables = withFilm(
      { year: { ...int, max: 3_000, optional: true }, code: { ...text, optional: true } },
      { search: ["title"] },
    );
    applyMigration(planMigration(targetOf(path, tables)));
    const store = openSqliteStore({ path, manifest: { tables }, limits });
    const found = await store.read<Page>((tx) =>
      tx.list(listOf("film", { search: "film 3" }), null),
    );
    assert.deepEqual(
      found.rows.map((row) => row["id"]),
      [idOf("film", 3)],
    );
    assert.equal(found.rows[0]?.["year"], 1_993);
    store.close();
  });
});
