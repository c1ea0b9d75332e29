// The host's side of `crypto.subtle`: hashes, HMAC, signatures, AES-GCM and key derivation by node:crypto,
// synchronously. Keys are the guest's: they come along as JWK or raw bytes with each call.
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  pbkdf2Sync,
  sign,
  timingSafeEqual,
  verify,
  type KeyObject,
  type webcrypto,
} from "node:crypto";

type JsonWebKey = webcrypto.JsonWebKey;

const iterationsMax = 1_000_000;
const derivedBytesMax = 1_024;
const tagBytes = 16;

/** A signing key with its algorithm, as the guest keeps it. */
interface SignKey {
  readonly algorithm: "HMAC" | "RSASSA-PKCS1-v1_5" | "ECDSA" | "Ed25519";
  readonly hash?: string;
  readonly kind: "secret" | "private" | "public";
  /** Base64 for secrets, JWK for the others. */
  readonly material: string | JsonWebKey;
}

/** Answers one crypto operation. @param second base64 of the data, where there is data. */
export function answerCrypto(operation: string, first: string, second: string): string {
  switch (operation) {
    case "digest":
      return createHash(hashOf(first)).update(bytesOf(second)).digest("base64");
    case "sign":
      return signed(JSON.parse(first) as SignKey, bytesOf(second));
    case "verify": {
      const { key, signature } = JSON.parse(first) as { key: SignKey; signature: string };
      return verified(key, bytesOf(signature), bytesOf(second)) ? "true" : "false";
    }
    case "key.import":
      return JSON.stringify(imported(JSON.parse(first) as KeyImport, second));
    case "key.export":
      return exported(JSON.parse(first) as KeyImport & { readonly jwk: JsonWebKey });
    case "derive":
      return derived(JSON.parse(first) as Derivation, bytesOf(second));
    case "encrypt":
    case "decrypt":
      return aesGcm(operation, JSON.parse(first) as GcmParts, bytesOf(second));
    default:
      throw new TypeError(`There is no ${operation}.`);
  }
}

function hashOf(name: string): string {
  const found = /^SHA-?(1|256|384|512)$/i.exec(name);
  if (found === null)
    throw new TypeError(`There is no hash ${name}: use SHA-256, SHA-384 or SHA-512.`);
  return `sha${found[1]}`;
}

function bytesOf(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}

function signed(key: SignKey, data: Buffer): string {
  if (key.algorithm === "HMAC") return hmac(key, data).toString("base64");
  if (key.kind !== "private") throw new TypeError("Only a private key signs.");
  const object = createPrivateKey({ key: key.material as JsonWebKey, format: "jwk" });
  return sign(digestOf(key), data, forEcdsa(key, object)).toString("base64");
}

function verified(key: SignKey, signature: Buffer, data: Buffer): boolean {
  if (key.algorithm === "HMAC") {
    const expected = hmac(key, data);
    return expected.length === signature.length && timingSafeEqual(expected, signature);
  }
  const object = createPublicKey({ key: key.material as JsonWebKey, format: "jwk" });
  return verify(digestOf(key), data, forEcdsa(key, object), signature);
}

function hmac(key: SignKey, data: Buffer): Buffer {
  return createHmac(hashOf(key.hash ?? "SHA-256"), bytesOf(key.material as string))
    .update(data)
    .digest();
}

function digestOf(key: SignKey): string | null {
  return key.algorithm === "Ed25519" ? null : hashOf(key.hash ?? "SHA-256");
}

function forEcdsa(key: SignKey, object: KeyObject) {
  if (key.algorithm !== "ECDSA") return object;
  return { key: object, dsaEncoding: "ieee-p1363" as const };
}

interface KeyImport {
  readonly format: "spki" | "pkcs8" | "jwk";
}

/** Reads a key and gives it back as JWK, so that a broken one is refused when it comes in. */
function imported({ format }: KeyImport, text: string): JsonWebKey {
  const options =
    format === "jwk"
      ? ({ key: JSON.parse(text) as JsonWebKey, format: "jwk" } as const)
      : ({ key: bytesOf(text), format: "der", type: format } as const);
  const isPrivate = format === "pkcs8" || (format === "jwk" && "d" in (options.key as object));
  const object = isPrivate
    ? createPrivateKey(options as Parameters<typeof createPrivateKey>[0])
    : createPublicKey(options as Parameters<typeof createPublicKey>[0]);
  return object.export({ format: "jwk" });
}

function exported({ format, jwk }: KeyImport & { readonly jwk: JsonWebKey }): string {
  if (format === "pkcs8") {
    const object = createPrivateKey({ key: jwk, format: "jwk" });
    return object.export({ format: "der", type: "pkcs8" }).toString("base64");
  }
  const object = createPublicKey({ key: jwk, format: "jwk" });
  return object.export({ format: "der", type: "spki" }).toString("base64");
}

interface Derivation {
  readonly name: "PBKDF2" | "HKDF";
  readonly hash: string;
  /** Base64. */
  readonly salt: string;
  /** Base64; HKDF. */
  readonly info?: string;
  readonly iterations?: number;
  readonly bits: number;
}

function derived(options: Derivation, key: Buffer): string {
  const bytes = options.bits / 8;
  if (!(Number.isInteger(bytes) && bytes > 0 && bytes <= derivedBytesMax)) {
    throw new RangeError(`A derived key has 8 to ${derivedBytesMax * 8} bits, in steps of 8.`);
  }
  const hash = hashOf(options.hash);
  const salt = bytesOf(options.salt);
  if (options.name === "HKDF") {
    return Buffer.from(hkdfSync(hash, key, salt, bytesOf(options.info ?? ""), bytes)).toString(
      "base64",
    );
  }
  const { iterations = 0 } = options;
  if (!(Number.isInteger(iterations) && iterations > 0 && iterations <= iterationsMax)) {
    throw new RangeError(`PBKDF2 takes 1 to ${iterationsMax} iterations.`);
  }
  return pbkdf2Sync(key, salt, iterations, bytes, hash).toString("base64");
}

interface GcmParts {
  /** Base64, as the others. */
  readonly key: string;
  readonly iv: string;
  readonly additionalData?: string;
}

function aesGcm(operation: "encrypt" | "decrypt", parts: GcmParts, data: Buffer): string {
  const key = bytesOf(parts.key);
  const name = `aes-${key.length * 8}-gcm` as "aes-256-gcm";
  const iv = bytesOf(parts.iv);
  const extra = bytesOf(parts.additionalData ?? "");
  if (operation === "encrypt") {
    const cipher = createCipheriv(name, key, iv).setAAD(extra);
    const body = Buffer.concat([cipher.update(data), cipher.final()]);
    return Buffer.concat([body, cipher.getAuthTag()]).toString("base64");
  }
  const decipher = createDecipheriv(name, key, iv, { authTagLength: tagBytes }).setAAD(extra);
  decipher.setAuthTag(data.subarray(data.length - tagBytes));
  const body = decipher.update(data.subarray(0, data.length - tagBytes));
  return Buffer.concat([body, decipher.final()]).toString("base64");
}
