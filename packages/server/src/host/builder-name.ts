// A name for what builds apps in this process: Keelson itself, Node, V8, the machine, the flags. What one
// build left in a cache is used by the same one only.
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Disk } from "../base/disk.ts";

/** @returns 64 hex digits. In a checkout they change with every change of the code that builds. */
export function builderName(disk: Disk): string {
  const own = fileURLToPath(import.meta.url);
  const hash = createHash("sha256");
  const { version, arch, platform, versions, execArgv, env } = process;
  const machine = [version, versions.v8, arch, platform, ...execArgv, env["NODE_OPTIONS"] ?? ""];
  hash.update(JSON.stringify(machine));
  hash.update(disk.read(join(dirname(own), "..", "..", "package.json")) ?? "");
  hash.update(String(disk.stat(fileURLToPath(import.meta.resolve("isolated-vm")))?.modifiedMs));
  if (own.endsWith(".ts")) {
    const server = join(dirname(own), "..");
    const sdk = dirname(fileURLToPath(import.meta.resolve("@keelson/sdk")));
    for (const folder of [join(server, "model"), join(server, "isolate"), sdk]) {
      addFolder(disk, folder, (text) => hash.update(text));
    }
  }
  return hash.digest("hex");
}

function addFolder(disk: Disk, folder: string, add: (text: string) => void): void {
  for (const { name, kind, bytes, modifiedMs } of disk.list(folder)) {
    if (kind === "folder") addFolder(disk, join(folder, name), add);
    else add(`${name} ${bytes} ${modifiedMs}\n`);
  }
}
