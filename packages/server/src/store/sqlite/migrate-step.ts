// One step of a migration, as a person reads it and names it.

/**
 * `safe`: nothing is lost and no row is in the way. `needs-data`: rows do not fit the new schema; they must
 * change first. `destructive`: values are lost; done only when the step is named.
 */
export type MigrationKind = "safe" | "needs-data" | "destructive";

export interface MigrationStep {
  /** Stable: `drop column film.rating`. What `allow` lists. */
  readonly name: string;
  readonly kind: MigrationKind;
  /** A sentence with counts: `drop column film.rating: 3,120 of 3,201 rows hold a value`. */
  readonly text: string;
  /** Rows that lose a value, or that do not fit. */
  readonly rows: number;
  /** Up to five ids of such rows. */
  readonly examples: readonly string[];
  /** What to do about it. */
  readonly hint?: string;
}

/** A step that loses nothing. */
export function safeStep(name: string, note: string | null = null): MigrationStep {
  return {
    name,
    kind: "safe",
    text: note === null ? name : `${name}: ${note}`,
    rows: 0,
    examples: [],
  };
}

/** `3,201`. */
export function countText(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 row`, `3,201 rows`. */
export function rowsText(count: number): string {
  return `${countText(count)} ${count === 1 ? "row" : "rows"}`;
}
