// Values of fields for planted rows and for probes: canaries where the kind has room for them, else a draw
// from what the field takes.
import type { Json } from "../../base/json.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import type { CanaryBook } from "./canary.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** What making a value can use. */
export interface ValueParts {
  readonly random: SeededRandom;
  readonly canaries: CanaryBook;
  readonly nowMs: number;
  /** Which of several values: states and flags go round with it, times change sides. */
  readonly variant: number;
  /** The id of a row of a table, or null when there is none. */
  reference(table: string): string | null;
}

const markerChars = 12;

/** A value of a field; null when none can be made. @param plain no canaries: small ordinary values. */
export function seedValue(spec: FieldSpec, parts: ValueParts, plain = false): Json {
  const { random, canaries, variant } = parts;
  switch (spec.kind) {
    case "id":
    case "ref":
      return parts.reference(spec.table);
    case "text":
      return seedText(spec, parts, plain);
    case "int":
    case "money":
    case "number":
      return seedNumber(spec, parts, plain);
    case "bool":
      return variant % 2 === 0;
    case "time":
      return canaries.time(parts.nowMs, variant % 2 === 0 ? "future" : "past");
    case "date":
      return canaries.day();
    case "oneOf":
      return spec.values[variant % spec.values.length] ?? null;
    case "json":
      return spec.maxBytes < 40 ? {} : { note: canaries.marker() };
    case "list": {
      const count = Math.max(spec.min, Math.min(1, spec.max));
      return Array.from({ length: count }, () => seedValue(spec.item, parts, plain));
    }
    case "object":
      return Object.fromEntries(
        Object.entries(spec.fields).map(([name, field]) => [name, seedValue(field, parts, plain)]),
      );
    case "bytes":
      return Buffer.from(
        canaries.marker().padEnd(36, "-").slice(0, Math.min(spec.max, 36)),
      ).toString("base64");
    default:
      void random;
      return spec satisfies never;
  }
}

function seedNumber(
  spec: FieldSpec & { readonly kind: "int" | "money" | "number" },
  { canaries, random }: ValueParts,
  plain: boolean,
): number {
  const min = spec.min ?? Number.MIN_SAFE_INTEGER;
  const max = spec.max ?? Number.MAX_SAFE_INTEGER;
  const canary = plain ? null : canaries.number(min, max);
  if (canary !== null) return canary;
  const low = Math.max(min, plain ? Math.max(min, 0) : min, -1_000_000);
  const high = Math.min(max, Math.max(low, plain ? 100 : 1_000));
  if (spec.kind === "number") {
    return Math.round((low + random.next() * (high - low)) * 1e6) / 1e6;
  }
  return random.int(Math.ceil(low), Math.floor(high));
}

function seedText(
  spec: FieldSpec & { readonly kind: "text" },
  { canaries, random }: ValueParts,
  plain: boolean,
): string {
  const marker = plain ? `w${random.letters(9)}` : canaries.marker();
  if (spec.format === "email") return `${marker}@canary.example`.slice(-spec.max);
  if (spec.format === "url") return `https://canary.example/${marker}`;
  if (spec.pattern !== undefined) return ofPattern(spec.pattern, random, spec.max);
  if (spec.max < markerChars) return random.letters(Math.max(spec.min, Math.min(spec.max, 6)));
  return marker.padEnd(spec.min, "x");
}

/** A text for simple patterns: classes, escapes and repeats of them in a row. Others get a guess. */
function ofPattern(pattern: string, random: SeededRandom, max: number): string {
  const piece = /\[([^\]]+)\]|\\d|\\w|\(\?:|[()]|\\(.)|([^\\[(){}*+?|^$])/g;
  // Half of them small: without what may be left out, of the first letters of each class (the first seats of a hall).
  const isSmall = random.pick([true, false]);
  let text = "";
  let at = 0;
  for (let match = piece.exec(pattern); match !== null; match = piece.exec(pattern)) {
    at = match.index + match[0].length;
    if (match[0] === "(?:" || match[0] === "(" || match[0] === ")") continue;
    const repeat = /^(?:\{(\d+)(?:,(\d*))?\}|([*+?]))/.exec(pattern.slice(at));
    let count = 1;
    if (repeat !== null) count = repeat[1] === undefined ? 1 : Number(repeat[1]);
    if (isSmall && (repeat?.[3] === "?" || repeat?.[3] === "*")) continue;
    const all = lettersOf(match[0], match[1], match[2] ?? match[3]);
    const letters = isSmall ? all.slice(0, 4) : all;
    for (let made = 0; made < count; made++) text += random.pick(letters);
  }
  return text.slice(0, max);
}

function lettersOf(
  token: string,
  group: string | undefined,
  literal: string | undefined,
): string[] {
  if (token === "\\d") return Array.from("0123456789");
  if (token === "\\w") return Array.from("abcdefghijklmnopqrstuvwxyz0123456789");
  if (group === undefined) return [literal ?? "x"];
  const letters: string[] = [];
  for (const [range, from, to] of group
    .replaceAll("\\d", "0-9")
    .replaceAll("\\w", "a-z")
    .matchAll(/(.)-(.)|./g)) {
    if (from === undefined || to === undefined) letters.push(range);
    else
      for (let code = from.charCodeAt(0); code <= to.charCodeAt(0); code++)
        letters.push(String.fromCharCode(code));
  }
  return letters;
}
