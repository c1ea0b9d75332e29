// `keelson init`: copies the template, fills in three names, and links the new app to the Keelson that
// made it when that one is a source checkout (nothing to download then).
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { exits, Failure } from "../flags/failure.ts";
import type { Command } from "./command.ts";

const packageFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const typescriptVersion = "7.0.2";

/** Makes a new app. */
export const init: Command = {
  spec: {
    name: "init",
    summary: "Makes a small, complete app to begin with.",
    about: [
      "Writes a new folder with an app that runs at once: a board of ideas that people vote on. It has two tables, rules, functions, a page that uses them, and comments that say why each line is there. Nothing is downloaded and nothing outside the folder is touched.",
      "The folder must not exist yet, or be empty.",
    ],
    words: [{ name: "folder", help: "The folder to make. Its name becomes the app's." }],
    flags: [],
    examples: [
      {
        line: "keelson init ideas && cd ideas && npm install && npm run dev",
        happens:
          "Makes the folder ideas, installs Keelson and TypeScript into it, and serves the app at http://localhost:4000.",
      },
    ],
  },
  run: async (flags, { cwd, terminal, version }) => {
    const written = flags.needWord("folder");
    const folder = resolve(cwd, written);
    assertEmpty(folder);
    copyTemplate(folder, keelsonDependency(folder, version));
    const isLinked = linkCheckout(folder);
    terminal.out(`Made ${written}: an app with two tables, rules, functions and a page.`);
    terminal.out("");
    terminal.out("Next:");
    terminal.out(`  cd ${shellWord(written)}`);
    terminal.out(
      isLinked ? "  npm install        # brings tsc; keelson is linked already" : "  npm install",
    );
    terminal.out(
      "  npm run dev        # then open http://localhost:4000 and change keelson/board.ts",
    );
    return exits.done;
  },
};

function assertEmpty(folder: string): void {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  throw new Failure(exits.refused, {
    code: "FOLDER_NOT_EMPTY",
    what: `${folder} is not empty.`,
    why: "init never writes over files that are there.",
    fix: "Name a folder that does not exist.",
  });
}

function copyTemplate(folder: string, keelson: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(join(packageFolder, "template"), folder, {
    recursive: true,
    filter: (source) => basename(source) !== "node_modules" && basename(source) !== ".keelson",
  });
  // npm leaves files called .gitignore out of packages.
  renameSync(join(folder, "gitignore"), join(folder, ".gitignore"));
  const names = { name: packageName(folder), keelson, typescript: typescriptVersion };
  for (const file of ["package.json", "README.md", join("web", "index.html")]) {
    const path = join(folder, file);
    const text = readFileSync(path, "utf8").replaceAll(
      /\{\{(\w+)\}\}/g,
      (whole, key: string) => names[key as keyof typeof names] ?? whole,
    );
    writeFileSync(path, text);
  }
}

/** A name that npm takes: lower case, no spaces. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replace(/^[._-]+/, "");
  return name === "" ? "app" : name;
}

/** An installed Keelson is named by its version; a checkout by where it is, seen from the app. */
function keelsonDependency(folder: string, version: string): string {
  return isCheckout() ? `file:${slashes(relative(folder, packageFolder))}` : version;
}

/** Puts the link that npm install would make, so that the app runs before it. @returns whether it did. */
function linkCheckout(folder: string): boolean {
  if (!isCheckout()) return false;
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  const isWindows = process.platform === "win32";
  symlinkSync(
    isWindows ? packageFolder : relative(modules, packageFolder),
    join(modules, "keelson"),
    isWindows ? "junction" : "dir",
  );
  return true;
}

function isCheckout(): boolean {
  return !packageFolder.includes(`${sep}node_modules${sep}`);
}

/** A path as one types it: in quotes where it has anything but the plainest characters. */
function shellWord(path: string): string {
  if (/^[\w.+@%:,/-]+$/.test(path)) return path;
  if (process.platform === "win32") return `"${path}"`;
  return `'${path.replaceAll("'", `'\\''`)}'`;
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}
