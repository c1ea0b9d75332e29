import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import type { Disk } from "../base/disk.ts";
import { limits } from "../base/limits.ts";
import { AppInvalid } from "../model/app-mistake.ts";
import { loadApp, openAppLoader, type LoadPorts } from "./app-load.ts";
import { HandClock, noEgress, queries, watchdog, writeApp } from "./isolate-harness.case.ts";

const disk = {
  read: (file: string) => (existsSync(file) ? readFileSync(file) : null),
  exists: existsSync,
} as unknown as Disk;

const ports: LoadPorts = {
  clock: new HandClock(),
  limits,
  egress: noEgress,
  watchdog,
  development: true,
  disk,
};

const app = `import { app } from "./schema.ts";
import rules from "./rules.ts";
import * as test from "./test.ts";
export default app({ rules, functions: { test } });`;
const rules = `import { rules } from "./schema.ts";
import { isStaff } from "./staff.ts";
export default rules({ film: { read: () => true, write: ({ me }) => isStaff(me) } });`;
const staff = `export const isStaff = (me: { readonly role: string | null }) => me.role === "staff";`;
const files = {
  "keelson/app.ts": app,
  "keelson/rules.ts": rules,
  "keelson/staff.ts": staff,
  "keelson/test.ts": queries({ one: "return 1;" }),
};

test("an app becomes a manifest, a bundle and an isolate that runs it", async () => {
  const folder = writeApp(files);
  try {
    const loaded = await loadApp(folder, ports);
    assert.deepEqual(Object.keys(loaded.manifest.tables).toSorted(), ["film", "user"]);
    assert.equal(loaded.manifest.tables["film"]?.rules.read === undefined, false);
    assert.equal(loaded.manifest.functions["test.one"]?.kind, "query");
    assert.equal(loaded.manifest.functions["test.one"]?.at?.file, "keelson/test.ts");
    assert.equal(loaded.sources.get("keelson/staff.ts"), staff);
    assert.match(loaded.manifest.hash, /^[0-9a-f]{64}$/);
    loaded.first.dispose();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder without keelson/app.ts is told", async () => {
  const folder = writeApp({});
  rmSync(path.join(folder, "keelson/app.ts"));
  await assert.rejects(loadApp(folder, ports), (error: AppInvalid) =>
    /There is no keelson\/app\.ts/.test(error.mistakes[0]?.problem ?? ""),
  );
  rmSync(folder, { recursive: true });
});

test("a keelson/app.ts that went away since the last load is told as missing, and taken up when it is back", async () => {
  const folder = writeApp(files);
  const loader = await openAppLoader(folder, ports);
  try {
    (await loader.load()).first.dispose();
    rmSync(path.join(folder, "keelson/app.ts"));
    await assert.rejects(loader.load(), (error: AppInvalid) => {
      const [mistake, ...others] = error.mistakes;
      assert.match(mistake?.problem ?? "", /entry file is missing/);
      assert.match(mistake?.fix ?? "", /^Put it back/);
      return others.length === 0;
    });
    writeFileSync(path.join(folder, "keelson/app.ts"), app);
    (await loader.load()).first.dispose();
  } finally {
    await loader.dispose();
    rmSync(folder, { recursive: true });
  }
});

test("a mistake in what the app says of identity is told at its line", async () => {
  const withAuth = app.replace("rules, functions", "rules,\n  auth: { signUpp: 5 },\n  functions");
  const folder = writeApp({ ...files, "keelson/app.ts": withAuth });
  await assert.rejects(loadApp(folder, ports), (error: AppInvalid) => {
    const [mistake] = error.mistakes;
    assert.deepEqual([mistake?.file, mistake?.line, mistake?.column], ["keelson/app.ts", 5, 3]);
    assert.match(mistake?.problem ?? "", /"signUpp"/);
    assert.match(mistake?.frame ?? "", /> 5 \|   auth: \{ signUpp/);
    assert.match(mistake?.fix ?? "", /docs\/auth\.md/);
    return true;
  });
  rmSync(folder, { recursive: true });
});

test("a loader goes on after a mistake in the rules", async () => {
  const folder = writeApp(files);
  const loader = await openAppLoader(folder, ports);
  try {
    const one = await loader.load();
    writeFileSync(
      path.join(folder, "keelson/rules.ts"),
      rules.replace("isStaff(me)", "Math.random() > 0.5"),
    );
    await assert.rejects(loader.load(), (error: AppInvalid) => {
      assert.equal(error.mistakes[0]?.file, "keelson/rules.ts");
      assert.equal(error.mistakes[0]?.line, 3);
      return error instanceof AppInvalid;
    });
    writeFileSync(path.join(folder, "keelson/rules.ts"), rules);
    const two = await loader.load();
    assert.equal(two.manifest.hash, one.manifest.hash);
    one.first.dispose();
    two.first.dispose();
  } finally {
    await loader.dispose();
    rmSync(folder, { recursive: true });
  }
});
