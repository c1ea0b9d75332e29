import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { AppInvalid, type AppMistake } from "../model/app-mistake.ts";
import { bundleApp, createBundler } from "./bundle.ts";
import { BundleMap } from "./bundle-map.ts";
import { IsolateImage } from "./isolate-image.ts";
import { openIsolate } from "./isolate-open.ts";
import {
  openTestApp,
  queries,
  watchdog,
  noEgress,
  HandClock,
  writeApp,
} from "./isolate-harness.case.ts";
import { limits } from "../base/limits.ts";
import type { IsolatePorts } from "./isolated-app.ts";

async function bundled(files: Readonly<Record<string, string>>) {
  const appDir = writeApp(files);
  try {
    return await bundleApp({ appDir, appFile: path.join(appDir, "keelson/app.ts") });
  } finally {
    rmSync(appDir, { recursive: true });
  }
}

/** Mistakes of an app: those of its bundle, or of its evaluation. */
async function mistakes(
  files: Readonly<Record<string, string>>,
  more: Partial<IsolatePorts> = {},
): Promise<readonly AppMistake[]> {
  try {
    const image = await IsolateImage.of(await bundled(files));
    const egress = noEgress;
    openIsolate(image, {
      clock: new HandClock(),
      limits: { ...limits, cpuMsMax: 500 },
      egress,
      watchdog,
      development: true,
      ...more,
    }).dispose();
  } catch (error) {
    assert.ok(error instanceof AppInvalid, String(error));
    return error.mistakes;
  }
  throw new Error("the app has no mistake");
}

test("a bundle names its files and hashes its code", async () => {
  const files = { "keelson/test.ts": queries({ one: "return 1;" }) };
  const one = await bundled(files);
  const two = await bundled(files);
  assert.deepEqual(one.files.toSorted(), [
    "keelson/app.ts",
    "keelson/schema.ts",
    "keelson/test.ts",
  ]);
  assert.equal(one.hash, two.hash);
  assert.match(one.hash, /^[0-9a-f]{64}$/);
  assert.notEqual(
    one.hash,
    (await bundled({ "keelson/test.ts": queries({ one: "return 2;" }) })).hash,
  );
});

test("the source map holds the app's own sources", async () => {
  const text = queries({ one: "return 1;" });
  const map = new BundleMap(await bundled({ "keelson/test.ts": text }));
  assert.equal(map.sources().get("keelson/test.ts"), text);
});

test("a module of Node is refused at the line that imports it", async () => {
  for (const name of ["node:fs", "fs", "node:child_process", "fs/promises"]) {
    const [mistake] = await mistakes({
      "keelson/test.ts": `${queries({})}\nimport { x } from "${name}";\nexport const y = x;`,
    });
    assert.equal(mistake?.file, "keelson/test.ts");
    assert.equal(mistake?.line, 4);
    assert.equal(mistake?.column, 19);
    assert.match(mistake?.problem ?? "", new RegExp(`"${name}" is a module of Node`));
    assert.match(mistake?.fix ?? "", /web API/);
    assert.match(mistake?.frame ?? "", /> 4 \| import \{ x \} from/);
  }
});

test("a syntax error, a missing file, a missing package and a missing export are told where they are", async () => {
  const [syntax] = await mistakes({ "keelson/test.ts": "export const ž = 'č' + ;" });
  assert.deepEqual([syntax?.file, syntax?.line, syntax?.column], ["keelson/test.ts", 1, 24]);
  const [file] = await mistakes({ "keelson/test.ts": 'import "./none.ts";' });
  assert.match(file?.problem ?? "", /Could not resolve "\.\/none\.ts"/);
  const [pack] = await mistakes({ "keelson/test.ts": 'import "@scope/none/deep";' });
  assert.match(pack?.fix ?? "", /npm install @scope\/none$/);
  const [name] = await mistakes({
    "keelson/test.ts": 'import { nothing } from "keelson"; export const a = nothing;',
  });
  assert.match(name?.problem ?? "", /No matching export/);
  const [wait] = await mistakes({
    "keelson/test.ts": "export const a = await Promise.resolve(1);",
  });
  assert.equal(wait?.problem, "`await` stands outside of every function.");
  assert.match(wait?.fix ?? "", /inside of `run`/);
});

test("names imported of a file without exports are told, and not what their absence breaks", async () => {
  const told = await mistakes({
    "keelson/schema.ts": "",
    "keelson/test.ts": queries({ one: "return 1;" }),
  });
  assert.ok(told.length > 0);
  for (const { problem, fix, line } of told) {
    assert.match(
      problem,
      /^"(?:app|query)" is imported of keelson\/schema\.ts, which exports nothing\.$/,
    );
    assert.match(fix, /export const \{ query, mutation, rules, app \} = define/);
    assert.ok(line > 0);
  }
});

test("all mistakes that esbuild finds are told at once", async () => {
  const found = await mistakes({ "keelson/test.ts": 'import "./a.ts";\nimport "./b.ts";' });
  assert.deepEqual(
    found.map(({ line }) => line),
    [1, 2],
  );
});

test("a mistake in a definition is told at the user's own line, with what to write", async () => {
  const [mistake] = await mistakes({
    "keelson/test.ts": `${queries({})}\n\nexport const bad = query({\n  allow: "everyone" as never,\n  async run() {},\n});`,
  });
  assert.equal(mistake?.file, "keelson/test.ts");
  assert.equal(mistake?.line, 5);
  assert.match(mistake?.problem ?? "", /allow/);
  assert.match(mistake?.fix ?? "", /Use "nobody"/);
  assert.match(mistake?.frame ?? "", /> 5 \| export const bad = query\(\{/);
});

test("what a module throws, and what it may not do while it is loaded, are mistakes at their lines", async () => {
  const at = async (line: string): Promise<AppMistake | undefined> =>
    (await mistakes({ "keelson/test.ts": `${queries({})}\n${line}` }))[0];
  assert.match((await at("throw new Error('oops');"))?.problem ?? "", /^Error: oops/);
  assert.equal((await at("(undefined as any).x;"))?.line, 4);
  assert.match((await at("(undefined as any).x;"))?.fix ?? "", /Mend what throws here/);
  const kind = await at("export const f = (t as any).txt({ max: 3 });");
  assert.match(
    kind?.fix ?? "",
    /^Did you mean t\.text\? The kinds of fields are t\.id, .*t\.bytes/,
  );
  assert.match((await at("(t as any).any();"))?.fix ?? "", /kinds of fields are t\.id/);
  const node = await at("export const key = (globalThis as any, process).env.KEY;");
  assert.match(node?.fix ?? "", /`secrets: \["NAME"\]`[^]*ctx\.secret\("NAME"\)/);
  assert.match((await at("throw 'text';"))?.problem ?? "", /text/);
  for (const line of [
    'fetch("http://a");await 0;',
    "setTimeout(() => {}, 1);",
    "crypto.randomUUID();",
  ]) {
    const mistake = await at(line.replace("await 0;", ""));
    if (line.startsWith("fetch")) continue;
    assert.match(mistake?.problem ?? "", /inside functions only/, line);
    assert.equal(mistake?.line, 4);
  }
  const endless = await at("for (;;) {}");
  assert.match(endless?.problem ?? "", /more time/);
  assert.deepEqual([endless?.file, endless?.line], ["keelson/test.ts", 4]);
  assert.match(endless?.frame ?? "", /> 4 \| for \(;;\)/);
  // Mostly there is no stack: what can be said is where to look. The limit may also strike while code of the module runs.
  const waiting = await at("void (async () => { for (;;) await 0; })();");
  assert.match(waiting?.problem ?? "", /more time/);
  if (waiting?.frame === "") assert.match(waiting.fix, /not known where: .* keelson\/test\.ts/);
  else assert.deepEqual([waiting?.file, waiting?.line], ["keelson/test.ts", 4]);
});

test("a machine that stood still while the app was loaded is no mistake of the app", async () => {
  // Loading is given up after the limit by the clock; what the thread had of the CPU meanwhile is told here.
  const triesWhere = async (cpuMsOfTry: (count: number) => number): Promise<number> => {
    let reads = 0;
    let cpuUs = 0;
    const clock = Object.assign(new HandClock(), {
      threadCpuUs: () => {
        reads += 1;
        if (reads % 2 === 0) cpuUs += cpuMsOfTry(reads / 2) * 1_000;
        return cpuUs;
      },
    });
    const [mistake] = await mistakes(
      { "keelson/test.ts": "for (;;) {}" },
      { clock, limits: { ...limits, cpuMsMax: 50 } },
    );
    assert.match(mistake?.problem ?? "", /more time/);
    return reads / 2;
  };
  assert.equal(await triesWhere(() => 40), 1);
  assert.equal(await triesWhere((count) => (count < 3 ? 10 : 40)), 3);
  assert.equal(await triesWhere(() => 10), 5, "it ends, whatever the machine does");
});

test("an app.ts without an app is told", async () => {
  const [mistake] = await mistakes({ "keelson/app.ts": "export const x = 1;" });
  assert.match(mistake?.problem ?? "", /does not export an app/);
});

test("a package that works without Node is bundled, a broken one is not found", async () => {
  const appDir = writeApp({
    "keelson/test.ts": `${queries({ one: "return shout('a');" }, 'import { shout } from "shout"; import events from "events";')}\nexport const kept = events;`,
  });
  for (const [name, code] of [
    ["shout", "exports.shout = (text) => text.toUpperCase() + '!';"],
    ["events", "module.exports = 'own';"],
  ] as const) {
    mkdirSync(path.join(appDir, "node_modules", name), { recursive: true });
    writeFileSync(
      path.join(appDir, "node_modules", name, "package.json"),
      `{"name":"${name}","main":"index.js"}`,
    );
    writeFileSync(path.join(appDir, "node_modules", name, "index.js"), code);
  }
  const bundle = await bundleApp({ appDir, appFile: path.join(appDir, "keelson/app.ts") });
  rmSync(appDir, { recursive: true });
  assert.ok(bundle.files.includes("node_modules/shout/index.js"));
});

test("a bundler sees what changed since it last ran", async () => {
  const appDir = writeApp({ "keelson/test.ts": queries({ one: "return 1;" }) });
  const bundler = await createBundler({ appDir, appFile: path.join(appDir, "keelson/app.ts") });
  try {
    const one = await bundler.rebuild();
    writeFileSync(path.join(appDir, "keelson/test.ts"), "syntax error");
    await assert.rejects(bundler.rebuild(), AppInvalid);
    writeFileSync(path.join(appDir, "keelson/test.ts"), queries({ one: "return 1;" }));
    assert.equal((await bundler.rebuild()).hash, one.hash);
  } finally {
    await bundler.dispose();
    rmSync(appDir, { recursive: true });
  }
});

test("polyfills may be put in place while the app is loaded", async () => {
  const app = await openTestApp(
    queries(
      { one: "return ([1, 2] as any).second();" },
      "(Array.prototype as any).second = function () { return this[1]; };",
    ),
  );
  try {
    assert.equal(await app.value("one"), 2);
  } finally {
    app.close();
  }
});
