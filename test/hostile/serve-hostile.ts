// The server that is attacked, in a process of its own, with a table of 1,000,000 rows. Prints one JSON line:
// its address and the id of a row. Usage: node serve-hostile.ts <empty folder>
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openApp, startServer } from "@keelson/server";

const bigRows = 1_000_000;
const itemId = "item_01h455vb4pex5vsknk084sn02q";
const [folder = "."] = process.argv.slice(2);
const options = {
  appDir: join(import.meta.dirname, "app"),
  dataDir: join(folder, "data"),
  limits: {
    // Requests of the thread that runs a function wait for as long as it may use the CPU.
    cpuMsMax: 400,
    // And memory runs out well before that.
    isolateBytesMax: 33_554_432,
    anonymousPerMinuteMax: 1_000_000,
  },
};
await plant();
const server = await startServer({ ...options, port: 0 });
console.log(JSON.stringify({ url: server.url, itemId }));
process.once("SIGTERM", () => void server.close());

/** Makes the tables by opening the app once; fills them past the commit log, which a test has no time to fill. */
async function plant(): Promise<void> {
  await (await openApp(options)).close();
  const db = new DatabaseSync(join(options.dataDir, "data.db"));
  db.exec(`
    BEGIN;
    INSERT INTO "big" (id, number, "group")
      WITH RECURSIVE counter (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM counter WHERE n + 1 < ${bigRows})
      SELECT printf('big_01h455vb4pex5vsknk%08d', n), n, n % 1000 FROM counter;
    INSERT INTO "item" (id, name, count) VALUES ('${itemId}', 'honest', 1);
    INSERT INTO "_rows" VALUES ('big', ${bigRows}), ('item', 1) ON CONFLICT DO UPDATE SET count = excluded.count;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);`);
  db.close();
}
