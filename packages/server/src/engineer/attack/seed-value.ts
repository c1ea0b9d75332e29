// Values of fields for planted rows and for probes: canaries where the kind has room for them, else a draw
// from what the field takes.
import type { Json } from "../../base/json.ts";
import type { FieldSpec } from "../../model/manifest.ts";
import type { CanaryBook } from "./canary.ts";
import { isOfPattern, patternText } from "./pattern-text.ts";
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
  // Below zero only where that is said: what is planted must be able to fall below it.
  const min = spec.min ?? Math.min(0, spec.max ?? 0);
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
  if (spec.pattern !== undefined && (plain || !takesMarker(spec, spec.pattern, marker)))
    return patternText(spec.pattern, { random, min: spec.min, max: spec.max });
  if (spec.max < markerChars) return random.letters(Math.max(spec.min, Math.min(spec.max, 6)));
  return marker.padEnd(spec.min, "x");
}

function takesMarker(
  { min, max }: { readonly min: number; readonly max: number },
  pattern: string,
  marker: string,
): boolean {
  return max >= markerChars && isOfPattern(pattern, marker.padEnd(min, "x"));
}
