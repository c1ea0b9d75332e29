// Live queries for a long time: writes go on; clients come, go, watch other things, lose and get rights, are cut off
// and come again. Every few seconds writes pause, and what every client has is compared with a fresh read of the same
// user at the same commit; between that, sums that must hold at every moment are looked at with every change.
// In the end the server's memory and open files must be what they were after the first minute.
// Usage: node test/live/soak.ts [--minutes=10] [--threads=2] [--clients=40] [--seed=1] [--row-cache=BYTES]
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createClient } from "keelson/client";
import { seededRandom } from "../server/random.ts";
import type app from "./app/keelson/app.ts";
import { openCutProxy } from "./cut-proxy.ts";
import { startLiveProcess } from "./live-process.ts";
import { SoakClient, type SoakApi } from "./soak-client.ts";
import { SoakWriters } from "./soak-writers.ts";

const { values: flags } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    threads: { type: "string", default: "2" },
    clients: { type: "string", default: "40" },
    seed: { type: "string", default: "1" },
    "row-cache": { type: "string" },
  },
});
const minutes = Number(flags.minutes);
const chance = seededRandom(Number(flags.seed));
const random = (sides: number) => Math.floor(chance() * sides);
const roundMs = 5_000;
const users = 8;
/** What the process's own memory (without mapped files) may differ by, at the end, from what it was when everything had been used once. */
const growthMax = 1.25;

const folder = mkdtempSync(join(tmpdir(), "keelson-live-soak-"));
const rowCache = flags["row-cache"];
const server = await startLiveProcess({
  dataDir: folder,
  threads: Number(flags.threads),
  users,
  ...(rowCache === undefined ? {} : { limits: { rowCacheBytesMax: Number(rowCache) } }),
});
const proxy = await openCutProxy(server.url);
const problems: string[] = [];
const problem = (text: string) => {
  problems.push(text);
  console.error(text);
};
const open = (url: string, token: string): SoakApi =>
  createClient<typeof app>(url, {
    token: () => token,
    transport: "live",
    retry: { attempts: 10_000, baseMs: 5, capMs: 100 },
  });
const staff = open(server.url, server.staff);
const writers = new SoakWriters(staff, server.users, random);
await writers.plant();
const idle = { handles: server.handles() };

const clients: SoakClient[] = [];
const enter = () => {
  const user = server.users[random(users)];
  if (user === undefined) return;
  clients.push(
    new SoakClient({
      watching: open(proxy.url, user.token),
      reading: open(server.url, user.token),
      world: writers,
      random,
      problem,
    }),
  );
};
for (let count = 0; count < Number(flags.clients); count++) enter();

/** What clients do while writes go on. */
async function stir(untilMs: number): Promise<void> {
  while (performance.now() < untilMs) {
    await wait(20);
    const client = clients[random(clients.length)];
    const die = random(100);
    if (die < 40) client?.change();
    else if (die < 45) proxy.cut(0.1);
    else if (die < 46) proxy.cut();
    else if (die < 50 && client !== undefined) {
      clients.splice(clients.indexOf(client), 1);
      client.close();
      enter();
    }
  }
}

const memory: number[] = [];
const startMs = performance.now();
const endMs = startMs + minutes * 60_000;
let compared = 0;
console.log(
  `minute  rss MB  own MB  heap MB  handles  connections  queries  commits  compared  problems`,
);
while (performance.now() < endMs && problems.length < 20) {
  writers.go();
  await stir(Math.min(endMs, performance.now() + roundMs));
  await writers.pause();
  for (const client of clients) compared += await client.compare();
  const { rssBytes, ownBytes, heapBytes } = await server.memory();
  memory.push(ownBytes);
  if (memory.length % 6 !== 1) continue;
  const told = [
    ((performance.now() - startMs) / 60_000).toFixed(1).padStart(6),
    (rssBytes / 1_048_576).toFixed(0).padStart(6),
    (ownBytes / 1_048_576).toFixed(0).padStart(6),
    (heapBytes / 1_048_576).toFixed(1).padStart(7),
    String(server.handles()).padStart(7),
    String(await server.metric("keelson_live_connections")).padStart(11),
    String(await server.metric("keelson_live_queries")).padStart(7),
    String(writers.commits).padStart(7),
    String(compared).padStart(8),
    String(problems.length).padStart(8),
  ];
  console.log(told.join("  "));
}
const pushes = await server.metric("keelson_live_pushes_total");
for (const client of clients) client.close();
await proxy.close();
// Connections end when both sides have said so.
for (let tries = 0; tries < 50 && (await server.metric("keelson_live_connections")) > 1; tries++) {
  await wait(100);
}
const left = {
  // The staff's own.
  connections: (await server.metric("keelson_live_connections")) - 1,
  subscriptions: await server.metric("keelson_live_subscriptions"),
  handles: server.handles() - idle.handles,
};
staff.close();
await server.close();
rmSync(folder, { recursive: true, force: true, maxRetries: 3 });

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const tenth = Math.max(1, Math.floor(memory.length / 10));
const early = median(memory.slice(tenth, 3 * tenth));
const late = median(memory.slice(-2 * tenth));
console.log(
  `${writers.commits} commits, ${pushes} pushes, ${compared} answers compared, ${problems.length} problems; ` +
    `own memory ${(early / 1_048_576).toFixed(0)} MB early, ${(late / 1_048_576).toFixed(0)} MB late; ` +
    `left: ${left.connections} connections, ${left.subscriptions} subscriptions, ${left.handles} handles`,
);
assert.deepEqual(problems, []);
assert.ok(compared > 0);
assert.ok(late < early * growthMax, "memory grows");
assert.ok(left.connections <= 0 && left.subscriptions === 0, "connections are left behind");
// Each thread that serves opens files when it reads for the first time.
assert.ok(left.handles <= 4 + 2 * Number(flags.threads), "handles are left behind");
