// The client of an app for browsers and other JavaScript: `createClient<typeof app>(url)`. It knows the
// app by its type alone; at run time a name is a table's operation or, if it is none, a function's.
import type { AnyApp } from "./app.ts";
import { makeCall, sendBatch, type Call, type CallPlan, type Send } from "./client-call.ts";
import { KeelsonError } from "./client-error.ts";
import { batchResults, httpTransport, type Fetch } from "./client-http.ts";
import type { RequestQuery } from "./client-request.ts";
import { defaultRetry, type RetryPolicy } from "./client-retry.ts";
import { sendRequest, type CallOptions, type TokenSource } from "./client-send.ts";
import type { Client } from "./client-surface.ts";
import type { Transport } from "./client-transport.ts";

export type { Call } from "./client-call.ts";
export { KeelsonError } from "./client-error.ts";
export type { ClientRequest, ClientStep, RequestQuery } from "./client-request.ts";
export type { RetryPolicy } from "./client-retry.ts";
export type { CallOptions, TokenSource } from "./client-send.ts";
export type { Client, ClientFunction, ClientTable, RowOf } from "./client-surface.ts";
export type { Transport, TransportAttempt } from "./client-transport.ts";
export { isId, type Id } from "./id.ts";

/** How a client behaves. */
export interface ClientOptions {
  /** Who is signed in: a token, or a function asked before each attempt. Default: the session cookie, if any. */
  readonly token?: TokenSource;
  /** Retries, or false for none. Default: 6 attempts, 200 ms doubling to 15 s, with full jitter. */
  readonly retry?: Partial<RetryPolicy> | false;
  /** Time for each attempt, in ms. Default 65,000: an action may take 60 s. */
  readonly timeoutMs?: number;
  /** What sends HTTP requests. Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** What carries requests instead of HTTP. */
  readonly transport?: Transport;
  /** From 0 to 1, for the jitter of retries. Default: Math.random. */
  readonly random?: () => number;
}

/**
 * Makes a client. Nothing is sent until something is called.
 * @param url where the server is: `"http://localhost:4000"`.
 * @example
 * import type app from "../keelson/app.ts";
 * const api = createClient<typeof app>("http://localhost:4000");
 * const films = await api.film.list({ where: { rating: { gte: 8 } }, orderBy: "-rating", limit: 20 });
 */
export function createClient<A extends AnyApp>(
  url: string,
  options: ClientOptions = {},
): Client<A> {
  const parts = {
    transport: options.transport ?? httpTransport(url, options.fetch ?? globalFetch),
    token: options.token ?? null,
    retry:
      options.retry === false
        ? { ...defaultRetry, attempts: 1 }
        : { ...defaultRetry, ...options.retry },
    timeoutMs: options.timeoutMs ?? 65_000,
    random: options.random ?? Math.random,
  };
  const send: Send = (request, callOptions) => sendRequest(parts, request, callOptions);
  const batch = (
    calls: readonly Call<unknown>[],
    callOptions: CallOptions = {},
  ): Promise<unknown[]> => sendBatch(send, batchResults, calls, callOptions);
  return namesProxy((name) => (name === "batch" ? batch : groupOf(send, name))) as Client<A>;
}

/** Called through the global each time, so that what replaces it later (tests, tracing) is used. */
const globalFetch: Fetch = (url, init) => fetch(url, init);

/** `api.film` or `api.cinema`: both a table and a module may have the name. */
function groupOf(send: Send, group: string): object {
  return namesProxy((name) => {
    const plan = Object.hasOwn(tableCalls, name)
      ? tableCalls[name as TableCall](group)
      : functionCall(group, name);
    return (...args: readonly unknown[]) => makeCall(send, plan(args));
  });
}

/** An object that makes what it holds when it is first asked for it. */
function namesProxy(make: (name: string) => unknown): object {
  const made = new Map<string, unknown>();
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_target, name) {
      // `await api` and JSON.stringify(api) look for these; they must not become calls.
      if (typeof name === "symbol" || name === "then" || name === "toJSON") return undefined;
      if (!made.has(name)) made.set(name, make(name));
      return made.get(name);
    },
  });
}

type Plan = (args: readonly unknown[]) => CallPlan<unknown>;

function functionCall(module: string, name: string): Plan {
  return ([args, options]) => ({
    step: { kind: "call", name: `${module}.${name}`, args: args ?? {} },
    options: optionsOf(options),
    read: (answer) => answer,
  });
}

function listPlan(
  read: (page: PageAnswer) => unknown,
  change: (query: RequestQuery) => RequestQuery,
) {
  return (table: string): Plan =>
    ([query, options]) => ({
      step: { kind: "list", table, query: change(query ?? {}) },
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
  list: listPlan((page) => page.rows, same),
  page: listPlan((page) => page, same),
  first: listPlan(
    (page) => page.rows[0] ?? null,
    (query) => ({ ...query, limit: 1 }),
  ),
  count: listPlan(
    (page) => (page.rows[0] as { readonly count: number }).count,
    (filter) => ({ ...filter, aggregate: { count: "count" } }),
  ),
  aggregate: (table: string): Plan => aggregatePlan(table),
  get:
    (table: string): Plan =>
    ([id, query, options]) => ({
      step: { kind: "get", table, id: String(id), query: query ?? {} },
      options: optionsOf(options),
      read: (answer) => answer,
      recover: nullWhenNotFound,
    }),
  create:
    (table: string): Plan =>
    ([value, options]) => ({
      step: { kind: "create", table, value },
      options: optionsOf(options),
      read: (answer) => answer,
    }),
  update:
    (table: string): Plan =>
    ([id, value, options]) => ({
      step: { kind: "update", table, id: String(id), value },
      options: optionsOf(options),
      read: (answer) => answer,
    }),
  delete:
    (table: string): Plan =>
    ([id, options]) => ({
      step: { kind: "delete", table, id: String(id) },
      options: optionsOf(options),
      read: () => undefined,
    }),
};

function aggregatePlan(table: string): Plan {
  return ([form, options]) => {
    const { values, ...rest } = form as RequestQuery & { readonly values: unknown };
    return {
      step: { kind: "list", table, query: { ...rest, aggregate: values } },
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
