import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { fillDisk } from "./fill-disk.ts";
import { openFrozenVolume, openMountedVolume, type FullVolume } from "./full-volume.ts";

function mounted(): FullVolume | null {
  try {
    return openMountedVolume(64);
  } catch {
    return null;
  }
}

async function filled(context: TestContext, volume: FullVolume): Promise<void> {
  const seed = Number(process.env["KEELSON_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(`repeat: node test/work/full.ts --seed=${seed} --rounds=2 --clients=4`);
  context.after(() => volume.close());
  const report = await fillDisk({
    volume,
    rounds: 2,
    seed,
    clients: 4,
    threads: null,
    say: (line) => context.diagnostic(line),
  });
  assert.deepEqual(report.violations, []);
  assert.ok(report.refused >= 16, JSON.stringify(report));
  assert.ok(report.abandoned > 0, JSON.stringify(report));
}

test("a disk that is full under a server at work, by a file system of its own: refused with one code, nothing lost, nothing half done", async (context) => {
  const volume = mounted();
  if (volume === null) context.skip("needs the right to mount a file system");
  else await filled(context, volume);
});

test("a database that can't grow under a server at work: refused with one code, nothing lost, nothing half done", async (context) => {
  await filled(context, openFrozenVolume());
});
