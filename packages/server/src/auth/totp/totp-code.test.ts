import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { generateSync } from "otplib";
import { decodeBase32, encodeBase32 } from "./base32.ts";
import { matchTotp, totpCode, totpStep, totpUri } from "./totp-code.ts";

const rfcSecret = Buffer.from("12345678901234567890");
const nowMs = 1_800_000_000_000;

test("codes are those of RFC 6238's table", () => {
  // Appendix B, SHA1, the last six of eight digits.
  const table = [
    [59, "287082"],
    [1_111_111_109, "081804"],
    [1_111_111_111, "050471"],
    [1_234_567_890, "005924"],
    [2_000_000_000, "279037"],
    [20_000_000_000, "353130"],
  ] as const;
  for (const [seconds, code] of table) {
    assert.equal(totpCode(rfcSecret, totpStep(seconds * 1_000)), code);
  }
});

test("codes of an authenticator library are ours", () => {
  for (let round = 0; round < 50; round++) {
    const secret = randomBytes(20);
    const epoch = 1_700_000_000 + round * 12_345;
    const code = generateSync({ secret: encodeBase32(secret), epoch });
    assert.equal(
      matchTotp({ secret, code, nowMs: epoch * 1_000, lastStep: null }),
      totpStep(epoch * 1_000),
    );
  }
});

test("a code is good for its step and one on each side", () => {
  const step = totpStep(nowMs);
  for (const [offset, accepted] of [
    [-2, false],
    [-1, true],
    [0, true],
    [1, true],
    [2, false],
  ] as const) {
    const code = totpCode(rfcSecret, step + offset);
    const found = matchTotp({ secret: rfcSecret, code, nowMs, lastStep: null });
    assert.equal(found, accepted ? step + offset : null, String(offset));
  }
});

test("a step that was accepted, and every one before it, is spent", () => {
  const step = totpStep(nowMs);
  const tried = (offset: number, lastStep: number) =>
    matchTotp({ secret: rfcSecret, code: totpCode(rfcSecret, step + offset), nowMs, lastStep });
  assert.equal(tried(0, step), null);
  assert.equal(tried(-1, step), null);
  assert.equal(tried(1, step), step + 1);
});

test("what is no code is none", () => {
  for (const code of ["", "12345", "1234567", "abcdef", "１２３４５６", "-12345", "1e5000"]) {
    assert.equal(matchTotp({ secret: rfcSecret, code, nowMs, lastStep: null }), null, code);
  }
  const spaced = totpCode(rfcSecret, totpStep(nowMs)).replace(/^.{3}/, "$& ");
  assert.notEqual(matchTotp({ secret: rfcSecret, code: spaced, nowMs, lastStep: null }), null);
});

test("base32 comes back, and nothing else is read", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      assert.deepEqual(decodeBase32(encodeBase32(bytes)), bytes);
    }),
  );
  // Two texts of one secret would be two secrets to whoever compares texts.
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Z2-7]{0,20}$/), (text) => {
      const bytes = decodeBase32(text);
      if (bytes !== null) assert.equal(encodeBase32(bytes), text);
    }),
  );
  assert.equal(decodeBase32("ABC1"), null);
});

test("the address for apps holds the secret and both names", () => {
  const uri = new URL(totpUri(rfcSecret, { issuer: "My App & Co", account: "ann@example.com" }));
  assert.equal(uri.protocol, "otpauth:");
  assert.equal(uri.host, "totp");
  assert.equal(decodeURIComponent(uri.pathname), "/My App & Co:ann@example.com");
  assert.equal(uri.searchParams.get("secret"), encodeBase32(rfcSecret));
  assert.equal(uri.searchParams.get("issuer"), "My App & Co");
});
