import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { keelson, tempFolder } from "./command-scene.case.ts";

test("help lists the commands, and explains one", (context) => {
  const folder = tempFolder(context);
  const all = keelson(folder, []);
  assert.equal(all.status, 0);
  assert.match(all.out, /keelson dev my-app.*\n[^]*import +Puts the rows/);
  const one = keelson(folder, ["help", "import"]);
  assert.equal(one.status, 0);
  assert.match(
    one.out,
    /^keelson import <table> <file> \[options\]\n[^]*Examples:\n {2}keelson import/,
  );
  assert.equal(keelson(folder, ["import", "--help"]).out, one.out);
});

test("what is written wrongly is told in three lines with exit status 1", (context) => {
  const folder = tempFolder(context);
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [
      ["imprt"],
      /^keelson: COMMAND_UNKNOWN .*\n {2}why: .*\n {2}do: {2}Did you mean keelson import/,
    ],
    [["dev", "--prot=1"], /^keelson: FLAG_UNKNOWN .*\n {2}why: .*\n {2}do: {2}Did you mean --port/],
    [["dev"], /^keelson: APP_NOT_FOUND/],
    [["import", "film"], /^keelson: WORD_MISSING/],
  ];
  for (const [args, expected] of cases) {
    const { status, out, err } = keelson(folder, args);
    assert.equal(status, 1, args.join(" "));
    assert.equal(out, "");
    assert.match(err, expected);
  }
});

test("an old Node hands over to the one that came with the package", (context) => {
  const folder = tempFolder(context);
  const old = oldNode();
  if (old === null) {
    context.skip("there is no Node older than 26 on the path");
    return;
  }
  const { status, out } = keelson(folder, ["version", "--json"], { node: old });
  assert.equal(status, 0);
  assert.match((JSON.parse(out) as { node: string }).node, /^2[6-9]\./);
  assert.equal(keelson(folder, ["nonsense"], { node: old }).status, 1);
});

function oldNode(): string | null {
  const names = (process.env["PATH"] ?? "").split(delimiter).map((path) => join(path, "node"));
  const found = names.filter(existsSync).find((name) => {
    const { stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
    return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 99) < 26;
  });
  return found ?? null;
}

test("a signal that comes twice at once asks once; one that comes later means it", async (context) => {
  const folder = join(tempFolder(context), "app");
  assert.equal(keelson(join(folder, ".."), ["init", "app"]).status, 0);
  const binary = join(import.meta.dirname, "..", "bin", "keelson.mjs");
  const child = spawn(process.execPath, [binary, "start", "--port=0"], { cwd: folder });
  const exit = once(child, "exit");
  try {
    const lines = child.stdout.setEncoding("utf8");
    const [line] = (await once(lines, "data")) as [string];
    const { hostname, port } = new URL(/http:[\w.:/]+/.exec(line)?.[0] ?? "");
    // A request that is still coming: the server waits for it when it is asked to stop.
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write("POST /api/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
    assert.equal((await fetch(`http://${hostname}:${port}/api/tables/idea`)).status, 200);
    const stopping = new Promise<void>((resolve) => {
      lines.on("data", (text: string) => text.includes('"stopping"') && resolve());
    });
    child.kill("SIGTERM");
    await stopping;
    child.kill("SIGTERM");
    await wait(1_200);
    assert.equal(child.exitCode, null, "the second signal was taken for a second request");
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [143, null]);
    socket.destroy();
  } finally {
    child.kill("SIGKILL");
  }
});

test("a server outlives whoever read its log, and says so", async (context) => {
  const folder = join(tempFolder(context), "app");
  assert.equal(keelson(join(folder, ".."), ["init", "app"]).status, 0);
  const binary = join(import.meta.dirname, "..", "bin", "keelson.mjs");
  const child = spawn(process.execPath, [binary, "start", "--port=0"], { cwd: folder });
  try {
    const told = Promise.withResolvers<string>();
    child.stderr.setEncoding("utf8").on("data", told.resolve);
    child.once("exit", (status) => told.resolve(`it ended with ${status}`));
    const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
    const [url = ""] = /http:[\w.:/]+/.exec(line) ?? [];
    child.stdout.destroy();
    assert.equal((await fetch(`${url}/api/tables/idea`)).status, 200);
    assert.match(await told.promise, /LOG_LOST/);
    assert.equal((await fetch(`${url}/api/tables/idea`)).status, 200);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "exit"), [0, null]);
  } finally {
    child.kill("SIGKILL");
  }
});
