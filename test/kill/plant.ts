// Planted faults: what a broken server would do, so that the checker can be seen to find it. Loaded into the
// server's process before everything else (`node --import plant.ts`); the product knows nothing of it.
import { DatabaseSync } from "node:sqlite";

/** `early-answer`: answers before it commits. `forget-keys`: keeps no idempotency keys. `no-undo`: a refused mutation stays. */
export const plants = ["early-answer", "forget-keys", "no-undo"] as const;

const groupsPerCommit = 40;
const plant = process.env["KEELSON_KILL_PLANT"];
// oxlint-disable-next-line typescript/unbound-method -- called on the object it was taken from
const prepare = DatabaseSync.prototype.prepare;
let groups = 0;
/** Connections that write: those that read end what they begin, as ever. */
const writers = new WeakSet<DatabaseSync>();

if (plant !== undefined) {
  DatabaseSync.prototype.prepare = function prepareBroken(sql, ...rest) {
    const statement = prepare.call(this, sql, ...rest);
    const get = statement.get.bind(statement);
    if (sql === "BEGIN IMMEDIATE") writers.add(this);
    if (plant === "early-answer" && sql === "COMMIT" && writers.has(this)) {
      statement.get = () => (++groups % groupsPerCommit === 0 ? get() : undefined);
    }
    if (plant === "early-answer" && sql === "BEGIN IMMEDIATE") {
      statement.get = () => (this.isTransaction ? undefined : get());
    }
    if (plant === "forget-keys" && sql.startsWith('INSERT INTO "_commit"')) {
      statement.get = (...values) => {
        const kept = values.map((value, index) => (index >= 5 && index <= 8 ? null : value));
        return get(...(kept as Parameters<typeof get>));
      };
    }
    return statement;
  };
}

if (plant === "no-undo") {
  const { SqliteWriteTx } =
    await import("../../packages/server/src/store/sqlite/sqlite-write-tx.ts");
  SqliteWriteTx.prototype.undo = function keepRefused() {
    this.end();
  };
}
