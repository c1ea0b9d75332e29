// The files of an app's frontend: what is bundled for, or sent to, a browser. By the folders that frontends are
// kept in; tests and what was built are left out.
import { join } from "node:path";
import type { Disk } from "../base/disk.ts";

const folders = ["src", "web", "app", "client", "frontend", "pages", "components"] as const;
const code = /\.[cm]?[jt]sx?$/;
const leftOut = /\.(?:test|spec|d)\.[cm]?[jt]sx?$/;
const filesMax = 2_000;
const bytesMax = 1_000_000;

/** @param appDir absolute. @returns text by path relative to it; at most 2,000 files of at most 1 MB each. */
export function readBrowserFiles(disk: Disk, appDir: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const folder of folders) collect(disk, appDir, folder, found);
  return found;
}

function collect(disk: Disk, appDir: string, folder: string, found: Map<string, string>): void {
  for (const { name, kind, bytes } of disk.list(join(appDir, folder))) {
    const path = `${folder}/${name}`;
    if (kind === "folder") {
      if (!name.startsWith(".") && name !== "node_modules" && name !== "dist") {
        collect(disk, appDir, path, found);
      }
      continue;
    }
    if (!code.test(name) || leftOut.test(name) || bytes > bytesMax || found.size >= filesMax)
      continue;
    const text = disk.read(join(appDir, path));
    if (text !== null) found.set(path, new TextDecoder().decode(text));
  }
}
