// What group commit can gain at most on this disk: transfers between 100,000 accounts by SQLite alone, in one thread without
// a server, so many in a transaction. A hand-written server is a group of one; 64 clients can fill one of 32 while another is
// on its way to the disk, and never more than 64.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { median, type Result } from "../bench-report.ts";
import type { BenchFlags } from "../bench-flags.ts";

const accounts = 100_000;
const groups = [1, 32, 64, 500] as const;
const usPerSecond = 1_000_000;

/** @returns a result for each size of a group; they take turns. */
export function measureGroups({ seconds, runs }: BenchFlags): readonly Result[] {
  const folder = mkdtempSync(join(tmpdir(), "keelson-bench-"));
  const db = openAccounts(join(folder, "accounts.sqlite"));
  try {
    const transfer = transferOf(db);
    const found = groups.map(() => ({ rates: [] as number[], cpuUs: [] as number[] }));
    for (let run = 0; run < runs; run++) {
      for (const [index, size] of groups.entries()) {
        const { rate, cpuUs } = measureSize(db, transfer, { size, runMs: seconds * 1_000 });
        found[index]?.rates.push(rate);
        found[index]?.cpuUs.push(cpuUs);
      }
    }
    return groups.map((size, index) => {
      const { rates = [], cpuUs = [] } = found[index] ?? {};
      return {
        workload: "ceiling: transfers by SQLite alone",
        subject: size === 1 ? "one a commit" : `groups of ${size}`,
        opsPerSecond: median(rates),
        p50Ms: null,
        p99Ms: null,
        amount: null,
        cpuUs: median(cpuUs),
        generatorBusy: null,
        durability: "WAL, synchronous=FULL",
        clients: 0,
        version: `node:sqlite of ${process.version}`,
        runs,
      };
    });
  } finally {
    db.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function openAccounts(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec(`
    PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -32768;
    CREATE TABLE account (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0)) STRICT;
    BEGIN;`);
  const insert = db.prepare("INSERT INTO account VALUES (?, 1000000)");
  for (let id = 1; id <= accounts; id++) insert.run(id);
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL;");
  return db;
}

function transferOf(db: DatabaseSync): () => void {
  const read = db.prepare("SELECT balance FROM account WHERE id = ?");
  const write = db.prepare("UPDATE account SET balance = ? WHERE id = ?");
  const draw = (): number => 1 + Math.floor(Math.random() * accounts);
  const balanceOf = (id: number): number => (read.get(id) as { readonly balance: number }).balance;
  return () => {
    const from = draw();
    let to = draw();
    if (to === from) to = (from % accounts) + 1;
    const [source, target] = [balanceOf(from), balanceOf(to)];
    if (source < 1) return;
    write.run(source - 1, from);
    write.run(target + 1, to);
  };
}

function measureSize(
  db: DatabaseSync,
  transfer: () => void,
  { size, runMs }: { readonly size: number; readonly runMs: number },
): { readonly rate: number; readonly cpuUs: number } {
  const fromMs = performance.now();
  const before = process.cpuUsage();
  let count = 0;
  while (performance.now() - fromMs < runMs) {
    db.exec("BEGIN IMMEDIATE");
    for (let index = 0; index < size; index++) transfer();
    db.exec("COMMIT");
    count += size;
  }
  const { user, system } = process.cpuUsage(before);
  const tookUs = (performance.now() - fromMs) * 1_000;
  return { rate: (count * usPerSecond) / tookUs, cpuUs: (user + system) / count };
}
