// `keelson import --ref`: rows that name others by a unique field.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const schema = `import { define, table, t } from "keelson";
export const { app } = define({
  team: table({ slug: t.text().unique(), name: t.text().optional() }),
  part: table({
    code: t.int().optional().unique(),
    team: t.ref("team").optional(),
    inside: t.ref("part").optional(),
    twin: t.ref("part").optional(),
  }),
});`;

interface Part {
  readonly id: string;
  readonly code: number;
  readonly team: string | null;
  readonly inside: string | null;
}

/** An app, and what its commands say. */
function openScene(context: TestContext) {
  const folder = tempFolder(context);
  mkdirSync(join(folder, "keelson"));
  writeFileSync(join(folder, "keelson", "schema.ts"), schema);
  writeFileSync(
    join(folder, "keelson", "app.ts"),
    'import { app } from "./schema.ts"; export default app({});',
  );
  const load = (table: string, csv: string, ...flags: readonly string[]) => {
    const ended = keelson(folder, ["import", table, "-", "--format=csv", "--json", ...flags], {
      input: csv,
    });
    const count = ended.out === "" ? {} : (JSON.parse(ended.out) as Record<string, unknown>);
    return { ...ended, count };
  };
  const parts = (): readonly Part[] =>
    keelson(folder, ["export", "part"])
      .out.trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Part);
  return { folder, load, parts };
}

const inside = ["--ref=inside=code"];

test("a chain of rows whose last comes first is written whole, and again nothing", (context) => {
  const { load, parts } = openScene(context);
  const count = 450;
  const lines = Array.from(
    { length: count },
    (_, index) => `${count - index},${index === count - 1 ? "" : count - index - 1}`,
  );
  const csv = `code,inside\n${lines.join("\n")}\n`;
  const first = load("part", csv, ...inside);
  assert.equal(first.status, 0, first.err);
  assert.equal(first.count["created"], count);
  const all = parts();
  const byId = new Map(all.map((part) => [part.id, part.code]));
  for (const { code, inside } of all)
    assert.equal(inside === null ? 0 : byId.get(inside), code - 1);
  assert.equal(load("part", csv, ...inside).count["repeated"], count);
  assert.equal(load("part", csv, ...inside, "--upsert=code").count["unchanged"], count);
});

test("what is not there is refused with its value; mended, the file of refused records comes in the same way", (context) => {
  const { folder, load, parts } = openScene(context);
  assert.equal(load("team", 'slug\nweb\n""\n').status, 0);
  const flags = [...inside, "--ref=team=slug", "--on-error=skip"];
  const csv = 'code,inside,team\n1,,web\n2,1,wbe\n3,2,web\n4,,""\n5,4,\n6,,WEB\n';
  const first = load("part", csv, ...flags);
  assert.equal(first.status, 2);
  assert.deepEqual([first.count["created"], first.count["refused"]], [3, 3], first.err);
  assert.match(first.err, /line 3 +REF_MISSING +team: there is no team whose slug is "wbe"\./);
  assert.match(first.err, /line 4 +REF_MISSING +inside: there is no part whose code is 2\./);
  assert.match(first.err, /line 7 +REF_MISSING +team: there is no team whose slug is "WEB"\./);
  const report = readFileSync(join(folder, "stdin.refused.ndjson"), "utf8");
  writeFileSync(join(folder, "mended.ndjson"), report.replaceAll(/"(?:wbe|WEB)"/g, '"web"'));
  const mended = keelson(folder, ["import", "part", "mended.ndjson", ...flags]);
  assert.equal(mended.status, 0, mended.err);
  const all = parts();
  const ids = new Map(all.map(({ code, id }) => [code, id]));
  assert.equal(all.length, 6);
  assert.equal(all.find(({ code }) => code === 3)?.inside, ids.get(2));
});

test("rows in a circle are refused with the way out, which works", (context) => {
  const { load, parts } = openScene(context);
  const csv = "code,inside\n1,2\n2,1\n3,3\n4,1\n";
  const refused = load("part", csv, ...inside, "--on-error=skip");
  assert.equal(refused.count["refused"], 4);
  assert.match(refused.err, /in a circle\. Leave the reference out first \(--map "column="\)/);
  assert.equal(load("part", csv, "--map=inside=", "--upsert=code").count["created"], 4);
  const whole = load("part", csv, ...inside, "--upsert=code");
  assert.equal(whole.count["updated"], 4, whole.err);
  const codes = new Map(parts().map(({ id, code }) => [id, code]));
  assert.deepEqual(
    parts().map(({ code, inside }) => [code, codes.get(inside ?? "")]),
    [
      [1, 2],
      [2, 1],
      [3, 3],
      [4, 1],
    ],
  );
});

test("an import that stops at a refusal accounts for the rows that it held", (context) => {
  const { load } = openScene(context);
  const { count, status } = load("part", "code,inside\n2,1\n1,\n3,99\n4,\n", ...inside);
  assert.equal(status, 2);
  assert.deepEqual([count["read"], count["created"], count["refused"]], [4, 3, 1]);
  assert.equal(count["isWhole"], true, "there is no rest that was not read");
});

test("references are looked up through a server that runs; what can't name a row is refused before", async (context) => {
  const { folder, load } = openScene(context);
  assert.equal(load("team", "slug,name\nweb,Web\n").status, 0);
  const server = await serve(folder, ["start"]);
  try {
    const served = load("part", "code,team\n1,web\n", "--ref=team=slug");
    assert.equal(served.count["created"], 1, served.err);
    const far = load("part", "code,team\n1,web\n", "--ref=team=slug", `--url=${server.url}`);
    assert.match(far.err, /NOT_OVER_URL/);
  } finally {
    await server.stop();
  }
  for (const [ref, why] of [
    ["team", /It is written/],
    ["team=name", /Two rows of team may hold the same value in "name"[^]*Unique there: id, slug/],
    ["team=slog", /Did you mean slug\?/],
    ["tem=slug", /The table part has no field "tem"\. Its references: team, inside, twin/],
    ["code=slug", /has no reference in "code"/],
  ] as const) {
    const refused = load("part", "code,team\n2,web\n", `--ref=${ref}`);
    assert.equal(refused.status, 1, refused.err);
    assert.match(refused.err, /REF_INVALID/);
    assert.match(refused.err, why);
  }
});
