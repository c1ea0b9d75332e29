import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeOutput } from "./output.ts";

/** An output to a file of which only `room` bytes fit. */
function scene(context: { after(fn: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), "keelson-output-"));
  const fd = openSync(join(folder, "log"), "w");
  context.after(() => {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  const disk = { text: "", room: 1_000 };
  const told: string[] = [];
  const output = makeOutput(
    { fd, write: () => assert.fail("files are written past the stream"), on: () => {} },
    ({ message }) => told.push(`failed: ${message}`),
    (_fd, bytes) => {
      if (disk.room === 0) throw new Error("full");
      const piece = bytes.subarray(0, disk.room);
      disk.room -= piece.length;
      disk.text += Buffer.from(piece).toString();
      return piece.length;
    },
  );
  return { disk, told, output };
}

test("a result that can't be written ends the command", (context) => {
  const { disk, told, output } = scene(context);
  disk.room = 3;
  output.write("abcdef\n");
  assert.deepEqual(told, ["failed: full"]);
});

test("a log outlives a full disk: it is told once, and goes on with whole lines", (context) => {
  const { disk, told, output } = scene(context);
  output.outlive(({ message }) => told.push(`lost: ${message}`));
  output.write("one\n");
  disk.room = 2;
  output.write("two\n");
  output.write("three\n");
  assert.deepEqual(told, ["lost: full"]);
  disk.room = 1_000;
  output.write("four\n");
  output.write("five\n");
  assert.equal(disk.text, "one\ntw\nfour\nfive\n");
  disk.room = 0;
  output.write("six\n");
  assert.deepEqual(told, ["lost: full", "lost: full"]);
});
