// How long the engineer takes: `keelson check` of 50 tables and 200 functions (at most 2 s) and `keelson attack` of
// 20 tables with every door (at most 60 s on two cores), each as a process of its own, start to end. For two cores:
// taskset -c 0,1 node tools/engineer-speed.ts. Exit status 2 when a bound is passed or an app is not found sound.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { largeApp, type LargeApp } from "../fixtures/large-app.ts";

const cli = fileURLToPath(new URL("../packages/cli/bin/keelson.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "keelson-speed-"));

interface Measured {
  readonly name: string;
  readonly size: LargeApp;
  readonly words: readonly string[];
  readonly secondsMax: number;
  readonly runs: number;
}

const measured: readonly Measured[] = [
  {
    ...{ name: "keelson check", words: ["check", "--json"], secondsMax: 2, runs: 5 },
    size: { tables: 50, functions: 200 },
  },
  {
    ...{ name: "keelson attack", words: ["attack", "--seed=1", "--json"], secondsMax: 60, runs: 3 },
    size: { tables: 20, functions: 20 },
  },
];

try {
  console.log(`Node ${process.version}, ${availableParallelism()} cores`);
  const isQuick = measured.map(measure).every(Boolean);
  process.exitCode = isQuick ? 0 : 2;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measure({ name, size, words, secondsMax, runs }: Measured): boolean {
  const appDir = join(folder, words[0] ?? "app");
  for (const [path, text] of Object.entries(largeApp(size))) {
    mkdirSync(dirname(join(appDir, path)), { recursive: true });
    writeFileSync(join(appDir, path), text);
  }
  const times: number[] = [];
  let last = { status: null as number | null, stdout: "", stderr: "" };
  for (let run = 0; run < runs; run++) {
    const started = performance.now();
    last = spawnSync(process.execPath, [cli, ...words], {
      ...{ cwd: appDir, encoding: "utf8", maxBuffer: 1 << 28 },
    });
    times.push((performance.now() - started) / 1_000);
  }
  const [least = 0, ...more] = times.toSorted((a, b) => a - b);
  const most = more.at(-1) ?? least;
  console.log(
    `${name}: ${size.tables} tables, ${size.functions} functions: ${least.toFixed(2)} to ${most.toFixed(2)} s in ${runs} runs (at most ${secondsMax} s)${facts(last.stdout)}`,
  );
  if (last.status !== 0)
    console.log(
      `  it ended with ${last.status}: ${last.stdout.slice(0, 600)} ${last.stderr.slice(-600)}`,
    );
  return last.status === 0 && most <= secondsMax;
}

/** What a report says of its own size. */
function facts(stdout: string): string {
  try {
    const report = JSON.parse(stdout) as {
      readonly requests?: number;
      readonly identities?: readonly unknown[];
      readonly doors?: readonly string[];
    };
    if (report.requests === undefined) return "";
    return `; ${report.requests} requests as ${report.identities?.length ?? 0} identities at ${report.doors?.join(", ") ?? ""}`;
  } catch {
    return "";
  }
}
