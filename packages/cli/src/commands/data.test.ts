import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { Failure } from "../flags/failure.ts";
import { backupFailure } from "./backup.ts";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const template = new URL("../../template/", import.meta.url);

/** A new app of the template, in a folder of its own. */
function newApp(context: { after(fn: () => void): void }): string {
  const folder = tempFolder(context);
  cpSync(template, folder, { recursive: true });
  return folder;
}

/** 1,000 records: every 100th has a title that is too short, one line has too few cells, one a stray quote. */
function dirtyCsv(): string {
  const lines = Array.from({ length: 998 }, (_, index) => {
    const title = index % 100 === 99 ? "no" : `Idea "${index}", with\nlines`;
    return `"${title.replaceAll('"', '""')}",ada@example.com,`;
  });
  lines.splice(500, 0, "only one cell");
  lines.splice(700, 0, '5" pipe,x,y');
  return `\uFEFFTitle,Who,details\r\n${lines.join("\r\n")}\r\n`;
}

let ada = "";

function withAda(csv: string): string {
  return csv.replaceAll("ada@example.com", ada);
}

interface Counted {
  readonly read: number;
  readonly created: number;
  readonly repeated: number;
  readonly unchanged: number;
  readonly updated: number;
  readonly refused: number;
  readonly isWhole: boolean;
}

function counted(out: string): Counted {
  return JSON.parse(out) as Counted;
}

test("an import of 1,000 dirty lines counts every one of them, and can be run again", (context) => {
  const app = newApp(context);
  ada = JSON.parse(keelson(app, ["token", "--as=ada@example.com", "--json"]).out).user as string;
  writeFileSync(join(app, "ideas.csv"), withAda(dirtyCsv()));
  const args = [
    "import",
    "idea",
    "ideas.csv",
    "--map=Title=title",
    "--map=Who=author",
    "--on-error=skip",
  ];

  const first = keelson(app, [...args, "--json"]);
  assert.equal(first.status, 2, first.err);
  assert.deepEqual(counted(first.out), {
    ...counted(first.out),
    read: 1_000,
    created: 989,
    updated: 0,
    unchanged: 0,
    repeated: 0,
    refused: 11,
    isWhole: true,
  });
  assert.match(first.err, /line \d+ +VALUE_INVALID +title /, "it tells the field");
  const report = readFileSync(join(app, "ideas.csv.refused.ndjson"), "utf8").trim().split("\n");
  const refused = report.map(
    (line) => JSON.parse(line) as { code: string; line: number; reason: string },
  );
  assert.equal(refused.length, 11);
  assert.equal(refused.filter(({ code }) => code === "LINE_UNREADABLE").length, 2);
  assert.ok(refused.every(({ line, reason }) => line > 1 && reason.length > 5));

  const mended = report.map((line) => line.replace('"title":"no"', '"title":"now long enough"'));
  writeFileSync(join(app, "mended.ndjson"), mended.join("\n"));
  const more = keelson(app, ["import", "idea", "mended.ndjson", "--on-error=skip", "--json"]);
  assert.deepEqual([counted(more.out).created, counted(more.out).refused], [9, 2], more.err);
  assert.match(more.err, /LINE_UNREADABLE +Its record is no object of fields yet/);

  const again = keelson(app, args);
  assert.match(
    again.out,
    /1,000 records read = 0 rows created \+ 989 there already from an earlier run \+ 11 refused/,
  );
  const stopped = keelson(app, [...args.slice(0, -1), "--again", "--json"]);
  assert.equal(stopped.status, 2);
  const { created, read, refused: refusedCount, isWhole } = counted(stopped.out);
  assert.equal(isWhole, false);
  assert.equal(read, created + refusedCount, "nothing that was read is uncounted");
  assert.ok(read < 1_000);
});

test("an upsert makes the row what the record says, also what it was before", (context) => {
  const app = tempFolder(context);
  writeNotes(app, ", slug: t.text().unique().optional()");
  const upsert = (...titles: readonly string[]) => {
    const input = titles.map((title) => JSON.stringify({ slug: "a-b", title })).join("\n");
    return counted(
      keelson(app, ["import", "note", "-", "--format=ndjson", "--upsert=slug", "--json"], { input })
        .out,
    );
  };
  assert.equal(upsert("UP").created, 1);
  assert.equal(upsert("FINAL").updated, 1);
  assert.equal(upsert("UP").updated, 1);
  assert.match(keelson(app, ["export", "note"]).out, /"title":"UP"/);
  assert.equal(upsert("UP").unchanged, 1);
  assert.equal(upsert("FINAL", "UP").updated, 2, "one after the other");
  assert.match(keelson(app, ["export", "note"]).out, /"title":"UP"/);

  const input = '{"title":"without"}\n{"title":"without"}';
  const args = ["import", "note", "-", "--format=ndjson", "--upsert=slug", "--json"];
  assert.equal(counted(keelson(app, args, { input }).out).created, 2);
  assert.equal(counted(keelson(app, args, { input }).out).repeated, 2, "new rows come once");
});

test("an upsert leaves what is the same in another form, also where it may not be changed", (context) => {
  const app = tempFolder(context);
  writeNotes(app, ", slug: t.text().unique(), at: t.time().immutable()");
  const upsert = (at: string) =>
    keelson(app, ["import", "note", "-", "--format=csv", "--upsert=slug", "--json"], {
      input: `slug,title,at\na,One,${at}\n`,
    });
  assert.equal(counted(upsert("2024-05-01 12:00:00.5+00").out).created, 1);
  const again = upsert("2024-05-01T14:00:00.5+02:00");
  assert.equal(counted(again.out).unchanged, 1, again.err);
  assert.match(upsert("2024-05-02 12:00:00+00").err, /FIELD_IMMUTABLE/);
});

test("rows that refer to later rows, or to each other, come back as they were", (context) => {
  const app = tempFolder(context);
  writeNotes(
    app,
    `, on: t.ref("note").optional(), twin: t.ref("note").optional(), fix: t.ref("note").immutable().optional()`,
  );
  const id = (index: number) => `note_0${String(index).padStart(25, "0")}`;
  const rows: Record<string, unknown>[] = Array.from({ length: 450 }, (_, index) => ({
    id: id(index),
    title: `${index}`,
    on: index < 400 ? id(index + 1) : null,
    twin: null,
    fix: null,
  }));
  // A circle of two, one of itself, one of three beside it, and a row that hangs on the first.
  Object.assign(rows[410] ?? {}, { on: id(411), twin: id(420) });
  Object.assign(rows[411] ?? {}, { twin: id(410), fix: id(430) });
  Object.assign(rows[420] ?? {}, { on: id(420) });
  Object.assign(rows[400] ?? {}, { fix: id(410) });
  for (const at of [440, 441, 442])
    Object.assign(rows[at] ?? {}, { on: id(at === 442 ? 440 : at + 1) });
  const input = rows.map((row) => JSON.stringify(row)).join("\n") + "\n";
  const args = ["import", "note", "-", "--format=ndjson", "--json"];
  const first = keelson(app, args, { input });
  assert.equal(first.status, 0, first.err);
  assert.equal(counted(first.out).created, 450);
  assert.equal(keelson(app, ["export", "note"]).out, input);
  const again = keelson(app, args, { input });
  assert.equal(counted(again.out).repeated, 450, again.err);
  const upserted = keelson(app, [...args, "--upsert=id"], { input });
  assert.equal(counted(upserted.out).unchanged, 450, upserted.err);
  const elsewhere = ["--upsert=id", "--data", join(app, "elsewhere")];
  assert.equal(counted(keelson(app, [...args, ...elsewhere], { input }).out).created, 450);
  assert.equal(keelson(app, ["export", "note", ...elsewhere.slice(1)]).out, input);

  const bad = [
    { id: id(500), title: "a", fix: id(501) },
    { id: id(501), title: "b", fix: id(500) },
    { id: id(502), title: "c", on: id(503) },
    { id: id(503), title: "d", on: id(502), twin: id(504) },
    { id: id(504), title: "e", on: id(599) },
  ];
  const refused = keelson(app, [...args, "--on-error=skip"], {
    input: bad.map((row) => JSON.stringify(row)).join("\n"),
  });
  assert.equal(counted(refused.out).refused, 5);
  assert.match(refused.err, /line 1 +REF_MISSING[^\n]*in a circle/);
  assert.match(refused.err, /line 3 +REF_MISSING[^\n]*does not exist\.\n/);
  assert.equal(keelson(app, ["export", "note"]).out, input, "nothing of them is there");
});

test("columns and tables that are not there are refused before the first row", (context) => {
  const app = newApp(context);
  writeFileSync(join(app, "ideas.csv"), "Title,x\na,b\n");
  const columns = keelson(app, ["import", "idea", "ideas.csv"]);
  assert.equal(columns.status, 2);
  assert.match(columns.err, /COLUMNS_UNKNOWN[^]*--map "Title=title"[^]*--map "x=" to leave it out/);
  assert.match(
    keelson(app, ["import", "idee", "ideas.csv"]).err,
    /TABLE_UNKNOWN[^]*Did you mean idea/,
  );
  assert.match(
    keelson(app, ["import", "idea", "ideas.csv", "--upsert=title"]).err,
    /UPSERT_FIELD_NOT_UNIQUE/,
  );
});

test("what is exported comes back the same, also while the server runs", async (context) => {
  const app = newApp(context);
  const user = keelson(app, ["token", "--as=ada@example.com", "--json"]);
  ada = JSON.parse(user.out).user as string;
  const rows = [
    { title: "Plain idea", author: ada },
    {
      title: 'With "quotes", commas\nand lines',
      details: "",
      author: ada,
      createdAt: "2026-01-31T21:15:00+01:00",
    },
    { title: "Émoji 🎈", details: " spaces ", author: ada },
  ];
  const input = rows.map((row) => JSON.stringify(row)).join("\n");
  const seeded = keelson(app, ["import", "idea", "-", "--format=ndjson"], { input });
  assert.equal(seeded.status, 0, seeded.err);
  const original = keelson(app, ["export", "idea"]).out;
  assert.match(original, /"createdAt":"2026-01-31T20:15:00\.000Z"/);

  const server = await serve(app, ["dev"]);
  try {
    assert.equal(keelson(app, ["export", "--all=copy", "--format=csv"]).status, 0);
    assert.equal(
      keelson(app, ["export", "--all=copy", "--format=csv"]).status,
      2,
      "files are there",
    );
    // Formats are held by properties in record-format.test.ts; here it is the way through the commands.
    const data = ["--data", join(app, "elsewhere")];
    assert.equal(keelson(app, ["import", "user", "copy/user.csv", ...data]).status, 0);
    const back = keelson(app, ["import", "idea", "copy/idea.csv", ...data]);
    assert.equal(back.status, 0, back.err);
    assert.equal(keelson(app, ["export", "idea", ...data]).out, original);
    const same = keelson(app, ["import", "idea", "copy/idea.csv", "--upsert=id", "--json"]);
    assert.equal(counted(same.out).unchanged, 3, same.err);
    const edited = readFileSync(join(app, "copy", "idea.csv"), "utf8").replace(
      "Plain idea",
      "Better idea",
    );
    const changed = keelson(app, ["import", "idea", "-", "--format=csv", "--upsert=id", "--json"], {
      input: edited,
    });
    assert.deepEqual([counted(changed.out).updated, counted(changed.out).unchanged], [1, 2]);

    const token = JSON.parse(user.out).token as string;
    const remote = keelson(
      app,
      ["import", "idea", "-", "--format=csv", `--url=${server.url}`, `--token=${token}`],
      {
        input: `title,author\nOver HTTP,${ada}\nx,${ada}\n`,
      },
    );
    assert.match(remote.out, /2 records read = 1 row created \+ 1 refused/, remote.err);
    assert.match(keelson(app, ["export", "idea", `--url=${server.url}`]).out, /Over HTTP/);
    assert.match(keelson(app, ["run", "board.ranking", `--url=${server.url}`]).out, /Over HTTP/);
  } finally {
    await server.stop();
  }
});

test("a backup is taken while the server runs, and restored only when told", async (context) => {
  const app = newApp(context);
  const server = await serve(app, ["start"]);
  try {
    keelson(app, ["token", "--as=ada@example.com"]);
    const backup = keelson(app, ["backup", "kept.db"]);
    assert.equal(backup.status, 0, backup.err);
    assert.equal(statSync(join(app, "kept.db")).mode & 0o777, 0o600, "it is its owner's alone");
    assert.match(keelson(app, ["backup", "kept.db"]).err, /FILE_EXISTS/, "it writes over nothing");
    assert.match(keelson(app, ["backup", "none/kept.db"]).err, /FILE_UNWRITABLE/);
    writeFileSync(join(app, "again.db.partial"), "of a backup that was cut off");
    assert.equal(keelson(app, ["backup", "again.db"]).status, 0);
    const made = readdirSync(app).filter((name) => /\.db/.test(name));
    assert.deepEqual(made.toSorted(), ["again.db", "kept.db"]);
    keelson(app, ["token", "--as=bob@example.com"]);
    const locked = keelson(app, ["restore", "kept.db", "--replace"]);
    assert.equal(locked.status, 5);
    const holder = new RegExp(`\\.keelson\\.\\n.*process \\d+, which serves ${server.url}\\.`);
    assert.match(locked.err, /DATA_LOCKED/);
    assert.match(locked.err, holder);
    assert.equal(await server.stop(), 0);
  } finally {
    await server.stop();
  }
  assert.equal(keelson(app, ["restore", "kept.db"]).status, 2);
  const restored = keelson(app, ["restore", "kept.db", "--replace"]);
  assert.equal(restored.status, 0, restored.err);
  const database = join(app, ".keelson", "data.db");
  assert.ok(readdirSync(join(app, ".keelson")).every((name) => !name.includes("restoring")));
  assert.equal(statSync(database).mode & 0o777, 0o600, "and so is what it becomes");
  const users = keelson(app, ["export", "user"]).out;
  assert.match(users, /ada@example\.com/);
  assert.doesNotMatch(users, /bob@example\.com/);
  const kept = readFileSync(join(app, "kept.db"));
  const broken = {
    "text.db": "this is no database",
    "empty.db": "",
    "cut.db": kept.subarray(0, kept.length / 2),
  };
  for (const [name, bytes] of Object.entries(broken)) {
    writeFileSync(join(app, name), bytes);
    const refused = keelson(app, ["restore", name, "--replace"]);
    assert.match(refused.err, /FILE_INVALID/, name);
    assert.equal(refused.status, 12);
  }
  assert.equal(keelson(app, ["export", "user"]).out, users, "a broken backup changes nothing");
});

test("a backup for which there is no room says so of its own file", () => {
  const full = Object.assign(new Error("The disk is full"), { code: "DISK_FULL" });
  const told = backupFailure(full, "b.db", { dataDir: tmpdir() });
  assert.ok(told instanceof Failure);
  assert.match(told.text.what, /^b\.db can't be written: the disk is full\.$/);
  const other = new Error("another");
  assert.equal(backupFailure(other, "b.db", { dataDir: tmpdir() }), other);
});

test("a copy of the folder of a running app is an app of its own", async (context) => {
  const app = newApp(context);
  const server = await serve(app, ["start"]);
  try {
    keelson(app, ["token", "--as=ada@example.com"]);
    const copy = tempFolder(context);
    cpSync(app, copy, { recursive: true });
    const made = keelson(copy, ["token", "--as=copycat@example.com"]);
    assert.equal(made.status, 0, made.err);
    assert.match(keelson(copy, ["export", "user"]).out, /copycat@example\.com/);
    assert.doesNotMatch(keelson(app, ["export", "user"]).out, /copycat@example\.com/);
  } finally {
    await server.stop();
  }
});

test("the database of an app that is broken, or about to lose a column, is backed up as it is", (context) => {
  const app = tempFolder(context);
  writeNotes(app, ", body: t.text().optional()");
  const none = keelson(app, ["backup", "none.db"]);
  assert.equal(none.status, 1);
  assert.match(none.err, /DATABASE_NOT_FOUND[^]*\.keelson/);
  for (const asked of [["verify"], ["export", "note"], ["work", "list"]]) {
    assert.match(keelson(app, asked).err, /DATABASE_NOT_FOUND/, asked.join(" "));
  }
  assert.ok(!existsSync(join(app, ".keelson", "data.db")), "none was made");
  const input = '{"title":"One","body":"long story"}';
  assert.equal(keelson(app, ["import", "note", "-", "--format=ndjson"], { input }).status, 0);
  writeNotes(app, "");
  assert.match(keelson(app, ["export", "note"]).err, /MIGRATION_REFUSED/);
  const before = keelson(app, ["backup", "before.db"]);
  assert.equal(before.status, 0, before.err);
  assert.match(before.err + before.out, /Verified copy of the folder \.keelson: before\.db/);
  writeFileSync(join(app, "keelson", "app.ts"), "syntax {{{");
  assert.equal(keelson(app, ["backup", "broken.db"]).status, 0);
  for (const name of ["before.db", "broken.db"]) {
    const db = new DatabaseSync(join(app, name));
    assert.deepEqual({ ...db.prepare("SELECT body FROM note").get() }, { body: "long story" });
    db.close();
  }
});

test("commands make the changes of the schema that lose nothing, as a start does", (context) => {
  const app = tempFolder(context);
  writeNotes(app, "");
  const input = '{"title":"One"}';
  assert.equal(keelson(app, ["import", "note", "-", "--format=ndjson"], { input }).status, 0);
  writeNotes(app, ", body: t.text().optional()");
  const exported = keelson(app, ["export", "note"]);
  assert.equal(exported.status, 0, exported.err);
  assert.match(exported.out, /"title":"One","body":null/);
});

test("a data folder that can't be used is named, with what the system says", (context) => {
  const app = newApp(context);
  const inTheWay = keelson(app, ["start", "--port=0", "--data=package.json"]);
  assert.equal(inTheWay.status, 4);
  assert.match(inTheWay.err, /STORE_FAILED[^]*package\.json can't be used[^]*EEXIST/);
  mkdirSync(join(app, "other"));
  writeFileSync(join(app, "other", "data.db"), "this is no database, and long enough to be read");
  const damaged = keelson(app, ["start", "--port=0", "--data=other"]);
  assert.equal(damaged.status, 4);
  assert.match(damaged.err, /other\/data\.db can't be opened\.\n +file is not a database/);
});

/** An app of one table, `note`, with these fields. */
function writeNotes(folder: string, fields: string): void {
  mkdirSync(join(folder, "keelson"), { recursive: true });
  const schema = `import { define, table, t } from "keelson";
    export const { app } = define({ note: table({ title: t.text()${fields} }) });`;
  writeFileSync(join(folder, "keelson", "schema.ts"), schema);
  const app = `import { app } from "./schema.ts"; export default app({});`;
  writeFileSync(join(folder, "keelson", "app.ts"), app);
}

test("a migration that loses values is refused with counts until its step is named", (context) => {
  const app = tempFolder(context);
  writeNotes(app, ", body: t.text().optional()");
  const input = '{"title":"One","body":"long story"}\n{"title":"Two"}';
  assert.equal(keelson(app, ["import", "note", "-", "--format=ndjson"], { input }).status, 0);

  writeNotes(app, ", story: t.text().optional()");
  const plan = keelson(app, ["migrate", "--plan"]);
  assert.equal(plan.status, 2);
  assert.match(plan.out, /refused +drop column note\.body: 1 of 2 rows hold a value/);
  assert.match(plan.out, /say so: keelson migrate --rename note\.body=story$/m);
  assert.match(plan.err, /MIGRATION_REFUSED[^]*--allow "drop column note\.body"/);
  for (const [wrong, told] of [
    ["note.bdoy=story", /no column note\.bdoy[^]*mean --rename note\.body=story\?/],
    ["note.body=stroy", /no field stroy[^]*mean --rename note\.body=story\?/],
    ["memo.body=story", /no column memo\.body[^]*no such table/],
  ] as const) {
    const { status, err } = keelson(app, ["migrate", "--plan", "--rename", wrong]);
    assert.equal(status, 1, err);
    assert.match(err, /COLUMN_UNKNOWN/);
    assert.match(err, told);
  }
  assert.equal(keelson(app, ["start", "--port=0"]).status, 8, "the server does not start");
  assert.match(keelson(app, ["export", "note"]).err, /MIGRATION_REFUSED/);
  const slip = keelson(app, ["migrate", "--allow", "drop column note.bdoy"]);
  assert.equal(slip.status, 1);
  assert.match(slip.err, /Did you mean "drop column note\.body"/);

  const renamed = keelson(app, ["migrate", "--rename", "note.body=story"]);
  assert.equal(renamed.status, 0, renamed.err);
  assert.match(keelson(app, ["export", "note"]).out, /"story":"long story"/);
  writeNotes(app, "");
  const dropped = keelson(app, ["migrate", "--allow", "drop column note.story", "--json"]);
  assert.equal(dropped.status, 0, dropped.err);
  assert.equal((JSON.parse(dropped.out) as { applied: boolean }).applied, true);
  assert.match(keelson(app, ["migrate"]).err, /as the app wants it/);
});

test("a plan writes nothing, also where there is no data yet", (context) => {
  const app = tempFolder(context);
  writeNotes(app, "");
  const before = readdirSync(app);
  const plan = keelson(app, ["migrate", "--plan"]);
  assert.equal(plan.status, 0, plan.err);
  assert.match(plan.out, /create table note/);
  assert.match(plan.err, /Nothing was changed/);
  assert.deepEqual(readdirSync(app), before);
  const done = keelson(app, ["migrate", "--json"]);
  assert.equal(done.status, 0, done.err);
  assert.equal((JSON.parse(done.out) as { applied: boolean }).applied, true);
  assert.match(keelson(app, ["migrate", "--plan"]).err, /as the app wants it/);
});

test("run calls as the operator or as a user, and verify asks the invariants", (context) => {
  const app = newApp(context);
  const board = join(app, "keelson", "board.ts");
  const schema = join(app, "keelson", "schema.ts");
  const appFile = join(app, "keelson", "app.ts");
  writeFileSync(
    schema,
    readFileSync(schema, "utf8").replace("query, mutation,", "query, mutation, http, invariant,"),
  );
  writeFileSync(
    board,
    readFileSync(board, "utf8").replace(
      "import { mutation, query }",
      "import { http, invariant, mutation, query }",
    ) +
      `export const size = query({ returns: t.int(), async run({ db }) { console.log("counting"); return db.idea.count(); } });\n` +
      `export const pageOf = http({ method: "GET", path: "/page", allow: "anyone", run: ({ request }) => ({ status: 200, body: request.headers.host ?? "" }) });\n` +
      `export const noBadIdeas = invariant(async ({ db }) => (await db.idea.count({ where: { title: "bad" } })) === 0);\n`,
  );
  writeFileSync(
    appFile,
    readFileSync(appFile, "utf8").replace(
      "functions: { board }",
      "functions: { board }, invariants: [board.noBadIdeas]",
    ),
  );
  const operator = keelson(app, ["run", "board.size"]);
  assert.equal(operator.out.trim(), "0", operator.err);
  assert.match(operator.err, /counting/);
  keelson(app, ["token", "--as=ada@example.com"]);
  assert.match(keelson(app, ["run", "board.size", "--as=ada@example.com"]).err, /CALL_DENIED/);
  const added = keelson(app, ["run", "board.add", "-", "--as=ada@example.com"], {
    input: '{"title":"bad"}',
  });
  assert.match(added.out, /idea_/, added.err);
  assert.equal(keelson(app, ["run", "board.add", '{"title":1}', "--as=ada@example.com"]).status, 2);
  const page = keelson(app, ["run", "board.pageOf"]);
  assert.equal(page.status, 2);
  assert.match(page.err, /REQUEST_INVALID[^]*http function[^]*GET \/page/);
  assert.equal(keelson(app, ["run", "board.add", "{title}"]).status, 1);
  assert.equal(keelson(app, ["run", "board.size", "--as=nobody@example.com"]).status, 2);
  const broken = keelson(app, ["verify"]);
  assert.equal(broken.status, 2);
  assert.match(broken.out, /holds +the database is whole\nBROKEN +board\.noBadIdeas/);
});
