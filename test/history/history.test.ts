import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { historyRun, type HistoryOptions, type HistoryReport } from "./history-run.ts";

const seconds = 1.5;
const seed = Number(process.env["KEELSON_SEED"] ?? Date.now() % 1_000_000);

async function run(
  context: TestContext,
  options: Pick<HistoryOptions, "rounds" | "hasFaults" | "processes" | "plant">,
): Promise<HistoryReport> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-history-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const faults = options.hasFaults ? "" : " --no-faults";
  context.diagnostic(
    `repeat: node test/history/main.ts --seed=${seed}${faults} --seconds=${seconds}`,
  );
  const say = (line: string): void => context.diagnostic(line);
  return historyRun({
    ...options,
    seed,
    threads: 3,
    seconds,
    hasReloads: false,
    folder,
    say,
  });
}

test("what clients were told while the server was killed, stopped and cut off can have happened one after the other", async (context) => {
  const report = await run(context, { rounds: 1, processes: 2, hasFaults: true, plant: null });
  assert.deepEqual(report.violations, []);
  assert.ok(report.done > 0);
  assert.ok(report.shown > 0);
});

// The end of a round with a violation ends the run: the others are for machines that have little time.
const rounds = 8;

test("the checker finds a mutation that reads a row as it was", async (context) => {
  const plant = "stale-memory";
  const { violations } = await run(context, { rounds, processes: 1, hasFaults: false, plant });
  assert.match(violations[0]?.name ?? "unexpected: nothing", /^(?!unexpected)/);
});

test("the program tells of a live query that a commit does not move, and ends with 2", () => {
  const main = join(import.meta.dirname, "main.ts");
  const options = [
    `--rounds=${rounds}`,
    `--seconds=${seconds}`,
    "--processes=1",
    "--no-faults",
    "--plant=held-query",
  ];
  const ended = spawnSync(process.execPath, [main, ...options], { encoding: "utf8" });
  assert.equal(ended.status, 2, ended.stderr);
  assert.match(ended.stdout, /^VIOLATION (?:live-|rights)/m);
});
