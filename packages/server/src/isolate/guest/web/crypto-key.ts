// CryptoKey: a handle whose material only the guest's `crypto.subtle` reads.
import { apply, methodOf } from "../primordials.ts";

/** What a key is made of. */
export interface KeyMaterial {
  readonly type: "secret" | "private" | "public";
  readonly algorithm: { readonly name: string; readonly hash?: { readonly name: string } };
  readonly extractable: boolean;
  readonly usages: readonly string[];
  /** Secret: bytes as base64. The others: JWK. */
  readonly material: string | object;
}

const making: unique symbol = Symbol("making");

/** A key. */
export class CryptoKey {
  readonly #parts: KeyMaterial;

  constructor(key: symbol, parts: KeyMaterial) {
    if (key !== making) throw new TypeError("Illegal constructor");
    this.#parts = parts;
  }

  get type(): string {
    return this.#parts.type;
  }

  get algorithm(): object {
    return this.#parts.algorithm;
  }

  get extractable(): boolean {
    return this.#parts.extractable;
  }

  get usages(): readonly string[] {
    return this.#parts.usages;
  }

  static make(parts: KeyMaterial): CryptoKey {
    return new CryptoKey(making, parts);
  }

  static open(key: unknown): KeyMaterial {
    if (!(key instanceof CryptoKey)) throw new TypeError("This is no CryptoKey.");
    return key.#parts;
  }
}

const make = methodOf(CryptoKey, "make");
const open = methodOf(CryptoKey, "open");
Reflect.deleteProperty(CryptoKey, "make");
Reflect.deleteProperty(CryptoKey, "open");

// User code can read `CryptoKey`, but not what makes and opens one.
export const makeKey = (parts: KeyMaterial): CryptoKey =>
  apply(make, CryptoKey, [parts]) as CryptoKey;
export const openKey = (key: unknown): KeyMaterial => apply(open, CryptoKey, [key]) as KeyMaterial;
