// What an attack found, as plain data: for the terminal, the page, SARIF and scripts.
import type { Json } from "../../base/json.ts";
import type { SourcePlace } from "../../model/manifest.ts";
import type { Row } from "../../store/store.ts";
import type { WireRequest } from "./attack-target.ts";
import type { HoleCode } from "./hole-codes.ts";

/** A hole that was shown: somebody sent this request and got, or changed, what is not theirs. */
export interface AttackFinding {
  readonly code: HoleCode;
  readonly title: string;
  /** Why it matters, in a line. */
  readonly why: string;
  /** `booking`, `cinema.book`: what has the hole. */
  readonly subject: string;
  /** Fields it is about; empty: the whole row. */
  readonly fields: readonly string[];
  /** Who got through, the least trusted first. */
  readonly identities: readonly string[];
  /** What happened, in a sentence. */
  readonly says: string;
  /** The shortest request that shows it. */
  readonly request: WireRequest;
  /** Who sent it. */
  readonly by: string;
  readonly status: number;
  /** What of another came out. */
  readonly leaked: {
    readonly table: string;
    readonly id: string;
    readonly field: string;
    readonly value: Json;
  } | null;
  /** What was changed. */
  readonly changed: {
    readonly table: string;
    readonly id: string;
    readonly before: Row | null;
    readonly after: Row | null;
  } | null;
  /** Where the rule or function stands, and its text. */
  readonly at: SourcePlace | null;
  readonly clause: string;
  /** What to write instead. */
  readonly fix: string;
  readonly curl: string;
  /** A test for the app's own suite. */
  readonly test: string;
  /** The reason that the source gives for it; null: it is a hole. */
  readonly accepted: string | null;
}

/** Something that could not be shown either way. */
export interface Inconclusive {
  readonly subject: string;
  readonly says: string;
  /** The reason that the source gives for it; null: it is no pass. */
  readonly accepted: string | null;
}

/** `all` or `none` of the rows, `some` of them, or `unknown`: it could not be tried. */
export type CellVerdict = "all" | "some" | "none" | "unknown";

/** What one identity may do with one table, as it was tried. */
export interface MatrixCell {
  readonly identity: string;
  readonly table: string;
  readonly operation: "read" | "create" | "update" | "delete";
  readonly verdict: CellVerdict;
  /** Requests that were let through, and that were refused. */
  readonly allowed: number;
  readonly denied: number;
  /** Refused or unclear for another reason than rights. */
  readonly unclear: number;
  /** What shows that refusals were refusals: who succeeded with the same. */
  readonly control: string;
  /** Read: fields by verdict. Update: fields that could be written. */
  readonly fields: Readonly<Record<string, CellVerdict>>;
}

/** The result of an attack. */
export interface AttackReport {
  readonly version: 1;
  readonly seed: number;
  /** Hash of the manifest. */
  readonly app: string;
  readonly verdict: "clean" | "holes" | "inconclusive";
  readonly requests: number;
  readonly ms: number;
  readonly doors: readonly string[];
  readonly identities: readonly {
    readonly name: string;
    readonly kind: string;
    readonly role: string | null;
  }[];
  readonly matrix: readonly MatrixCell[];
  readonly findings: readonly AttackFinding[];
  readonly inconclusive: readonly Inconclusive[];
  /** How often each kind of probe ran. */
  readonly probes: Readonly<Record<string, number>>;
}

/** What could not be shown, and nobody has accepted. */
export function openOf({
  inconclusive,
}: Pick<AttackReport, "inconclusive">): readonly Inconclusive[] {
  return inconclusive.filter(({ accepted }) => accepted === null);
}

/** What an attack proved: one hole is enough, and what is not shown is not clean. */
export function verdictOf(holes: number, inconclusive: number): "holes" | "inconclusive" | "clean" {
  if (holes > 0) return "holes";
  return inconclusive > 0 ? "inconclusive" : "clean";
}
