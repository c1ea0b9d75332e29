// The evidence of plans: EXPLAIN QUERY PLAN once per statement text, kept in a bounded book, and what is
// refused because of it. A plan is judged by its shape; how large a table is decides whether that matters.
import { PlatformError } from "../../base/platform-error.ts";
import type { ListQuery, Where } from "../../model/query-form.ts";
import type { PlanEvidence } from "../store.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/** A statement's plan, and what the guard against costly reads goes by. */
export interface PlannedStatement {
  readonly evidence: PlanEvidence;
  /** Every condition is a bound on the index that is read: no row is visited in vain. */
  readonly tight: boolean;
  /** The query's own table (alias `t`) is read from one end to the other, or sorted as a whole. */
  readonly visitsAll: boolean;
  /** Tables that a rule inside the statement scans for every row. */
  readonly scanned: readonly string[];
}

/** What a statement was made from. */
export interface StatementShape {
  readonly shape: string;
  readonly table: string;
  /** Fields with `=`, `>` or `<` that must all hold; null when the conditions are of another form. */
  readonly bounds: readonly string[] | null;
  /** Ends after some rows in order: without conditions even a scan reads only those. */
  readonly limited: boolean;
}

/** The plans of one store, of all its connections. */
export class PlanBook {
  readonly #kept = new Map<string, PlannedStatement>();
  /** Other ways to what a statement of the same shape would find. */
  readonly #others = new Map<string, PlannedStatement>();
  readonly #keptMax: number;

  constructor(keptMax: number) {
    this.#keptMax = keptMax;
  }

  /** The plan of a statement, asked of the engine when it is new. */
  planned(
    connection: SqliteConnection,
    sql: string,
    shape: () => StatementShape,
  ): PlannedStatement {
    return this.#kept.get(sql) ?? this.#ask(this.#kept, connection, sql, shape);
  }

  /** The same for another way to what a statement of the same shape would find. */
  plannedOther(
    connection: SqliteConnection,
    sql: string,
    shape: () => StatementShape,
  ): PlannedStatement {
    const known = this.#others.get(sql) ?? this.#kept.get(sql);
    return known ?? this.#ask(this.#others, connection, sql, shape);
  }

  #ask(
    into: Map<string, PlannedStatement>,
    connection: SqliteConnection,
    sql: string,
    shape: () => StatementShape,
  ): PlannedStatement {
    const planned = explain(connection, sql, shape());
    if (into.size >= this.#keptMax) {
      const oldest = into.keys().next();
      if (oldest.done === false) into.delete(oldest.value);
    }
    into.set(sql, planned);
    return planned;
  }

  /** What is known of each shape. Another way is told of where it is the only one that was taken. */
  list(): readonly PlanEvidence[] {
    const all = [...this.#kept.values()].map(({ evidence }) => evidence);
    const shapes = new Set(all.map(({ shape }) => shape));
    for (const { evidence, tight } of this.#others.values()) {
      if (!tight || shapes.has(evidence.shape)) continue;
      shapes.add(evidence.shape);
      all.push(evidence);
    }
    return all.slice(0, this.#keptMax);
  }
}

/** The bounds of a filter that is one condition or an `and` of them: `film=`, `startsAt>`. */
export function boundsOf(where: Where | undefined): readonly string[] | null {
  if (where === undefined) return [];
  if (where.kind === "and") {
    const parts = where.parts.map(boundsOf);
    return parts.every((part) => part !== null) ? parts.flat() : null;
  }
  if (where.kind !== "field") return null;
  const bounds: string[] = [];
  for (const operator of Object.keys(where.condition)) {
    const sign = boundSigns[operator];
    if (sign === undefined) return null;
    bounds.push(...sign.map((each) => where.field + each));
  }
  return bounds;
}

const boundSigns: Readonly<Record<string, readonly string[]>> = {
  eq: ["="],
  gt: [">"],
  gte: [">"],
  lt: ["<"],
  lte: ["<"],
  startsWith: [">", "<"],
};

/**
 * The refusal of a query that would visit too many rows, with the index that would serve it.
 * @param rows how many rows the table has, or were visited.
 */
export function tooCostly(
  query: Pick<ListQuery, "from" | "where"> & Partial<Pick<ListQuery, "orderBy">>,
  groupBy: readonly string[],
  rows: number,
  rowsMax: number,
): PlatformError {
  const equal: string[] = [];
  const ranged: string[] = [];
  collectFields(query.where, equal, ranged);
  const order = (query.orderBy ?? []).map((term) => term.field);
  const wanted = [...equal, ...groupBy, ...order, ...ranged].filter((field) => field !== "id");
  const index = [...new Set(wanted)].slice(0, 4);
  return new PlatformError("QUERY_TOO_COSTLY", {
    table: query.from,
    fields: [...new Set([...equal, ...ranged, ...groupBy, ...order])],
    index,
    fix:
      index.length === 0
        ? "Filter by an indexed field, or keep a count of your own."
        : `.index(${index.map((field) => JSON.stringify(field)).join(", ")}) on ${query.from}`,
    rows,
    limit: "scanRowsMax",
    max: rowsMax,
  });
}

function collectFields(where: Where | undefined, equal: string[], ranged: string[]): void {
  if (where === undefined) return;
  switch (where.kind) {
    case "field": {
      const { eq, in: among } = where.condition;
      (eq !== undefined || among !== undefined ? equal : ranged).push(where.field);
      return;
    }
    case "and":
    case "or":
      for (const part of where.parts) collectFields(part, equal, ranged);
      return;
    case "not":
      collectFields(where.part, equal, ranged);
      return;
    default:
      where satisfies never;
  }
}

function explain(
  connection: SqliteConnection,
  sql: string,
  { shape, table, bounds, limited }: StatementShape,
): PlannedStatement {
  const rows = connection.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
  const plan = rows.map((row) => String(row["detail"]));
  const sorts = plan.some((line) => line.startsWith("USE TEMP B-TREE"));
  const aliases = plan.filter(isScan).map((line) => line.split(" ")[1] ?? "");
  // In the wanted order and with nothing to skip, a scan reads no more rows than it answers.
  const harmless = limited && !sorts && bounds?.length === 0;
  const ownScan = aliases.includes("t") && !harmless;
  const scanned = aliases.filter((alias) => alias !== "t").map((alias) => tableOfAlias(sql, alias));
  const tight = harmless || (!sorts && bounds !== null && isTight(plan, bounds));
  const fullScan = ownScan || scanned.length > 0;
  const evidence = Object.freeze({ shape, table, sql, plan, fullScan, sorts });
  return { evidence, tight, visitsAll: ownScan && (sorts || !limited), scanned };
}

function tableOfAlias(sql: string, alias: string): string {
  return new RegExp(`"([^"]+)" AS ${alias}\\b`).exec(sql)?.[1] ?? alias;
}

/** `SCAN t`, `SCAN t USING INDEX x`: no bound. Virtual tables (full text, JSON) are bounded by what they are given. */
function isScan(line: string): boolean {
  if (line.includes("AUTOMATIC")) return true;
  if (!line.startsWith("SCAN ")) return false;
  return !line.includes("VIRTUAL TABLE") && !line.startsWith("SCAN CONSTANT ROW");
}

/** Whether the one search of a plan bounds its index by all of `bounds`. */
function isTight(plan: readonly string[], bounds: readonly string[]): boolean {
  if (plan.length !== 1) return false;
  const found = /^SEARCH \S+ USING .*\((.*)\)$/.exec(plan[0] ?? "");
  if (found === null) return false;
  const given = new Set((found[1] ?? "").split(" AND ").map((bound) => bound.replace("?", "")));
  return bounds.every((bound) => given.has(bound));
}
