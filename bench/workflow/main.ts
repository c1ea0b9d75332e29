// How long a workflow of three steps takes, from the call that starts it to a client that is told of its end: on an
// empty server, and beside runs that sleep; and how long a start takes with those.
// Usage: node bench/workflow/main.ts [--runs=200] [--sleeping=100000] [--threads=0]
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer, type RunningServer } from "@keelson/server";
import { createClient } from "keelson/client";
import type app from "./app/keelson/app.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "200" },
    sleeping: { type: "string", default: "100000" },
    threads: { type: "string", default: "0" },
  },
});
const runs = Number(values.runs);
const sleeping = Number(values.sleeping);
const folder = mkdtempSync(join(tmpdir(), "keelson-bench-workflow-"));
const perCall = 400;

function start(): Promise<RunningServer> {
  return startServer({
    appDir: join(import.meta.dirname, "app"),
    dataDir: join(folder, "data"),
    port: 0,
    threads: Number(values.threads),
    limits: { anonymousPerMinuteMax: 1_000_000_000, callerPerMinuteMax: 1_000_000_000 },
  });
}

type Api = ReturnType<typeof createClient<typeof app>>;

async function threeSteps(api: Api): Promise<number> {
  const beganMs = performance.now();
  const run = await api.flow.start();
  const done = Promise.withResolvers<number>();
  const stop = api.flow.isDone.live({ run }, (isDone) => {
    if (isDone) done.resolve(performance.now() - beganMs);
  });
  const tookMs = await done.promise;
  stop();
  return tookMs;
}

async function measure(api: Api, label: string): Promise<void> {
  for (let warm = 0; warm < 50; warm++) await threeSteps(api);
  const tookMs: number[] = [];
  for (let count = 0; count < runs; count++) tookMs.push(await threeSteps(api));
  tookMs.sort((left, right) => left - right);
  const at = (share: number) => (tookMs[Math.floor(share * (runs - 1))] ?? 0).toFixed(2);
  console.log(`${label}: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, of ${runs}`);
}

console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, durability full`);
let server = await start();
let api = createClient<typeof app>(server.url, { transport: "live" });
try {
  await measure(api, "three steps");
  const beganMs = performance.now();
  for (let made = 0; made < sleeping; made += perCall) {
    await api.flow.startSleeping({ count: perCall });
  }
  // The last of them sleeps when a run that was started after it is done.
  await threeSteps(api);
  const tookMs = performance.now() - beganMs;
  console.log(`${sleeping} runs put to sleep: ${(sleeping / (tookMs / 1_000)).toFixed(0)}/s`);
  await measure(api, `three steps beside ${sleeping} that sleep`);
  api.close();
  await server.close();
  const restartMs = performance.now();
  server = await start();
  console.log(`started with them in ${(performance.now() - restartMs).toFixed(0)} ms`);
  api = createClient<typeof app>(server.url, { transport: "live" });
  console.log(`first three steps after it: ${(await threeSteps(api)).toFixed(2)} ms`);
} finally {
  api.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}
