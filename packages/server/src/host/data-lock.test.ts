import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockDataFolder } from "./data-lock.ts";
import { realDisk } from "./real-disk.ts";

test("a folder is one server's, in this process too, until it lets go", () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-lock-"));
  try {
    const first = lockDataFolder(realDisk, join(folder, "data"));
    assert.throws(() => lockDataFolder(realDisk, join(folder, "data")), { code: "DATA_LOCKED" });
    first.release();
    first.release();
    lockDataFolder(realDisk, join(folder, "data")).release();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a process that is killed leaves no lock", async () => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-lock-"));
  const holder = `
    const { lockDataFolder } = await import(${JSON.stringify(new URL("data-lock.ts", import.meta.url).href)});
    const { realDisk } = await import(${JSON.stringify(new URL("real-disk.ts", import.meta.url).href)});
    globalThis.lock = lockDataFolder(realDisk, ${JSON.stringify(folder)});
    console.log("locked");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", holder]);
  try {
    await once(child.stdout, "data");
    assert.throws(() => lockDataFolder(realDisk, folder), { code: "DATA_LOCKED" });
    child.kill("SIGKILL");
    await once(child, "exit");
    lockDataFolder(realDisk, folder).release();
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  }
});

test("a folder that may only be read is told as such, and nobody's", (context) => {
  if (process.platform === "win32") return context.skip("Windows has other rights");
  const folder = mkdtempSync(join(tmpdir(), "keelson-lock-"));
  lockDataFolder(realDisk, folder).release();
  chmodSync(join(folder, "lock"), 0o444);
  chmodSync(folder, 0o555);
  const isRoot = process.geteuid?.() === 0;
  try {
    // Root may write everywhere.
    if (isRoot) process.seteuid?.("nobody");
    assert.throws(
      () => lockDataFolder(realDisk, folder),
      (error: unknown) => {
        const { code, cause } = error as { code: string; cause: Error };
        assert.equal(code, "STORE_FAILED");
        assert.match(cause.message, /can't be used as a data folder\.$/);
        return true;
      },
    );
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  }
});
