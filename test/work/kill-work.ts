// Kills a server at random moments while events, jobs, triggers, ticks and workflows run, and steps its clock by an hour
// both ways. In the end nothing acknowledged is lost, what is transactional happened once, events of a key came
// in order, ticks have no gap and no double, and what reached the world more than once came with the same key.
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { DatabaseSync } from "node:sqlite";
import { KillWorld } from "../kill/kill-world.ts";
import { openHttpClient, type HttpClient } from "../server/http-exchange.ts";
import { seededRandom } from "../server/random.ts";
import { openOutside } from "./outside.ts";

/** How it is run. */
export interface KillWorkOptions {
  readonly rounds: number;
  readonly seed: number;
  readonly clients: number;
  /** Door threads; null: the server's default. */
  readonly threads: number | null;
  /** Longest time from a round's start to its kill. */
  readonly loadMsMax: number;
  /** Whether the clock is stepped. */
  readonly steps: boolean;
  /** A day on which clocks change, for the server's clock to be at; null: today. */
  readonly day: KillDay | null;
  /** An empty folder. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** Where on such a day the server's clock is: an hour more and an hour less are on both sides of the change. */
export const killDays = {
  /** 01:59 in Vienna is followed by 03:00. */
  spring: { begin: "2026-03-29T00:30:00Z", night: "2026-03-29T01:00:00.000Z" },
  /** 02:59 is followed by 02:00. */
  autumn: { begin: "2026-10-25T00:05:00Z", night: "2026-10-25T00:30:00.000Z" },
} as const;

/** The name of such a day. */
export type KillDay = keyof typeof killDays;

/** What came of it. */
export interface KillWorkReport {
  readonly kills: number;
  readonly acknowledged: number;
  readonly ticks: number;
  readonly outsideCalls: number;
  readonly outsideRepeats: number;
  readonly violations: readonly string[];
}

/** What happens once for each payment, in a transaction. */
const onceKinds = ["pay", "stock", "remind", "tally", "create", "load", "unload", "sign"];
/** What happens at least once. */
const leastKinds = ["mail", "ship"];
const hourMs = 3_600_000;
const busyMsMax = 20_000;
/** So long nothing more may happen before what is missing counts as lost. */
const stallMs = 30_000;

/** Runs it. */
export async function killWork(options: KillWorkOptions): Promise<KillWorkReport> {
  const { folder, clients, threads, steps, day } = options;
  const baseMs = day === null ? 0 : Date.parse(killDays[day].begin) - Date.now();
  const dataDir = join(folder, "data");
  const clock = join(folder, "clock");
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(clock, String(baseMs));
  process.env["KEELSON_TEST_CLOCK"] = clock;
  const outside = await openOutside(folder);
  const world = new KillWorld({
    appDir: outside.appDir,
    dataDir,
    flags: threads === null ? [] : [`--threads=${threads}`],
    nodeFlags: steps ? [`--import=${new URL("shift-clock.ts", import.meta.url).href}`] : [],
  });
  const http = openHttpClient(clients + 2);
  const random = seededRandom(options.seed);
  const acknowledged: string[] = [];
  const under = { isOver: false };
  try {
    await world.start();
    const paying = Array.from({ length: clients }, (_, index) =>
      pay({ world, http, client: `${options.seed}c${index}`, under, acknowledged }),
    );
    for (let round = 1; round <= options.rounds; round++) {
      const before = acknowledged.length;
      await wait(20 + random() * options.loadMsMax);
      // On a busy machine: a round in which nothing happens shows nothing.
      for (let ms = 0; ms < busyMsMax && acknowledged.length < before + 3; ms += 20) await wait(20);
      if (steps) setClock(clock, baseMs + ([0, hourMs, -hourMs][Math.floor(random() * 3)] ?? 0));
      if (steps) await wait(random() * 120);
      await world.kill();
      // Some of the starts are killed, too.
      if (random() < 0.15) {
        world.spawn();
        await wait(random() * 500);
        await world.kill();
      }
      await world.start();
      options.say(`round ${round}: ${acknowledged.length} acknowledged`);
    }
    under.isOver = true;
    // In the end the clock is past the change, whatever chance said.
    if (day !== null) setClock(clock, baseMs + hourMs);
    await Promise.all(paying);
    const settling = await settled(join(dataDir, "data.db"), acknowledged);
    const violations = [...settling, ...(day === null ? [] : await nightOnce(dataDir, day))];
    const { repeats, wrong, calls } = checkOutside(outside.calls, acknowledged);
    return {
      kills: world.kills,
      acknowledged: acknowledged.length,
      ticks: countTicks(join(dataDir, "data.db")),
      outsideCalls: calls,
      outsideRepeats: repeats,
      violations: [...violations, ...wrong],
    };
  } finally {
    under.isOver = true;
    delete process.env["KEELSON_TEST_CLOCK"];
    await world.stop();
    http.close();
    await outside.close();
  }
}

/** The schedule of half past two, which that day has not or has twice: it ran once. */
async function nightOnce(dataDir: string, day: KillDay): Promise<readonly string[]> {
  const { night } = killDays[day];
  let keys: readonly string[] = [];
  for (let ms = 0; ms < stallMs; ms += 100) {
    const db = new DatabaseSync(join(dataDir, "data.db"), { readOnly: true });
    const rows = db.prepare("SELECT key FROM entry WHERE kind = 'night'").all();
    db.close();
    keys = rows.map(({ key }) => String(key));
    if (keys.length > 0) break;
    await wait(100);
  }
  return keys.join() === night ? [] : [`half past two ran at ${keys.join() || "no time"}`];
}

/** Whole or not at all: a file that is read while it is written must say something. */
function setClock(file: string, offsetMs: number): void {
  writeFileSync(`${file}.new`, String(offsetMs));
  renameSync(`${file}.new`, file);
}

/** Pays again and again, each until it is answered, always with the same key. */
async function pay(parts: {
  readonly world: KillWorld;
  readonly http: HttpClient;
  readonly client: string;
  readonly under: { readonly isOver: boolean };
  readonly acknowledged: string[];
}): Promise<void> {
  const { world, http, client, under, acknowledged } = parts;
  for (let number = 1; !under.isOver; number++) {
    const key = `${client}-${number}`;
    const body = { client, number };
    for (;;) {
      try {
        const sending = {
          method: "POST",
          path: "/api/fn/shop.pay",
          token: null,
          body,
          key,
        } as const;
        const { status, text } = await http.send(await world.url(), sending);
        if (status === 200) break;
        if (status !== 503 && status !== 429) throw new Error(`${key}: ${status} ${text}`);
      } catch (error) {
        if (error instanceof Error && error.message.startsWith(key)) throw error;
      }
      await wait(5);
    }
    acknowledged.push(key);
    // Work is to keep up: this is no test of load.
    await wait(15);
  }
}

/** Waits until all of it happened. @returns what did not, and what happened too often. */
export async function settled(
  file: string,
  acknowledged: readonly string[],
): Promise<readonly string[]> {
  let lastCount = -1;
  for (let stillMs = 0; stillMs < stallMs; stillMs += 100) {
    const { count, violations } = checkEntries(file, acknowledged);
    if (violations.length === 0) return violations;
    if (count !== lastCount) stillMs = 0;
    lastCount = count;
    await wait(100);
  }
  return checkEntries(file, acknowledged).violations;
}

/** What the file says of every payment. @param file the server may have it open. */
export function checkEntries(
  file: string,
  acknowledged: readonly string[],
): { readonly count: number; readonly violations: readonly string[] } {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const times = new Map<string, number>();
    let count = 0;
    const rows = db
      .prepare("SELECT kind, key, count(*) AS times FROM entry GROUP BY kind, key")
      .all();
    for (const { kind, key, times: own } of rows) {
      times.set(`${String(kind)} ${String(key)}`, Number(own));
      count += Number(own);
    }
    const violations: string[] = [];
    for (const key of acknowledged) {
      for (const kind of onceKinds) {
        const own = times.get(`${kind} ${key}`) ?? 0;
        if (own !== 1) violations.push(`${kind} of ${key} happened ${own} times`);
      }
      for (const kind of leastKinds) {
        if ((times.get(`${kind} ${key}`) ?? 0) === 0) violations.push(`${kind} of ${key} is lost`);
      }
    }
    const known = new Set(acknowledged);
    for (const name of times.keys()) {
      const [kind = "", key = ""] = name.split(" ");
      if (kind === "disorder") violations.push(`${key} came out of order`);
      else if (kind !== "tick" && kind !== "night" && !known.has(key))
        violations.push(`${name} was never paid`);
    }
    const states = db
      .prepare(
        "SELECT state, count(*) AS runs FROM workRun WHERE workflow = 'shop.carry' GROUP BY state",
      )
      .all();
    const ended = new Map(states.map(({ state, runs }) => [String(state), Number(runs)]));
    const done = ended.get("done") ?? 0;
    if (done !== acknowledged.length)
      violations.push(`workflows: ${JSON.stringify([...ended])}, not ${acknowledged.length} done`);
    const dead = db.prepare("SELECT id, queue FROM workDead").all();
    for (const { id, queue } of dead)
      violations.push(`${String(queue)} ${String(id)} is a dead letter`);
    return { count, violations: [...violations, ...checkTicks(db)] };
  } finally {
    db.close();
  }
}

function checkTicks(db: DatabaseSync): readonly string[] {
  const ticks = db.prepare("SELECT key FROM entry WHERE kind = 'tick' ORDER BY key").all();
  return ticks.flatMap(({ key }, index) => {
    const before = ticks[index - 1]?.["key"];
    if (before === undefined) return [];
    const gapMs = Date.parse(String(key)) - Date.parse(String(before));
    return gapMs === 60_000 ? [] : [`tick ${String(key)} comes ${gapMs} ms after the one before`];
  });
}

function countTicks(file: string): number {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM entry WHERE kind = 'tick'").get()?.["n"]);
  } finally {
    db.close();
  }
}

/** Calls of one payment carry one key, and it is no other's. */
export function checkOutside(
  calls: ReadonlyMap<string, readonly string[]>,
  acknowledged: readonly string[],
): { readonly repeats: number; readonly calls: number; readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const owners = new Map<string, string>();
  let repeats = 0;
  let count = 0;
  // A job and a step of a workflow reach it for each payment.
  for (const key of acknowledged.flatMap((key) => [key, `carry-${key}`])) {
    const own = calls.get(`/${key}`) ?? [];
    count += own.length;
    repeats += Math.max(0, own.length - 1);
    const [token] = own;
    if (token === undefined) wrong.push(`${key} never reached the world`);
    if (new Set(own).size > 1)
      wrong.push(`${key} reached the world with ${[...new Set(own)].join()}`);
    if (token !== undefined && owners.has(token))
      wrong.push(`${key} has the key of ${owners.get(token)}`);
    if (token !== undefined) owners.set(token, key);
  }
  return { repeats, calls: count, wrong };
}
