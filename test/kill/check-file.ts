// What the files hold, read with SQL from a copy: no code of the server takes part. Reading a copy leaves it
// to the server to recover its own files.
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { isDone, isRefused, type Mutation, type Planted } from "./mutation.ts";

/** Each line is a violation: what must hold, and what is there instead. */
export type Violations = string[];

/**
 * Checks the data folder of a server that was killed.
 * @param planted rows that nothing deletes. @param written the writes to look for. @param rounds whose rows are read.
 * @returns what is wrong; empty: nothing.
 */
export function checkFile(
  dataDir: string,
  planted: Planted,
  written: readonly Mutation[],
  rounds: readonly number[],
): Violations {
  const copy = join(dataDir, "check.db");
  for (const end of ["", "-wal"]) {
    const from = join(dataDir, `data.db${end}`);
    rmSync(`${copy}${end}`, { force: true });
    if (existsSync(from)) copyFileSync(from, `${copy}${end}`);
  }
  rmSync(`${copy}-shm`, { force: true });
  const db = new DatabaseSync(copy);
  try {
    return [...checkPages(db), ...checkPlanted(db, planted), ...checkKeys(db, written, rounds)];
  } finally {
    db.close();
    for (const end of ["", "-wal", "-shm"]) rmSync(`${copy}${end}`, { force: true });
  }
}

function checkPages(db: DatabaseSync): Violations {
  const lines = db
    .prepare("PRAGMA integrity_check")
    .all()
    .map((row) => String(row["integrity_check"]));
  const wrong = lines.filter((line) => line !== "ok").map((line) => `the file is damaged: ${line}`);
  const orphans = db.prepare("PRAGMA foreign_key_check").all();
  if (orphans.length > 0) wrong.push(`${orphans.length} references point to nothing`);
  const made = db.prepare("SELECT sum(balance) AS sum, count(*) AS count FROM account").get();
  if (made?.["count"] !== 0 && made?.["sum"] !== Number(made?.["count"]) * 1_000) {
    wrong.push(`${String(made?.["count"])} accounts of 1000 hold ${String(made?.["sum"])}`);
  }
  return wrong;
}

function checkPlanted(db: DatabaseSync, { accounts, notes, tallies }: Planted): Violations {
  const tables = { account: accounts, note: notes, tally: tallies };
  return Object.entries(tables).flatMap(([table, ids]) => {
    const there = new Set(
      db
        .prepare(`SELECT id FROM ${table}`)
        .all()
        .map(({ id }) => id),
    );
    const lost = ids.filter((id) => !there.has(id));
    return lost.map((id) => `${table} ${id} was acknowledged and is lost`);
  });
}

function checkKeys(
  db: DatabaseSync,
  written: readonly Mutation[],
  rounds: readonly number[],
): Violations {
  const counts = new Map<string, number>();
  const count = (key: string, times: number): void => void counts.set(key, times);
  const entries = db.prepare(
    "SELECT key, part, count(*) AS times FROM entry WHERE round = ? GROUP BY key, part",
  );
  const transfers = db.prepare(
    "SELECT key, count(*) AS times FROM transfer WHERE round = ? GROUP BY key",
  );
  for (const round of rounds) {
    for (const row of entries.all(round))
      count(`${String(row["key"])}/${String(row["part"])}`, Number(row["times"]));
    for (const row of transfers.all(round)) count(`${String(row["key"])}/t`, Number(row["times"]));
  }
  return checkCounts(counts, written);
}

/** @param counts rows by key and part. */
export function checkCounts(
  counts: ReadonlyMap<string, number>,
  written: readonly Mutation[],
): Violations {
  const wrong: Violations = [];
  const expected = new Set<string>();
  for (const write of written) {
    const parts = partsOf(write);
    if (parts.length === 0) continue;
    for (const part of parts) expected.add(part);
    const times = parts.map((part) => counts.get(part) ?? 0);
    if (times.some((time) => time > 1))
      wrong.push(`${write.kind} ${write.key} is there twice: ${times.join()}`);
    if (new Set(times).size > 1)
      wrong.push(`${write.kind} ${write.key} is there in parts: ${times.join()}`);
    if (isDone(write) && times.includes(0))
      wrong.push(`${write.kind} ${write.key} was acknowledged and is lost`);
    if (isRefused(write) && times.some((time) => time > 0)) {
      wrong.push(`${write.kind} ${write.key} was refused and is there`);
    }
  }
  for (const key of counts.keys()) if (!expected.has(key)) wrong.push(`${key} was never sent`);
  return wrong;
}

/** The rows that a write makes. */
function partsOf({ kind, key }: Mutation): readonly string[] {
  switch (kind) {
    case "create":
      return [`${key}/0`];
    case "batch":
      return [`${key}/1`, `${key}/2`];
    case "transfer":
      return [`${key}/t`];
    case "update":
      return [];
  }
  return kind satisfies never;
}
