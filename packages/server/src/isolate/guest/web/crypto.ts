// `crypto`: random values from the call's seed, and `crypto.subtle` for hashes, HMAC, RSA and EC signatures,
// Ed25519, AES-GCM, PBKDF2 and HKDF. The host computes. Keys are imported, not generated, but for secrets.
import { askNow } from "../ask.ts";
import { callFor } from "../running.ts";
import { base64Of, bytesFrom, compute, viewOf } from "./bytes.ts";
import { makeKey, openKey, type CryptoKey, type KeyMaterial } from "./crypto-key.ts";
import { DOMException } from "./events.ts";

type Algorithm = string | ({ readonly name: string } & Readonly<Record<string, unknown>>);

const randomBytesMax = 65_536;

function nameOf(algorithm: Algorithm): string {
  return typeof algorithm === "string" ? algorithm : algorithm.name;
}

function hashOf(algorithm: Algorithm | undefined): string {
  const hash =
    typeof algorithm === "object" ? (algorithm["hash"] as Algorithm | undefined) : undefined;
  return hash === undefined ? "SHA-256" : nameOf(hash).toUpperCase();
}

function unsupported(what: string): DOMException {
  return new DOMException(`${what} is not supported here.`, "NotSupportedError");
}

function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  return bytesFrom(askNow(callFor("crypto.getRandomValues"), "random", `${count}`));
}

function getRandomValues<T>(target: T): T {
  if (
    !ArrayBuffer.isView(target) ||
    target instanceof Float32Array ||
    target instanceof Float64Array
  ) {
    throw new TypeError("getRandomValues fills a typed array of whole numbers.");
  }
  const view = viewOf(target, "getRandomValues");
  if (view.length > randomBytesMax) {
    throw new DOMException(`At most ${randomBytesMax} bytes at once.`, "QuotaExceededError");
  }
  view.set(randomBytes(view.length));
  return target;
}

function randomUUID(): string {
  const bytes = randomBytes(16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

const asymmetric: ReadonlySet<string> = new Set(["RSASSA-PKCS1-v1_5", "ECDSA", "Ed25519"]);
const secret: ReadonlySet<string> = new Set(["HMAC", "AES-GCM", "PBKDF2", "HKDF"]);

function wireKey({ algorithm, material, type }: KeyMaterial, asked: Algorithm): object {
  const hash = algorithm.name === "ECDSA" ? hashOf(asked) : (algorithm.hash?.name ?? "SHA-256");
  return { algorithm: algorithm.name, hash, kind: type, material };
}

function usable(key: CryptoKey, usage: string, asked: Algorithm): KeyMaterial {
  const parts = openKey(key);
  if (!parts.usages.includes(usage)) {
    throw new DOMException(`The key may not ${usage}.`, "InvalidAccessError");
  }
  if (parts.algorithm.name.toLowerCase() !== nameOf(asked).toLowerCase()) {
    throw new DOMException(`The key is for ${parts.algorithm.name}.`, "InvalidAccessError");
  }
  return parts;
}

function bufferOf(base64: string): ArrayBuffer {
  return bytesFrom(base64).buffer;
}

function failed(message: string): DOMException {
  return new DOMException(message, "OperationError");
}

async function importKey(
  format: string,
  data: unknown,
  algorithm: Algorithm,
  extractable: boolean,
  usages: readonly string[],
): Promise<CryptoKey> {
  const name = nameOf(algorithm);
  const hash = { name: hashOf(algorithm) };
  const kept = { algorithm: { name, hash }, extractable, usages: [...usages] };
  if (secret.has(name)) {
    if (format === "raw") {
      return makeKey({ ...kept, type: "secret", material: base64Of(viewOf(data, "importKey")) });
    }
    const { k, kty } = data as { k?: unknown; kty?: unknown };
    if (format !== "jwk" || kty !== "oct" || typeof k !== "string")
      throw unsupported(`${name} as ${format}`);
    const standard = k.replaceAll("-", "+").replaceAll("_", "/");
    return makeKey({ ...kept, type: "secret", material: base64Of(bytesFrom(padded(standard))) });
  }
  if (!asymmetric.has(name)) throw unsupported(name);
  if (format !== "jwk" && format !== "spki" && format !== "pkcs8")
    throw unsupported(`${name} as ${format}`);
  const text = format === "jwk" ? JSON.stringify(data) : base64Of(viewOf(data, "importKey"));
  const material = JSON.parse(
    compute("key.import", JSON.stringify({ format }), text, failed),
  ) as object;
  return makeKey({ ...kept, type: "d" in material ? "private" : "public", material });
}

function padded(base64: string): string {
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, "=");
}

async function exportKey(format: string, key: CryptoKey): Promise<unknown> {
  const { extractable, material, type, usages } = openKey(key);
  if (!extractable) throw new DOMException("The key is not extractable.", "InvalidAccessError");
  if (type === "secret") {
    const text = material as string;
    if (format === "raw") return bufferOf(text);
    const k = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
    if (format === "jwk") return { kty: "oct", k, ext: true, key_ops: usages };
  } else if (format === "jwk") return { ...(material as object), ext: true, key_ops: usages };
  else if (format === (type === "private" ? "pkcs8" : "spki")) {
    return bufferOf(compute("key.export", JSON.stringify({ format, jwk: material }), "", failed));
  }
  throw unsupported(`A ${type} key as ${format}`);
}

async function derived(algorithm: Algorithm, key: CryptoKey, bits: number): Promise<string> {
  const { name, salt, info, iterations } = algorithm as Readonly<Record<string, unknown>>;
  const options = {
    name,
    hash: hashOf(algorithm),
    salt: base64Of(viewOf(salt, "salt")),
    info: info === undefined ? "" : base64Of(viewOf(info, "info")),
    iterations,
    bits,
  };
  const { material } = openKey(key);
  return compute("derive", JSON.stringify(options), material as string, failed);
}

async function crypted(
  operation: "encrypt" | "decrypt",
  algorithm: Algorithm,
  key: CryptoKey,
  data: unknown,
): Promise<ArrayBuffer> {
  const { material } = usable(key, operation, algorithm);
  if (nameOf(algorithm) !== "AES-GCM") throw unsupported(nameOf(algorithm));
  const { iv, additionalData } = algorithm as Readonly<Record<string, unknown>>;
  const parts = {
    key: material,
    iv: base64Of(viewOf(iv, "iv")),
    ...(additionalData === undefined
      ? {}
      : { additionalData: base64Of(viewOf(additionalData, "additionalData")) }),
  };
  return bufferOf(
    compute(operation, JSON.stringify(parts), base64Of(viewOf(data, operation)), failed),
  );
}

const subtle = {
  async digest(algorithm: Algorithm, data: unknown): Promise<ArrayBuffer> {
    return bufferOf(
      compute("digest", nameOf(algorithm), base64Of(viewOf(data, "digest")), unsupported),
    );
  },
  async sign(algorithm: Algorithm, key: CryptoKey, data: unknown): Promise<ArrayBuffer> {
    const wire = JSON.stringify(wireKey(usable(key, "sign", algorithm), algorithm));
    return bufferOf(compute("sign", wire, base64Of(viewOf(data, "sign")), failed));
  },
  async verify(
    algorithm: Algorithm,
    key: CryptoKey,
    signature: unknown,
    data: unknown,
  ): Promise<boolean> {
    const wire = JSON.stringify({
      key: wireKey(usable(key, "verify", algorithm), algorithm),
      signature: base64Of(viewOf(signature, "verify")),
    });
    return compute("verify", wire, base64Of(viewOf(data, "verify")), failed) === "true";
  },
  importKey,
  exportKey,
  async generateKey(
    algorithm: Algorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey> {
    const name = nameOf(algorithm);
    if (name !== "HMAC" && name !== "AES-GCM") throw unsupported(`Generating a key for ${name}`);
    const bits = Number((algorithm as { length?: unknown }).length ?? 256);
    return importKey("raw", randomBytes(bits / 8), algorithm, extractable, usages);
  },
  async deriveBits(algorithm: Algorithm, key: CryptoKey, bits: number): Promise<ArrayBuffer> {
    usable(key, "deriveBits", algorithm);
    return bufferOf(await derived(algorithm, key, bits));
  },
  async deriveKey(
    algorithm: Algorithm,
    key: CryptoKey,
    target: Algorithm,
    extractable: boolean,
    usages: readonly string[],
  ): Promise<CryptoKey> {
    usable(key, "deriveKey", algorithm);
    const bits = Number((target as { length?: unknown }).length ?? 256);
    return importKey(
      "raw",
      bytesFrom(await derived(algorithm, key, bits)),
      target,
      extractable,
      usages,
    );
  },
  encrypt: (algorithm: Algorithm, key: CryptoKey, data: unknown) =>
    crypted("encrypt", algorithm, key, data),
  decrypt: (algorithm: Algorithm, key: CryptoKey, data: unknown) =>
    crypted("decrypt", algorithm, key, data),
};

/** The `crypto` that user code sees. */
export const guestCrypto = { getRandomValues, randomUUID, subtle };
