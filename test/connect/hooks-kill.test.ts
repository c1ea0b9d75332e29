// SIGKILL between the answer to a webhook and its handling, on the real command: what was answered is handled, once;
// what was not can be sent again, and is handled once as well.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { spawnServer } from "../server/real-server.ts";
import { byStripe, post, secrets, seenOf, until } from "./hook-scene.ts";

const appDir = join(import.meta.dirname, "app");
const rounds = 2;
const perRound = 40;

/** Sends events until one of them is not answered. @returns those that were. */
async function sendUntilKilled(
  url: string,
  ids: readonly string[],
  answered: (id: string) => void,
): Promise<void> {
  await Promise.all(
    ids.map(async (id) => {
      try {
        // Work enough that events wait while others are handled.
        const { status } = await post(url, "stripe", byStripe({ id, work: 3 }));
        if (status === 200) answered(id);
      } catch {
        // The process is gone.
      }
    }),
  );
}

function waiting(dataDir: string): number {
  const db = new DatabaseSync(join(dataDir, "data.db"), { readOnly: true });
  const row = db.prepare(`SELECT count(*) AS jobs FROM "workJob"`).get();
  db.close();
  return Number(row?.["jobs"]);
}

test(`killed ${rounds} times between answer and handling, no event is lost, and none is handled twice`, async (context) => {
  Object.assign(process.env, secrets);
  const folder = mkdtempSync(join(tmpdir(), "keelson-hooks-kill-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const dataDir = join(folder, "data");
  const sent: string[] = [];
  const known = new Set<string>();
  let leftOver = 0;
  for (let round = 1; round <= rounds; round++) {
    const server = spawnServer({ appDir, dataDir });
    const url = await server.url;
    const ids = Array.from({ length: perRound }, (_, index) => `evt_${round}_${index}`);
    sent.push(...ids);
    const half = Promise.withResolvers<void>();
    const sending = sendUntilKilled(url, ids, (id) => {
      known.add(id);
      if (known.size >= (round - 0.5) * perRound - perRound / 4) half.resolve();
    });
    await Promise.race([half.promise, sending]);
    await server.end("SIGKILL");
    await sending;
    leftOver += waiting(dataDir);
  }
  assert.ok(known.size > 0);
  const server = spawnServer({ appDir, dataDir });
  const url = await server.url;
  // What was not answered, its sender sends again.
  for (const id of sent) {
    const { status } = await post(url, "stripe", byStripe({ id, work: 0 }));
    assert.equal(status, 200);
  }
  const rows = await until(
    () => seenOf(url, "stripe"),
    (all) => all.length >= sent.length,
  );
  await server.end("SIGTERM");
  assert.deepEqual(rows.map(({ event }) => event).toSorted(), sent.toSorted());
  context.diagnostic(`${known.size} answered before a kill, ${leftOver} of them not yet handled`);
  assert.ok(leftOver > 0, "no kill came between answer and handling");
});
