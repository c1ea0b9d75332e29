// What a trace keeps alive. V8 keeps, with the frames of a stack that nobody has read, all that their functions can see.
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PlatformError } from "../base/platform-error.ts";
import { openTraceLog } from "./trace-log.ts";
import { startWork } from "./work.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Failed {
  readonly error: Error;
  /** Whether the body that was in sight is still in memory. */
  readonly isKept: () => boolean;
}

/** An error that is made where a body is in sight. */
function failWith(make: (bytes: number) => Error): Failed {
  const body = Buffer.alloc(1_000);
  const fail = (): Error => make(body.length);
  return { error: fail(), isKept: isAlive(body) };
}

/** By itself: a function that is made beside the body sees it too. */
function isAlive(body: Buffer): () => boolean {
  const weak = new WeakRef(body);
  return () => weak.deref() !== undefined;
}

async function isKeptBy(failed: Failed, holder: unknown): Promise<boolean> {
  // What this turn has looked at stays until it ends.
  await setImmediate();
  collect();
  await setImmediate();
  assert.ok(holder !== null);
  return failed.isKept();
}

test("a refusal keeps nothing of what it refused", async () => {
  const failed = failWith((bytes) => new PlatformError("BODY_TOO_LARGE", { bytes }));
  assert.equal(await isKeptBy(failed, failed.error), false);
});

test("a failure that is traced keeps nothing of its request, nor does its cause", async () => {
  const log = openTraceLog({ keepMax: 10 });
  const cause = failWith((bytes) => new TypeError(`${bytes}`));
  const failed = failWith(() => new PlatformError("INTERNAL", {}, { cause: cause.error }));
  assert.equal(await isKeptBy(cause, cause.error), true, "this is what is tested");
  assert.equal(await isKeptBy(failed, failed.error), true, "this is what is tested");
  log.record({
    requestId: "req_1",
    cause: "POST /api/tables/film",
    operation: "film.create",
    caller: null,
    role: null,
    startedAtMs: 0,
    wallUs: 1,
    code: "INTERNAL",
    error: failed.error,
    seq: -1,
    repeated: false,
    bytesOut: 0,
    work: startWork(),
  });
  assert.equal(await isKeptBy(cause, log), false);
  assert.equal(await isKeptBy(failed, log), false);
  const traced = log.find("req_1")?.error;
  assert.ok(traced instanceof Error);
  assert.match(traced.stack ?? "", /trace-memory\.test/);
});
