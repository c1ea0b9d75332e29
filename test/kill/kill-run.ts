// Kills a server under write load again and again, and checks after each kill that every acknowledged write
// is there, that none is there twice, and that the store opens. The clients repeat with the same keys.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openApp } from "@keelson/server";
import { openHttpClient, type HttpClient } from "../server/http-exchange.ts";
import { seededRandom } from "../server/random.ts";
import { checkFile, type Violations } from "./check-file.ts";
import { checkRepeats, checkServer, expectMore, type Expected } from "./check-server.ts";
import { runClient } from "./kill-client.ts";
import { KillWorld } from "./kill-world.ts";
import { drawMutation, isDone, type Mutation, type Planted } from "./mutation.ts";

/** How it is run. */
export interface KillOptions {
  readonly rounds: number;
  /** More rounds are added, up to four times as many, until so many writes were acknowledged in all. */
  readonly acknowledgedMin: number;
  readonly seed: number;
  readonly clients: number;
  /** Door threads of the server; null: its default. */
  readonly threads: number | null;
  /** A fault to plant (see plant.ts), or null. */
  readonly plant: string | null;
  /** Longest time from the first write of a round to the kill. */
  readonly loadMsMax: number;
  /** Rounds between two runs of `keelson verify`. */
  readonly verifyEvery: number;
  /** An empty folder. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface KillReport {
  readonly rounds: number;
  readonly kills: number;
  readonly acknowledged: number;
  readonly refused: number;
  /** Writes under way at a kill, repeated afterwards. */
  readonly retried: number;
  /** Of those, done already before the kill: their repeat got the first answer. */
  readonly replayed: number;
  readonly repeats: number;
  readonly violations: Violations;
}

const accounts = 40;
const users = 4;
const repeatsMax = 200;
const appDir = join(import.meta.dirname, "app");
const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));

/** Runs it. @returns what was found; it ends after the first round with a violation. */
export async function killRun(options: KillOptions): Promise<KillReport> {
  const dataDir = join(options.folder, "data");
  mkdirSync(dataDir, { recursive: true });
  const { auditor, tokens } = await tokensOf(dataDir);
  const world = new KillWorld({
    appDir,
    dataDir,
    flags: options.threads === null ? [] : [`--threads=${options.threads}`],
    nodeFlags:
      options.plant === null ? [] : [`--import=${new URL("plant.ts", import.meta.url).href}`],
  });
  if (options.plant !== null) process.env["KEELSON_KILL_PLANT"] = options.plant;
  const http = openHttpClient(options.clients + 4);
  const url = await world.start();
  const scene: Scene = {
    options,
    world,
    http,
    dataDir,
    auditor,
    tokens,
    planted: await plantRows({ http, url, auditor }, options.clients),
    random: seededRandom(options.seed),
    expected: {
      balances: new Array<number>(accounts).fill(1_000),
      tallies: new Array<number>(options.clients).fill(0),
      notes: new Array<string | null>(options.clients).fill(null),
    },
    counts: { acknowledged: 0, refused: 0, retried: 0, replayed: 0, repeats: 0 },
  };
  const all: Mutation[] = [];
  let round = 0;
  let violations: Violations = [];
  try {
    while (violations.length === 0 && isToGoOn(options, round, scene.counts.acknowledged)) {
      violations = await killRound(scene, (round += 1), all);
    }
    if (violations.length === 0) {
      await world.stop();
      const rounds = Array.from({ length: round }, (_, index) => index + 1);
      violations = checkFile(dataDir, scene.planted, all, rounds);
    }
  } finally {
    delete process.env["KEELSON_KILL_PLANT"];
    await world.stop();
    http.close();
  }
  return { rounds: round, kills: world.kills, ...scene.counts, violations };
}

/** Kills come after a time, not after a number of writes: a busy machine gets more of them, not a weaker check. */
function isToGoOn(
  { rounds, acknowledgedMin }: KillOptions,
  round: number,
  acknowledged: number,
): boolean {
  return round < rounds || (acknowledged < acknowledgedMin && round < 4 * rounds);
}

interface Scene {
  readonly options: KillOptions;
  readonly world: KillWorld;
  readonly http: HttpClient;
  readonly dataDir: string;
  readonly auditor: string;
  readonly tokens: readonly string[];
  readonly planted: Planted;
  readonly random: () => number;
  readonly expected: Expected;
  readonly counts: {
    acknowledged: number;
    refused: number;
    retried: number;
    replayed: number;
    repeats: number;
  };
}

async function killRound(scene: Scene, round: number, all: Mutation[]): Promise<Violations> {
  const { options, world, http, random, dataDir, counts } = scene;
  const written: Mutation[] = [];
  let isOver = false;
  const clients = Array.from({ length: options.clients }, (_, client) => {
    let sent = 0;
    // A client's own draws: what it sends does not hang on who is answered first.
    const draws = seededRandom(options.seed * 1_000_003 + round * 1_009 + client);
    const draw = (): Mutation => {
      const key = `${options.seed}-${round}-${client}-${(sent += 1)}`;
      const token = scene.tokens[client % scene.tokens.length] ?? "";
      return drawMutation({ key, round, client, token }, scene.planted, draws);
    };
    return runClient({ world, http, draw, isOver: () => isOver }, written);
  });
  const settled = Promise.allSettled(clients);
  await wait(10 + random() * options.loadMsMax);
  await world.kill();
  isOver = true;
  const pending = new Set(written.filter(({ answer }) => answer === null));
  const wrong = checkFile(dataDir, scene.planted, written, [round]);
  await startAgain(scene);
  const failed = (await settled).flatMap((end) =>
    end.status === "rejected" ? [String(end.reason)] : [],
  );
  all.push(...written);
  counts.retried += pending.size;
  counts.replayed += [...pending].filter(({ answer }) => answer?.replayed === true).length;
  const done = written.filter(isDone);
  counts.acknowledged += done.length;
  counts.refused += written.length - done.length;
  expectMore(scene.expected, written);
  if (wrong.length + failed.length > 0) return [...wrong, ...failed];
  const asking = { http, url: await world.url(), auditor: scene.auditor };
  const repeated = sample([...pending, ...done].filter(isDone), repeatsMax, random);
  counts.repeats += repeated.length;
  const violations = [
    ...(await checkRepeats(asking, repeated)),
    ...(await checkServer(asking, scene.expected, round, written)),
    ...(round % options.verifyEvery === 0 ? verify(dataDir) : []),
  ];
  options.say(`round ${round}: ${done.length} acknowledged, ${pending.size} under way at the kill`);
  return violations;
}

/** Starts the server again; sometimes it is killed once more while it starts or answers repeats. */
async function startAgain({ world, random }: Scene): Promise<void> {
  const share = random();
  const delayMs = random() * 400;
  if (share < 0.1) {
    world.spawn();
    await wait(delayMs);
    await world.kill();
  } else if (share < 0.25) {
    await world.start();
    await wait(delayMs / 20);
    await world.kill();
  }
  await world.start();
}

/** `keelson verify`: the database is whole and the app's invariants hold. */
function verify(dataDir: string): Violations {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [binary, "verify", `--app=${appDir}`, `--data=${dataDir}`, "--json"],
    { encoding: "utf8" },
  );
  return status === 0 ? [] : [`keelson verify: ${stdout}${stderr}`];
}

/** Tokens, signed with the key of the data folder. */
async function tokensOf(dataDir: string): Promise<{ auditor: string; tokens: string[] }> {
  const app = await openApp({ appDir, dataDir });
  try {
    const sign = (user: string, role: string): Promise<string> =>
      app.signToken({ user, role, ttlMs: 86_400_000 });
    const names = Array.from({ length: users }, (_, index) => `user_${index}`);
    return {
      auditor: await sign("user_auditor", "auditor"),
      tokens: await Promise.all(names.map((name) => sign(name, "client"))),
    };
  } finally {
    await app.close();
  }
}

async function plantRows(
  { http, url, auditor }: { http: HttpClient; url: string; auditor: string },
  clients: number,
): Promise<Planted> {
  const create = async (table: string, body: object): Promise<string> => {
    const path = `/api/tables/${table}`;
    const { status, text } = await http.send(url, { method: "POST", path, token: auditor, body });
    if (status !== 201) throw new Error(`${path}: ${status} ${text}`);
    return (JSON.parse(text) as { readonly id: string }).id;
  };
  const each = (table: string, count: number, body: (index: number) => object): Promise<string[]> =>
    Promise.all(Array.from({ length: count }, (_, index) => create(table, body(index))));
  return {
    tallies: await each("tally", clients, (client) => ({ client, value: 0 })),
    accounts: await each("account", accounts, (number) => ({ number, balance: 1_000 })),
    notes: await each("note", clients, (client) => ({ client })),
  };
}

/** The first ones, which the interesting ones are put to, and a random choice of the others. */
function sample<T>(items: readonly T[], max: number, random: () => number): T[] {
  const unique = [...new Set(items)];
  while (unique.length > max)
    unique.splice(max / 4 + Math.floor(random() * (unique.length - max / 4)), 1);
  return unique;
}
