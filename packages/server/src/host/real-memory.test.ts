import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const { glibcVersionRuntime } = (
  process.report.getReport() as { header: { glibcVersionRuntime?: string } }
).header;

// 120 MB in pieces that come from the allocator, of which all but every hundredth are let go of: what stays keeps the rest from
// going back to the system by itself.
const program = `
  const { openRealMemory } = await import(${JSON.stringify(import.meta.resolve("./real-memory.ts"))});
  const memory = openRealMemory();
  const pieces = Array.from({ length: 2_000 }, () => new ArrayBuffer(60_000));
  for (const piece of pieces) new Uint8Array(piece).fill(1);
  const kept = pieces.filter((piece, n) => n % 100 === 99 || piece.transfer(0) === null);
  const freed = memory.residentBytes();
  memory.giveBack();
  const given = memory.residentBytes();
  memory.giveBack();
  console.log(JSON.stringify({ freed, given, kept: kept.length }));
`;

test(
  "what was freed goes back to the system, without a word on stderr",
  { skip: glibcVersionRuntime === undefined && "only glibc keeps it" },
  () => {
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ["--input-type=module", "-e", program],
      { encoding: "utf8" },
    );
    assert.equal(stderr, "");
    assert.equal(status, 0);
    const { freed, given, kept } = JSON.parse(stdout) as Record<string, number>;
    assert.equal(kept, 20);
    assert.ok((freed ?? 0) - (given ?? 0) > 80_000_000, stdout);
  },
);
