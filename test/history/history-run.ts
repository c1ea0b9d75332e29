// Rounds of a history each: clients ask one server, faults happen to it, and in the end the history is checked.
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { openApp } from "@keelson/server";
import { openCutProxy, type CutProxy } from "../live/cut-proxy.ts";
import { openHttpClient } from "../server/http-exchange.ts";
import { seededRandom } from "../server/random.ts";
import { copyApp } from "./app-copy.ts";
import { checkHistory } from "./check-history.ts";
import {
  clientsPerProcess,
  type ClientMessage,
  type ClientOrders,
  type ClientReport,
} from "./client-process.ts";
import { HistoryServer } from "./history-server.ts";
import type { Operation, Violation } from "./history.ts";

/** How it is run. */
export interface HistoryOptions {
  readonly rounds: number;
  readonly seed: number;
  /** Door threads of the server. */
  readonly threads: number;
  /** How long clients ask in a round. */
  readonly seconds: number;
  /** Processes of clients. */
  readonly processes: number;
  /** Whether faults happen: kills, restarts, stops, cuts. */
  readonly hasFaults: boolean;
  /** Whether new versions of the app are among them: then it is a program of its own that serves. */
  readonly hasReloads: boolean;
  /** A fault to plant (see plant.ts), or null. */
  readonly plant: string | null;
  /** An empty folder. */
  readonly folder: string;
  readonly say: (line: string) => void;
}

/** What came of it. */
export interface HistoryReport {
  readonly rounds: number;
  readonly faults: number;
  /** Transactions that were answered; refused; neither. */
  readonly done: number;
  readonly refused: number;
  readonly unknown: number;
  /** States that live queries showed. */
  readonly shown: number;
  readonly violations: readonly Violation[];
}

const keysPerRound = 100_000;
const valuesPerProcess = 1_000_000;
const epochMs = 400;
const restMsMax = 6;
const tokenMs = 86_400_000;

/** Runs it. @returns what was found; it ends after the first round with a violation. */
export async function historyRun(options: HistoryOptions): Promise<HistoryReport> {
  const dataDir = join(options.folder, "data");
  const { appDir, change } = copyApp(options.folder);
  const app = await openApp({ appDir, dataDir });
  const sign = (user: string, role: string | null): Promise<string> =>
    app.signToken({ user, role, ttlMs: tokenMs });
  const users = await Promise.all(
    Array.from(
      { length: options.rounds * options.processes * clientsPerProcess },
      async (_, at) => {
        const id = `user_${String(at).padStart(26, "0")}`;
        return { id, token: await sign(id, null) };
      },
    ),
  );
  const staff = await sign(`user_${"0".repeat(25)}s`, "staff");
  await app.close();
  const server = new HistoryServer({
    appDir,
    dataDir,
    threads: options.threads,
    change: options.hasReloads ? change : null,
    plant: options.plant,
  });
  const counts = { faults: 0, done: 0, refused: 0, unknown: 0, shown: 0 };
  let violations: readonly Violation[] = [];
  let round = 0;
  let proxy: CutProxy | null = null;
  try {
    const url = await server.start();
    proxy = await openCutProxy(url);
    await plantSecret(url, staff);
    const random = seededRandom(options.seed);
    while (round < options.rounds && violations.length === 0) {
      const mine = users.splice(0, options.processes * clientsPerProcess);
      const scene = { options, server, proxy, url, random, users: mine, round: round++ };
      const { operations, problems, faults } = await historyRound(scene);
      counts.faults += faults;
      for (const { kind, outcome } of operations) {
        counts[kind === "shown" ? "shown" : outcome] += 1;
      }
      const found = checkHistory(operations);
      violations = [...problems.map((text) => ({ name: "unexpected", text })), ...found];
      options.say(`round ${round}: ${operations.length} operations, ${faults} faults`);
    }
  } finally {
    await proxy?.close();
    await server.stop();
  }
  return { rounds: round, ...counts, violations };
}

interface RoundScene {
  readonly options: HistoryOptions;
  readonly server: HistoryServer;
  readonly proxy: CutProxy;
  readonly url: string;
  readonly random: () => number;
  readonly users: readonly { readonly id: string; readonly token: string }[];
  readonly round: number;
}

async function historyRound(scene: RoundScene): Promise<{
  readonly operations: readonly Operation[];
  readonly problems: readonly string[];
  readonly faults: number;
}> {
  const { options, url, proxy, users, round } = scene;
  const children = Array.from({ length: options.processes }, () =>
    fork(join(import.meta.dirname, "client-process.ts"), { serialization: "advanced" }),
  );
  try {
    await Promise.all(children.map(reportOf));
    const originUs = Number(process.hrtime.bigint() / 1_000n);
    for (const [at, child] of children.entries()) {
      const orders: ClientOrders = {
        kind: "begin",
        name: `p${at}`,
        seed: options.seed * 1_000_003 + round * 1_009 + at * 101,
        url,
        cutUrl: proxy.url,
        users: users.slice(at * clientsPerProcess, (at + 1) * clientsPerProcess),
        allUsers: users.map(({ id }) => id),
        valuesFrom: at * valuesPerProcess + 1,
        originUs,
        keysFrom: round * keysPerRound,
        epochMs,
        restMsMax,
      };
      child.send(orders);
    }
    const faults = await disturb(scene);
    await Promise.all(children.map((child) => answerTo(child, { kind: "stop" })));
    const reports = await Promise.all(children.map((child) => answerTo(child, { kind: "settle" })));
    const histories = reports.filter((report) => report.kind === "history");
    return {
      operations: histories.flatMap(({ operations }) => operations),
      problems: histories.flatMap(({ problems }) => problems),
      faults,
    };
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

/** Lets faults happen while clients ask. The time that starts take is not theirs. @returns how many there were. */
async function disturb({ options, server, proxy, random }: RoundScene): Promise<number> {
  let untilMs = performance.now() + options.seconds * 1_000;
  let faults = 0;
  for (;;) {
    const leftMs = untilMs - performance.now();
    await wait(Math.max(0, Math.min(leftMs, 100 + random() * 900)));
    if (performance.now() >= untilMs) return faults;
    if (!options.hasFaults) continue;
    faults += 1;
    const die = random();
    const fromMs = performance.now();
    if (options.hasReloads && die > 0.7) server.reload();
    else if (die < 0.4) proxy.cut(random() < 0.5 ? 1 : 0.3);
    else if (die < 0.6) await server.pause(50 + random() * 300);
    else await server.restart(die < 0.75 ? "SIGTERM" : "SIGKILL");
    untilMs += performance.now() - fromMs;
  }
}

function answerTo(child: ChildProcess, message: ClientMessage): Promise<ClientReport> {
  child.send(message);
  return reportOf(child);
}

/** What a process says next. */
function reportOf(child: ChildProcess): Promise<ClientReport> {
  return new Promise((resolve, reject) => {
    const gone = (status: number | null): void =>
      reject(new Error(`a process of clients ended with ${status}`));
    child.once("exit", gone);
    void once(child, "message").then(([report]) => {
      child.off("exit", gone);
      resolve(report as ClientReport);
    });
  });
}

async function plantSecret(url: string, token: string): Promise<void> {
  const http = openHttpClient(1);
  const body = { text: "for members" };
  const { status, text } = await http.send(url, {
    method: "POST",
    path: "/api/tables/secret",
    token,
    body,
  });
  http.close();
  if (status !== 201) throw new Error(`the secret was not planted: ${status} ${text}`);
}
