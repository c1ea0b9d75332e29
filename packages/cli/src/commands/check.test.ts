import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

function newApp(folder: string): string {
  const made = keelson(folder, ["init", "ideas"]);
  assert.equal(made.status, 0, made.err);
  return join(folder, "ideas");
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

const hole = [
  "create: ({ next, me }) => next.author === me.id,",
  "create: ({ me }) => me.id !== null,",
] as const;

/** Opens the hole. @param before stands above it. Others can be named where people can be read. */
function openHole(app: string, before = ""): void {
  const rules = join(app, "keelson", "rules.ts");
  edit(rules, hole[0], `${before}${hole[1]}`);
  const email = "fields: { email: { read: ({ row, me }) => row.id === me.id } }";
  edit(
    rules,
    "\n  vote: {",
    `\n  user: { read: ({ me }) => me.id !== null, ${email} },\n  vote: {`,
  );
}

test("a new app is clean; a fault is shown with its place, why it matters and what to write", (context) => {
  const app = newApp(tempFolder(context));
  const clean = keelson(app, ["check"]);
  assert.deepEqual([clean.status, clean.out], [0, "Nothing found.\n"], clean.err);

  openHole(app);
  const { status, out } = keelson(app, ["check"]);
  assert.equal(status, 2);
  assert.match(out, /^Holes: /);
  assert.match(out, /K102 {2}Client sets the owner\n +People can make rows in the name of others/);
  assert.match(out, /keelson\/rules\.ts:10:\d+\n/);
  assert.match(out, /> 10 \| +create: \(\{ me \}\) => me\.id !== null/);
  assert.match(out, /write: create: \(\{ next, me \}\) => next\.author === me\.id/);
  assert.match(out, /1 finding: 1 hole\.\n$/);
  assert.equal(keelson(app, ["check"]).out, out, "the same twice");
  assert.equal(existsSync(join(app, ".keelson")), false, "it leaves nothing behind");
});

test("what is allowed with a reason is listed in every form, and ends well", (context) => {
  const app = newApp(tempFolder(context));
  openHole(app, "// keelson-allow K102: ideas may be given away\n    ");
  const text = keelson(app, ["check"]);
  assert.equal(text.status, 0);
  assert.match(
    text.out,
    /Allowed in the source\n\n +K102 {2}keelson\/rules\.ts:11:\d+ {2}ideas may be given away/,
  );
  const json = JSON.parse(keelson(app, ["check", "--json"]).out) as {
    readonly findings: readonly unknown[];
    readonly allowed: readonly { readonly reason: string }[];
  };
  assert.deepEqual([json.findings.length, json.allowed[0]?.reason], [0, "ideas may be given away"]);
  const sarif = JSON.parse(keelson(app, ["check", "--sarif"]).out) as {
    readonly version: string;
    readonly runs: readonly { readonly results: readonly { readonly suppressions?: object }[] }[];
  };
  assert.equal(sarif.version, "2.1.0");
  assert.ok(sarif.runs[0]?.results[0]?.suppressions);
});

test("annotations name files from where the command runs", (context) => {
  const folder = tempFolder(context);
  openHole(newApp(folder));
  const { status, out } = keelson(folder, ["check", "ideas", "--github"]);
  assert.equal(status, 2);
  assert.match(
    out,
    /^::error file=ideas\/keelson\/rules\.ts,line=10,col=\d+,title=K102 Client sets the owner::/,
  );
});

test("codes are explained, and a wrong one names the near one", (context) => {
  const folder = tempFolder(context);
  const page = keelson(folder, ["check", "--explain", "k106"]);
  assert.equal(page.status, 0);
  assert.match(page.out, /^# K106: /);
  assert.match(page.out, /\/\/ <- K106/);
  const wrong = keelson(folder, ["check", "--explain", "K999"]);
  assert.equal(wrong.status, 1);
  assert.match(wrong.err, /CODE_UNKNOWN/);
});

test("a saved app is what clients know: what breaks them is said", (context) => {
  const app = newApp(tempFolder(context));
  assert.equal(keelson(app, ["check", "--save", "shipped.json"]).status, 0);
  assert.equal(keelson(app, ["check", "--against", "shipped.json"]).status, 0);
  edit(
    join(app, "keelson", "board.ts"),
    'args: { idea: t.id("idea") },',
    'args: { idea: t.id("idea"), why: t.text({ max: 50 }) },',
  );
  const { status, out } = keelson(app, ["check", "--against", "shipped.json"]);
  assert.equal(status, 2);
  assert.match(out, /board\.vote, and it asks for the new argument "why"/);
  writeFileSync(join(app, "other.json"), "{}");
  assert.equal(keelson(app, ["check", "--against", "other.json"]).status, 12);
});

test("with data: what a deployment would lose is said, and small tables need no index", async (context) => {
  const folder = tempFolder(context);
  const app = newApp(folder);
  edit(
    join(app, "keelson", "board.ts"),
    "const wanted = await db.idea.get(idea);",
    'await db.asSystem("only whether there is one matters").idea.first({ where: { title: "x" } });\n    const wanted = await db.idea.get(idea);',
  );
  assert.match(keelson(app, ["check"]).out, /K301/);
  const server = await serve(folder, ["dev", "ideas"]);
  await server.stop();
  const withData = keelson(app, ["check", "--data", ".keelson"]);
  assert.deepEqual([withData.status, withData.out], [0, "Nothing found.\n"], withData.err);
});

test("a mistake in the app ends as it does everywhere", (context) => {
  const app = newApp(tempFolder(context));
  edit(join(app, "keelson", "rules.ts"), hole[0], "create: ({ next }) => next.nobody === 1,");
  const { status, err } = keelson(app, ["check"]);
  assert.equal(status, 7);
  assert.match(err, /nobody/);
});

test("keelson dev tells new findings when a file is saved, and when they are mended", async (context) => {
  const folder = tempFolder(context);
  const app = newApp(folder);
  const server = await serve(folder, ["dev", "ideas"]);
  try {
    await server.wait(/check {2}Nothing found\./);
    openHole(app);
    await server.wait(
      /hole {2}K102 {2}keelson\/rules\.ts:10:\d+ {2}Whoever may create rows of idea/,
    );
    await server.wait(/write: create:/);
    edit(join(app, "keelson", "rules.ts"), hole[1], hole[0]);
    await server.wait(/check {2}1 mended; Nothing found\./);
  } finally {
    await server.stop();
  }
});
