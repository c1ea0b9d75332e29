// For row-cache.prop.test.ts: a thread that writes the number of each commit into every row.
import { workerData } from "node:worker_threads";
import { limits } from "../../base/limits.ts";
import type { TableModel } from "../../model/manifest.ts";
import { openCommitMark } from "../commit-mark.ts";
import { openSqliteStore } from "./sqlite-store.ts";

/** What the thread is given. */
export interface CacheThreadStart {
  readonly path: string;
  readonly memory: SharedArrayBuffer;
  readonly ids: readonly string[];
  readonly tables: Readonly<Record<string, TableModel>>;
  readonly groups: number;
}

const { path, memory, ids, tables, groups } = workerData as CacheThreadStart;
const mark = openCommitMark(memory);
const store = openSqliteStore({ path, manifest: { tables }, limits, mark });
const meta = { by: null, cause: "test", requestId: "r", atMs: 1, idempotency: null };
for (let n = 1; n <= groups; n++) {
  const group = store.openGroup();
  void group.mutate(meta, (tx) => {
    for (const id of ids) void tx.update("note", id, { text: `${n}` });
    return "null";
  });
  group.commit();
}
store.close();
