// What the calls of a client are: from `api.film.list(query)` or `api.cinema.seats(args)` to the step that
// is sent, and from its answer to what the caller gets.
import type { CallPlan } from "./client-call.ts";
import { KeelsonError } from "./client-error.ts";
import type { RequestQuery } from "./client-request.ts";
import type { CallOptions } from "./client-send.ts";
import { rowIdRefusal } from "./row-id-given.ts";
import { withGiven } from "./where-given.ts";

/** From the arguments of a call to what it is. */
export type Plan = (args: readonly unknown[]) => CallPlan<unknown>;

/** The plan of `api.{group}.{name}`: a table's operation or, if it is none, a function's. */
export function planOf(group: string, name: string): Plan {
  return isTableCall(name) ? tableCalls[name](group) : functionCall(group, name);
}

/** Whether tables have an operation of this name. Functions can't be called so. */
export function isTableCall(name: string): name is TableCall {
  return Object.hasOwn(tableCalls, name);
}

function functionCall(module: string, name: string): Plan {
  return ([args, options]) => ({
    step: { kind: "call", name: `${module}.${name}`, args: args ?? {} },
    reading: "call",
    options: optionsOf(options),
    read: (answer) => answer,
  });
}

function listPlan(
  reading: string,
  read: (page: PageAnswer) => unknown,
  change: (query: RequestQuery) => RequestQuery,
) {
  return (table: string): Plan =>
    ([query, options]) => ({
      step: { kind: "list", table, query: change(withGiven(query ?? {})) },
      reading,
      options: optionsOf(options),
      read: (answer) => read(answer as PageAnswer),
    });
}

interface PageAnswer {
  readonly rows: readonly unknown[];
  readonly next: string | null;
}

type TableCall = keyof typeof tableCalls;

const tableCalls = {
  list: listPlan("list", (page) => page.rows, same),
  page: listPlan("page", (page) => page, same),
  first: listPlan(
    "first",
    (page) => page.rows[0] ?? null,
    (query) => ({ ...query, limit: 1 }),
  ),
  count: listPlan(
    "count",
    (page) => (page.rows[0] as { readonly count: number }).count,
    (filter) => ({ ...filter, aggregate: { count: "count" } }),
  ),
  aggregate: (table: string): Plan => aggregatePlan(table),
  get:
    (table: string): Plan =>
    ([id, query, options]) => ({
      step: { kind: "get", table, id: String(id), query: withGiven(query ?? {}) },
      refusal: rowIdRefusal(`${table}.get`, id),
      reading: "get",
      options: optionsOf(options),
      read: (answer) => answer,
      recover: nullWhenNotFound,
    }),
  create:
    (table: string): Plan =>
    ([value, options]) => ({
      step: { kind: "create", table, value },
      reading: "create",
      options: optionsOf(options),
      read: (answer) => answer,
    }),
  update:
    (table: string): Plan =>
    ([id, value, options]) => ({
      step: { kind: "update", table, id: String(id), value },
      refusal: rowIdRefusal(`${table}.update`, id),
      reading: "update",
      options: optionsOf(options),
      read: (answer) => answer,
    }),
  delete:
    (table: string): Plan =>
    ([id, options]) => ({
      step: { kind: "delete", table, id: String(id) },
      refusal: rowIdRefusal(`${table}.delete`, id),
      reading: "delete",
      options: optionsOf(options),
      read: () => undefined,
    }),
};

function aggregatePlan(table: string): Plan {
  return ([form, options]) => {
    const { values, ...rest } = form as RequestQuery & { readonly values: unknown };
    return {
      step: { kind: "list", table, query: withGiven({ ...rest, aggregate: values }) },
      reading: "aggregate",
      options: optionsOf(options),
      read: (answer) => {
        const { rows } = answer as PageAnswer;
        return rest.groupBy === undefined ? rows[0] : rows;
      },
    };
  };
}

function same(query: RequestQuery): RequestQuery {
  return query;
}

function optionsOf(options: unknown): CallOptions {
  return options ?? {};
}

function nullWhenNotFound(error: unknown): null {
  if (error instanceof KeelsonError && error.code === "NOT_FOUND") return null;
  throw error;
}
