// From the start of the process to the first answer of a function, and the memory it then holds.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { median, type Result } from "../bench-report.ts";

const starts = 7;
const waitMsMax = 20_000;
const tryEveryMs = 3;

/** Starts `keelson start` on the app of bench/app again and again; the first start fills its caches. */
export async function measureStart(): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bench-"));
  try {
    const first = await startOnce(folder, []);
    const usual = [];
    const single = [];
    for (let run = 0; run < starts; run++) {
      usual.push(await startOnce(folder, []));
      single.push(await startOnce(folder, ["--threads=0"]));
    }
    return [
      result("start to first answer, first ever", [first.ms]),
      ...resultsOf("", usual),
      ...resultsOf(", one thread", single),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Start {
  readonly ms: number;
  readonly rssMb: number;
}

function resultsOf(how: string, list: readonly Start[]): readonly Result[] {
  return [
    result(
      `start to first answer${how}`,
      list.map(({ ms }) => ms),
    ),
    {
      ...result(`memory after the first answer${how}`, [0]),
      opsPerSecond: null,
      p50Ms: null,
      p99Ms: null,
      amount: { value: median(list.map(({ rssMb }) => rssMb)), unit: "MB" },
    },
  ];
}

async function startOnce(folder: string, more: readonly string[]): Promise<Start> {
  const port = await freePort();
  const from = performance.now();
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "keelson.mjs"),
      "start",
      join(import.meta.dirname, "..", "app"),
      `--port=${port}`,
      `--data=${join(folder, "data")}`,
      ...more,
    ],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  const ended = new Promise((done) => child.once("exit", done));
  try {
    await firstAnswer(port);
    const ms = performance.now() - from;
    return { ms, rssMb: residentMb(child.pid ?? -1) };
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
}

async function firstAnswer(port: number): Promise<void> {
  const until = performance.now() + waitMsMax;
  while (performance.now() < until) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/api/fn/bank.fiveReads`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"ids":[]}',
      });
      if ((await response.text()) === "0") return;
    } catch {
      // Not listening yet.
    }
    await new Promise((done) => setTimeout(done, tryEveryMs));
  }
  throw new Error(`no answer within ${waitMsMax} ms`);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((done) => server.once("listening", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** Resident memory of a process, or NaN where /proc does not tell. */
function residentMb(pid: number): number {
  try {
    const line = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
    return Number(line?.[1]) / 1_024;
  } catch {
    return Number.NaN;
  }
}

function result(workload: string, ms: readonly number[]): Result {
  return {
    workload,
    subject: "keelson",
    opsPerSecond: null,
    p50Ms: median(ms),
    p99Ms: Math.max(...ms),
    amount: null,
    cpuUs: null,
    generatorBusy: null,
    durability: "WAL, synchronous=FULL",
    clients: 0,
    version: `keelson 0.1.0, node ${process.version}`,
    runs: ms.length,
  };
}
