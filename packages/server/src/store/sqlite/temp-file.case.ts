// Database files of tests: each in a folder of its own, removed when the process ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];

process.on("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A path in an empty folder where no file is yet. */
export function tempFile(name = "data.db"): string {
  const folder = mkdtempSync(join(tmpdir(), "keelson-store-"));
  folders.push(folder);
  return join(folder, name);
}
