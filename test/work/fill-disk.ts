// Fills the disk under a server at work, and makes room again: with the server running on, or killed and started
// on the full disk. What is refused is refused with one code and never happened; what was acknowledged happens,
// each piece once, when there is room.
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as wait } from "node:timers/promises";
import { KillWorld } from "../kill/kill-world.ts";
import { openHttpClient, type HttpClient } from "../server/http-exchange.ts";
import type { FullVolume } from "./full-volume.ts";
import { checkOutside, settled } from "./kill-work.ts";
import { openOutside } from "./outside.ts";

/** How it is run. */
export interface FillDiskOptions {
  readonly volume: FullVolume;
  readonly rounds: number;
  readonly seed: number;
  readonly clients: number;
  /** Door threads; null: the server's default. */
  readonly threads: number | null;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface FillDiskReport {
  readonly acknowledged: number;
  /** Answers that said the disk is full, and what was so refused and not sent again. */
  readonly refused: number;
  readonly abandoned: number;
  /** Sent once and never answered, as the server was killed, and in the file: whole, or it is a violation. */
  readonly unanswered: number;
  /** Starts on a full disk: those that served, and those that said why not. */
  readonly startsServed: number;
  readonly startsRefused: number;
  readonly ticks: number;
  readonly outsideCalls: number;
  readonly violations: readonly string[];
}

/** Every round sees so many refusals before there is room again. */
const refusalsMin = 8;
const fullMsMax = 90_000;
const diskFullStatus = 10;

interface Run {
  readonly world: KillWorld;
  readonly http: HttpClient;
  readonly acknowledged: string[];
  readonly abandoned: string[];
  readonly unanswered: string[];
  readonly violations: string[];
  refused: number;
  isFull: boolean;
  isOver: boolean;
}

/** Runs it. */
export async function fillDisk(options: FillDiskOptions): Promise<FillDiskReport> {
  const { volume, clients, threads, seed } = options;
  const folder = mkdtempSync(join(tmpdir(), "keelson-fill-"));
  const clock = join(folder, "clock");
  const set = { ...volume.environment, KEELSON_TEST_CLOCK: clock };
  writeFileSync(clock, "0");
  Object.assign(process.env, set);
  const outside = await openOutside(folder);
  mkdirSync(volume.dataDir, { recursive: true });
  const shift = `--import=${new URL("shift-clock.ts", import.meta.url).href}`;
  const run: Run = {
    world: new KillWorld({
      appDir: outside.appDir,
      dataDir: volume.dataDir,
      flags: threads === null ? [] : [`--threads=${threads}`],
      nodeFlags: [...volume.nodeFlags, shift],
    }),
    http: openHttpClient(clients + 4),
    acknowledged: [],
    abandoned: [],
    unanswered: [],
    violations: [],
    refused: 0,
    isFull: false,
    isOver: false,
  };
  const starts = { served: 0, refused: 0 };
  try {
    await run.world.start();
    const paying = Array.from({ length: clients }, (_, index) => pay(run, `${seed}c${index}`));
    const trying = tryOnce(run, `${seed}x`);
    for (let round = 1; round <= options.rounds; round++) {
      await moreOf(() => run.acknowledged.length, clients);
      run.isFull = true;
      volume.fill();
      // Ticks become due while nothing can be written.
      setClock(clock, round * 120_000);
      if (!(await moreOf(() => run.refused, refusalsMin)))
        run.violations.push(`round ${round}: the disk was full and nothing was refused`);
      await readsGoOn(run);
      // Every other round is one with a restart.
      if (round % 2 === 0) await restartFull(run, starts);
      volume.free();
      run.isFull = false;
      if (round % 2 === 0) await run.world.start();
      options.say(
        `round ${round}: ${run.acknowledged.length} acknowledged, ${run.refused} refused`,
      );
    }
    await moreOf(() => run.acknowledged.length, clients);
    run.isOver = true;
    await Promise.all([...paying, trying]);
    const file = join(volume.dataDir, "data.db");
    const unanswered = paidOf(file, run.unanswered);
    const paid = [...run.acknowledged, ...unanswered];
    run.violations.push(...(await settled(file, paid)));
    const { wrong, calls } = checkOutside(outside.calls, paid);
    run.violations.push(...wrong);
    for (const key of run.abandoned) {
      if (outside.calls.has(`/${key}`)) run.violations.push(`${key} was refused and got out`);
    }
    return {
      acknowledged: run.acknowledged.length,
      refused: run.refused,
      abandoned: run.abandoned.length,
      unanswered: unanswered.length,
      startsServed: starts.served,
      startsRefused: starts.refused,
      ...checkFile(file, run.violations),
      outsideCalls: calls,
      violations: run.violations,
    };
  } finally {
    run.isOver = true;
    volume.free();
    for (const name of Object.keys(set)) delete process.env[name];
    await run.world.stop();
    run.http.close();
    await outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Waits until a number has grown by so much. @returns whether it did, in time. */
async function moreOf(count: () => number, growth: number): Promise<boolean> {
  const enough = count() + growth;
  for (let ms = 0; ms < fullMsMax; ms += 20) {
    if (count() >= enough) return true;
    await wait(20);
  }
  return false;
}

function setClock(file: string, offsetMs: number): void {
  writeFileSync(`${file}.new`, String(offsetMs));
  renameSync(`${file}.new`, file);
}

/** Killed and started while nothing fits: it serves, or it says why it does not. */
async function restartFull(
  { world, violations }: Run,
  starts: { served: number; refused: number },
): Promise<void> {
  await world.kill();
  try {
    await world.start();
    starts.served += 1;
    await wait(300);
    await world.kill();
  } catch (error) {
    starts.refused += 1;
    const status = await world.stop();
    if (status !== diskFullStatus)
      violations.push(`a start on the full disk ended with ${status}: ${String(error)}`);
  }
}

/** What is there can be read. */
async function readsGoOn({ world, http, violations }: Run): Promise<void> {
  const url = await world.url();
  for (const path of ["/api/tables/entry?limit=10", "/readyz"]) {
    const { status, text } = await http.send(url, { method: "GET", path, token: null });
    if (path !== "/readyz" && status !== 200)
      violations.push(`${path} answered ${status} on a full disk: ${text.slice(0, 200)}`);
  }
}

/**
 * What came of a payment: taken; refused since the disk is full; unanswered, so that nobody knows; or put off by a
 * server that starts, stops or has too much to do.
 */
type Fate = "taken" | "refused" | "unanswered" | "put off";

/** Sends one payment. */
async function send(run: Run, client: string, number: number): Promise<Fate> {
  const key = `${client}-${number}`;
  const body = { client, number };
  let answer;
  try {
    answer = await run.http.send(await run.world.url(), {
      method: "POST",
      path: "/api/fn/shop.pay",
      token: null,
      body,
      key,
    });
  } catch {
    return "unanswered";
  }
  if (answer.status === 200) {
    run.acknowledged.push(key);
    return "taken";
  }
  const { code } = JSON.parse(answer.text) as { readonly code?: unknown };
  if (answer.status === 507 && code === "DISK_FULL") {
    run.refused += 1;
    return "refused";
  }
  // It starts or stops, or too much waits: no word on the disk.
  if (answer.status !== 503 && answer.status !== 429)
    run.violations.push(`${key}: ${answer.status} ${answer.text.slice(0, 300)}`);
  return "put off";
}

/** Pays again and again, each until it is taken, always with the same key. */
async function pay(run: Run, client: string): Promise<void> {
  for (let number = 1; !run.isOver; number++) {
    while ((await send(run, client, number)) !== "taken") await wait(20);
    await wait(15);
  }
}

/** While the disk is full: payments that are sent once. What is refused must never have been. */
async function tryOnce(run: Run, client: string): Promise<void> {
  for (let number = 1; !run.isOver; number++) {
    // Each by a client of its own: nothing comes after it.
    const fate = run.isFull ? await send(run, `${client}${number}`, 1) : "put off";
    if (fate === "refused") run.abandoned.push(`${client}${number}-1`);
    else if (fate === "unanswered") run.unanswered.push(`${client}${number}-1`);
    await wait(10);
  }
}

/** Those of some payments that were committed. */
function paidOf(file: string, keys: readonly string[]): readonly string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const paid = db.prepare("SELECT 1 FROM entry WHERE kind = 'pay' AND key = ?");
    return keys.filter((key) => paid.get(key) !== undefined);
  } finally {
    db.close();
  }
}

/** The file itself, and how many ticks there were. */
function checkFile(file: string, violations: string[]): { readonly ticks: number } {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const [row] = db.prepare("PRAGMA integrity_check").all();
    if (row?.["integrity_check"] !== "ok") violations.push(`the file: ${JSON.stringify(row)}`);
    const ticks = db.prepare("SELECT count(*) AS n FROM entry WHERE kind = 'tick'").get();
    return { ticks: Number(ticks?.["n"]) };
  } finally {
    db.close();
  }
}
