// The port to the data (engines: sqlite; memory as a naive twin; later postgres). An engine keeps rows,
// constraints, references, the commit log and idempotent answers. It knows nothing of callers beyond the
// Guard it is handed: it adds the guard's predicates to every read, and never decides a right itself.
//
// Invariant: what `commit()` has acknowledged survives the loss of power; what it has not is not visible
// to any reader.
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { AggregateQuery, ListQuery, WithTerm } from "../model/query-form.ts";
import type { RuleExpr } from "../model/rule-ast.ts";

/** A row: `id` and every field of its table, absent values as null. Frozen. */
export type Row = { readonly [field: string]: Json };

/** Who reads, for the rules compiled into a query. Absent values as null. */
export interface RuleBindings {
  readonly me: { readonly [claim: string]: Json };
  /** RFC 3339, UTC, milliseconds. */
  readonly now: string;
}

/** What a read may see. `null` in place of a Guard is the system: everything. */
export interface Guard {
  readonly bindings: RuleBindings;
  /** Predicate that a row of `table` must make true; `false` hides the table. */
  readRule(table: string): RuleExpr | false;
}

export interface Page {
  readonly rows: readonly Row[];
  /** Cursor for `after`, or null at the end. */
  readonly next: string | null;
}

/** Why a query costs what it costs: kept once per query shape. */
export interface PlanEvidence {
  /** Stable text of the shape: table, fields, order; never values. */
  readonly shape: string;
  readonly table: string;
  readonly sql: string;
  /** Lines of EXPLAIN QUERY PLAN. */
  readonly plan: readonly string[];
  /** A scan of a whole table or index without a bound on it. */
  readonly fullScan: boolean;
  /** A sort that no index serves. */
  readonly sorts: boolean;
}

/** Reads at one moment. Rows come with `with` terms filled in under their names. */
export interface ReadTx {
  /** The commit this snapshot stands on. */
  readonly seq: number;
  /** @returns the row when it exists and the guard's rule is true of it, else null. */
  get(
    table: string,
    id: string,
    guard: Guard | null,
    expand?: readonly WithTerm[],
  ): Later<Row | null>;
  /** @throws QUERY_TOO_COSTLY when an unindexed read would visit more than limits.scanRowsMax rows. */
  list(query: ListQuery, guard: Guard | null): Later<Page>;
  /** One row per group: the group's fields and the named values. */
  aggregate(query: AggregateQuery, guard: Guard | null): Later<readonly Row[]>;
  /** Whether any row of `table` makes `where` true, with outer rows bound; what `db.table.some` needs. */
  some(table: string, alias: string, where: RuleExpr, outer: RuleOuter): Later<boolean>;
}

/** The rows that a `some` inside a rule may speak of. */
export interface RuleOuter {
  readonly row: Row | null;
  readonly next: Row | null;
  readonly items: Readonly<Record<string, Row>>;
  readonly bindings: RuleBindings;
}

/** Writes, inside one mutation. Values were validated and normalised against the manifest before. */
export interface WriteTx extends ReadTx {
  /** @param row complete, `id` included. @throws UNIQUE_TAKEN, REF_MISSING. */
  insert(table: string, row: Row): Later<void>;
  /**
   * Sets the fields of `patch`. @returns the row after.
   * @throws NOT_FOUND when there is no such row; UNIQUE_TAKEN, REF_MISSING.
   */
  update(table: string, id: string, patch: Row): Later<Row>;
  /**
   * Deletes, and cascades or clears by `onDelete`; every row touched is in the log.
   * @param judge asked about each row that stays and of which a reference was cleared, once all is done. What it
   * throws is thrown on, and nothing of the deletion happened.
   * @throws NOT_FOUND, REF_IN_USE.
   */
  delete(table: string, id: string, judge?: (cleared: Change) => Later<void>): Later<void>;
}

/** One changed row of a commit. `before` null: created; `after` null: deleted. */
export interface Change {
  readonly table: string;
  readonly id: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** One mutation in the log. */
export interface Commit {
  /** Grows by one with every mutation that changed something or holds an idempotency key. */
  readonly seq: number;
  readonly atMs: number;
  /** The caller's user id, or null. */
  readonly by: string | null;
  /** What caused it: `cinema.book`, `POST /api/tables/film`. */
  readonly cause: string;
  readonly requestId: string;
  readonly changes: readonly Change[];
}

/** What a mutation brings with it. */
export interface MutationMeta {
  readonly by: string | null;
  readonly cause: string;
  readonly requestId: string;
  readonly atMs: number;
  /** A key is remembered per caller; `requestHash` tells a repeat from a reuse. */
  readonly idempotency: {
    readonly scope: string;
    readonly key: string;
    readonly requestHash: string;
  } | null;
}

/** What became of a mutation inside its group. */
export type MutationOutcome =
  | { readonly kind: "done"; readonly answer: string; readonly commit: Commit | null }
  /** The key was used before for the same request: its first answer. */
  | { readonly kind: "repeated"; readonly answer: string; readonly seq: number }
  /** The body threw; its savepoint is undone. */
  | { readonly kind: "failed"; readonly error: unknown };

/** Mutations that become durable together. One group is open at a time. */
export interface CommitGroup {
  /**
   * Runs `body` in a savepoint. Later mutations of the group see its writes.
   * @param body answers with the JSON text to remember for its idempotency key.
   * @throws never for the body's own errors: they are the outcome.
   */
  mutate(meta: MutationMeta, body: (tx: WriteTx) => Later<string>): Later<MutationOutcome>;
  /** Makes the group durable and visible. @throws DISK_FULL, STORE_FAILED: then nothing of the group happened. */
  commit(): Later<readonly Commit[]>;
  /** Drops the group. */
  abort(): void;
}

/** The port. */
export interface Store {
  readonly engine: "sqlite" | "memory" | "postgres";
  /** `full`: acknowledged means on disk. Printed beside every figure. */
  readonly durability: "full" | "none";
  /** Runs `body` on one snapshot. */
  read<T>(body: (tx: ReadTx) => Later<T>): Later<T>;
  /** Opens the next group. Only the writer calls this. */
  openGroup(): Later<CommitGroup>;
  /** Commits after `seq`, oldest first. @param limit at most this many. */
  commitsAfter(seq: number, limit: number): Later<readonly Commit[]>;
  /** Newest commit. */
  lastSeq(): Later<number>;
  /** Forgets idempotent answers and log entries older than the limits allow. @returns how many were dropped. */
  prune(nowMs: number): Later<number>;
  /** The plan of every query shape seen so far. */
  plans(): readonly PlanEvidence[];
  /** A consistent copy of everything, while reads and writes go on. @param target a path that does not exist. */
  backup(target: string): Promise<void>;
  close(): Later<void>;
}
