import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isWordsFile, watchApp } from "./app-watch.ts";

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

/** A watched app with a folder in its keelson folder, one beside, and a copy of it elsewhere. */
function openScene(context: TestContext) {
  const appDir = mkdtempSync(join(tmpdir(), "keelson-watch-"));
  const keelson = join(appDir, "keelson");
  mkdirSync(join(keelson, "deep"), { recursive: true });
  mkdirSync(join(appDir, "shared"));
  for (const file of ["keelson/app.ts", "keelson/deep/a.ts", "shared/money.ts"])
    writeFileSync(join(appDir, file), "1");
  cpSync(keelson, join(appDir, "copy"), { recursive: true });
  const told = new Set<string>();
  let wake: () => void = () => {};
  const watch = watchApp(appDir, (files) => {
    for (const file of files) told.add(file);
    wake();
  });
  watch.follow(["keelson/app.ts", "shared/money.ts"]);
  context.after(() => {
    watch.close();
    rmSync(appDir, { recursive: true });
  });
  const hears = async (...parts: string[]): Promise<void> => {
    const file = join(...parts);
    const deadline = AbortSignal.timeout(5_000);
    told.delete(file);
    const late = new Promise<void>((resolve) => {
      deadline.addEventListener("abort", () => resolve(), { once: true });
    });
    writeFileSync(join(appDir, file), String(Math.random()));
    while (!told.has(file)) {
      assert.ok(!deadline.aborted, `${file} was not heard`);
      const heard = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([heard, late]);
    }
  };
  return { appDir, keelson, told, hears };
}

test("a keelson folder that is replaced is told, and watched again with all below", async (context) => {
  const { appDir, keelson, told, hears } = openScene(context);
  for (let count = 0; count < 3; count++) {
    told.clear();
    rmSync(keelson, { recursive: true });
    await pause(100);
    assert.ok(told.has("keelson"), "that it is gone");
    told.clear();
    mkdirSync(keelson);
    cpSync(join(appDir, "copy"), keelson, { recursive: true });
    await pause(100);
    assert.ok(told.has("keelson"), "that it is back");
    await hears("keelson", "app.ts");
    await hears("keelson", "deep", "a.ts");
  }
});

test("a keelson folder that moves away and back is watched", async (context) => {
  const { keelson, told, hears } = openScene(context);
  for (const awayMs of [0, 100]) {
    told.clear();
    renameSync(keelson, `${keelson}.x`);
    await pause(awayMs);
    renameSync(`${keelson}.x`, keelson);
    await pause(100);
    assert.ok(told.has("keelson"));
    await hears("keelson", "app.ts");
    await hears("keelson", "deep", "a.ts");
  }
});

test("folders below and folders of imports are watched again when they are replaced", async (context) => {
  const { appDir, hears } = openScene(context);
  for (const [folder, file] of [
    [join("keelson", "deep"), "a.ts"],
    ["shared", "money.ts"],
  ] as const) {
    for (const waitMs of [0, 100]) {
      rmSync(join(appDir, folder), { recursive: true });
      await pause(waitMs);
      mkdirSync(join(appDir, folder));
      await pause(waitMs);
      await hears(folder, file);
      await hears(folder, file);
    }
  }
});

test("a file that is replaced again and again is heard each time", async (context) => {
  const { appDir, told, hears } = openScene(context);
  const file = join("keelson", "deep", "a.ts");
  for (let count = 0; count < 3; count++) {
    told.clear();
    writeFileSync(join(appDir, `${file}.new`), String(count));
    renameSync(join(appDir, `${file}.new`), join(appDir, file));
    await pause(100);
    assert.ok(told.has(file));
  }
  await hears(file);
});

test("letters and the pages' sheet are told, other texts are not", async (context) => {
  const { appDir, told, hears } = openScene(context);
  mkdirSync(join(appDir, "keelson", "mail"));
  for (const file of ["keelson/notes.txt", "keelson/other.css", "keelson/mail/verify.md"])
    writeFileSync(join(appDir, file), "1");
  const words = [
    join("keelson", "auth.css"),
    join("keelson", "mail", "verify-email.txt"),
    join("keelson", "mail", "verify-email.html"),
  ];
  for (const file of words) {
    await hears(file);
    assert.ok(isWordsFile(file));
  }
  assert.deepEqual([...told].toSorted(), [join("keelson", "mail"), ...words].toSorted());
  assert.ok(!isWordsFile(join("keelson", "app.ts")));
  assert.ok(!isWordsFile(join("keelson", "mail")));
});
