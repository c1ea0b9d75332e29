// Every link between pages leads to a page and a heading that are there, and every page can be come to from the README.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => existsSync(join(root, file)));
const pages = new Map(
  files
    .filter((file) => /^(docs\/.*|[A-Z]+)\.md$/.test(file))
    .map((file) => [file, readFileSync(join(root, file), "utf8")]),
);

test("links between pages lead somewhere", () => {
  assert.deepEqual(brokenLinks(pages, new Set(files)), []);
});

test("every page can be come to from the README", () => {
  assert.deepEqual(lostPages(pages, "README.md"), []);
});

test("both find what is planted", () => {
  const planted = new Map([
    [
      "README.md",
      "[a](docs/a.md) [gone](docs/gone.md) [license](LICENSE)\n```\n[x](no-link.md)\n```",
    ],
    [
      "docs/a.md",
      "# A page: `x` & y\n[up](../README.md) [own](#a-page-x--y) [head](#none) [far](b.md#none)",
    ],
    ["docs/b.md", "# B"],
    ["docs/c.md", "# C"],
  ]);
  assert.deepEqual(brokenLinks(planted, new Set([...planted.keys(), "LICENSE"])), [
    "README.md: docs/gone.md",
    "docs/a.md: #none",
    "docs/a.md: b.md#none",
  ]);
  assert.deepEqual(lostPages(planted, "README.md"), ["docs/c.md"]);
});

/** Links to what is not there, as `page: link`. */
function brokenLinks(pages: ReadonlyMap<string, string>, files: ReadonlySet<string>): string[] {
  return [...pages].flatMap(([page, text]) =>
    linksOf(text)
      .filter((link) => {
        const { file, heading } = targetOf(page, link);
        if (heading === undefined) return !files.has(file) && !isFolder(files, file);
        return !headingsOf(pages.get(file) ?? "").has(heading);
      })
      .map((link) => `${page}: ${link}`),
  );
}

/** Pages to which no row of links leads. */
function lostPages(pages: ReadonlyMap<string, string>, start: string): string[] {
  const found = new Set([start]);
  for (const page of found) {
    for (const link of linksOf(pages.get(page) ?? "")) {
      const { file } = targetOf(page, link);
      if (pages.has(file)) found.add(file);
    }
  }
  return [...pages.keys()].filter((page) => !found.has(page));
}

function isFolder(files: ReadonlySet<string>, path: string): boolean {
  return [...files].some((file) => file.startsWith(`${path.replace(/\/$/, "")}/`));
}

/** Links to other files and headings, without those to the web. */
function linksOf(text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function targetOf(page: string, link: string): { file: string; heading: string | undefined } {
  const [path = "", heading] = link.split("#");
  return { file: path === "" ? page : posix.join(posix.dirname(page), path), heading };
}

/** What GitHub makes of headings: small letters, no signs, spaces as dashes; a second one of a name ends with -1. */
function headingsOf(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ""] of proseOf(text).matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    let name = slug;
    for (let count = 1; found.has(name); count++) name = `${slug}-${count}`;
    found.add(name);
  }
  return found;
}

/** Without blocks of code. */
function proseOf(text: string): string {
  return text.replaceAll(/^```[^]*?^```/gm, "");
}
