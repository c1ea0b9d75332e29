// A whole server through both days on which the clocks change, with its own clock stepped forwards and backwards and
// a restart in between: every tick once, none left out.
import assert from "node:assert/strict";
import { readFileSync, renameSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test, type TestContext } from "node:test";
import { spawnServer, type RealServer } from "../server/real-server.ts";
import { openOutside } from "./outside.ts";
import { untilSo } from "./work-scene.ts";

const crons = `
export const hour = mutation({
  args: { at: t.time() },
  run: ({ db, now }, { at }) => db.asSystem("a tick").entry.create({ kind: "hour", key: at, number: 0, at: now }).then(() => null),
});
export const hours = cron("0 * * * *", { zone: "Europe/Vienna", missed: "all" }, hour);
`;

interface Day {
  readonly name: string;
  /** When the server is started, and what its clock is set to, step by step. The last one is past the day's ticks. */
  readonly times: readonly string[];
  readonly nights: readonly string[];
  readonly hours: readonly string[];
}

const days: readonly Day[] = [
  {
    // 01:59 is followed by 03:00: 02:30 does not come.
    name: "in spring",
    times: [
      "2026-03-29T00:50:30Z",
      "2026-03-29T00:59:58Z",
      "2026-03-29T01:10:00Z",
      "2026-03-29T00:45:00Z",
      "2026-03-29T01:20:00Z",
    ],
    nights: ["2026-03-29T01:00:00.000Z"],
    hours: ["2026-03-29T01:00:00.000Z"],
  },
  {
    // 02:59 is followed by 02:00: 02:30 comes twice.
    name: "in autumn",
    times: [
      "2026-10-24T23:58:30Z",
      "2026-10-25T00:29:58Z",
      "2026-10-25T00:50:00Z",
      "2026-10-24T23:55:00Z",
      "2026-10-25T01:35:00Z",
    ],
    nights: ["2026-10-25T00:30:00.000Z"],
    hours: ["2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z"],
  },
];

function keysOf(file: string, kind: string): readonly string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare("SELECT key FROM entry WHERE kind = ? ORDER BY key").all(kind);
    return rows.map(({ key }) => String(key));
  } finally {
    db.close();
  }
}

function setClock(file: string, time: string): void {
  writeFileSync(`${file}.new`, String(Date.parse(time) - Date.now()));
  renameSync(`${file}.new`, file);
}

async function live(context: TestContext, day: Day): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-dst-"));
  const outside = await openOutside(folder);
  const shop = join(outside.appDir, "keelson", "shop.ts");
  writeFileSync(shop, readFileSync(shop, "utf8") + crons);
  const dataDir = join(folder, "data");
  const clock = join(folder, "clock");
  const spawn = (): RealServer => {
    // Copied as the process is made: the other day has a clock of its own.
    process.env["KEELSON_TEST_CLOCK"] = clock;
    const nodeFlags = [`--import=${new URL("shift-clock.ts", import.meta.url).href}`];
    const server = spawnServer({
      appDir: outside.appDir,
      dataDir,
      flags: ["--threads=1"],
      nodeFlags,
    });
    delete process.env["KEELSON_TEST_CLOCK"];
    return server;
  };
  const [begin = "", ...steps] = day.times;
  setClock(clock, begin);
  let server = spawn();
  context.after(async () => {
    await server.end("SIGKILL");
    await outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  await server.url;
  const file = join(dataDir, "data.db");
  let latestMs = Date.parse(begin);
  for (const [index, time] of steps.entries()) {
    setClock(clock, time);
    if (index === 2) {
      await server.end("SIGKILL");
      server = spawn();
      await server.url;
    }
    latestMs = Math.max(latestMs, Date.parse(time));
    // Every minute's tick up to then.
    await untilSo(
      () => Promise.resolve(keysOf(file, "tick")),
      (ticks) => Date.parse(ticks.at(-1) ?? begin) > latestMs - 60_000,
    );
  }
  const ticks = keysOf(file, "tick").map((at) => Date.parse(at));
  const gaps = ticks.slice(1).map((at, index) => at - (ticks[index] ?? 0));
  assert.deepEqual(new Set(gaps), new Set([60_000]), "every minute once");
  assert.deepEqual(keysOf(file, "night"), day.nights);
  assert.deepEqual(keysOf(file, "hour"), day.hours);
}

describe("a server that runs across the day on which clocks change", { concurrency: true }, () => {
  for (const day of days) {
    test(`${day.name}: each tick happens once`, (context) => live(context, day));
  }
});
