import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { limits as defaultLimits } from "../base/limits.ts";
import { openPasswordHasher } from "./password-hash.ts";

const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const clock = { nowMs: () => 0, monotonicUs: () => 0, after: () => () => {} };
const limits = { ...defaultLimits, passwordMemoryKib: 1_024, passwordPasses: 1 };

test("a password is its hash's, and no other is", async () => {
  const hasher = openPasswordHasher({ clock, limits, random });
  const hash = await hasher.hash("grüße aus dem hafen");
  assert.match(hash, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/);
  assert.deepEqual(await hasher.check("grüße aus dem hafen", hash), {
    isRight: true,
    isOld: false,
  });
  assert.deepEqual(await hasher.check("grusse aus dem hafen", hash), {
    isRight: false,
    isOld: false,
  });
  // The same characters as another keyboard writes them.
  const decomposed = "grüße aus dem hafen".normalize("NFD");
  assert.equal((await hasher.check(decomposed, hash)).isRight, true);
  assert.notEqual(
    await hasher.hash("grüße aus dem hafen"),
    hash,
    "each hash has a salt of its own",
  );
});

test("a hash of other parameters is right, and to be renewed", async () => {
  const before = openPasswordHasher({ clock, limits: { ...limits, passwordPasses: 2 }, random });
  const hash = await before.hash("seven small boats");
  const now = openPasswordHasher({ clock, limits, random });
  assert.deepEqual(await now.check("seven small boats", hash), { isRight: true, isOld: true });
  assert.deepEqual(await now.check("eight small boats", hash), { isRight: false, isOld: false });
});

test("what is no hash, or a broken one, is never right", async () => {
  const hasher = openPasswordHasher({ clock, limits, random });
  const hash = await hasher.hash("password");
  const broken = `${hash.slice(0, -2)}AA`;
  for (const text of [broken, "", "x", "$argon2id$v=19$m=1024,t=1,p=1$$", "$2b$10$nothing"]) {
    assert.equal((await hasher.check("password", text)).isRight, false, text);
  }
});

test("without a hash nothing is right, at the cost of one", async () => {
  const hasher = openPasswordHasher({ clock, limits, random });
  assert.deepEqual(await hasher.check("anything", null), { isRight: false, isOld: false });
});

test("a crowd waits in line, and past the line's end is sent away at once", async () => {
  const hasher = openPasswordHasher({
    clock,
    limits: { ...limits, passwordHashesMax: 1, passwordQueueMax: 3 },
    random,
  });
  const tries = Array.from({ length: 10 }, () => hasher.hash("seven small boats"));
  const outcomes = await Promise.allSettled(tries);
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 4);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.equal(outcome.reason.code, "OVERLOADED");
  }
  // And after them there is room again.
  assert.ok(await hasher.hash("seven small boats"));
});

test("a wrong password takes as long as the slowest kind of hash that is about, a right one does not", async () => {
  let us = 0;
  const waits: { readonly delayMs: number; readonly run: () => void }[] = [];
  const timed = {
    nowMs: () => us / 1_000,
    monotonicUs: () => us,
    after(delayMs: number, run: () => void) {
      waits.push({ delayMs, run });
      return () => {};
    },
  };
  const slow = {
    knows: (hash: string) => hash.startsWith("$slow$"),
    async isRight(password: string) {
      us += 60_000;
      return password === "seven small boats";
    },
  };
  const hasher = openPasswordHasher({ clock: timed, limits, random, verifiers: [slow] });
  const wrong = { isRight: false, isOld: false };
  assert.deepEqual(await hasher.check("eight", null), wrong, "no such hash was met: nobody waits");
  const waitOf = async (hash: string | null): Promise<number> => {
    const startedUs = us;
    const answer = hasher.check("eight", hash);
    while (waits.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const [{ delayMs, run } = assert.fail()] = waits.splice(0);
    us += delayMs * 1_000;
    run();
    assert.deepEqual(await answer, wrong);
    return (us - startedUs) / 1_000;
  };
  const [foreign, unknown] = [await waitOf("$slow$x"), await waitOf(null)];
  assert.ok(Math.abs(foreign - 69) < 2 && Math.abs(unknown - 69) < 2, `${foreign}, ${unknown} ms`);
  const right = await hasher.check("seven small boats", "$slow$x");
  assert.deepEqual([right, waits], [{ isRight: true, isOld: true }, []]);
});
