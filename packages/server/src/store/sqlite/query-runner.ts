// Runs statements on one connection: prepared by text, with their plans kept, and refused or cut off when
// they would visit too many rows of a large table.
import type { Limits } from "../../base/limits.ts";
import { PlatformError } from "../../base/platform-error.ts";
import type { StoreLayout } from "../table-layout.ts";
import type { SnapshotRows } from "./row-cache.ts";
import type { SqlCell } from "./row-codec.ts";
import {
  tooCostly,
  type PlanBook,
  type PlannedStatement,
  type StatementShape,
} from "./query-plan.ts";
import type { Compiled } from "./query-compile.ts";
import type { RuleGuards } from "./rule-guard.ts";
import { VisitsExceeded, type SqliteConnection } from "./sqlite-connection.ts";
import { withStoreErrors } from "./sqlite-error.ts";

/** A query that may be costly. */
export interface CostlyQuery {
  readonly from: string;
  readonly groupBy: readonly string[];
  readonly of: Parameters<typeof tooCostly>[0];
  /** @param counted whether visited rows are counted. @returns null when nothing can be found. */
  compile(counted: boolean): Compiled | null;
  /**
   * The same, counted, in a form for which the engine looks for the rows first and sorts what it finds: it reads in
   * order, and in vain, when it hopes to meet enough of them soon. Default: there is none.
   */
  compileSorted?(): Compiled | null;
  shape(compiled: Compiled): StatementShape;
}

/** What a runner works with; several connections share all but the connection. */
export interface RunnerParts {
  readonly connection: SqliteConnection;
  readonly layout: StoreLayout;
  readonly guards: RuleGuards;
  readonly plans: PlanBook;
  readonly limits: Limits;
  /** Rows that need not be read. Default: none. */
  readonly known?: SnapshotRows | null;
}

type Cells = readonly SqlCell[];

/** Runs statements. */
export class QueryRunner {
  readonly connection: SqliteConnection;
  readonly layout: StoreLayout;
  readonly guards: RuleGuards;
  readonly limits: Limits;
  readonly known: SnapshotRows | null;
  readonly #plans: PlanBook;
  /** Rows of tables, as of this snapshot. */
  readonly #sizes = new Map<string, number>();

  constructor({ connection, layout, guards, plans, limits, known }: RunnerParts) {
    this.connection = connection;
    this.layout = layout;
    this.guards = guards;
    this.limits = limits;
    this.known = known ?? null;
    this.#plans = plans;
  }

  /** Another snapshot: what was known of sizes may no longer hold. */
  forgetSizes(): void {
    if (this.#sizes.size > 0) this.#sizes.clear();
  }

  /** How many rows a table has, as the last commit left it. */
  sizeOf(table: string): number {
    const known = this.#sizes.get(table);
    if (known !== undefined) return known;
    const cells = this.connection.prepare(`SELECT count FROM "_rows" WHERE name = ?`).get(table);
    const size = Number(cells?.[0] ?? 0);
    this.#sizes.set(table, size);
    return size;
  }

  /** Runs a query. @throws QUERY_TOO_COSTLY. */
  run(query: CostlyQuery): readonly Cells[] {
    const compiled = query.compile(false);
    if (compiled === null) return [];
    return withStoreErrors(() => {
      const planned = this.#plans.planned(this.connection, compiled.sql, () =>
        query.shape(compiled),
      );
      for (const table of planned.scanned) {
        if (this.#isLarge(table)) {
          throw tooCostly({ from: table }, [], this.sizeOf(table), this.limits.scanRowsMax);
        }
      }
      if (planned.tight || !this.#isLarge(query.from)) return this.#all(compiled);
      if (planned.visitsAll) throw this.#refusal(query, this.sizeOf(query.from));
      return this.#counted(query, planned);
    });
  }

  /** Runs a query in another way than its reader's own, if that visits no row in vain. @returns null when it would. */
  runTight(query: CostlyQuery): readonly Cells[] | null {
    const compiled = query.compile(false);
    if (compiled === null) return [];
    return withStoreErrors(() => {
      const { connection } = this;
      const { sql } = compiled;
      const planned = this.#plans.plannedOther(connection, sql, () => query.shape(compiled));
      return planned.tight && planned.scanned.length === 0 ? this.#all(compiled) : null;
    });
  }

  #isLarge(table: string): boolean {
    return this.sizeOf(table) > this.limits.scanRowsMax;
  }

  #counted(query: CostlyQuery, { evidence }: PlannedStatement): readonly Cells[] {
    const compiled = query.compile(true);
    if (compiled === null) return [];
    // One that sorts has looked for the rows first already.
    const found = this.#within(compiled) ?? (evidence.sorts ? null : this.#sorted(query));
    if (found === null) throw this.#refusal(query, this.limits.scanRowsMax);
    return found;
  }

  /** Null: an index finds the rows no better. */
  #sorted(query: CostlyQuery): readonly Cells[] | null {
    const compiled = query.compileSorted?.() ?? null;
    if (compiled === null) return null;
    const shape = () => query.shape(compiled);
    const planned = this.#plans.plannedOther(this.connection, compiled.sql, shape);
    return planned.visitsAll ? null : this.#within(compiled);
  }

  /** Null: more rows would be visited than one query may. */
  #within(compiled: Compiled): readonly Cells[] | null {
    this.connection.allowVisits(this.limits.scanRowsMax);
    try {
      return this.#all(compiled);
    } catch (error) {
      if (error instanceof VisitsExceeded) return null;
      throw error;
    }
  }

  #refusal(query: CostlyQuery, rows: number): PlatformError {
    return tooCostly(query.of, query.groupBy, rows, this.limits.scanRowsMax);
  }

  #all({ sql, values }: Compiled): readonly Cells[] {
    return this.connection.prepare(sql).all(values);
  }
}
