// The store beside bare node:sqlite with the same durability, in one process and one run: `node
// sqlite-store.bench.ts`. Both take the same steps in the same order; the store also keeps the commit log.
// Figures of one machine at one moment: what counts is the ratio.
import { DatabaseSync } from "node:sqlite";
import { limits } from "../../base/limits.ts";
import type { OrderTerm } from "../../model/query-form.ts";
import {
  anyOf,
  claim,
  compare,
  guardOf,
  idOf,
  listOf,
  literal,
  metaOf,
  rowPath,
  tableModel,
  whereOf,
} from "../store.fixture.ts";
import type { Row, WriteTx } from "../store.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const accounts = 100_000;
const ids = Array.from({ length: accounts }, (_, index) => idOf("account", index));
const model = tableModel(
  "account",
  {
    owner: { kind: "text", min: 0, max: 40 },
    balance: { kind: "int", min: 0, max: 1_000_000_000 },
    note: { kind: "text", min: 0, max: 100, optional: true },
  },
  { indexes: [{ fields: ["owner", "balance"] }] },
);
const columns = "id, owner, balance, note";
const byBalance: readonly OrderTerm[] = [
  { field: "balance", descending: false },
  { field: "id", descending: false },
];

let seed = 1;
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
  return seed % below;
}
const anyId = () => ids[random(accounts)] ?? "";

const rates = new Map<string, number>();

function measure(subject: string, workload: string, count: number, run: () => void): void {
  seed = 1;
  const started = performance.now();
  run();
  const perSecond = (count / (performance.now() - started)) * 1_000;
  const bare = rates.get(workload);
  if (subject === "bare") rates.set(workload, perSecond);
  const ratio = bare === undefined ? "" : `  ${(bare / perSecond).toFixed(2)}x the time of bare`;
  console.log(
    `${subject.padEnd(6)} ${workload.padEnd(28)} ${perSecond.toFixed(0).padStart(8)}/s${ratio}`,
  );
}

function runBare(): void {
  const db = new DatabaseSync(tempFile());
  db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
    PRAGMA mmap_size = 1073741824; PRAGMA wal_autocheckpoint = 8000;
    CREATE TABLE account (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL,
      balance INTEGER NOT NULL, note TEXT) STRICT;
    CREATE INDEX by_owner ON account (owner, balance, id)`);
  const insert = db.prepare(`INSERT INTO account (${columns}) VALUES (?, ?, ?, ?)`);
  const get = db.prepare(`SELECT ${columns} FROM account WHERE id = ?`);
  const list = db.prepare(
    `SELECT ${columns} FROM account WHERE owner = ? ORDER BY balance, id LIMIT 20`,
  );
  const update = db.prepare("UPDATE account SET balance = ? WHERE id = ?");
  const inGroups = (count: number, size: number, one: (index: number) => void) => {
    for (let from = 0; from < count; from += size) {
      db.exec("BEGIN IMMEDIATE");
      for (let index = from; index < Math.min(count, from + size); index++) one(index);
      db.exec("COMMIT");
    }
  };
  measure("bare", "insert, groups of 64", accounts, () =>
    inGroups(accounts, 64, (index) =>
      insert.run(ids[index] ?? "", `o${index % 1_000}`, 1_000, null),
    ),
  );
  measure("bare", "read by id", 200_000, () => {
    for (let index = 0; index < 200_000; index++) get.get(anyId());
  });
  measure("bare", "list of 20 by index", 20_000, () => {
    for (let index = 0; index < 20_000; index++) list.all(`o${random(1_000)}`);
  });
  for (const size of [64, 500]) {
    measure("bare", `transfer, groups of ${size}`, 40_000, () =>
      inGroups(40_000, size, () => {
        const [from, to] = [anyId(), anyId()];
        const [a, b] = [Number(get.get(from)?.["balance"]), Number(get.get(to)?.["balance"])];
        if (a < 1) return;
        update.run(a - 1, from);
        update.run(b + 1, to);
      }),
    );
  }
  db.close();
}

function runStore(): void {
  const store = openSqliteStore({
    path: tempFile(),
    manifest: { tables: { account: model } },
    limits,
  });
  const inGroups = (count: number, size: number, one: (tx: WriteTx, index: number) => void) => {
    for (let from = 0; from < count; from += size)
      writeGroup(store, from, Math.min(count, from + size), one);
  };
  measure("store", "insert, groups of 64", accounts, () =>
    inGroups(accounts, 64, (tx, index) => {
      const row = { id: ids[index] ?? "", owner: `o${index % 1_000}`, balance: 1_000, note: null };
      void tx.insert("account", row);
    }),
  );
  const read = (guard: ReturnType<typeof guardOf> | null) => () => {
    for (let index = 0; index < 200_000; index++) {
      void store.read((tx) => tx.get("account", anyId(), guard));
    }
  };
  measure("store", "read by id", 200_000, read(null));
  rates.set("read by id, with a rule", rates.get("read by id") ?? 0);
  const own = compare("==", rowPath(["owner"]), claim("id"));
  const rule = anyOf(own, compare("==", claim("role"), literal("staff")));
  measure(
    "store",
    "read by id, with a rule",
    200_000,
    read(guardOf({ id: "o5", role: "staff" }, { account: rule })),
  );
  measure("store", "list of 20 by index", 20_000, () => {
    for (let index = 0; index < 20_000; index++) {
      const where = whereOf("owner", { eq: `o${random(1_000)}` });
      void store.read((tx) =>
        tx.list(listOf("account", { where, orderBy: byBalance, limit: 20 }), null),
      );
    }
  });
  for (const size of [64, 500]) {
    measure("store", `transfer, groups of ${size}`, 40_000, () =>
      inGroups(40_000, size, (tx) => {
        const [from, to] = [anyId(), anyId()];
        const [a, b] = [balanceOf(tx, from), balanceOf(tx, to)];
        if (a < 1) return;
        void tx.update("account", from, { balance: a - 1 });
        void tx.update("account", to, { balance: b + 1 });
      }),
    );
  }
  store.close();
}

function balanceOf(tx: WriteTx, id: string): number {
  return Number((tx.get("account", id, null) as Row)["balance"]);
}

function writeGroup(
  store: SqliteStore,
  from: number,
  to: number,
  one: (tx: WriteTx, index: number) => void,
): void {
  const group = store.openGroup();
  for (let index = from; index < to; index++) {
    const meta = metaOf({ by: "user_x", cause: "bench.run", requestId: `req_${index}` });
    void group.mutate(meta, (tx) => {
      one(tx, index);
      return "null";
    });
  }
  void group.commit();
}

for (let round = 0; round < 2; round++) {
  rates.clear();
  runBare();
  runStore();
}
