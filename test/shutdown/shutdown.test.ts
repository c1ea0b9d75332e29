// SIGTERM under write load, on the real command: what was accepted is answered, once, and is there; what was
// not answered did not happen; the process ends by itself with status 0.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { openApp } from "@keelson/server";
import { openHttpClient, type HttpClient } from "../server/http-exchange.ts";
import { spawnServer } from "../server/real-server.ts";

const appDir = join(import.meta.dirname, "..", "kill", "app");
const clients = 16;
const rounds = 3;

/** What a client knows of each of its writes. */
interface Known {
  readonly answered: string[];
  readonly refused: string[];
  readonly unanswered: string[];
}

/** Writes until the server does not take more. No keys: nothing is repeated, so twice would be seen. */
async function write(
  http: HttpClient,
  target: {
    readonly url: string;
    readonly token: string;
    readonly round: number;
    readonly client: number;
  },
  known: Known,
): Promise<void> {
  const { url, token, round, client } = target;
  for (let count = 0; ; count++) {
    const key = `${round}-${client}-${count}`;
    const body = { round, key, part: 0 };
    try {
      const { status, text } = await http.send(url, {
        method: "POST",
        path: "/api/tables/entry",
        token,
        body,
      });
      if (status === 201) known.answered.push(key);
      else {
        assert.ok(text.includes('"SHUTTING_DOWN"'), text);
        known.refused.push(key);
        return;
      }
    } catch {
      known.unanswered.push(key);
      return;
    }
  }
}

test(`asked to stop ${rounds} times under load, a server loses no accepted write and does none unanswered`, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-shutdown-"));
  context.after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  const dataDir = join(folder, "data");
  const app = await openApp({ appDir, dataDir });
  const token = await app.signToken({ user: "user_1", role: "client", ttlMs: 600_000 });
  await app.close();
  const known: Known = { answered: [], refused: [], unanswered: [] };
  for (let round = 1; round <= rounds; round++) {
    const server = spawnServer({ appDir, dataDir });
    const url = await server.url;
    const http = openHttpClient(clients);
    const writing = Array.from({ length: clients }, (_, client) =>
      write(http, { url, token, round, client }, known),
    );
    // Under load: on a busy machine the first answers take their time.
    const before = known.answered.length;
    while (known.answered.length < before + 40) await wait(20);
    await wait(200 + 100 * round);
    assert.equal(await server.end("SIGTERM"), 0);
    await Promise.all(writing);
    http.close();
  }
  const db = new DatabaseSync(join(dataDir, "data.db"), { readOnly: true });
  const rows = db.prepare("SELECT key, count(*) AS times FROM entry GROUP BY key").all();
  db.close();
  const times = new Map(rows.map((row) => [String(row["key"]), Number(row["times"])]));
  context.diagnostic(
    `${known.answered.length} answered, ${known.refused.length} refused, ${known.unanswered.length} cut off`,
  );
  assert.ok(known.answered.length > 100);
  assert.deepEqual(
    known.answered.filter((key) => times.get(key) !== 1),
    [],
    "answered and not there once",
  );
  assert.deepEqual(
    known.refused.filter((key) => times.has(key)),
    [],
    "refused and done",
  );
  assert.deepEqual(
    known.unanswered.filter((key) => times.has(key)),
    [],
    "done and not answered",
  );
  assert.equal(times.size, known.answered.length);
});
