import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const template = new URL("../../template/", import.meta.url);

test("a service has a key that does what it was made for, with the server running or not", async (context) => {
  const app = tempFolder(context);
  cpSync(template, app, { recursive: true });
  const made = keelson(app, ["token", "--service=till-1", "--scope=read", "--json"]);
  assert.equal(made.status, 0, made.err);
  const first = JSON.parse(made.out) as { token: string; user: string; created: boolean };
  assert.match(first.token, /^kk_[\w-]{43}$/);
  assert.equal(first.created, true);

  const server = await serve(app, ["start", "--threads=0"]);
  context.after(() => server.stop());
  const again = keelson(app, ["token", "--service=till-1", "--ttl=1h", "--json"]);
  assert.equal(again.status, 0, again.err);
  const second = JSON.parse(again.out) as typeof first;
  assert.equal(second.user, first.user);
  assert.equal(second.created, false);
  const ask = async (method: string, token: string) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const body =
      method === "GET"
        ? {}
        : { body: JSON.stringify({ title: "An idea of the till", author: first.user }) };
    return (await fetch(`${server.url}/api/tables/idea`, { method, headers, ...body })).status;
  };
  assert.equal(await ask("GET", first.token), 200);
  assert.equal(await ask("POST", first.token), 403);
  assert.equal(await ask("POST", second.token), 201);

  const person = keelson(app, ["token", "--as=ada@example.com", "--json"]);
  const { user } = JSON.parse(person.out) as typeof first;
  const stolen = keelson(app, ["token", `--service=${user}`]);
  assert.match(stolen.err, /USER_NOT_FOUND/);
  assert.match(keelson(app, ["token", "--service=x", "--scope=all"]).err, /ARGUMENT_INVALID/);
});

test("a closed account gets no token and is nobody, with the server running or not", async (context) => {
  const app = tempFolder(context);
  cpSync(template, app, { recursive: true });
  const email = "eve@example.com";
  writeFileSync(join(app, "eve.ndjson"), `${JSON.stringify({ id: "1", email })}\n`);
  const taken = keelson(app, ["users", "import", "eve.ndjson", "--from=supabase"]);
  assert.equal(taken.status, 0, taken.err);
  const token = () => keelson(app, ["token", `--as=${email}`, "--json"]);
  assert.equal(token().status, 0);
  const closed = keelson(app, ["users", "close", email, "--json"]);
  assert.equal(closed.status, 0, closed.err);
  const { user } = JSON.parse(closed.out) as { user: string };
  assert.deepEqual(JSON.parse(closed.out), { user, closed: true });
  assert.match(token().err, /ACCOUNT_DISABLED/);

  const server = await serve(app, ["start", "--threads=0"]);
  context.after(() => server.stop());
  assert.match(token().err, /ACCOUNT_DISABLED/);
  assert.match(keelson(app, ["users", "open", user]).out, /may sign in again/);
  assert.equal(token().status, 0);
  assert.match(keelson(app, ["users", "close", "nobody@example.com"]).err, /USER_NOT_FOUND/);
});

test("an address is found where users sign in with it, also when their rows have none", (context) => {
  const app = tempFolder(context);
  cpSync(template, app, { recursive: true });
  const schema = join(app, "keelson", "schema.ts");
  const text = readFileSync(schema, "utf8");
  const user = "user: table({ name: t.text({ max: 100 }).optional() }),";
  writeFileSync(schema, text.replace("define({", `define({\n  ${user}`));
  const email = "eve@example.com";
  writeFileSync(join(app, "eve.ndjson"), `${JSON.stringify({ id: "1", email })}\n`);
  const taken = keelson(app, ["users", "import", "eve.ndjson", "--from=supabase"]);
  assert.equal(taken.status, 0, taken.err);
  const found = keelson(app, ["token", "--as=Eve@example.com", "--json"]);
  assert.equal(found.status, 0, found.err);
  assert.equal((JSON.parse(found.out) as { created: boolean }).created, false);
  const missing = keelson(app, ["token", "--as=bob@example.com"]);
  assert.match(missing.err, /USER_NOT_FOUND/);
  assert.match(missing.err, /user has no field email to make one with/);
});
