import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { openPasswordList } from "./password-list.ts";

const bytes = readFileSync(new URL("../../data/common-passwords.txt", import.meta.url));
const lines = bytes.toString("utf8").trimEnd().split("\n");
const list = openPasswordList(() => bytes);

test("every password of the list is found, and the list is sorted by bytes", () => {
  assert.equal(lines.length, 46_983);
  for (const [index, line] of lines.entries()) {
    assert.ok(list.has(line), line);
    const before = lines[index - 1];
    if (before !== undefined) assert.ok(Buffer.from(before).compare(Buffer.from(line)) < 0, line);
  }
});

test("disguises of common passwords are found", () => {
  for (const text of [
    "Password",
    "PASSWORD1",
    "p4ssw0rd",
    "P@ssw0rd!",
    "Dragon2024",
    "!!monkey!!",
    "qwertyuiop",
    "poiuytrewq",
    "abcdefghijk",
    "12345678901",
    "aaaaaaaaaaaa",
    "xyxyxyxyxy",
    "L3tm31n",
    "Iloveyou99",
  ]) {
    assert.ok(list.has(text), text);
  }
});

test("sentences and random texts are not", () => {
  for (const text of [
    "seven small boats at dawn",
    "correcthorsebatterystaple9",
    "Zug nach Bern 8:14",
  ]) {
    assert.ok(!list.has(text), text);
  }
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9]{20}$/), (text) => {
      fc.pre(!/(.+)\1\1/.test(text));
      return !list.has(text);
    }),
  );
});

test("a naive search finds the same", () => {
  const all = new Set(lines);
  const word = fc.oneof(
    fc.constantFrom(...lines),
    fc.constantFrom(...lines).map((line) => `${line}q#zx`),
    fc.stringMatching(/^[!-~]{1,12}$/),
  );
  fc.assert(
    fc.property(word, (text) => {
      // Listed as it is: found. (Not listed may still be a disguise.)
      return !all.has(text.toLowerCase()) || list.has(text);
    }),
  );
});
