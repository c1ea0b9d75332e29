import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { watchApp } from "./app-watch.ts";

test("changes below the keelson folder and in imported folders are told, others are not", async () => {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-watch-"));
  mkdirSync(join(appDir, "keelson", "deep"), { recursive: true });
  mkdirSync(join(appDir, "shared"));
  mkdirSync(join(appDir, "other"));
  const told: string[] = [];
  let wake: () => void = () => {};
  const watch = watchApp(appDir, (files) => {
    told.push(...files);
    wake();
  });
  try {
    watch.follow(["keelson/app.ts", "shared/money.ts"]);
    const steps = [
      join("keelson", "deep", "a.ts"),
      join("keelson", "app.ts"),
      join("shared", "money.ts"),
    ];
    for (const file of steps) {
      const heard = new Promise<void>((resolve) => {
        wake = resolve;
      });
      writeFileSync(join(appDir, "other", "x.ts"), "1");
      writeFileSync(join(appDir, "keelson", "notes.md"), "1");
      writeFileSync(join(appDir, file), "1");
      await heard;
    }
    assert.deepEqual([...new Set(told)].toSorted(), steps.toSorted());
  } finally {
    watch.close();
    rmSync(appDir, { recursive: true });
  }
});
