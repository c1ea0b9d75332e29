import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { begin, keelson, serve, tempFolder } from "../command-scene.case.ts";

function newApp(folder: string): string {
  const made = keelson(folder, ["init", "ideas"]);
  assert.equal(made.status, 0, made.err);
  return join(folder, "ideas");
}

test("a new app is proved clean, and nothing is left in it", (context) => {
  const app = newApp(tempFolder(context));
  const { status, out, err } = keelson(app, ["attack", "--seed", "3"]);
  assert.equal(status, 0, err);
  assert.match(out, /No hole was found/);
  assert.match(out, /seed 3/);
  assert.equal(existsSync(join(app, ".keelson")), false);
});

test("one that is stopped says so, and leaves nothing behind", async (context) => {
  const app = newApp(tempFolder(context));
  const temporary = tempFolder(context);
  const left = () => readdirSync(temporary).filter((name) => name.startsWith("keelson-"));
  const attack = begin(app, ["attack", "--seed", "3"], { TMPDIR: temporary });
  await attack.wait(/seed 3/);
  while (left().length === 0) await setTimeout(20);
  assert.equal(await attack.stop("SIGINT"), 3);
  assert.match(attack.text(), /ATTACK_STOPPED/);
  assert.doesNotMatch(attack.text(), /No hole was found/);
  assert.deepEqual(left(), []);
});

test("a hole ends with 2, is shown as curl, as a test and on a page, and the seed repeats it", (context) => {
  const app = newApp(tempFolder(context));
  const rules = join(app, "keelson", "rules.ts");
  const text = readFileSync(rules, "utf8");
  writeFileSync(
    rules,
    text.replace(
      "update: ({ row, me }) => row.author === me.id",
      "update: ({ me }) => me.id !== null",
    ),
  );
  const seeded = ["attack", "--seed", "5", "--html", "report.html", "--tests", "holes"];
  const { status, out } = keelson(app, seeded);
  assert.equal(status, 2);
  assert.match(out, /hole {2}A103/);
  assert.match(out, /show {3}curl -i -X PATCH/);
  assert.match(out, /where {2}keelson\/rules\.ts:\d+:\d+/);
  const [file = ""] = readdirSync(join(app, "holes"));
  assert.match(file, /^a103-idea-1\.test\.mjs$/);
  const page = readFileSync(join(app, "report.html"), "utf8");
  assert.match(page, /<h1>Who can reach what in ideas<\/h1>/);
  assert.doesNotMatch(page, /https?:\/\/(?!canary)/);

  const json = (): {
    readonly findings: readonly { readonly code: string; readonly says: string }[];
  } => JSON.parse(keelson(app, ["attack", "--seed", "5", "--json"]).out) as never;
  const says = (): readonly string[] => json().findings.map(({ code, says }) => `${code} ${says}`);
  assert.deepEqual(says(), says());

  const sarif = JSON.parse(keelson(app, ["attack", "--sarif"]).out) as {
    readonly version: string;
    readonly runs: readonly { readonly results: readonly object[] }[];
  };
  assert.equal(sarif.version, "2.1.0");
  assert.equal(sarif.runs[0]?.results.length, 1);

  // With a reason above the rule it is accepted, and listed.
  writeFileSync(
    rules,
    readFileSync(rules, "utf8").replace(
      "    update: ({ me })",
      "    // keelson-attack A103: everybody works on everybody's ideas here\n    update: ({ me })",
    ),
  );
  const accepted = keelson(app, ["attack", "--seed", "5"]);
  assert.equal(accepted.status, 0);
  assert.match(accepted.out, /accepted {2}A103 idea[\s\S]*because: everybody works/);
});

test("what could not be shown either way ends with 3, and is listed", (context) => {
  const app = newApp(tempFolder(context));
  const file = join(app, "keelson", "board.ts");
  const never = `
export const never = mutation({
  args: {},
  allow: "signed-in",
  limit: { perUser: "10/minute" },
  returns: t.nothing(),
  async run() {
    throw new Refusal("NOT_NOW", "Not now.");
  },
});
`;
  const text = readFileSync(file, "utf8");
  const missing = ["Refusal", "t"].filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
  const more = missing.length === 0 ? "" : `import { ${missing.join(", ")} } from "keelson";\n`;
  writeFileSync(file, `${more}${text}${never}`);
  const { status, out, err } = keelson(app, ["attack", "--seed", "5"]);
  assert.equal(status, 3, err);
  assert.match(out, /never/);
  assert.match(out, /no call succeeded/);
});

test("from outside it reads only, and only where the operator's token is known", async (context) => {
  const folder = tempFolder(context);
  newApp(folder);
  const server = await serve(folder, ["dev", "ideas"]);
  try {
    const { status, out } = keelson(folder, [
      "attack",
      "--url",
      server.url,
      "--token",
      "any, on this machine",
    ]);
    assert.equal(status, 0, out);
    assert.match(out, /idea {2}anybody: 0 rows/);
  } finally {
    await server.stop();
  }
  const gone = keelson(folder, ["attack", "--url", server.url, "--token", "x"]);
  assert.equal(gone.status, 11);
  assert.match(gone.err, /ATTACK_NOT_CONFIRMED/);
  assert.equal(keelson(folder, ["attack", "--url", server.url]).status, 1);
});

test("a deployed app is attacked with its own token only: a wrong one gets nothing sent", async (context) => {
  const folder = tempFolder(context);
  const app = newApp(folder);
  const rules = join(app, "keelson", "rules.ts");
  const schema = join(app, "keelson", "schema.ts");
  writeFileSync(
    schema,
    readFileSync(schema, "utf8").replace(
      "define({",
      'define({\n  subscriber: table({ email: t.text({ max: 320, format: "email" }) }),',
    ),
  );
  writeFileSync(
    rules,
    readFileSync(rules, "utf8").replace(
      "rules({",
      "rules({\n  subscriber: { read: () => true, create: () => true },",
    ),
  );
  process.env["KEELSON_METRICS_TOKEN"] = "of-the-operator-0123456789";
  const server = await serve(folder, ["start", "ideas"]);
  delete process.env["KEELSON_METRICS_TOKEN"];
  try {
    const { url } = server;
    const made = await fetch(`${url}/api/tables/subscriber`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email: "ada@example.org" }),
    });
    assert.equal(made.status, 201, await made.text());
    const wrong = keelson(folder, ["attack", "--url", url, "--token", "of-somebody-else"]);
    assert.equal(wrong.status, 11, wrong.err);
    assert.match(wrong.err, /ATTACK_NOT_CONFIRMED/);
    assert.equal(wrong.out, "");

    const right = keelson(folder, [
      ...["attack", "--url", url, "--token", "of-the-operator-0123456789"],
    ]);
    assert.equal(right.status, 2, right.err);
    assert.match(right.out, /subscriber {2}anybody: 1 rows, fields id, email/);
    assert.match(right.out, /hole {2}anybody reads subscriber\.email/);
    assert.match(right.out, /reads only/);
  } finally {
    await server.stop();
  }
});
