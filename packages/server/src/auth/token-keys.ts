// The keys that sign this app's tokens: Ed25519 (RFC 8037), one file in the data folder that only its owner
// may read. The first key of the file signs, all of them verify, so a key is replaced by putting a new one
// in front. The issuer is drawn with the first key: tokens of another app or another data folder are not ours.
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { assert } from "../base/assert.ts";
import type { Disk } from "../base/disk.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";

/** One key pair. */
export interface TokenKey {
  /** Names the key in a token's header: a digest of the public key (RFC 7638). */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** The keys of one app. */
export interface TokenKeys {
  /** `iss` and `aud` of every token of this app. */
  readonly issuer: string;
  /** Signs new tokens. */
  readonly signing: TokenKey;
  /** Verifies, by `kid`. */
  readonly byKid: ReadonlyMap<string, TokenKey>;
}

interface KeyFile {
  readonly version: 1;
  readonly issuer: string;
  /** The 32-byte seeds of the private keys, base64url; the first signs. */
  readonly seeds: readonly string[];
}

const seedBytes = 32;
/** What stands before the seed in the PKCS #8 form of an Ed25519 key (RFC 8410). */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * Reads the keys, or makes them when the file is not there.
 * @param options.path absolute path of the key file; its folder exists.
 * @throws STORE_FAILED when the file is there and is not a key file: a new key would sign out everybody.
 */
export function openTokenKeys(options: {
  readonly disk: Disk;
  readonly path: string;
  readonly random: RandomSource;
}): TokenKeys {
  const { disk, path, random } = options;
  const found = disk.read(path);
  if (found !== null) return fromFile(parseKeyFile(Buffer.from(found).toString("utf8"), path));
  const file: KeyFile = {
    version: 1,
    issuer: `urn:keelson:${Buffer.from(random.bytes(16)).toString("hex")}`,
    seeds: [Buffer.from(random.bytes(seedBytes)).toString("base64url")],
  };
  disk.writeAtomically(path, `${JSON.stringify(file, null, 2)}\n`, 0o600);
  return fromFile(file);
}

function parseKeyFile(text: string, path: string): KeyFile {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (!isKeyFile(file)) throw unreadable(path);
  return file;
}

function unreadable(path: string, cause?: unknown): PlatformError {
  return new PlatformError(
    "STORE_FAILED",
    { part: "token keys" },
    { cause: new Error(`${path} is not the key file that was written there`, { cause }) },
  );
}

function isKeyFile(value: unknown): value is KeyFile {
  if (typeof value !== "object" || value === null) return false;
  const { version, issuer, seeds } = value as Partial<KeyFile>;
  if (version !== 1 || typeof issuer !== "string" || issuer === "") return false;
  if (!Array.isArray(seeds) || seeds.length === 0) return false;
  return seeds.every(
    (seed) => typeof seed === "string" && Buffer.from(seed, "base64url").length === seedBytes,
  );
}

function fromFile(file: KeyFile): TokenKeys {
  const keys = file.seeds.map(keyOfSeed);
  const [signing] = keys;
  assert(signing !== undefined, "a key file has a key");
  return Object.freeze({
    issuer: file.issuer,
    signing,
    byKid: new Map(keys.map((key) => [key.kid, key])),
  });
}

function keyOfSeed(seed: string): TokenKey {
  const privateKey = createPrivateKey({
    key: Buffer.concat([pkcs8Head, Buffer.from(seed, "base64url")]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(privateKey);
  const { crv, kty, x } = publicKey.export({ format: "jwk" });
  const kid = createHash("sha256").update(JSON.stringify({ crv, kty, x })).digest("base64url");
  return Object.freeze({ kid, privateKey, publicKey });
}
