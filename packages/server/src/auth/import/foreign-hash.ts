// Password hashes that came from elsewhere, as one text each that says how it was made (the PHC string format, and
// bcrypt's own). They are checked once: who signs in gets a hash of ours. Parameters are bounded when they are read,
// so that no file of users makes a sign-in take all memory or a minute.
import { argon2, createCipheriv, pbkdf2, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import type { PasswordVerifier } from "../password-hash.ts";

const runArgon2 = promisify(argon2);
const runPbkdf2 = promisify(pbkdf2);
const runScrypt = promisify<Buffer, Buffer, number, object, Buffer>(scrypt);

/** Memory of one check, bytes. */
const memoryBytesMax = 268_435_456;
const pbkdf2RoundsMax = 5_000_000;
const keyBytesMax = 128;
const bcryptCostMax = 14;
const hashCharsMax = 1_024;

/** How one kind of hash is checked. */
interface Scheme {
  /** Whether the parameters are there and within bounds. */
  accepts(hash: PhcHash): boolean;
  /** The key that this password gives. */
  derive(hash: PhcHash, password: string): Promise<Buffer>;
}

interface PhcHash {
  readonly id: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly salt: Buffer;
  readonly key: Buffer;
}

const bcryptForm = /^\$2[aby]\$(\d\d)\$[.\/A-Za-z0-9]{53}$/v;
const phcForm = /^\$([a-z0-9\-]{1,32})(?:\$v=(\d{1,4}))?(?:\$([a-z]+=[^$]*))?\$([^$]*)\$([^$]+)$/v;

/** Whether it is a hash that `verifyForeignHash` can check. */
export function isForeignHash(text: string): boolean {
  if (text.length > hashCharsMax) return false;
  const bcrypt = bcryptForm.exec(text);
  if (bcrypt !== null) return Number(bcrypt[1]) >= 4 && Number(bcrypt[1]) <= bcryptCostMax;
  const hash = parsePhc(text);
  return hash !== null && (schemes[hash.id]?.accepts(hash) ?? false);
}

/** Whether this password made the hash, without holding up the thread. A text that is no such hash is of no password. */
export async function verifyForeignHash(text: string, password: string): Promise<boolean> {
  if (!isForeignHash(text)) return false;
  if (bcryptForm.test(text)) {
    const { verify } = await import("@node-rs/bcrypt");
    // Older PHP writes 2y for what everybody else calls 2b.
    return verify(password, text.replace(/^\$2y/v, "$2b"));
  }
  const hash = parsePhc(text);
  const scheme = hash === null ? undefined : schemes[hash.id];
  if (hash === null || scheme === undefined) return false;
  const key = await scheme.derive(hash, password);
  return key.length === hash.key.length && timingSafeEqual(key, hash.key);
}

const argon2Scheme: Scheme = {
  accepts: ({ parameters, salt, key }) => {
    const { m, t, p } = numbers(parameters);
    if (m === undefined || t === undefined || p === undefined) return false;
    if (m < 8 * p || m * 1_024 > memoryBytesMax || t < 1 || t > 64 || p < 1 || p > 64) return false;
    return salt.length >= 8 && key.length >= 4 && key.length <= keyBytesMax;
  },
  derive: ({ id, parameters, salt, key }, password) => {
    const { m = 0, t = 0, p = 0 } = numbers(parameters);
    return runArgon2(id as "argon2id", {
      message: Buffer.from(password),
      nonce: salt,
      memory: m,
      passes: t,
      parallelism: p,
      tagLength: key.length,
    });
  },
};

const pbkdf2Scheme: Scheme = {
  accepts: ({ parameters, key }) => {
    const { i } = numbers(parameters);
    return i !== undefined && i >= 1 && i <= pbkdf2RoundsMax && isKey(key);
  },
  derive: ({ id, parameters, salt, key }, password) =>
    runPbkdf2(
      password,
      salt,
      numbers(parameters)["i"] ?? 0,
      key.length,
      id.slice("pbkdf2-".length),
    ),
};

const scryptScheme: Scheme = {
  accepts: ({ parameters, key }) => {
    const { ln, r, p } = numbers(parameters);
    if (ln === undefined || r === undefined || p === undefined || !isKey(key)) return false;
    return areScryptBounds(ln, r, p);
  },
  derive: ({ parameters, salt, key }, password) => {
    const { ln = 0, r = 0, p = 0 } = numbers(parameters);
    return scryptKey({ password: Buffer.from(password), salt, ln, r, p, bytes: key.length });
  },
};

/** Firebase's own: scrypt's key encrypts the project's signer key, and the result is the hash. */
const firebaseScheme: Scheme = {
  accepts: ({ parameters, key }) => {
    const { n, r, p } = numbers(parameters);
    if (n === undefined || r === undefined || p === undefined || !isKey(key)) return false;
    return areScryptBounds(n, r, p) && base64(parameters["sk"] ?? "").length === key.length;
  },
  derive: async ({ parameters, salt }, password) => {
    const { n = 0, r = 0, p = 0 } = numbers(parameters);
    const key = await scryptKey({
      password: Buffer.from(password),
      salt: Buffer.concat([salt, base64(parameters["ss"] ?? "")]),
      ...{ ln: n, r, p, bytes: 32 },
    });
    const cipher = createCipheriv("aes-256-ctr", key, Buffer.alloc(16));
    return Buffer.concat([cipher.update(base64(parameters["sk"] ?? "")), cipher.final()]);
  },
};

const schemes: Readonly<Record<string, Scheme>> = Object.assign(Object.create(null), {
  argon2id: argon2Scheme,
  argon2i: argon2Scheme,
  argon2d: argon2Scheme,
  "pbkdf2-sha1": pbkdf2Scheme,
  "pbkdf2-sha256": pbkdf2Scheme,
  "pbkdf2-sha512": pbkdf2Scheme,
  scrypt: scryptScheme,
  fbscrypt: firebaseScheme,
});

function parsePhc(text: string): PhcHash | null {
  const found = phcForm.exec(text);
  if (found === null) return null;
  const [, id = "", version, list = "", salt = "", key = ""] = found;
  const parameters: Record<string, string> = Object.create(null);
  if (version !== undefined) parameters["v"] = version;
  for (const part of list.split(",")) {
    const at = part.indexOf("=");
    if (at > 0) parameters[part.slice(0, at)] = part.slice(at + 1);
  }
  // The only version of Argon2 in use; 0x10 gives other keys.
  if (id.startsWith("argon2") && parameters["v"] !== "19") return null;
  if (!isBase64(salt) || !isBase64(key)) return null;
  return { id, parameters, salt: base64(salt), key: base64(key) };
}

function numbers(parameters: Readonly<Record<string, string>>): Readonly<Record<string, number>> {
  const entries = Object.entries(parameters).filter(([, value]) => /^\d{1,9}$/v.test(value));
  return Object.fromEntries(entries.map(([name, value]) => [name, Number(value)]));
}

function areScryptBounds(ln: number, r: number, p: number): boolean {
  if (ln < 1 || ln > 20 || r < 1 || r > 64 || p < 1 || p > 16) return false;
  return 128 * 2 ** ln * r <= memoryBytesMax;
}

function scryptKey(options: {
  readonly password: Buffer;
  readonly salt: Buffer;
  readonly ln: number;
  readonly r: number;
  readonly p: number;
  readonly bytes: number;
}): Promise<Buffer> {
  const { password, salt, ln, r, p, bytes } = options;
  // Twice what it needs: OpenSSL counts its own bookkeeping too.
  return runScrypt(password, salt, bytes, { N: 2 ** ln, r, p, maxmem: 2 * memoryBytesMax });
}

function isKey(key: Buffer): boolean {
  return key.length >= 16 && key.length <= keyBytesMax;
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+\/_\-]*={0,2}$/v.test(text);
}

/** With or without padding, of either alphabet. */
function base64(text: string): Buffer {
  return Buffer.from(text, "base64");
}

/** For the hasher of passwords, which replaces them at the first sign-in. */
export const foreignHashes: PasswordVerifier = {
  knows: isForeignHash,
  isRight: (password, hash) => verifyForeignHash(hash, password),
};
