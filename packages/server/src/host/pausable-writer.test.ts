import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import type { WriteJob, Writer, WriteResult } from "../gate/writer.ts";
import { openPausableWriter } from "./pausable-writer.ts";

/** A writer that answers when told to. */
class HandWriter implements Writer {
  #isDrained = false;
  readonly jobs: { readonly name: string; readonly end: (result: WriteResult) => void }[] = [];

  submit(job: WriteJob): Promise<WriteResult> {
    if (this.#isDrained) return Promise.reject(new PlatformError("SHUTTING_DOWN"));
    return new Promise((resolve) => {
      this.jobs.push({ name: job.requestId, end: resolve });
    });
  }

  drain(): Promise<void> {
    this.#isDrained = true;
    return Promise.resolve();
  }
}

function job(requestId: string): WriteJob {
  return {
    operation: { kind: "call", name: "a.b", args: {} },
    caller: anonymous,
    cause: "a.b",
    requestId,
    atMs: 0,
    idempotency: null,
  };
}

const done: WriteResult = { json: "null", seq: 1, repeated: false };

test("a pause waits for accepted jobs, holds later ones, and lets them go in order", async () => {
  const inner = new HandWriter();
  const writer = openPausableWriter(inner, 10);
  const first = writer.submit(job("1"), startWork());
  const pausing = writer.pause();
  const second = writer.submit(job("2"), startWork());
  const third = writer.submit(job("3"), startWork());
  assert.deepEqual(
    inner.jobs.map(({ name }) => name),
    ["1"],
  );
  assert.equal(writer.waiting(), 3);
  inner.jobs[0]?.end(done);
  assert.equal(await first, done);
  const resume = await pausing;
  assert.equal(inner.jobs.length, 1);
  resume();
  assert.deepEqual(
    inner.jobs.map(({ name }) => name),
    ["1", "2", "3"],
  );
  for (const { end } of inner.jobs) end(done);
  await Promise.all([second, third]);
  assert.equal(writer.waiting(), 0);
  assert.equal(writer.answered(), 3);
});

test("a pause of an idle writer begins at once, and ends once", async () => {
  const inner = new HandWriter();
  const writer = openPausableWriter(inner, 10);
  const resume = await writer.pause();
  const held = writer.submit(job("1"), startWork());
  resume();
  resume();
  assert.equal(inner.jobs.length, 1);
  inner.jobs[0]?.end(done);
  await held;
});

test("no more jobs wait in a pause than the limit", async () => {
  const writer = openPausableWriter(new HandWriter(), 1);
  await writer.pause();
  void writer.submit(job("1"), startWork());
  await assert.rejects(writer.submit(job("2"), startWork()), { code: "OVERLOADED" });
});

test("draining a paused writer refuses what waits in it", async () => {
  const writer = openPausableWriter(new HandWriter(), 10);
  await writer.pause();
  const held = writer.submit(job("1"), startWork());
  await writer.drain();
  await assert.rejects(held, { code: "SHUTTING_DOWN" });
});

test("a pause that is asked for during another begins after it, with nothing lost", async () => {
  const inner = new HandWriter();
  const writer = openPausableWriter(inner, 10);
  const resumeFirst = await writer.pause();
  const held = writer.submit(job("1"), startWork());
  let isSecond = false;
  const second = writer.pause().then((resume) => {
    isSecond = true;
    return resume;
  });
  resumeFirst();
  assert.equal(inner.jobs.length, 1);
  const later = writer.submit(job("2"), startWork());
  assert.equal(inner.jobs.length, 1);
  assert.equal(isSecond, false);
  inner.jobs[0]?.end(done);
  await held;
  (await second)();
  inner.jobs[1]?.end(done);
  await later;
});
