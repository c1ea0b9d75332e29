import assert from "node:assert/strict";
import { argon2Sync, pbkdf2Sync, scryptSync } from "node:crypto";
import { test } from "node:test";
import { isForeignHash, verifyForeignHash } from "./foreign-hash.ts";

const salt = Buffer.from("0123456789abcdef");
const text64 = (bytes: Buffer) => bytes.toString("base64").replaceAll("=", "");

/** Hashes of "user1password" as their makers print them, or made here by node. */
const hashes: Readonly<Record<string, string>> = {
  // From the documentation of Firebase's scrypt (firebase/scrypt): project and user of its example.
  firebase:
    "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
  argon2id: `$argon2id$v=19$m=65536,t=2,p=1$${text64(salt)}$${text64(
    argon2Sync("argon2id", {
      message: Buffer.from("user1password"),
      nonce: salt,
      memory: 65_536,
      passes: 2,
      parallelism: 1,
      tagLength: 32,
    }),
  )}`,
  pbkdf2: `$pbkdf2-sha256$i=10000,l=32$${text64(salt)}$${text64(pbkdf2Sync("user1password", salt, 10_000, 32, "sha256"))}`,
  scrypt: `$scrypt$ln=14,r=8,p=1$${text64(salt)}$${text64(scryptSync("user1password", salt, 64, { N: 16_384, r: 8, p: 1 }))}`,
};

for (const [kind, hash] of Object.entries(hashes)) {
  test(`${kind}: the right password is right, any other is wrong`, async () => {
    assert.ok(isForeignHash(hash));
    assert.equal(await verifyForeignHash(hash, "user1password"), true);
    assert.equal(await verifyForeignHash(hash, "user1passwore"), false);
    assert.equal(await verifyForeignHash(hash, ""), false);
  });
}

/** Vectors of OpenBSD's bcrypt, as every implementation has them in its tests. */
const bcrypts: readonly (readonly [password: string, hash: string])[] = [
  ["U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"],
  ["U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"],
  ["", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy"],
  ["U*U*U", `$2a$05$${"X".repeat(21)}OAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a`],
];

test("bcrypt in its three spellings", async () => {
  for (const [password, hash] of bcrypts) {
    for (const spelling of ["$2a", "$2b", "$2y"]) {
      const spelled = hash.replace("$2a", spelling);
      assert.equal(await verifyForeignHash(spelled, password), true, spelled);
      assert.equal(await verifyForeignHash(spelled, `${password}x`), false, spelled);
    }
  }
});

test("what would cost too much, is cut short or is no hash is not taken", async () => {
  const refused = [
    "",
    "secret",
    "$2b$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
    "$2b$10$short",
    `$argon2id$v=19$m=4194304,t=2,p=1$${text64(salt)}$${text64(salt)}`,
    `$argon2id$v=16$m=65536,t=2,p=1$${text64(salt)}$${text64(salt)}`,
    `$argon2id$v=19$m=65536,t=1000,p=1$${text64(salt)}$${text64(salt)}`,
    `$pbkdf2-sha256$i=999999999,l=32$${text64(salt)}$${text64(salt)}`,
    `$pbkdf2-md5$i=1000,l=16$${text64(salt)}$${text64(salt)}`,
    `$scrypt$ln=30,r=8,p=1$${text64(salt)}$${text64(salt)}`,
    `$scrypt$ln=14,r=8,p=1$${text64(salt)}$AAAA`,
    hashes["firebase"]?.replace(/,sk=[^$]*/v, "") ?? "",
    `$constructor$i=1$${text64(salt)}$${text64(salt)}`,
    `$pbkdf2-sha256$i=10000$${text64(salt)}$${"A".repeat(5_000)}`,
  ];
  for (const hash of refused) {
    assert.equal(isForeignHash(hash), false, hash);
    assert.equal(await verifyForeignHash(hash, "user1password"), false, hash);
  }
});
