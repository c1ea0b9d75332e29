// Canary values: every field of every planted row holds a value that stands nowhere else, so that one look at
// the bytes of an answer tells which fields of which rows are in it. Texts carry a marker; numbers, times and
// days come from ranges that nothing else uses. What has too few values to be unique (flags, states, small
// numbers) is no canary.
import type { Json } from "../../base/json.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Where a canary lives. */
export interface CanaryPlace {
  readonly table: string;
  readonly id: string;
  readonly field: string;
}

/** A canary that was found in an answer. */
export interface CanarySight {
  readonly token: string;
  /** Every place that holds it; whoever may read one of them may have it. */
  readonly places: readonly CanaryPlace[];
}

const markerPattern = /kq[a-z0-9]{10}/g;
const timePattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;
const dayPattern = /(?<![\d-])(?:18|19)\d\d-\d\d-\d\d(?![\dT-])/g;
const numberPattern =
  /(?<![\w.-])-?\d{6,16}(?:\.\d+)?(?![\w-])|(?<![\w.-])-?\d{1,16}\.\d{4,16}(?![\w-])/g;
const longNumberPattern = /(?<![\w.-])\d{7,16}(?![\w.-])/g;
const idPattern = /(?<![a-z_])[a-z][a-z_]{0,62}_[0-7][0-9a-hjkmnp-tv-z]{25}/g;
const packedPattern = /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{32,6000}={0,2}/g;

/** Makes canaries and knows them again. */
export class CanaryBook {
  readonly #random: SeededRandom;
  readonly #places = new Map<string, CanaryPlace[]>();
  #count = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** A marker that was never given before. */
  marker(): string {
    this.#count += 1;
    return `kq${this.#random.letters(6)}${this.#count.toString(36).padStart(4, "0")}`;
  }

  /** A number that was never given before, of at least six digits; null when the bounds have no room. */
  number(min: number, max: number): number | null {
    this.#count += 1;
    const value = 700_000 + this.#count * 137 + this.#random.int(0, 99);
    if (value >= min && value <= max) return value;
    return -value >= min && -value <= max ? -value : null;
  }

  /** A day that was never given before, from 1 January 1850 on. */
  day(): string {
    this.#count += 1;
    const days = this.#count % 36_000;
    return isoOf(-3_786_825_600_000 + days * 86_400_000).slice(0, 10);
  }

  /** An instant that was never given before. @param nowMs what it is before or after. */
  time(nowMs: number, side: "past" | "future"): string {
    this.#count += 1;
    const offset = 3 * 86_400_000 + this.#count * 61_001 + this.#random.int(1, 900);
    return isoOf(nowMs + (side === "future" ? offset : -offset));
  }

  /** Remembers a planted row. */
  learn(table: string, row: Row, fields: Readonly<Record<string, FieldSpec>>): void {
    const id = String(row["id"]);
    for (const [field, spec] of Object.entries(fields)) {
      for (const token of tokensIn(row[field] ?? null, spec)) {
        const known = this.#places.get(token);
        if (known === undefined) this.#places.set(token, [{ table, id, field }]);
        else known.push({ table, id, field });
      }
    }
  }

  /** The canaries in a text, also inside cursors and other packed parts. @param known tokens that the caller sent itself. */
  find(text: string, known: ReadonlySet<string>): readonly CanarySight[] {
    const sights = new Map<string, CanarySight>();
    this.#look(text, known, sights);
    for (const [packed] of text.matchAll(packedPattern)) {
      if (packed.length > 6_000) continue;
      const inside = Buffer.from(packed, "base64url").toString("latin1");
      if (/["{[]|kq/.test(inside)) this.#look(inside, known, sights);
    }
    return [...sights.values()];
  }

  /** Tokens of a text that could be canaries: what a caller who sends it knows. */
  tokens(text: string): ReadonlySet<string> {
    return new Set(candidates(text));
  }

  #look(text: string, known: ReadonlySet<string>, sights: Map<string, CanarySight>): void {
    for (const token of candidates(text)) {
      if (known.has(token) || sights.has(token)) continue;
      const places = this.#places.get(token);
      if (places !== undefined) sights.set(token, { token, places });
    }
  }
}

function* candidates(text: string): Generator<string> {
  for (const pattern of [markerPattern, timePattern, dayPattern, numberPattern, idPattern]) {
    for (const [token] of text.matchAll(pattern)) yield token;
  }
}

function tokensIn(value: Json, spec: FieldSpec): readonly string[] {
  if (value === null) return [];
  switch (spec.kind) {
    case "text": {
      const text = String(value);
      // Where a pattern leaves no room for a marker, long numbers tell the row: of a telephone, of an account.
      return [...rest(markerPattern, text), ...rest(longNumberPattern, text)];
    }
    case "json":
    case "list":
    case "object":
      return [
        ...new Set([...JSON.stringify(value).matchAll(markerPattern)].map(([token]) => token)),
      ];
    case "time":
    case "id":
    case "ref":
      return [String(value)];
    case "date":
      return rest(dayPattern, String(value));
    case "int":
    case "money":
    case "number":
      return rest(numberPattern, String(value));
    case "bytes":
      return [
        ...Buffer.from(String(value), "base64").toString("latin1").matchAll(markerPattern),
      ].map(([token]) => token);
    case "bool":
    case "oneOf":
      return [];
    default:
      return spec satisfies never;
  }
}

/** The text when it is a canary of this pattern. */
function rest(pattern: RegExp, text: string): readonly string[] {
  return [...text.matchAll(pattern)].map(([token]) => token);
}

function isoOf(ms: number): string {
  // oxlint-disable-next-line no-restricted-globals -- a given instant is written, no clock is read
  return new Date(ms).toISOString();
}
