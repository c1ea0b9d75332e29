// Callers of verified tokens, by the text that they came with. Two generations stand for "least recently
// used": a hit in the young one changes nothing, which keeps the hot path to one look-up; when the young
// one is full it becomes the old one, and what nobody asked for in the meantime is forgotten with it.
import type { Caller } from "../gate/identity.ts";

/** A verified token. */
export interface KnownToken {
  readonly caller: Caller;
  /** When it stops being valid, ms since the epoch. */
  readonly expiresMs: number;
}

/** Remembers at most `max` verified tokens. */
export class TokenCache {
  readonly #generationMax: number;
  #young = new Map<string, KnownToken>();
  #old = new Map<string, KnownToken>();

  /** @param max tokens remembered, at least 2. */
  constructor(max: number) {
    this.#generationMax = Math.max(1, Math.floor(max / 2));
  }

  get(text: string): KnownToken | null {
    const known = this.#young.get(text);
    if (known !== undefined) return known;
    const older = this.#old.get(text);
    if (older === undefined) return null;
    this.#old.delete(text);
    this.put(text, older);
    return older;
  }

  put(text: string, token: KnownToken): void {
    if (this.#young.size >= this.#generationMax) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, token);
  }

  drop(text: string): void {
    this.#young.delete(text);
    this.#old.delete(text);
  }

  /** Tokens remembered now. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
