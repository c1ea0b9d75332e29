// Which index would serve a query, told from its statement: fields compared first, then the order, then
// ranges. A hint for people; `keelson check` and the planner decide nothing by it.

/** What is needed of a plan. */
export interface PlannedQuery {
  readonly table: string;
  readonly sql: string;
}

/** An index that the table has. */
export interface KnownIndex {
  readonly fields: readonly string[];
}

/**
 * The index as it is written in the schema, or null when none would help: there is no condition and no
 * order, or the table has it already (the engine then chose to read few rows and sort them).
 * @param known indexes of the table.
 * @example indexAdvice({ table: "film", sql: '... WHERE (t."rating" >= ?) ORDER BY t."title"' }, [])
 * // '.index("title", "rating")'
 */
export function indexAdvice(
  { table, sql }: PlannedQuery,
  known: readonly KnownIndex[],
): string | null {
  // A rule's own subqueries use other aliases: only the table's own columns are looked at. Rows fetched along are found
  // by a statement inside (query-expand.ts), where the table has its alias.
  const [before = "", own = ""] = sql.split(" AS t WHERE ");
  const [conditions = "", order = ""] = (own === "" ? before : own).split(" ORDER BY ");
  const where = own === "" ? "" : (conditions.split(" WHERE ")[0] ?? "");
  // Asked for one of no values: the answer is empty, and the engine reads nothing.
  if (where.includes(" IN ()")) return null;
  const equal = columns(where, /t\."(\w+)"(?: COLLATE \w+)? (?:=|IS(?! NOT)|IN) /g);
  const ranged = columns(where, /t\."(\w+)"(?: COLLATE \w+)? (?:[<>]=?|BETWEEN) /g);
  const sorted = columns(order, /t\."(\w+)"/g);
  const all = [...equal, ...sorted, ...ranged].filter(
    (name) => name !== "id" && !name.startsWith("_"),
  );
  const fields = [...new Set(all)].slice(0, 4);
  if (fields.length === 0 || known.some((index) => beginsWith(index, fields))) return null;
  return `.index(${fields.map((field) => JSON.stringify(field)).join(", ")}) on ${table}`;
}

/** The indexes of a table: those that were declared, and those that references and unique fields have by themselves. */
export function knownIndexes(table: {
  readonly indexes: readonly KnownIndex[];
  readonly fields: Readonly<
    Record<string, { readonly kind: string; readonly unique?: boolean | undefined }>
  >;
}): readonly KnownIndex[] {
  const own = Object.entries(table.fields)
    .filter(([, { kind, unique }]) => kind === "ref" || unique === true)
    .map(([name]) => ({ fields: [name] }));
  return [...table.indexes, ...own];
}

/** Whether an index begins with these fields, in whatever order. */
function beginsWith(index: KnownIndex, fields: readonly string[]): boolean {
  const first = new Set(index.fields.slice(0, fields.length));
  return fields.every((field) => first.has(field));
}

function columns(text: string, pattern: RegExp): string[] {
  return Array.from(text.matchAll(pattern), (match) => match[1] as string);
}
