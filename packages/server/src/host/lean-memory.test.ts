import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { keepMemoryLean } from "./lean-memory.ts";

const mib = 1_048_576;

/** A process whose memory the test sets; `look` passes the time until it is looked at. */
function openScene() {
  let run: (() => void) | null = null;
  const clock: Clock = {
    nowMs: () => 0,
    monotonicUs: () => 0,
    after(_delayMs, next) {
      run = next;
      return () => {
        run = null;
      };
    },
  };
  const scene = { residentBytes: 0, freeBytes: 0, given: 0 };
  const end = keepMemoryLean({
    clock,
    residentBytes: () => scene.residentBytes,
    giveBack() {
      scene.given += 1;
      scene.residentBytes -= scene.freeBytes;
      scene.freeBytes = 0;
    },
  });
  const look = (): void => {
    const due = run;
    run = null;
    due?.();
  };
  return { scene, look, end, isWaiting: () => run !== null };
}

test("memory is given back when the process has grown since, and not while it stays as it is", () => {
  const { scene, look } = openScene();
  Object.assign(scene, { residentBytes: 300 * mib, freeBytes: 10 * mib });
  look();
  assert.deepEqual(scene, { residentBytes: 290 * mib, freeBytes: 0, given: 1 });
  scene.residentBytes = 305 * mib;
  look();
  look();
  assert.equal(scene.given, 1);
  Object.assign(scene, { residentBytes: 306 * mib, freeBytes: 1 * mib });
  look();
  assert.equal(scene.given, 2);
  // What it needs, it keeps: it is not asked again for that.
  look();
  assert.equal(scene.given, 2);
});

test("a process that became smaller by itself may not grow to its old size unseen", () => {
  const { scene, look } = openScene();
  scene.residentBytes = 300 * mib;
  look();
  scene.residentBytes = 200 * mib;
  look();
  scene.residentBytes = 220 * mib;
  look();
  assert.equal(scene.given, 2);
});

test("it ends when it is told to", () => {
  const { look, end, isWaiting } = openScene();
  look();
  assert.equal(isWaiting(), true);
  end();
  assert.equal(isWaiting(), false);
});
