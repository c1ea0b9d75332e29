// Midnight, and everybody wants the same hundred seats: `node examples/cinema/test/rush.mjs --seconds=30`.
// A server in production in a process of its own, 64 clients, thousands of users (a user may hold 30 seats a
// minute). Exactly 100 bookings must come of it, and every other answer must be 409 UNIQUE_TAKEN: the program
// prints the counts and exits with 1 when anything else was answered or stands in the database.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openApp } from "@keelson/server";
import { anonymous, openOperatorDesk, startWork } from "@keelson/server/operator";
import { createClient, KeelsonError } from "keelson/client";

const clients = 64;
const rows = 10;
const seatsPerRow = 10;
const appDir = join(import.meta.dirname, "..");
const seconds = secondsWanted();
/** 30 holds a minute each, so that the limit is not what they meet. */
const userCount = Math.min(10_000, Math.ceil(seconds * 400));

const dataDir = mkdtempSync(join(tmpdir(), "keelson-rush-"));
try {
  const { screening, tokens } = await onData(prepare);
  const server = await startServer();
  const outcome = await rush(server.url, screening, tokens);
  await server.stop();
  const stored = await onData(countStored);
  process.exitCode = tell(outcome, stored) ? 0 : 1;
} finally {
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
}

function secondsWanted() {
  const [option = "--seconds=30", ...others] = process.argv.slice(2);
  const value = Number(/^--seconds=(\d+)$/.exec(option)?.[1]);
  if (others.length === 0 && value >= 1 && value <= 600) return value;
  console.error("usage: node rush.mjs [--seconds=<1 to 600>]");
  return process.exit(1);
}

/** Opens the data folder for a moment, as its operator. */
async function onData(work) {
  const running = await openApp({ appDir, dataDir });
  try {
    const desk = openOperatorDesk(running.current(), { dataDir, limits: running.limits });
    return await work(desk, running);
  } finally {
    await running.close();
  }
}

async function prepare(desk, running) {
  const create = async (table, value) => {
    const order = {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey: null,
    };
    const done = await desk.execute(
      { kind: "create", table, value },
      { ...order, cause: "rush", work: startWork() },
    );
    return JSON.parse(done.json).id;
  };
  const film = await create("film", { title: "The Last Seat" });
  const startsAt = new Date(Date.now() + 86_400_000).toISOString();
  const house = { hall: "Grand Hall", price: 10_00, rows, seatsPerRow };
  const screening = await create("screening", { film, startsAt, ...house });
  const users = [];
  while (users.length < userCount) {
    const guests = Array.from({ length: Math.min(200, userCount - users.length) }, (_, index) =>
      create("user", { name: `Guest ${users.length + index}` }),
    );
    users.push(...(await Promise.all(guests)));
  }
  const ttlMs = 3_600_000;
  const tokens = await Promise.all(
    users.map((user) => running.signToken({ user, role: "customer", ttlMs })),
  );
  return { screening, tokens };
}

/** Runs `keelson start` on the folder. */
async function startServer() {
  const keelson = join(appDir, "..", "..", "packages", "cli", "bin", "keelson.mjs");
  const line = [keelson, "start", appDir, `--data=${dataDir}`, "--port=0", "--log=errors"];
  const child = spawn(process.execPath, line, { stdio: ["ignore", "pipe", "inherit"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (piece) => {
      if (text.length < 10_000) text += piece;
      const [, found] = /"url":"(http:[^"]+)"/.exec(text) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", () => reject(new Error(`the server ended: ${text}`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    const status = await ended;
    if (status !== 0) throw new Error(`the server ended with status ${status}`);
  };
  return { url, stop };
}

/**
 * Every client asks for one random seat after the other, each time as the next user. In the end each seat is asked for
 * once more: on a busy machine chance alone would leave some that nobody wanted.
 */
async function rush(url, screening, tokens) {
  const endsAt = Date.now() + seconds * 1_000;
  const answers = new Map();
  const seats = [];
  let asked = 0;
  let swept = 0;
  const client = async () => {
    let token = "";
    const api = createClient(url, { token: () => token, retry: false });
    for (;;) {
      const isOver = Date.now() >= endsAt;
      const index = isOver ? swept++ : Math.floor(Math.random() * rows * seatsPerRow);
      if (index >= rows * seatsPerRow) return;
      token = tokens[asked++ % tokens.length];
      const row = String.fromCharCode(65 + Math.floor(index / seatsPerRow));
      const seat = `${row}${1 + (index % seatsPerRow)}`;
      let answer = "200";
      try {
        await api.cinema.hold({ screening, seat });
        seats.push(seat);
      } catch (error) {
        answer = error instanceof KeelsonError ? `${error.status} ${error.code}` : String(error);
      }
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { asked, answers, seats };
}

/** What the database says afterwards. */
async function countStored(desk) {
  const sold = await desk.store.read((tx) =>
    tx.list(
      {
        kind: "list",
        from: "booking",
        orderBy: [{ field: "id", descending: false }],
        limit: 1_000,
      },
      null,
    ),
  );
  const reports = await desk.invariants();
  return { bookings: sold.rows.length, holds: reports.every(({ holds }) => holds) };
}

/** @returns whether all is as it must be. */
function tell({ asked, answers, seats }, { bookings, holds }) {
  const all = rows * seatsPerRow;
  console.log(`${clients} clients as ${userCount} users, ${seconds} s, ${asked} requests`);
  for (const [answer, count] of answers) console.log(`  ${answer}: ${count}`);
  console.log(`${bookings} bookings of ${all} seats; each seat once: ${holds ? "yes" : "NO"}`);
  const others = [...answers.keys()].filter((key) => key !== "200" && key !== "409 UNIQUE_TAKEN");
  return (
    holds &&
    bookings === all &&
    others.length === 0 &&
    seats.length === all &&
    new Set(seats).size === all
  );
}
