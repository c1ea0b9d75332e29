import assert from "node:assert/strict";
import { test } from "node:test";
import { cronOf, cronWords } from "./cron-words.ts";
import { durationMs } from "./work-duration.ts";

const at = () => undefined;

test("plain words are five fields", () => {
  assert.deepEqual(
    cronWords.map((words) => cronOf(words, at)),
    [
      "* * * * *",
      "*/15 * * * *",
      "0 * * * *",
      "0 */6 * * *",
      "0 3 * * *",
      "30 9 * * 1-5",
      "0 8 * * 1",
      "0 0 1 * *",
    ],
  );
  assert.equal(cronOf("5 4 * * sun", at), "5 4 * * sun");
});

for (const words of [
  "every 7 minutes",
  "every day",
  "every day at 24:00",
  "sometimes",
  "every month on the 32 at 00:00",
]) {
  test(`words that mean nothing certain are refused: ${words}`, () => {
    assert.throws(() => cronOf(words, at), { name: "DefinitionError" });
  });
}

test("lengths of time", () => {
  assert.deepEqual(
    ["500ms", "90s", "10m", "12h", "3d", 5, "1.5s"].map(durationMs),
    [500, 90_000, 600_000, 43_200_000, 259_200_000, 5, 1_500],
  );
  assert.deepEqual(
    ["", "3", "3w", "-1s", -1, 0.5, Number.NaN, "4000d", null].map(durationMs),
    Array.from({ length: 9 }, () => null),
  );
});
