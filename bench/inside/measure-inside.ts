// A function call with five reads inside the process, without a socket: through the whole gate on a real
// store; in the isolate alone, against a host that answers every system call with the same row; and what
// isolated-vm by itself takes for five system calls. The three take turns, because the speed of a shared
// machine changes while one waits. Warm: the same function again and again. Cold: the first call after the isolate was lost, a new one included.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApp, type RunningBackend } from "@keelson/server";
import type { Result } from "../bench-report.ts";
import { openBareIsolate } from "./bare-isolate.ts";

const warmCalls = 60_000;
const turns = 200;
const callsPerTurn = 250;
const coldCalls = 30;

type Call = () => unknown;

/** Measures on the app of bench/app. */
export async function measureInside(): Promise<readonly Result[]> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bench-"));
  const limits = { anonymousPerMinuteMax: 1_000_000_000 };
  const appDir = join(import.meta.dirname, "..", "app");
  try {
    const warm = await openApp({ appDir, dataDir: join(folder, "warm"), limits });
    const ids = await plantAccounts(warm);
    const bare = openBareIsolate(ids, rowJson(ids));
    const warmUs = await inTurns([
      gateCall(warm, ids),
      isolateCall(warm, ids),
      () => assertSum(bare.call()),
    ]);
    const results = [
      result("five reads, warm", "keelson", warmUs[0] ?? []),
      result("five reads, warm", "its isolate alone", warmUs[1] ?? []),
      result("five reads, warm", "isolated-vm, five calls", warmUs[2] ?? []),
    ];
    bare.close();
    await warm.close();
    // A loop ends its isolate as soon as it may.
    const cold = await openApp({
      appDir,
      dataDir: join(folder, "cold"),
      limits: { ...limits, cpuMsMax: 10 },
    });
    const coldIds = await plantAccounts(cold);
    const call = gateCall(cold, coldIds);
    const us: number[] = [];
    for (let run = 0; run < coldCalls; run++) {
      await endIsolate(cold);
      us.push(...(await times(call, 1, 0)));
    }
    await cold.close();
    return [...results, result("five reads, cold", "keelson", us)];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Five rows to read, of one unit each. */
async function plantAccounts(app: RunningBackend): Promise<readonly string[]> {
  const { store } = app.current();
  const ids = Array.from({ length: 5 }, (_, index) => `account_01h455vb4pex5vsknk084sn0${index}q`);
  const group = await store.openGroup();
  const meta = { by: null, cause: "load", requestId: "load", atMs: app.nowMs(), idempotency: null };
  const outcome = await group.mutate(meta, (tx) => {
    for (const id of ids) void tx.insert("account", { id, balance: 1 });
    return "null";
  });
  if (outcome.kind === "failed") throw outcome.error;
  await group.commit();
  return ids;
}

function gateCall(app: RunningBackend, ids: readonly string[]): Call {
  const { gate } = app.current();
  const request = requestOf("bank.fiveReads", { ids });
  // Not async: a promise that nothing needs costs as much as a read.
  return () => {
    const answer = gate.handle(request);
    if (answer instanceof Promise) return answer.then(({ json }) => assertSum(json));
    return assertSum(answer.json);
  };
}

function rowJson(ids: readonly string[]): string {
  return JSON.stringify({ id: ids[0], balance: 1 });
}

function isolateCall(app: RunningBackend, ids: readonly string[]): Call {
  const { isolates } = app.current();
  const row = rowJson(ids);
  const host = (): string => row;
  const input = {
    name: "bank.fiveReads",
    kind: "query",
    argsJson: JSON.stringify({ ids }),
    me: { id: null, role: null },
    nowMs: app.nowMs(),
    seed: "seed",
    requestId: "req_bench",
  } as const;
  return () => {
    const outcome = isolates.call(input, host);
    if (outcome instanceof Promise) return outcome.then(({ resultJson }) => assertSum(resultJson));
    return assertSum(outcome.resultJson);
  };
}

async function endIsolate(app: RunningBackend): Promise<void> {
  try {
    await app.current().gate.handle(requestOf("bank.spin", {}));
  } catch (error) {
    if ((error as { code?: string }).code === "FUNCTION_CPU_EXCEEDED") return;
    throw error;
  }
  throw new Error("an endless loop ended");
}

function requestOf(name: string, args: { readonly [key: string]: readonly string[] }) {
  return {
    operation: { kind: "call", name, args },
    authorization: null,
    cookie: null,
    idempotencyKey: null,
    address: "127.0.0.1",
    requestId: "req_bench",
    cause: "bench",
  } as const;
}

function assertSum(json: string): void {
  if (json !== "5") throw new Error(`five reads of 1 make ${json}`);
}

/** @returns how long each call of each took, in microseconds. */
async function inTurns(calls: readonly Call[]): Promise<number[][]> {
  const us: number[][] = calls.map(() => []);
  for (const call of calls) await times(call, 0, warmCalls);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, call] of calls.entries()) {
      us[index]?.push(...(await times(call, callsPerTurn, callsPerTurn / 10)));
    }
  }
  return us;
}

/** @returns how long each of `count` calls took, in microseconds, after `warm` calls that do not count. */
async function times(call: Call, count: number, warm: number): Promise<number[]> {
  const us: number[] = [];
  for (let index = -warm; index < count; index++) {
    const from = performance.now();
    const answer = call();
    if (answer instanceof Promise) await answer;
    if (index >= 0) us.push((performance.now() - from) * 1_000);
  }
  return us;
}

function result(workload: string, subject: string, us: readonly number[]): Result {
  const sorted = us.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? 0) / 1_000;
  return {
    workload,
    subject,
    opsPerSecond: 1_000 / at(0.5),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    amount: null,
    cpuUs: null,
    generatorBusy: null,
    durability: "reads only",
    clients: 0,
    version: `keelson 0.1.0, node ${process.version}`,
    runs: us.length,
  };
}
