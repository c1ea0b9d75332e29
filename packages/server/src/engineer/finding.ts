// What the engineer says: a fault of the design or a hole, with its place, the evidence and the fix as code.
// Shared by every command that judges an app. Invariant: nothing is said without evidence.
import type { SourcePlace } from "../model/manifest.ts";

/**
 * How much it matters. `hole`: somebody can read or change what they should not. `risk`: data can become wrong or
 * be lost. `cost`: it is slow or expensive when it grows. `advice`: a decision that nobody has written down.
 */
export type Severity = "hole" | "risk" | "cost" | "advice";

/** Worst first. */
export const severities: readonly Severity[] = Object.freeze(["hole", "risk", "cost", "advice"]);

/** What part of the design a finding is about. */
export type Category = "trust" | "data" | "queries" | "functions" | "change" | "review";

/** One piece of evidence, with its place where it has one. */
export interface Evidence {
  readonly text: string;
  readonly at?: SourcePlace;
}

/** One finding. */
export interface Finding {
  /** Stable: `K101`. */
  readonly code: string;
  readonly severity: Severity;
  readonly category: Category;
  /** What the code stands for: the same for all its findings. */
  readonly title: string;
  /** What is wrong here, in a sentence. */
  readonly says: string;
  /** Why it matters, in a line. */
  readonly why: string;
  readonly at: SourcePlace;
  /** The lines around the place with a caret under it; "" where the source is not known. */
  readonly frame: string;
  readonly evidence: readonly Evidence[];
  /** What to write instead, as code. */
  readonly fix: string;
  /** Its page, relative to the documentation's folder. */
  readonly page: string;
}

/** A finding that the source allows, with the reason that it gives. */
export interface AllowedFinding {
  readonly finding: Finding;
  readonly reason: string;
  /** Where the comment stands. */
  readonly allowedAt: SourcePlace;
}

/** Worst first, then by place. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    compareText(a.at.file, b.at.file) ||
    a.at.line - b.at.line ||
    a.at.column - b.at.column ||
    compareText(a.code, b.code) ||
    compareText(a.says, b.says)
  );
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
