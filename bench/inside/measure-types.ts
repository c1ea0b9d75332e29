// What an app's types cost the editor: tsc on an app of 55 tables with rules and 200 functions, called by a typed client, and
// on an app of nothing. The time is tsc's own for checking ("Check time"), the SDK's source included.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { largeApp } from "../../fixtures/large-app.ts";
import { median, type Result } from "../bench-report.ts";

const runs = 7;
const modules = 20;
const modulesDir = join(import.meta.dirname, "..", "..", "node_modules");

const nothing = {
  "keelson/app.ts": `import { define } from "keelson";
export const { app } = define({});
export default app({});
`,
};

const tsconfig = {
  compilerOptions: {
    ...{ target: "es2025", module: "nodenext", lib: ["es2025", "dom"], types: [], noEmit: true },
    ...{ strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true },
    ...{ verbatimModuleSyntax: true, allowImportingTsExtensions: true, skipLibCheck: true },
  },
  include: ["keelson", "*.ts"],
};

/** Type-checks both apps in turn. @throws when one does not check. */
export function measureTypes(): readonly Result[] {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bench-"));
  try {
    const large = write(join(folder, "large"), {
      ...largeApp({ tables: 55, functions: modules * 10 }),
      "calls.ts": calls(),
    });
    const empty = write(join(folder, "empty"), nothing);
    const ms: Record<string, number[]> = { large: [], empty: [] };
    for (let run = 0; run < runs; run++) {
      ms["large"]?.push(checkMs(large));
      ms["empty"]?.push(checkMs(empty));
    }
    return [
      result("types of 55 tables and 200 functions", ms["large"] ?? []),
      result("types of an app of nothing", ms["empty"] ?? []),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every function called, each with arguments and a result that are looked at. */
function calls(): string {
  const bodies = Array.from({ length: modules }, (_, module) =>
    Array.from(
      { length: 5 },
      (_, at) => `
  for (const { id, product } of await api.part${module}.mine${at}({ status: "paid" })) found.push([id, product]);
  placed.push(await api.part${module}.order${at}({ product: found[0]?.[0] as never, label: "one" }));`,
    ).join(""),
  );
  return `import { createClient } from "keelson/client";
import type app from "./keelson/app.ts";

const api = createClient<typeof app>("http://127.0.0.1:4000");
const found: [string, string | null][] = [];
const placed: string[] = [];

export async function all(): Promise<void> {${bodies.join("")}
}
`;
}

function write(dir: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  writeFileSync(join(dir, "tsconfig.json"), JSON.stringify(tsconfig));
  writeFileSync(join(dir, "package.json"), '{ "type": "module" }');
  symlinkSync(modulesDir, join(dir, "node_modules"));
  return dir;
}

function checkMs(dir: string): number {
  const tsc = join(modulesDir, "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(
    process.execPath,
    [tsc, "-p", dir, "--extendedDiagnostics"],
    { encoding: "utf8" },
  );
  const seconds = /^Check time:\s+([\d.]+)s$/m.exec(stdout)?.[1];
  if (status !== 0 || seconds === undefined) throw new Error(`tsc says:\n${stdout}`);
  return Number(seconds) * 1_000;
}

function result(workload: string, ms: readonly number[]): Result {
  return {
    workload,
    subject: "keelson",
    ...{ opsPerSecond: null, amount: null, cpuUs: null, generatorBusy: null, clients: 0 },
    p50Ms: median(ms),
    p99Ms: Math.max(...ms),
    durability: "nothing is written",
    version: "TypeScript 7",
    runs: ms.length,
    note: "p99 is the longest",
  };
}
