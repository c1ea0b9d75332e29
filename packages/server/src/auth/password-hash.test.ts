import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { limits as defaultLimits } from "../base/limits.ts";
import { openPasswordHasher } from "./password-hash.ts";

const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const limits = { ...defaultLimits, passwordMemoryKib: 1_024, passwordPasses: 1 };

test("a password is its hash's, and no other is", async () => {
  const hasher = openPasswordHasher({ limits, random });
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
  const before = openPasswordHasher({ limits: { ...limits, passwordPasses: 2 }, random });
  const hash = await before.hash("seven small boats");
  const now = openPasswordHasher({ limits, random });
  assert.deepEqual(await now.check("seven small boats", hash), { isRight: true, isOld: true });
  assert.deepEqual(await now.check("eight small boats", hash), { isRight: false, isOld: false });
});

test("what is no hash, or a broken one, is never right", async () => {
  const hasher = openPasswordHasher({ limits, random });
  const hash = await hasher.hash("password");
  const broken = `${hash.slice(0, -2)}AA`;
  for (const text of [broken, "", "x", "$argon2id$v=19$m=1024,t=1,p=1$$", "$2b$10$nothing"]) {
    assert.equal((await hasher.check("password", text)).isRight, false, text);
  }
});

test("without a hash nothing is right, at the cost of one", async () => {
  const hasher = openPasswordHasher({ limits, random });
  assert.deepEqual(await hasher.check("anything", null), { isRight: false, isOld: false });
});

test("a crowd waits in line, and past the line's end is sent away at once", async () => {
  const hasher = openPasswordHasher({
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
