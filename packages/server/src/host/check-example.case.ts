// For tests and the score: an example of a page as an app in a folder, with the data or the shipped app that it
// is about, reviewed.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { limits } from "../base/limits.ts";
import { exampleFiles } from "../engineer/check/example-app.ts";
import { recordExample } from "../model/field-example.ts";
import type { Manifest } from "../model/manifest.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { databaseName } from "./backend.ts";
import { checkAppFolder, type Checked } from "./check-desk.ts";

/** What was found in an example, as `K101 keelson/notes.ts:9`. */
export interface ExampleScore {
  /** Where the marked line is: `keelson/notes.ts:9`; null when none is marked. */
  readonly wanted: string | null;
  readonly found: readonly string[];
}

/** What the page of K505 calls many. */
const rowsMany = 50_000;

/** Reviews an example and tells what was found. @param name of a folder below `folder` that is not there. */
export async function scoreExample(
  folder: string,
  name: string,
  text: string,
): Promise<ExampleScore> {
  const { mark } = exampleFiles(text);
  const { report } = await checkExample(folder, name, text);
  return {
    wanted: mark === null ? null : `${mark.file}:${mark.line}`,
    found: report.findings.map(({ code, at }) => `${code} ${at.file}:${at.line}`),
  };
}

/** Reviews an example. One that has files from before is compared with them, and with a database of them. */
export async function checkExample(folder: string, name: string, text: string): Promise<Checked> {
  const { files, before } = exampleFiles(text);
  const appDir = writeFiles(join(folder, name), files);
  if (before === null) return checkAppFolder({ appDir, dataDir: null, against: null });
  const beforeDir = writeFiles(join(folder, `${name}-before`), before);
  const shipped = await checkAppFolder({ appDir: beforeDir, dataDir: null, against: null });
  // A schema that changes meets data, and clients only where its page is about them.
  const isAboutClients = /K50[34]/.test(name);
  if (isAboutClients) return checkAppFolder({ appDir, dataDir: null, against: shipped.manifest });
  const dataDir = join(folder, `${name}-data`);
  await fill(dataDir, shipped.manifest, name.startsWith("K505") ? rowsMany : 1);
  return checkAppFolder({ appDir, dataDir, against: null });
}

/** A database of an app with one row in every table, or with many in each. */
async function fill(dataDir: string, manifest: Manifest, count: number): Promise<void> {
  mkdirSync(dataDir, { recursive: true });
  const store = openSqliteStore({ path: join(dataDir, databaseName), manifest, limits });
  const meta = { by: null, cause: "test", requestId: "test", atMs: 0, idempotency: null };
  const group = store.openGroup();
  const names = Object.keys(manifest.tables).filter((each) => each !== "user");
  await group.mutate(meta, (tx) => {
    for (const table of ["user", ...names]) {
      const row = recordExample(manifest.tables[table]?.fields ?? {});
      if (row === null) continue;
      void tx.insert(table, row);
      if (table === "user") continue;
      for (let more = 1; more < count; more++) {
        const id = `${String(row["id"]).slice(0, -8)}${more.toString(10).padStart(8, "0")}`;
        void tx.insert(table, { ...row, id });
      }
    }
    return "null";
  });
  await group.commit();
  store.close();
}

/** Writes files into a folder. @param files text by path. @returns the folder. */
export function writeFiles(target: string, files: Readonly<Record<string, string>>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
  return target;
}
