// Live queries under load: from the start of a write to the push that tells of it, with many subscribers.
//   distinct  N connections, each with a filter of its own; every write matches one of them
//   same      N connections that watch one row; every write goes to all of them
// Usage: node bench/live/main.ts [--subscribers=10000] [--same=1000] [--writes=200] [--processes=2] [--threads=0]
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";

const { values: flags } = parseArgs({
  options: {
    subscribers: { type: "string", default: "10000" },
    same: { type: "string", default: "1000" },
    writes: { type: "string", default: "200" },
    processes: { type: "string", default: "2" },
    threads: { type: "string", default: "0" },
  },
});
const processes = Number(flags.processes);
const writes = Number(flags.writes);
const warmUp = 20;
/** Longer than the server takes to give back what it freed. */
const idleMs = 20_000;

interface Push {
  readonly n: number;
  readonly atNs: bigint;
}

function nextMessage<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T));
    child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), "keelson-live-bench-"));
  readonly #server = fork(join(import.meta.dirname, "server.ts"), [this.folder, flags.threads]);
  readonly #agent = new Agent({ keepAlive: true });
  #url = "";
  #token = "";
  #watchers: ChildProcess[] = [];
  #pushes: Push[] = [];
  #pushed: (() => void) | null = null;
  /** Of the writes themselves, as their client sees them: HTTP, the disk and back, ms. */
  writesMs: number[] = [];

  async start(): Promise<void> {
    const { url, token } = await nextMessage<{ url: string; token: string }>(this.#server);
    this.#url = url;
    this.#token = token;
  }

  async rssBytes(): Promise<number> {
    const told = nextMessage<{ rssBytes: number }>(this.#server);
    this.#server.send("memory");
    return (await told).rssBytes;
  }

  async subscribe(count: number, watch: string): Promise<void> {
    const share = Math.ceil(count / processes);
    const starting: Promise<unknown>[] = [];
    for (let from = 0; from < count; from += share) {
      const child = fork(join(import.meta.dirname, "subscribers.ts"), [
        this.#url,
        String(from),
        String(Math.min(share, count - from)),
        watch,
      ]);
      starting.push(nextMessage(child));
      child.on("message", ({ pushes = [] }: { pushes?: { n: number; atNs: string }[] }) => {
        for (const { n, atNs } of pushes) this.#pushes.push({ n, atNs: BigInt(atNs) });
        this.#pushed?.();
      });
      this.#watchers.push(child);
    }
    await Promise.all(starting);
  }

  async unsubscribe(): Promise<void> {
    const ending = this.#watchers.map((child) => {
      child.removeAllListeners("exit");
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.disconnect();
      return ended;
    });
    this.#watchers = [];
    await Promise.all(ending);
  }

  /** Over one kept connection, by node:http: `fetch` takes half a millisecond more after a pause. */
  async send(method: string, path: string, body: unknown): Promise<{ id: string }> {
    const request = httpRequest(`${this.#url}/api/tables/${path}`, {
      method,
      agent: this.#agent,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
    });
    request.end(JSON.stringify(body));
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const answer = await text(response);
    if (response.statusCode !== 200 && response.statusCode !== 201) throw new Error(answer);
    return JSON.parse(answer) as { id: string };
  }

  /** One write. @returns milliseconds until each of `expected` pushes. */
  async measure(write: () => Promise<unknown>, expected: number): Promise<number[]> {
    this.#pushes = [];
    const startNs = process.hrtime.bigint();
    await write();
    this.writesMs.push(Number(process.hrtime.bigint() - startNs) / 1e6);
    await new Promise<void>((resolve) => {
      const look = () => {
        if (this.#pushes.length >= expected) resolve();
      };
      this.#pushed = look;
      look();
    });
    return this.#pushes.map(({ atNs }) => Number(atNs - startNs) / 1e6);
  }

  async close(): Promise<void> {
    await this.unsubscribe();
    this.#agent.destroy();
    const ended = new Promise((resolve) => this.#server.once("exit", resolve));
    this.#server.disconnect();
    await ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** What a write can't be quicker than: 16 KiB into a file that has its blocks, and a sync, with pauses as between writes here. */
async function bareSyncs(folder: string): Promise<number[]> {
  const file = openSync(join(folder, "bare-syncs"), "w");
  const bytes = Buffer.alloc(16_384, 1);
  const latencies: number[] = [];
  for (let n = 0; n < 2 * writes; n++) {
    const start = performance.now();
    writeSync(file, bytes, 0, bytes.length, (n % writes) * bytes.length);
    fsyncSync(file);
    if (n >= writes) latencies.push(performance.now() - start);
    await setTimeout(8);
  }
  closeSync(file);
  return latencies;
}

function told(name: string, latenciesMs: readonly number[]): void {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (part: number) =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2);
  console.log(`${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms (${sorted.length})`);
}

/** @returns the p99, ms. */
async function distinct(bench: Bench, count: number): Promise<number> {
  const before = await bench.rssBytes();
  await bench.subscribe(count, `{"list":"post","query":{"where":{"topic":"t{n}"}}}`);
  const after = await bench.rssBytes();
  await setTimeout(idleMs);
  const idle = await bench.rssBytes();
  const latencies: number[] = [];
  for (let n = 0; n < writes + warmUp; n++) {
    const topic = `t${Math.floor((n * 7_919) % count)}`;
    const [latency = 0] = await bench.measure(() => bench.send("POST", "post", { topic, n }), 1);
    if (n >= warmUp) latencies.push(latency);
  }
  told(`distinct filters, ${count} subscribers, one matches`, latencies);
  told(`  the answer to the write`, bench.writesMs.splice(0).slice(warmUp));
  const mb = (bytes: number) => (bytes / 1_048_576).toFixed(0);
  const seconds = idleMs / 1_000;
  console.log(
    `  server memory: ${mb(before)} MB before, ${mb(after)} MB when ${count} had come, ${mb(idle)} MB with all of them idle for ${seconds} s`,
  );
  await bench.unsubscribe();
  latencies.sort((a, b) => a - b);
  return latencies[Math.floor(latencies.length * 0.99)] ?? 0;
}

async function same(bench: Bench, count: number): Promise<void> {
  const { id } = await bench.send("POST", "post", { topic: "same", n: 0 });
  await bench.subscribe(count, JSON.stringify({ get: "post", id }));
  const all: number[] = [];
  const last: number[] = [];
  for (let n = 1; n <= Math.min(writes, 100) + warmUp; n++) {
    const latencies = await bench.measure(() => bench.send("PATCH", `post/${id}`, { n }), count);
    if (n <= warmUp) continue;
    all.push(...latencies);
    last.push(Math.max(...latencies));
  }
  told(`same row, ${count} subscribers, all of them`, all);
  told(`same row, ${count} subscribers, the last of them`, last);
  told(`  the answer to the write`, bench.writesMs.splice(0).slice(warmUp));
  await bench.unsubscribe();
}

const subscribers = Number(flags.subscribers);
console.log(
  `node ${process.version}, ${availableParallelism()} cores, server threads ${flags.threads} (0: all in one), ` +
    `synchronous=FULL, ${processes} generator processes, ${writes} writes after ${warmUp}`,
);
const bench = new Bench();
try {
  await bench.start();
  told("a bare write and sync, nobody else there", await bareSyncs(bench.folder));
  const few = await distinct(bench, Math.min(100, subscribers));
  const many = await distinct(bench, subscribers);
  console.log(`  p99 with ${subscribers} subscribers: ${(many / few).toFixed(2)}x that with 100`);
  await same(bench, Number(flags.same));
  told("a bare write and sync, once more", await bareSyncs(bench.folder));
} finally {
  await bench.close();
}
