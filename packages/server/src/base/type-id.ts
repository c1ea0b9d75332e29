// Ids of rows: TypeID 0.3 (https://github.com/jetify-com/typeid/tree/main/spec), a type's prefix, an
// underscore and a UUIDv7 (RFC 9562) in 26 characters of lower-case Crockford base32. They sort by time of
// creation, tell their table, and can't be guessed. Invariant: ids of one TypeIds grow strictly, also
// within a millisecond and when the clock steps back, so rows of one writer sort in the order of creation.
import { assert } from "./assert.ts";
import type { RandomSource } from "./random.ts";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
const suffixChars = 26;
/** Of 63 characters at most: what the specification allows. */
const prefixPattern = /^[a-z](?:[a-z_]{0,61}[a-z])?$/;
const poolBytes = 640;
const bytesPerId = 10;
const two22 = 2 ** 22;
const two40 = 2 ** 40;
const msMax = 2 ** 48 - 1;

/** Value of an ASCII character in the alphabet, 255 for any other. */
const digitOf = new Uint8Array(128).fill(255);
for (let digit = 0; digit < 32; digit++) digitOf[alphabet.charCodeAt(digit)] = digit;

/** What an id says. */
export interface TypeIdParts {
  /** `""` when the id has none. */
  readonly prefix: string;
  /** `01890a5d-ac96-774b-bcce-b302099a8057`. */
  readonly uuid: string;
  /** Milliseconds since the epoch: the time of creation when the UUID is of version 7. */
  readonly atMs: number;
}

/** Makes ids of one writer. */
export class TypeIds {
  readonly #nowMs: () => number;
  readonly #random: RandomSource;
  #pool: Uint8Array = new Uint8Array(0);
  #used = 0;
  #lastMs = -Infinity;
  #timeText = "";
  /** 34 random bits: 12 of rand_a and the upper 22 of rand_b. */
  #high = 0;
  /** The lower 40 bits of rand_b. */
  #low = 0;

  /** @param nowMs the clock, ms since the epoch. @param random where the random bits come from. */
  constructor(nowMs: () => number, random: RandomSource) {
    this.#nowMs = nowMs;
    this.#random = random;
  }

  /** Makes the next id, greater than every one before under the same prefix. @param prefix `[a-z_]`, 63 at most. */
  next(prefix: string): string {
    const nowMs = this.#nowMs();
    if (nowMs <= this.#lastMs) this.#stepUp();
    else this.#startMs(nowMs);
    return `${prefix}_${this.#timeText}${encode40(highWord(this.#high))}${encode40(this.#low)}`;
  }

  #startMs(nowMs: number): void {
    assert(Number.isInteger(nowMs), "the clock gives whole milliseconds");
    assert(nowMs >= 0 && nowMs <= msMax, "the clock is within what a UUIDv7 holds");
    const at = this.#draw();
    this.#lastMs = nowMs;
    this.#timeText = encodeTime(nowMs);
    // The top bit starts at 0, so that a millisecond has room for at least 2^33 steps of #high.
    this.#high = this.#uint32(at) + (this.#byte(at + 4) & 1) * 2 ** 32;
    this.#low = this.#uint32(at + 5) + this.#byte(at + 9) * 2 ** 32;
  }

  /** RFC 9562 6.2 method 2: grows by a random amount, so that a neighbour is still hard to guess. */
  #stepUp(): void {
    const at = this.#draw();
    this.#low += 1 + this.#uint32(at) + (this.#byte(at + 4) & 15) * 2 ** 32;
    if (this.#low < two40) return;
    this.#low -= two40;
    this.#high += 1;
    // 2^34 overflows in one millisecond cannot happen within the life of a machine; the RFC's answer is a later time.
    if (this.#high >= 2 ** 34) this.#startMs(this.#lastMs + 1);
  }

  #draw(): number {
    if (this.#used + bytesPerId > this.#pool.length) {
      this.#pool = this.#random.bytes(poolBytes);
      assert(this.#pool.length === poolBytes, "a random source gives as many bytes as asked");
      this.#used = 0;
    }
    this.#used += bytesPerId;
    return this.#used - bytesPerId;
  }

  #byte(at: number): number {
    return this.#pool[at] ?? 0;
  }

  #uint32(at: number): number {
    return (
      this.#byte(at) * 2 ** 24 +
      (this.#byte(at + 1) << 16) +
      (this.#byte(at + 2) << 8) +
      this.#byte(at + 3)
    );
  }
}

/** Makes one id with no order within its millisecond. @param nowMs ms since the epoch. */
export function makeTypeId(prefix: string, nowMs: number, random: RandomSource): string {
  return new TypeIds(() => nowMs, random).next(prefix);
}

/** Takes an id apart. @returns null when `text` is no TypeID. */
export function parseTypeId(text: string): TypeIdParts | null {
  const suffixAt = text.length - suffixChars;
  if (suffixAt < 0 || !isSuffix(text, suffixAt)) return null;
  let prefix = "";
  if (suffixAt > 0) {
    prefix = text.slice(0, suffixAt - 1);
    if (text[suffixAt - 1] !== "_" || !isTypeIdPrefix(prefix)) return null;
  }
  let bits = 0n;
  for (let at = suffixAt; at < text.length; at++) {
    bits = (bits << 5n) | BigInt(digitOf[text.charCodeAt(at)] ?? 0);
  }
  const hex = bits.toString(16).padStart(32, "0");
  const groups = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return {
    prefix,
    uuid: `${groups.join("-")}-${hex.slice(20)}`,
    atMs: Number.parseInt(hex.slice(0, 12), 16),
  };
}

/**
 * Writes a UUID as a TypeID: the inverse of `parseTypeId`, for data that comes with UUIDs.
 * @param prefix `[a-z_]` or `""`. @param uuid with or without hyphens, any case.
 */
export function typeIdOfUuid(prefix: string, uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  assert(/^[0-9a-fA-F]{32}$/.test(hex), "a UUID has 32 hex digits");
  assert(prefix === "" || isTypeIdPrefix(prefix), "the prefix is one of TypeID");
  let bits = BigInt(`0x${hex}`);
  let suffix = "";
  for (let count = 0; count < suffixChars; count++) {
    suffix = (alphabet[Number(bits & 31n)] ?? "") + suffix;
    bits >>= 5n;
  }
  return prefix === "" ? suffix : `${prefix}_${suffix}`;
}

/** Whether `text` is a TypeID with exactly this prefix. Called for every id of every request. */
export function isTypeId(text: string, prefix: string): boolean {
  const suffixAt = prefix.length + 1;
  return (
    text.length === suffixAt + suffixChars &&
    text.charCodeAt(suffixAt - 1) === 95 &&
    text.startsWith(prefix) &&
    isSuffix(text, suffixAt)
  );
}

/** Whether `text` may stand before the underscore: `[a-z_]`, starting and ending in a letter, 63 at most. */
export function isTypeIdPrefix(text: string): boolean {
  return prefixPattern.test(text);
}

/**
 * The prefix of a table's ids: `filmRole` gives `film_role`. Digits have no place in a TypeID's prefix, so
 * tables have none in their names. Two names that give the same prefix (`filmRole` and `film_role`) may not
 * stand in one app; buildManifest refuses them, so within an app the mapping has an inverse.
 */
export function typeIdPrefix(table: string): string {
  return table.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function isSuffix(text: string, from: number): boolean {
  // The first character carries three bits: above 7 the id would not fit in 128.
  const first = text.charCodeAt(from);
  if (first < 48 || first > 55) return false;
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 127 || digitOf[code] === 255) return false;
  }
  return true;
}

/** 48 bits of time in 10 characters; the two bits above them are zero. */
function encodeTime(ms: number): string {
  let text = "";
  for (let rest = ms, count = 0; count < 10; count++) {
    text = (alphabet[rest % 32] ?? "") + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

/** Version 7, rand_a, variant 2 and the upper 22 bits of rand_b: 40 bits. */
function highWord(high: number): number {
  const a = Math.floor(high / two22);
  return 7 * 2 ** 36 + a * 2 ** 24 + 2 * two22 + (high % two22);
}

/** 40 bits in 8 characters. */
function encode40(bits: number): string {
  return pairs20(Math.floor(bits / 2 ** 20)) + pairs20(bits % 2 ** 20);
}

function pairs20(bits: number): string {
  return (pairs[bits >>> 10] ?? "") + (pairs[bits & 1023] ?? "");
}

/** Every two characters, by their ten bits. */
const pairs: readonly string[] = Array.from(
  { length: 1024 },
  (_, bits) => (alphabet[bits >> 5] ?? "") + (alphabet[bits & 31] ?? ""),
);
