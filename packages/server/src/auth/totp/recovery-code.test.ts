import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { drawRecoveryCodes, recoveryCodeDigest, recoveryCodesCount } from "./recovery-code.ts";

test("ten codes of 80 bits are drawn, each once, easy to type", () => {
  const codes = drawRecoveryCodes({ bytes: (count) => randomBytes(count) });
  assert.equal(codes.length, recoveryCodesCount);
  assert.equal(new Set(codes).size, recoveryCodesCount);
  for (const code of codes) assert.match(code, /^[a-z2-7]{4}(-[a-z2-7]{4}){3}$/);
});

test("a code is the same however it is typed", () => {
  const [code = ""] = drawRecoveryCodes({ bytes: (count) => randomBytes(count) });
  const digest = recoveryCodeDigest(code);
  assert.equal(recoveryCodeDigest(code.toUpperCase()), digest);
  assert.equal(recoveryCodeDigest(` ${code.replaceAll("-", " ")} `), digest);
  assert.notEqual(recoveryCodeDigest(`${code}a`), digest);
  assert.ok(!digest.includes(code.slice(0, 4)));
});
