import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { checkEntries, killWork } from "./kill-work.ts";

test("a server killed three times at work, its clock stepped, loses nothing and does nothing twice", async (context) => {
  const seed = Number(process.env["KEELSON_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(`repeat: node test/work/main.ts --seed=${seed} --rounds=3 --clients=6`);
  const folder = mkdtempSync(join(tmpdir(), "keelson-work-kill-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const report = await killWork({
    rounds: 3,
    seed,
    clients: 6,
    threads: null,
    loadMsMax: 400,
    steps: true,
    day: null,
    folder,
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(report.violations, []);
  assert.ok(report.acknowledged >= 6, JSON.stringify(report));
  // The checker finds what it is for.
  const file = join(folder, "data", "data.db");
  const db = new DatabaseSync(file);
  const [row] = db.prepare("SELECT key FROM entry WHERE kind = 'stock' LIMIT 1").all();
  const key = String(row?.["key"]);
  db.exec("UPDATE entry SET kind = 'tally' WHERE kind = 'stock' AND key = '" + key + "'");
  db.close();
  assert.deepEqual(checkEntries(file, [key]).violations.slice(0, 2), [
    `stock of ${key} happened 0 times`,
    `tally of ${key} happened 2 times`,
  ]);
});
