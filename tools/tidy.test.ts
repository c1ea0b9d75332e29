// Holds what no linter knows: the floors of floors.json, circles, file names, file heads, lengths, and
// that nothing of one machine (absolute paths, registry hosts) reached the repository.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const linesMax = 500;
const testLinesMax = 1_000;
const knots = new Set([
  "types",
  "interfaces",
  "utils",
  "util",
  "helpers",
  "common",
  "misc",
  "shared",
]);

interface Floors {
  readonly folder: string;
  readonly floors: readonly string[];
}

interface Import {
  readonly from: string;
  readonly to: string;
}

const packages = Object.values(
  JSON.parse(readFileSync(join(root, "floors.json"), "utf8")) as Record<string, Floors>,
);
const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8",
})
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));
const sources = files.filter(
  (file) => /^packages\/[^/]+\/src\/.*\.ts$/.test(file) && !file.includes("/template/"),
);

test("a file imports its own folder and lower floors only", () => {
  const wrong = packages.flatMap(({ folder, floors }) => floorsBroken(folder, floors, sources));
  assert.deepEqual(wrong, []);
});

test("the floor test finds a file that imports upwards", () => {
  const broken = floorsBrokenIn([{ from: "p/src/base/a.ts", to: "p/src/gate/b.ts" }], "p/src", [
    "base",
    "gate",
  ]);
  assert.equal(broken.length, 1);
});

test("no circle of imports, type-only ones included", () => {
  assert.deepEqual(circles(sources.flatMap(importsOf)), []);
});

test("the circle test finds a circle", () => {
  const found = circles([
    { from: "a.ts", to: "b.ts" },
    { from: "b.ts", to: "c.ts" },
    { from: "c.ts", to: "a.ts" },
  ]);
  assert.equal(found.length, 1);
});

test("a package's files meet another package at its exports only", () => {
  const wrong = sources
    .flatMap(importsOf)
    .filter(({ from, to }) => packageOf(from) !== packageOf(to));
  assert.deepEqual(wrong, []);
});

test("file names are kebab-case and none is a knot", () => {
  const wrong = sources.filter((file) => {
    const name = file.split("/").at(-1)?.split(".")[0] ?? "";
    return !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name) || knots.has(name);
  });
  assert.deepEqual(wrong, []);
});

test("every source file begins with what it is for", () => {
  const wrong = sources.filter(
    (file) =>
      !/\.test(-d)?\.ts$/.test(file) && !readFileSync(join(root, file), "utf8").startsWith("//"),
  );
  assert.deepEqual(wrong, []);
});

test("files stay short enough to be read", () => {
  const wrong = sources.flatMap((file) => {
    const lines = readFileSync(join(root, file), "utf8").split("\n").length;
    return lines > (/\.(test|case|test-d)\./.test(file) ? testLinesMax : linesMax)
      ? [`${file}: ${lines}`]
      : [];
  });
  assert.deepEqual(wrong, []);
});

test("no barrels inside src, no unfinished marks", () => {
  const marks = new RegExp(["FIX", "ME|TO", "DO|XX", "X"].join(""));
  const wrong = sources.filter((file) => {
    const text = readFileSync(join(root, file), "utf8");
    return /^export \* from/m.test(text) || marks.test(text);
  });
  assert.deepEqual(wrong, []);
});

test("nothing of one machine is in the repository", () => {
  const machine = new RegExp(
    [
      "/ro" + "ot/",
      "(?<![.\\w*])/wo" + "rk/",
      "/ho" + "me/[a-z]",
      "registry\\.npm" + "js",
      "npm" + "mirror",
    ].join("|"),
  );
  const wrong = files.filter(
    (file) =>
      !/\.(png|svg|ico|woff2)$/.test(file) && machine.test(readFileSync(join(root, file), "utf8")),
  );
  assert.deepEqual(wrong, []);
});

function packageOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

function importsOf(file: string): Import[] {
  const { module } = parseSync(file, readFileSync(join(root, file), "utf8"));
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap(({ entries }) =>
      entries.flatMap((entry) => (entry.moduleRequest ? [entry.moduleRequest.value] : [])),
    ),
  ];
  return specifiers
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => ({
      from: file,
      to: relative(root, resolve(root, dirname(file), specifier)).replaceAll("\\", "/"),
    }));
}

function floorsBroken(folder: string, floors: readonly string[], all: readonly string[]): string[] {
  const own = all.filter((file) => file.startsWith(`${folder}/`) && !/\.(test|case)\./.test(file));
  return floorsBrokenIn(own.flatMap(importsOf), folder, floors);
}

function floorsBrokenIn(
  imports: readonly Import[],
  folder: string,
  floors: readonly string[],
): string[] {
  // Files beside the folders (main.ts, entry files) are above every floor.
  const level = (file: string): number => {
    const first = file.slice(folder.length + 1).split("/")[0] ?? "";
    return first.endsWith(".ts") || floors.length === 0 ? floors.length : floors.indexOf(first);
  };
  return imports
    .filter(({ from, to }) => level(from) < level(to) || level(to) === -1 || level(from) === -1)
    .map(({ from, to }) => `${from} -> ${to}`);
}

/** Each circle once, as a path: depth-first search with colours. */
function circles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { from, to } of imports) edges.set(from, [...(edges.get(from) ?? []), to]);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    const seen = path.indexOf(file);
    if (seen !== -1) {
      found.push([...path.slice(seen), file].join(" -> "));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) walk(file, []);
  return found;
}
