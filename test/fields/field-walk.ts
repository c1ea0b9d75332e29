// Every way to ask for a field, made from the manifest: operations, and the doors that take them.
import type { FieldSpec } from "@keelson/sdk/spec";

/** A value that must not leave, another one that is not there, and how its bytes look in an answer. */
export interface Probe {
  readonly right: unknown;
  readonly wrong: unknown;
  /** Null for what has too few values to be recognised (bool). */
  readonly canary: string | null;
}

/** One question. `form` is a query as `/api/batch` takes it. */
export interface Question {
  readonly name: string;
  readonly table: string;
  /** Of a get; null for a list or an aggregate. */
  readonly id: string | null;
  readonly form: Readonly<Record<string, unknown>>;
  /** `reads`: may be answered, without the field. `tells`: the answer would depend on it, so it is refused. */
  readonly sort: "reads" | "tells";
}

/** Rows of the walk. */
export interface WalkRows {
  readonly shelf: string;
  readonly paper: string;
  readonly remark: string;
}

/** Where a field of `paper` is asked for. @param probe of the field. */
export function questionsOf(
  field: string,
  spec: FieldSpec,
  probe: Probe,
  rows: WalkRows,
  isSearched: boolean,
): readonly Question[] {
  const asks = (
    name: string,
    form: Question["form"],
    sort: Question["sort"],
    table = "paper",
  ): Question => ({
    name: `${field}: ${name}`,
    table,
    id: null,
    form,
    sort,
  });
  const gets = (name: string, table: string, id: string, form: Question["form"]): Question => ({
    ...asks(name, form, "reads", table),
    id,
  });
  const reads: Question[] = [
    gets("get", "paper", rows.paper, {}),
    gets("get, selected", "paper", rows.paper, { select: [field] }),
    gets("get, with", "remark", rows.remark, { with: { paper: true } }),
    gets("get, with the other way", "shelf", rows.shelf, { with: { paper: true } }),
    gets("get, with and selected", "shelf", rows.shelf, {
      with: { paper: { select: ["title", field] } },
    }),
    gets("get, with two levels down", "remark", rows.remark, {
      with: { paper: { with: { shelf: { with: { paper: true } } } } },
    }),
    asks("list", {}, "reads"),
    asks("list, one row and a cursor", { limit: 1 }, "reads"),
    asks("list, selected", { select: ["id", field] }, "reads"),
    asks("list, with", { with: { paper: true } }, "reads", "remark"),
    asks(
      "list, with the other way",
      { with: { p: { from: "paper", via: "shelf" } } },
      "reads",
      "shelf",
    ),
  ];
  const conditions = conditionsOf(spec, probe);
  const tells: Question[] = [
    ...conditions.flatMap(([name, condition]) => [
      asks(`filter ${name}`, { where: { [field]: condition } }, "tells"),
      asks(
        `count, filter ${name}`,
        { where: { [field]: condition }, aggregate: { n: "count" } },
        "tells",
      ),
    ]),
    ...conditions
      .slice(0, 1)
      .flatMap(([, condition]) => [
        asks(
          "filter in not in or",
          { where: { or: [{ title: "x" }, { not: { [field]: condition } }] } },
          "tells",
        ),
        asks(
          "filter in with",
          { with: { paper: { where: { [field]: condition } } } },
          "tells",
          "shelf",
        ),
      ]),
    asks("count of it", { aggregate: { n: { count: field } } }, "tells"),
  ];
  if (isOrdered(spec)) {
    tells.push(
      asks("order", { orderBy: [field] }, "tells"),
      asks("order, second and descending", { orderBy: ["title", `-${field}`], limit: 1 }, "tells"),
      asks("order in with", { with: { paper: { orderBy: [field], limit: 1 } } }, "tells", "shelf"),
      asks("group", { aggregate: { n: "count" }, groupBy: [field] }, "tells"),
    );
  }
  if (isOrdered(spec) && !["bool", "oneOf", "ref"].includes(spec.kind)) {
    tells.push(
      asks("min", { aggregate: { n: { min: field } } }, "tells"),
      asks("max", { aggregate: { n: { max: field } } }, "tells"),
    );
  }
  if (["int", "number", "money"].includes(spec.kind)) {
    tells.push(
      asks("sum", { aggregate: { n: { sum: field } } }, "tells"),
      asks("avg", { aggregate: { n: { avg: field } } }, "tells"),
    );
  }
  if (spec.kind === "ref") reads.push(asks("list, with it", { with: { [field]: true } }, "reads"));
  if (isSearched) {
    tells.push(
      asks("search", { search: String(probe.right) }, "tells"),
      asks(
        "count of a search",
        { search: String(probe.right), aggregate: { n: "count" } },
        "tells",
      ),
    );
  }
  return [...reads, ...tells];
}

function conditionsOf(spec: FieldSpec, { right }: Probe): readonly (readonly [string, unknown])[] {
  const absence = [
    ["for absence", null],
    ["for presence", { not: null }],
  ] as const;
  switch (spec.kind) {
    case "list":
      return [["contains", { contains: (right as readonly unknown[])[0] }], ...absence];
    case "object":
    case "json":
    case "bytes":
      return absence;
    case "bool":
    case "oneOf":
    case "ref":
      return [["eq", right], ["not", { not: right }], ["in", { in: [right] }], ...absence];
    case "text":
      return [
        ["eq", right],
        ["startsWith", { startsWith: String(right).slice(0, 4) }],
        ["contains", { contains: String(right).slice(2, 6) }],
        ["gte", { gte: right }],
        ["lt", { lt: right }],
        ["notIn", { notIn: [right] }],
        ...absence,
      ];
    case "int":
    case "number":
    case "money":
    case "time":
    case "date":
    case "id":
      return [
        ["eq", right],
        ["gte", { gte: right }],
        ["lt", { lt: right }],
        ["in", { in: [right] }],
        ...absence,
      ];
    default:
      return spec satisfies never;
  }
}

function isOrdered({ kind }: FieldSpec): boolean {
  return !["list", "object", "json", "bytes"].includes(kind);
}

/** A request of a door. */
export interface DoorRequest {
  readonly door: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

/** The same question at every door. */
export function doorsOf({ table, id, form }: Question): readonly DoorRequest[] {
  const row = id === null ? "" : `/${id}`;
  const step = id === null ? { list: table, query: form } : { get: table, id, query: form };
  const { aggregate, ...rest } = form;
  const fn = functionOf(id, aggregate);
  const query = aggregate === undefined ? rest : { ...rest, values: aggregate };
  return [
    { door: "tables", method: "GET", path: `/api/tables/${table}${row}${parametersOf(form)}` },
    { door: "batch", method: "POST", path: "/api/batch", body: { steps: [step] } },
    {
      door: "function",
      method: "POST",
      path: `/api/fn/desk.${fn}`,
      body: { table, query, ...(id === null ? {} : { id }) },
    },
  ];
}

function functionOf(id: string | null, aggregate: unknown): string {
  if (id !== null) return "getRows";
  return aggregate === undefined ? "listRows" : "aggregateRows";
}

function parametersOf(form: Question["form"]): string {
  const pairs = Object.entries(form).map(([name, value]) => {
    const isNames = ["orderBy", "select", "groupBy"].includes(name);
    const text = isNames ? (value as readonly string[]).join(",") : parameterText(value);
    return `${name}=${encodeURIComponent(text)}`;
  });
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

function parameterText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
