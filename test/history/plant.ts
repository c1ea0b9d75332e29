// Planted faults: what a broken server would do, so that the checker can be seen to find it. Loaded into the
// server's process before everything else (`node --import plant.ts`); the product knows nothing of it.
import { DatabaseSync } from "node:sqlite";
import type { Row } from "../../packages/server/src/store/store.ts";
import { plants as killPlants } from "../kill/plant.ts";

/**
 * `stale-door`: now and then a thread goes on reading the snapshot that it has. `stale-memory`: now and then a mutation
 * reads a row as it was before its last change. `held-query`: a live query is not moved by some of the commits that touch it.
 * `early-push`: a push does not wait for the answer to the write that it shows. Those of the kills, too.
 */
export const plants = [
  "stale-door",
  "stale-memory",
  "held-query",
  "early-push",
  ...killPlants,
] as const;

const plant = process.env["KEELSON_HISTORY_PLANT"];

if (plant === "stale-door") {
  const snapshotsPerFault = 30;
  // oxlint-disable-next-line typescript/unbound-method -- called on the object it was taken from
  const prepare = DatabaseSync.prototype.prepare;
  let snapshots = 0;
  const writers = new WeakSet<DatabaseSync>();
  DatabaseSync.prototype.prepare = function prepareBroken(sql, ...rest) {
    const statement = prepare.call(this, sql, ...rest);
    const get = statement.get.bind(statement);
    if (sql === "BEGIN IMMEDIATE") writers.add(this);
    if (sql === "COMMIT" && !writers.has(this)) {
      statement.get = () => (++snapshots % snapshotsPerFault === 0 ? undefined : get());
    }
    if (sql === "BEGIN") statement.get = () => (this.isTransaction ? undefined : get());
    return statement;
  };
}

if (plant === "stale-memory") {
  const readsPerFault = 15;
  const { SqliteWriteTx } =
    await import("../../packages/server/src/store/sqlite/sqlite-write-tx.ts");
  const broken = SqliteWriteTx.prototype as unknown as {
    row(table: string, id: string): Row | null;
    update(table: string, id: string, patch: Row): Row;
  };
  const { row, update } = broken;
  const before = new Map<string, Row>();
  let reads = 0;
  broken.update = function updateNoted(table, id, patch) {
    const old = row.call(this, table, id);
    if (old !== null) before.set(id, old);
    return update.call(this, table, id, patch);
  };
  broken.row = function rowBefore(table, id) {
    const old = before.get(id);
    return old !== undefined && ++reads % readsPerFault === 0 ? old : row.call(this, table, id);
  };
}

if (plant === "held-query") {
  const touchesPerFault = 10;
  const { LiveSubscription } = await import("../../packages/server/src/live/live-subscription.ts");
  // oxlint-disable-next-line typescript/unbound-method -- called on the object it was taken from
  const { touched } = LiveSubscription.prototype;
  let touches = 0;
  LiveSubscription.prototype.touched = function touchedSometimes() {
    if (++touches % touchesPerFault !== 0) touched.call(this);
  };
}

if (plant === "early-push") {
  const { LiveSession } = await import("../../packages/server/src/live/live-session.ts");
  LiveSession.prototype.writing = function writingUnnoticed() {
    return (seq) => {
      if (seq !== null) this.wrote(seq);
    };
  };
}
