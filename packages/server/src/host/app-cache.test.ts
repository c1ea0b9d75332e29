import assert from "node:assert/strict";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { buildOrFind, type AppCacheParts, type BuiltApp } from "./app-cache.ts";
import { realClock } from "./real-clock.ts";
import { realDisk } from "./real-disk.ts";

const built: BuiltApp = {
  manifest: { version: 1, tables: {}, functions: {}, invariants: [], cors: [], hash: "h" },
  bundle: { code: "1", map: "{}", hash: "b", files: ["a.ts", "b.ts"] },
};

/** Runs with an app of two files and a count of how often it was built. */
async function withApp(
  run: (app: {
    readonly write: (file: string, text: string) => void;
    readonly find: (more?: Partial<AppCacheParts>) => Promise<BuiltApp>;
    readonly builds: () => number;
    readonly cacheFile: string;
  }) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "keelson-cache-"));
  const cacheFile = join(folder, "app.json");
  let builds = 0;
  const long = new Date(realClock.nowMs() - 60_000);
  const write = (file: string, text: string) => {
    writeFileSync(join(folder, file), text);
    utimesSync(join(folder, file), long, long);
  };
  write("a.ts", "a");
  write("b.ts", "b");
  try {
    await run({
      write,
      cacheFile,
      builds: () => builds,
      find: (more = {}) =>
        buildOrFind({
          disk: realDisk,
          clock: realClock,
          appDir: folder,
          file: cacheFile,
          builder: "one",
          build: () => {
            builds += 1;
            return Promise.resolve(built);
          },
          ...more,
        }),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("an app whose files have the same content is not built again", () =>
  withApp(async ({ find, write, builds }) => {
    assert.deepEqual(await find(), built);
    write("a.ts", "a");
    const found = await find();
    assert.deepEqual(found, built);
    assert.ok(Object.isFrozen(found.manifest.tables));
    assert.equal(builds(), 1);
  }));

test("another content, another builder or a damaged cache builds it again", () =>
  withApp(async ({ find, write, builds, cacheFile }) => {
    await find();
    write("b.ts", "another");
    await find();
    assert.equal(builds(), 2);
    await find({ builder: "two" });
    assert.equal(builds(), 3);
    writeFileSync(cacheFile, "{");
    await find({ builder: "two" });
    assert.equal(builds(), 4);
    await find({ builder: "two" });
    assert.equal(builds(), 4);
  }));

test("a file that changed while the app was built is not taken for what was built", () =>
  withApp(async ({ find, builds }) => {
    const later = { ...realClock, nowMs: () => 0 };
    await find({ clock: later });
    await find({ clock: later });
    assert.equal(builds(), 2);
  }));

test("a build that fails is not kept and its error is told", () =>
  withApp(async ({ find, builds }) => {
    await assert.rejects(
      find({ build: () => Promise.reject(new Error("a mistake")) }),
      /a mistake/,
    );
    await find();
    assert.equal(builds(), 1);
  }));
