// The packages as they are published, below a node_modules of their own: found by their names, run from what was compiled.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { packAll } from "./pack.ts";

const root = dirname(import.meta.dirname);
const ours = new Set(["keelson", "@keelson"]);

/** A folder in which they are installed; what they depend on is that of this checkout. */
function install(): { readonly folder: string; readonly files: readonly string[] } {
  const folder = mkdtempSync(join(tmpdir(), "keelson-packed-"));
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "@keelson"), { recursive: true });
  const files = packAll(folder).flatMap((tarball) => {
    const name = basename(tarball, ".tgz")
      .replace(/-\d.*/, "")
      .replace(/^keelson-/, "@keelson/");
    mkdirSync(join(modules, name));
    execFileSync("tar", ["xzf", tarball, "-C", join(modules, name), "--strip-components=1"]);
    const listed = execFileSync("tar", ["tzf", tarball], { encoding: "utf8" });
    return listed.trim().split("\n");
  });
  for (const name of readdirSync(join(root, "node_modules"))) {
    if (ours.has(name) || name.startsWith(".")) continue;
    symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
  }
  return { folder, files };
}

const { folder, files } = install();
after(() => rmSync(folder, { recursive: true, force: true }));

test("packages as they are published: an app is made, checked, typed and served", async (t) => {
  assert.deepEqual(
    files.filter((file) => /\.test\.|\.case\.|\.map$/.test(file)),
    [],
    "no tests, no maps of sources that are not there",
  );
  assert.equal(files.filter((file) => file.endsWith("LICENSE")).length, 4);

  const command = join(folder, "node_modules", "keelson", "bin", "keelson.mjs");
  const app = join(folder, "app");
  const run = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8" });
  assert.match(run("init", "app"), /Made app/);
  assert.match(run("check", "app"), /Nothing found/);
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-p", app], { encoding: "utf8" });

  const server = spawn(process.execPath, [command, "start", "app", "--port=0", "--threads=2"], {
    cwd: folder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => server.kill("SIGKILL"));
  const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  const { url } = JSON.parse(line) as { readonly url: string };
  const added = await fetch(`${url}/api/fn/board.add`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  // A function of the app ran, in its isolate, and says what is missing.
  assert.equal(((await added.json()) as { readonly code: string }).code, "ARGUMENT_INVALID");
  server.kill("SIGTERM");
  assert.deepEqual(await once(server, "exit"), [0, null]);
});

test("everything that they export can be imported", () => {
  const names = ["sdk", "server", "simulators", "cli"].flatMap((name) => {
    const text = readFileSync(join(root, "packages", name, "package.json"), "utf8");
    const { name: full, exports } = JSON.parse(text) as {
      readonly name: string;
      readonly exports: Readonly<Record<string, string>>;
    };
    return Object.keys(exports).map((path) => full + path.slice(1));
  });
  assert.ok(names.length > 15, String(names.length));
  const program = `for (const name of ${JSON.stringify(names)}) await import(name); console.log("all");`;
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.equal(said, "all\n");
});
