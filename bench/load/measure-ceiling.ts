// What the load generator reaches against a server that does nothing, beside wrk: as long as subjects stay well
// below it, it is the subjects that are measured.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { BenchFlags } from "../bench-flags.ts";
import type { Result } from "../bench-report.ts";
import type { Ready } from "../subjects/subject.ts";
import { splitCores } from "../subjects/pin.ts";
import { measure } from "./measure.ts";

const warmMs = 500;
const wrkUnitsMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1_000 };

/** @returns one result for the generator, and one for wrk where it is installed. */
export async function measureCeiling(flags: BenchFlags): Promise<readonly Result[]> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "constant-server.ts")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
    const { url } = JSON.parse(line) as { readonly url: string };
    const { clients, processes, seconds, seed, pin } = flags;
    const cores = pin ? splitCores(1).others : null;
    const load = { clients, processes, warmMs, runMs: seconds * 1_000, seed, cores };
    const own = await measure("read", constant(url), child.pid ?? -1, load);
    const results: Result[] = [
      ceiling(flags, "generator", `${processes} processes of Node ${process.version}`, own),
    ];
    const wrk = runWrk(flags, url);
    if (wrk !== null) results.push(ceiling(flags, "wrk", `${processes} threads of wrk`, wrk));
    return results;
  } finally {
    child.kill();
  }
}

type Reached = Pick<Result, "opsPerSecond" | "p50Ms" | "p99Ms" | "generatorBusy" | "cpuUs">;

function ceiling(flags: BenchFlags, subject: string, version: string, reached: Reached): Result {
  const { opsPerSecond, p50Ms, p99Ms, generatorBusy, cpuUs } = reached;
  return {
    workload: "ceiling: a server that does nothing",
    subject,
    opsPerSecond,
    p50Ms,
    p99Ms,
    amount: null,
    cpuUs,
    generatorBusy,
    durability: "none",
    clients: flags.clients,
    version,
    runs: 1,
  };
}

function runWrk({ clients, processes, seconds }: BenchFlags, url: string): Reached | null {
  const line = [`-t${processes}`, `-c${clients}`, `-d${seconds}s`, "--latency", url];
  const { status, stdout } = spawnSync("wrk", line, { encoding: "utf8" });
  if (status !== 0) return null;
  return {
    opsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: latencyMs(/50%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    p99Ms: latencyMs(/99%\s+([\d.]+)(us|ms|s)/.exec(stdout)),
    generatorBusy: null,
    cpuUs: null,
  };
}

function latencyMs(found: RegExpExecArray | null): number | null {
  if (found === null) return null;
  const [, value, unit] = found;
  return Number(value) * (wrkUnitsMs[unit ?? ""] ?? Number.NaN);
}

function constant(url: string): Ready {
  return {
    url,
    durability: "none",
    version: "constant",
    paths: {
      transfer: "",
      insert: "",
      read: "/api/tables/post/",
      list: "",
      raise: null,
      counter: "",
    },
    accounts: [],
    posts: ["post_01h455vb4pex5vsknk084sn02q"],
    authors: [],
    counter: "",
    callers: [{ token: "t".repeat(200), user: "", room: "" }],
    keyed: false,
  };
}
