import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "@keelson/server/operator";
import { FailureLog } from "./failure-log.ts";

interface Line {
  readonly level: string;
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** A log whose looks the test makes. */
function openScene() {
  const lines: Line[] = [];
  const scene = { seq: 7, isSound: true, looking: 0 };
  const failures = new FailureLog({
    log: {
      write: (level, event, facts) => lines.push({ level, event, ...facts }),
      flush: () => undefined,
    },
    nowMs: () => Date.parse("2026-05-01T10:00:00Z"),
    lastSeq: () => {
      if (!scene.isSound) throw new Error("the file can't be read");
      return scene.seq;
    },
    every: () => {
      scene.looking += 1;
      return () => (scene.looking -= 1);
    },
  });
  const look = async (times: number): Promise<void> => {
    for (let count = 0; count < times; count++) await failures.look();
  };
  return { scene, failures, look, taken: () => lines.splice(0) };
}

function diskFull(): PlatformError {
  return new PlatformError("DISK_FULL", {}, { cause: new Error("database or disk is full") });
}

test("a full disk is a line when it begins, a count each minute, and a line when a write succeeds again", async () => {
  const { scene, failures, look, taken } = openScene();
  for (let count = 0; count < 300; count++) failures.tell(diskFull(), `req_${count}`);
  const [first, ...others] = taken();
  assert.equal(others.length, 0);
  assert.equal(first?.event, "failure");
  assert.equal(first?.["code"], "DISK_FULL");
  assert.equal(first?.["requestId"], "req_0");
  assert.equal(first?.["cause"], "database or disk is full");
  assert.match(String(first?.["fix"]), /Free some space/);
  assert.doesNotMatch(JSON.stringify(first), /\.ts:\d/, "no stack");

  await look(5);
  assert.deepEqual(taken(), []);
  failures.tell(diskFull(), "req_300");
  await look(1);
  const [counted, ...more] = taken();
  assert.equal(more.length, 0);
  assert.equal(counted?.["count"], 301);
  assert.equal(counted?.["requestId"], "req_300");

  await look(20);
  assert.deepEqual(taken(), [], "nothing failed, nothing was written: nobody knows");
  scene.seq += 1;
  await look(1);
  const [over, ...rest] = taken();
  assert.equal(rest.length, 0);
  assert.equal(over?.event, "recovered");
  assert.equal(over?.["count"], 301);
  assert.equal(scene.looking, 0, "nothing to look at");

  failures.tell(diskFull(), "req_later");
  assert.equal(taken()[0]?.["requestId"], "req_later", "another one is told anew");
});

test("writes that succeed between others that fail end nothing, nor does a store that can't be asked", async () => {
  const { scene, failures, look, taken } = openScene();
  for (let count = 0; count < 5; count++) {
    failures.tell(diskFull(), null);
    scene.seq += 1;
    await look(1);
  }
  assert.equal(taken().length, 1);
  scene.isSound = false;
  failures.tell(diskFull(), null);
  await look(1);
  scene.isSound = true;
  await look(1);
  assert.deepEqual(
    taken().map(({ event }) => event),
    ["failure"],
    "the count of the minute",
  );
});

test("an overload is over when a minute passed without a refusal", async () => {
  const { failures, look, taken } = openScene();
  failures.tell(new PlatformError("OVERLOADED", { limit: "writersMax" }), "req_1");
  assert.equal(taken()[0]?.["cause"], '{"limit":"writersMax"}');
  await look(6);
  assert.deepEqual(taken(), []);
  await look(1);
  assert.equal(taken()[0]?.event, "recovered");
});

test("other failures are told as they come, a proxy that is not trusted once", () => {
  const { failures, taken } = openScene();
  failures.tell(new Error("a bug"), "req_1");
  failures.tell(new Error("a bug"), "req_2");
  assert.equal(taken().length, 2);
  const notice = new PlatformError("PROXY_NOT_TRUSTED", { address: "127.0.0.1" });
  failures.tell(notice, "");
  failures.tell(notice, "");
  const [proxy, ...others] = taken();
  assert.equal(others.length, 0);
  assert.equal(proxy?.level, "warn");
  assert.equal(proxy?.["code"], "PROXY_NOT_TRUSTED");
  assert.match(String(proxy?.["fix"]), /--trust-proxy/);
});
