// What a data folder holds, the work that waits in it, and what its disk has left, for /metrics.
import { statfsSync } from "node:fs";
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";
import { counter, gauge, type Gauge } from "../doors/http-metrics.ts";
import type { Store } from "../store/store.ts";
import { databaseName } from "./backend.ts";

/** Reads them: numbers that are kept, nothing is counted row by row. */
export async function dataGauges(
  { disk, store }: { readonly disk: Disk; readonly store: Store },
  dataDir: string,
): Promise<readonly Gauge[]> {
  const bytes = ["", "-wal"].map(
    (end) => disk.stat(join(dataDir, `${databaseName}${end}`))?.bytes ?? 0,
  );
  const held = [
    counter(
      "keelson_commits_total",
      "Commits since the data folder was made.",
      await store.lastSeq(),
    ),
    gauge(
      "keelson_jobs",
      "Jobs that wait, for a time or their turn, or run.",
      await rowsOf(store, "workJob"),
    ),
    gauge(
      "keelson_dead_jobs",
      "Jobs that used up their attempts.",
      await rowsOf(store, "workDead"),
    ),
    gauge("keelson_database_bytes", "The database and its log.", sum(bytes)),
  ];
  // The folder may be gone under a server that still reads.
  if (!disk.exists(dataDir)) return held;
  const { bavail, blocks, bsize } = statfsSync(dataDir);
  return [
    ...held,
    gauge("keelson_disk_free_bytes", "Free on the disk of the data folder.", bavail * bsize),
    gauge("keelson_disk_bytes", "Size of that disk.", blocks * bsize),
  ];
}

async function rowsOf(store: Store, table: string): Promise<number> {
  const values = [{ name: "rows", op: "count" }] as const;
  const query = { kind: "aggregate", from: table, groupBy: [], values, limit: 1 } as const;
  const [answer] = await store.read((tx) => tx.aggregate(query, null));
  return Number(answer?.["rows"] ?? 0);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
