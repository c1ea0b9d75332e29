// Secrets of identity: drawn, digested, sealed. Everything here is keyed by the server's own key file or by nothing at
// all; what is kept in the database can't be turned back into what was handed out.
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hash,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import type { TokenKeys } from "./token-keys.ts";

/** Makes and checks secrets. */
export interface AuthSecrets {
  /** 256 random bits, base64url, 43 characters. */
  draw(): string;
  /** A code of decimal digits, each as likely as any other. @param digits 6 to 10. */
  drawCode(digits: number): string;
  /** SHA-256, base64url. For secrets of 128 bits and more: nothing slower is needed for those. */
  digest(secret: string): string;
  /** A digest that nobody without the key file can try guesses against: for short codes. @param label its purpose. */
  keyedDigest(label: string, text: string): string;
  /** A keyed mark of a text, base64url, 43 characters: whoever shows it got it from this server. @param label its purpose. */
  mark(label: string, text: string): string;
  /** Whether a mark was made by `mark`, with any key of the file. Takes the same time whatever is wrong. */
  isMark(label: string, text: string, mark: string): boolean;
  /** Encrypts what must come back (AES-256-GCM). @param label its purpose; asked again at `unseal`. */
  seal(label: string, text: string): string;
  /** @throws TOKEN_INVALID when it was not sealed here, or for another purpose. */
  unseal(label: string, sealed: string): string;
}

const keyBytes = 32;
const ivBytes = 12;
const tagBytes = 16;

/** Opens the secrets of a server. */
export function openAuthSecrets(keys: TokenKeys, random: RandomSource): AuthSecrets {
  const all = [keys.signing, ...[...keys.byKid.values()].filter((key) => key !== keys.signing)];
  const rings = all.map(({ privateKey }) => {
    const seed = privateKey.export({ format: "der", type: "pkcs8" });
    const derive = (use: string) =>
      Buffer.from(hkdfSync("sha256", seed, "", `keelson ${use}`, keyBytes));
    return { mark: derive("mark"), seal: derive("seal") };
  });
  const [first] = rings as [(typeof rings)[0], ...typeof rings];

  const marked = (key: Buffer, label: string, text: string) =>
    createHmac("sha256", key).update(`${label}\0${text}`).digest();

  return {
    draw: () => Buffer.from(random.bytes(keyBytes)).toString("base64url"),
    drawCode(digits) {
      let code = "";
      while (code.length < digits) {
        // 250 is the largest multiple of ten that a byte reaches: the rest would make some digits likelier.
        for (const byte of random.bytes(digits)) {
          if (byte < 250 && code.length < digits) code += String(byte % 10);
        }
      }
      return code;
    },
    digest: (secret) => hash("sha256", secret, "base64url"),
    keyedDigest: (label, text) => marked(first.mark, label, text).toString("base64url"),
    mark: (label, text) => marked(first.mark, label, text).toString("base64url"),
    isMark(label, text, mark) {
      const given = Buffer.from(mark, "base64url");
      let isGood = false;
      for (const ring of rings) {
        const made = marked(ring.mark, label, text);
        if (given.length === made.length && timingSafeEqual(given, made)) isGood = true;
      }
      // Base64url has spellings that decode to the same bytes; only the one that we write is ours.
      return isGood && given.toString("base64url") === mark;
    },
    seal(label, text) {
      const iv = random.bytes(ivBytes);
      const cipher = createCipheriv("aes-256-gcm", first.seal, iv).setAAD(Buffer.from(label));
      const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]).toString("base64url");
    },
    unseal(label, sealed) {
      const bytes = Buffer.from(sealed, "base64url");
      for (const ring of rings) {
        const text = opened(ring.seal, label, bytes);
        if (text !== null) return text;
      }
      throw new PlatformError("TOKEN_INVALID");
    },
  };
}

function opened(key: Buffer, label: string, bytes: Buffer): string | null {
  if (bytes.length < ivBytes + tagBytes) return null;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, ivBytes), {
      authTagLength: tagBytes,
    })
      .setAAD(Buffer.from(label))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    const body = decipher.update(bytes.subarray(ivBytes + tagBytes));
    return Buffer.concat([body, decipher.final()]).toString("utf8");
  } catch {
    return null;
  }
}
