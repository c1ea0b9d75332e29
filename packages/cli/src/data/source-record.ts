// What a file of rows is read as, whatever its format: records with the line they begin at, and broken
// pieces told apart, so that no piece of a file is ever passed over in silence.
import type { Json } from "@keelson/sdk/spec";

/** The formats of row files. */
export const formats = ["csv", "tsv", "ndjson", "json"] as const;

/** A format's name. */
export type Format = (typeof formats)[number];

/** A piece of a file. Lines count from 1. */
export type SourceRecord =
  | {
      readonly kind: "record";
      readonly line: number;
      /** Csv and tsv: texts, or null for an empty unquoted cell. */
      readonly value: { readonly [column: string]: Json };
    }
  | {
      readonly kind: "broken";
      readonly line: number;
      readonly reason: string;
      /** The text as it stands in the file. */
      readonly text: string;
    };

/** Turns the text of a file into records, piece by piece. */
export interface RecordSplitter {
  /** @param text the next piece; pieces may end anywhere. @returns what is complete by now. */
  push(text: string): readonly SourceRecord[];
  /** @returns what the end of the file completes or leaves broken. */
  end(): readonly SourceRecord[];
  /** Csv and tsv: the header once it was read; null for formats whose records name their own fields. */
  columns(): readonly string[] | null;
}

/** The most characters that one record may have; longer ones are broken. */
export const recordCharsMax = 8_388_608;

/** A value that must be an object of fields. @returns null when it is none. */
export function asFields(value: Json): { readonly [column: string]: Json } | null {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return null;
  return value as { readonly [column: string]: Json };
}
