import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { begin, keelson, serve, tempFolder } from "../command-scene.case.ts";

const typescript = createRequire(import.meta.url).resolve("typescript/package.json");

function typeCheck(folder: string): string {
  const tsc = join(typescript, "..", "bin", "tsc");
  return spawnSync(process.execPath, [tsc], { cwd: folder, encoding: "utf8" }).stdout;
}

/** The page as a browser has drawn it, scripts and all; null where there is no Chromium. */
function renderPage(url: string): string | null {
  const flags = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"];
  const { status, stdout } = spawnSync("chromium", [...flags, "--dump-dom", `${url}/`], {
    encoding: "utf8",
    timeout: 20_000,
  });
  return status === 0 ? stdout : null;
}

function edit(file: string, from: string, to: string): void {
  const text = readFileSync(file, "utf8");
  assert.ok(text.includes(from), `${file} has no ${from}`);
  writeFileSync(file, text.replace(from, to));
}

async function post(url: string, name: string, args: object, token?: string): Promise<unknown> {
  const response = await fetch(`${url}/api/fn/${name}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(args),
  });
  return response.json();
}

test("a new app type-checks, runs, survives a mistake, and takes up what is saved", async (context) => {
  const folder = tempFolder(context);
  const made = keelson(folder, ["init", "ideas"]);
  assert.equal(made.status, 0, made.err);
  assert.equal(keelson(folder, ["init", "ideas"]).status, 2, "it writes over nothing");
  assert.match(made.out, /^ {2}cd ideas$/m);
  const quoted = keelson(folder, ["init", "Meine App's 1"]).out;
  assert.ok(quoted.includes(String.raw`  cd 'Meine App'\''s 1'`), quoted);
  const app = join(folder, "ideas");
  const board = join(app, "keelson", "board.ts");
  assert.equal(typeCheck(app), "");

  const server = await serve(folder, ["dev", "ideas", "--static=ideas/web"]);
  try {
    await server.wait(/Tables\n[^]*idea +0 rows +read: anyone/);
    await server.wait(/Functions\n[^]*board\.add +mutation +signed-in/);

    const page = await (await fetch(`${server.url}/`)).text();
    assert.match(page, /<title>ideas<\/title>/);
    const client = await fetch(`${server.url}/_keelson/client.js`);
    assert.match(client.headers.get("content-type") ?? "", /^text\/javascript/);
    assert.match(await client.text(), /createClient/);

    const drawn = renderPage(server.url);
    if (drawn === null) context.diagnostic("no browser: the page was not drawn");
    else assert.match(drawn, /<p id="empty">No ideas yet/);

    const issued = keelson(app, ["token", "--as=ada@example.com", "--role=admin"]);
    assert.equal(issued.status, 0, issued.err);
    assert.match(issued.err, /\(new\), role admin/);
    const token = issued.out.trim();
    const id = await post(server.url, "board.add", { title: "Free coffee" }, token);
    assert.match(String(id), /^idea_/);
    await server.wait(/ok {2}board\.add · [\d.]+ ms/);
    const refused = await post(server.url, "board.vote", { idea: id }, token);
    assert.match(JSON.stringify(refused), /OWN_IDEA/);
    assert.match(
      JSON.stringify(await post(server.url, "board.add", { title: "No" }, token)),
      /ARGUMENT_INVALID/,
    );
    assert.match(
      JSON.stringify(await post(server.url, "board.add", { title: "Nobody" })),
      /SIGN_IN_REQUIRED/,
    );

    edit(board, "b.votes - a.votes", "b.votes - a.vote(");
    await server.wait(/keelson\/board\.ts:\d+:\d+ {2}[^]*> +\d+ \|[^]*last good version goes on/);
    const kept = await post(server.url, "board.ranking", {});
    assert.match(JSON.stringify(kept), /Free coffee/);

    edit(board, "b.votes - a.vote(", "b.votes - a.votes");
    await server.wait(/mended/);
    edit(
      board,
      "title, details, votes: votesOf.get(id) ?? 0",
      "title: `${title}!`, details, votes: votesOf.get(id) ?? 0",
    );
    await server.wait(/reloaded {2}3 tables, 3 functions in \d+ ms/);
    assert.match(JSON.stringify(await post(server.url, "board.ranking", {})), /Free coffee!/);

    edit(
      board,
      "const ideas = await db.idea",
      'console.log("asked"); if (Number(1)) throw new Error("broken here");\n    const ideas = await db.idea',
    );
    await server.wait(/reloaded/);
    assert.match(JSON.stringify(await post(server.url, "board.ranking", {})), /FUNCTION_FAILED/);
    await server.wait(/FUNCTION_FAILED {2}board\.ranking.*\n +info asked\n/);
    await server.wait(/broken here {2}keelson\/board\.ts:\d+:\d+/);
    assert.equal(await server.stop("SIGINT"), 0);
  } finally {
    await server.stop();
  }
});

test("an app that has a mistake from the start is served once it is mended", async (context) => {
  const folder = tempFolder(context);
  keelson(folder, ["init", "ideas"]);
  const rules = join(folder, "ideas", "keelson", "rules.ts");
  edit(rules, "next.author === me.id", "next.autor === me.id");
  const starting = begin(folder, ["dev", "ideas", "--port=0"]);
  try {
    await starting.wait(
      /keelson\/rules\.ts:\d+:\d+ {2}[^]*autor[^]*APP_INVALID[^]*Waiting for a file/,
    );
    edit(rules, "next.autor === me.id", "next.author === me.id");
    await starting.wait(/http:\/\/localhost:\d+[^]*Tables/);
    assert.equal(await starting.stop("SIGINT"), 0);
  } finally {
    await starting.stop("SIGKILL");
  }
});

test("only who may read the data folder comes in by the operator's door", async (context) => {
  const folder = tempFolder(context);
  keelson(folder, ["init", "ideas"]);
  const app = join(folder, "ideas");
  const server = await serve(app, ["start"]);
  const file = join(app, ".keelson", "door.json");
  try {
    assert.equal(statSync(file).mode & 0o077, 0);
    const { port, secret } = JSON.parse(readFileSync(file, "utf8")) as {
      port: number;
      secret: string;
    };
    const ask = (authorization: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${port}/tables`, {
        method: "POST",
        headers: { authorization },
        body: "[]",
      });
    assert.equal((await ask("Bearer wrong")).status, 403);
    assert.equal((await ask(`Bearer ${secret}`)).status, 200);
    // Bound to the loopback address by name: a page that makes its own name lead here is refused.
    const rebound = await fetch(`http://localhost:${port}/tables`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}` },
      body: "[]",
    }).catch(() => null);
    assert.notEqual(rebound?.status, 200);
    assert.match(keelson(app, ["export", "idea"]).err + keelson(app, ["verify"]).out, /holds/);
  } finally {
    await server.stop("SIGKILL");
  }
  assert.ok(existsSync(file), "a killed server leaves its file behind");
  assert.equal(
    keelson(app, ["export", "idea"]).status,
    0,
    "which leads nowhere and holds up nobody",
  );
});

test("start logs JSON lines, tells callers no causes, and ends when asked to", async (context) => {
  const folder = tempFolder(context);
  keelson(folder, ["init", "ideas"]);
  const app = join(folder, "ideas");
  edit(
    join(app, "keelson", "board.ts"),
    "const ideas = await db.idea",
    'if (Number(1)) throw new Error("inside");\n    const ideas = await db.idea',
  );
  const server = await serve(app, ["start"]);
  try {
    const failed = await post(server.url, "board.ranking", {});
    assert.match(JSON.stringify(failed), /FUNCTION_FAILED/);
    assert.doesNotMatch(JSON.stringify(failed), /inside|board\.ts/);
    const signIn = `${server.url}/auth/sign-in?ticket=secret`;
    await (await fetch(signIn, { headers: { accept: "text/html" } })).text();
    assert.equal(await server.stop("SIGTERM"), 0);
    const lines = server
      .text()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    // The door's thread tells of its requests in its own time: after "stopping" when that comes at once.
    assert.deepEqual(
      lines.map(({ event }) => String(event)).toSorted((a, b) => a.localeCompare(b)),
      ["letters", "listening", "request", "request", "stopped", "stopping"],
    );
    assert.equal(lines[0]?.["event"], "listening");
    assert.equal(lines.at(-1)?.["event"], "stopped");
    const [told, page] = lines.filter(({ event }) => event === "request");
    assert.equal(page?.["operation"], "GET /auth/sign-in");
    assert.doesNotMatch(server.text(), /secret/);
    assert.equal(told?.["code"], "FUNCTION_FAILED");
    assert.match(String(told?.["error"]), /inside[^]*keelson\/board\.ts:\d+/);
  } finally {
    await server.stop("SIGKILL");
  }
});

test("what a server lacks is said when it starts, and does not keep it from starting", async (context) => {
  const folder = tempFolder(context);
  keelson(folder, ["init", "ideas"]);
  const app = join(folder, "ideas");
  const server = await serve(app, ["start", "--threads=0", "--static=nosuch"]);
  try {
    await server.wait(/"warn","event":"letters".*KEELSON_SMTP_URL is not set.*KEELSON_MAIL_FROM/);
    await server.wait(/"warn","event":"static".*no folder [^"]*nosuch/);
  } finally {
    await server.stop();
  }
  const quiet = "passkeys: true, password: false, magicLink: false, emailCode: false";
  edit(join(app, "keelson", "app.ts"), "rules,", `rules, auth: { ${quiet} },`);
  const without = await serve(app, ["start", "--threads=0", "--static=web"]);
  await without.stop();
  assert.doesNotMatch(without.text(), /"warn"/);
  // The warning comes before the address, which is waited for.
  const dev = await serve(app, ["dev", "--static=web/index.html"]);
  await dev.stop();
  assert.match(dev.text(), /--static=web\/index\.html: there is no folder/);
});

test("the tutorial's code is what the app takes", async (context) => {
  const folder = tempFolder(context);
  keelson(folder, ["init", "ideas"]);
  const app = join(folder, "ideas");
  const tutorial = readFileSync(
    new URL("../../../../docs/tutorial/first-app.md", import.meta.url),
    "utf8",
  );
  const [mine = "", link = ""] = Array.from(
    tutorial.matchAll(/```ts\n([^]*?)```/g),
    (match) => match[1],
  );
  const board = join(app, "keelson", "board.ts");
  writeFileSync(board, `${readFileSync(board, "utf8")}\n${mine}`);
  edit(join(app, "keelson", "schema.ts"), "author: t.ref", `${link}    author: t.ref`);
  edit(
    join(app, "keelson", "schema.ts"),
    '.index("createdAt")',
    '.index("createdAt").index("author", "createdAt")',
  );
  assert.equal(typeCheck(app), "");
  keelson(app, ["token", "--as=ada@example.com"]);
  const [, args = ""] = /-d '(.*)'/.exec(tutorial) ?? [];
  const added = keelson(app, ["run", "board.add", args, "--as=ada@example.com"]);
  assert.equal(added.status, 0, added.err);
  const listed = keelson(app, ["run", "board.mine", '{"limit":5}', "--as=ada@example.com"]);
  assert.deepEqual(JSON.parse(listed.out), ["Free coffee on Mondays"], listed.err);
  edit(join(app, "keelson", "schema.ts"), "details: t.text({ max: 2_000 }).optional(),", "");
  const plan = keelson(app, ["migrate", "--plan"]);
  assert.match(plan.out, /refused +drop column idea\.details: 1 of 1 rows/, plan.err);
});

test(
  "started by npm it ends with npm, whose shell hands no SIGTERM on",
  { timeout: 30_000 },
  async (context) => {
    if (process.platform === "win32") return context.skip("Windows has no SIGTERM");
    const folder = tempFolder(context);
    keelson(folder, ["init", "ideas"]);
    const binary = fileURLToPath(new URL("../../bin/keelson.mjs", import.meta.url));
    const line = '"$0" "$1" dev ideas --port=0; exit $?';
    const shell = spawn("sh", ["-c", line, process.execPath, binary], {
      cwd: folder,
      env: { ...process.env, npm_lifecycle_event: "dev" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    // Closed when the server, which writes to it too, is gone.
    const ended = once(shell, "close");
    await once(shell.stderr, "data");
    shell.stderr.resume();
    shell.kill("SIGTERM");
    await ended;
  },
);

test("dev ends when it is told to while it starts", async (context) => {
  const folder = tempFolder(context);
  assert.equal(keelson(folder, ["init", "ideas"]).status, 0);
  const { mtimeMs: before } = statSync(folder);
  const dev = begin(folder, ["dev", "ideas", "--port=0", "--data=data"]);
  // The data folder is made first, by a process that listens for signals already.
  while (statSync(folder).mtimeMs === before) await new Promise((done) => setTimeout(done, 2));
  const late = setTimeout(() => void dev.stop("SIGKILL"), 15_000);
  assert.equal(await dev.stop(), 0, dev.text());
  clearTimeout(late);
});
