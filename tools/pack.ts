// Makes the packages as they are published: compiled, without tests. In a checkout `exports` point at the TypeScript, which
// Node runs as it stands; below node_modules it does not, so what is published points at `dist`.
// Usage: npm run pack [-- <folder>]
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** Of package.json, what is looked at here. */
interface PackageJson {
  readonly name: string;
  readonly files: readonly string[];
  readonly exports: Readonly<Record<string, string>>;
  readonly devDependencies?: unknown;
}

const root = dirname(import.meta.dirname);
const names = ["sdk", "server", "simulators", "cli"];
const testFile = /\.(?:test|case|bench)\.(?:d\.ts|js|mjs|ts)$/;

/** Compiles and packs all. @param into an existing folder. @returns the tarballs, absolute. */
export function packAll(into: string): readonly string[] {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  execFileSync(process.execPath, [tsc, "-b"], { cwd: root, stdio: "inherit" });
  const stage = mkdtempSync(join(tmpdir(), "keelson-pack-"));
  try {
    return names.map((name) => {
      const to = join(stage, name);
      stagePackage(join(root, "packages", name), to);
      const [tarball] = JSON.parse(
        execFileSync("npm", ["pack", to, "--json", "--pack-destination", into], {
          encoding: "utf8",
          stdio: ["ignore", "pipe", "ignore"],
          shell: process.platform === "win32",
        }),
      ) as readonly [{ readonly filename: string }];
      return join(into, tarball.filename);
    });
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function stagePackage(from: string, to: string): void {
  mkdirSync(to);
  const { devDependencies: _, ...kept } = JSON.parse(
    readFileSync(join(from, "package.json"), "utf8"),
  ) as PackageJson;
  for (const folder of kept.files) {
    cpSync(join(from, folder), join(to, folder), {
      recursive: true,
      filter: (file) => isPublished(from, relative(from, file)),
    });
  }
  const exports = Object.fromEntries(
    Object.entries(kept.exports).map(([path, source]) => [path, compiled(source)]),
  );
  for (const { types, default: code } of Object.values(exports)) {
    for (const file of [types, code]) {
      if (!existsSync(join(to, file))) {
        throw new Error(`${kept.name}: ${file} is not there after compiling`);
      }
    }
  }
  cpSync(join(root, "LICENSE"), join(to, "LICENSE"));
  if (kept.name === "keelson") cpSync(join(root, "README.md"), join(to, "README.md"));
  writeFileSync(join(to, "package.json"), `${JSON.stringify({ ...kept, exports }, null, 2)}\n`);
}

/** Not tests, and nothing that is left in `dist` of a source that is gone. */
function isPublished(from: string, file: string): boolean {
  if (testFile.test(file)) return false;
  const source = /^dist[\\/](.+?)\.(?:d\.ts|js)$/.exec(file)?.[1];
  if (source !== undefined) return existsSync(join(from, "src", `${source}.ts`));
  return !file.endsWith(".map");
}

/** `./src/main.ts` as it is published. */
function compiled(source: string): { readonly types: string; readonly default: string } {
  const stem = source.replace("./src/", "./dist/").replace(/\.ts$/, "");
  return { types: `${stem}.d.ts`, default: `${stem}.js` };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const into = resolve(process.argv[2] ?? "packed");
  mkdirSync(into, { recursive: true });
  for (const tarball of packAll(into)) console.log(relative(process.cwd(), tarball));
  console.log(`\nIn an empty folder: npm install ${relative(process.cwd(), into) || "."}/*.tgz`);
}
