// The client of an app for browsers and other JavaScript: `createClient<typeof app>(url)`. It knows the
// app by its type alone; at run time a name is a table's operation or, if it is none, a function's.
import type { AnyApp } from "./app.ts";
import { openAuthClient, type AuthClient } from "./auth-client.ts";
import { openAuthTokens, type AuthTokens, type TokenStorage } from "./auth-client-tokens.ts";
import { makeCall, sendBatch, type Call, type CallPort } from "./client-call.ts";
import type { KeelsonError } from "./client-error.ts";
import { batchResults, httpTransport, type Fetch } from "./client-http.ts";
import { isTableCall, planOf } from "./client-plan.ts";
import { defaultRetry, type RetryPolicy } from "./client-retry.ts";
import { sendRequest, type CallOptions } from "./client-send.ts";
import type { Client, ClientLive } from "./client-surface.ts";
import type { TokenSource } from "./client-token.ts";
import type { Transport } from "./client-transport.ts";
import type { LiveAnswer } from "./live-asks.ts";
import { LiveClient } from "./live-client.ts";
import type { ConnectionState } from "./live-socket.ts";
import type { LiveWebSocketClass } from "./live-web-socket.ts";

export type { ClientConsent, ClientIdentity, ClientKey } from "./auth-client-access.ts";
export type { ClientInvitation, ClientOrg, ClientOrgMember } from "./auth-client-orgs.ts";
export type {
  ClientAuth,
  ClientAuthEvent,
  ClientMe,
  ClientPasskey,
  ClientSession,
  MeState,
  SignInResult,
} from "./auth-client-surface.ts";
export type { TokenStorage } from "./auth-client-tokens.ts";
export type { Call, ReadCall, ShowChange, WriteCall } from "./client-call.ts";
export { KeelsonError, type KeelsonIssue } from "./client-error.ts";
export type { ClientRequest, ClientStep, RequestQuery } from "./client-request.ts";
export type { RetryPolicy } from "./client-retry.ts";
export type { CallOptions } from "./client-send.ts";
export type {
  Client,
  ClientFunction,
  ClientLive,
  ClientQuery,
  ClientTable,
  RowOf,
} from "./client-surface.ts";
export type { TokenSource } from "./client-token.ts";
export type { Transport, TransportAttempt } from "./client-transport.ts";
export { isId, type Id } from "./id.ts";
export type { ConnectionState } from "./live-socket.ts";
export type { LiveStore, Stop } from "./live-store.ts";
export type { LiveState } from "./live-view.ts";
export type { LiveWebSocket, LiveWebSocketClass } from "./live-web-socket.ts";

/** How a client behaves. */
export interface ClientOptions {
  /** Who is signed in: a token, or a function asked before each attempt. Default: the session cookie, if any. */
  readonly token?: TokenSource;
  /**
   * How `api.auth` keeps who is signed in. `"cookie"` (default): the browser does, for pages of the same site.
   * `"tokens"`: this client does, and `token` is not needed; for apps, programs and pages of other sites.
   */
  readonly auth?: "cookie" | "tokens";
  /** With `auth: "tokens"`: where they outlast the program. Default: nowhere. */
  readonly tokenStorage?: TokenStorage;
  /** Retries, or false for none. Default: 7 attempts, 200 ms doubling to 15 s, half of each wait by chance. */
  readonly retry?: Partial<RetryPolicy> | false;
  /** Time for each attempt, and before it for `token` to give one, in ms. Default 65,000: an action may take 60 s. */
  readonly timeoutMs?: number;
  /** What sends HTTP requests. Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** What makes live connections. Default: the global `WebSocket`. */
  readonly webSocket?: LiveWebSocketClass;
  /** What carries calls: `"http"`, `"live"` (the connection of live queries, pipelined), or your own. Default: `"http"`. */
  readonly transport?: "http" | "live" | Transport;
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
 * const stop = api.cinema.seats({ screening }).live((seats) => render(seats));
 */
export function createClient<A extends AnyApp>(
  url: string,
  options: ClientOptions = {},
): Client<A> {
  const tokens = openTokens(url, options, () => auth.ended());
  const called = tokens === null ? options : { ...options, token: tokens.source };
  const live = openLive(url, called, {
    made: () => auth.followTabs(),
    cookieEnded: () => auth.cookieEnded(),
  });
  const port = openPort(url, called, live.open);
  const auth = openAuth(url, called, { tokens, live });
  const batch = (
    calls: readonly Call<unknown>[],
    callOptions: CallOptions = {},
  ): Promise<unknown[]> => sendBatch(port.send, batchResults, calls, callOptions);
  const own: Readonly<Record<string, unknown>> = {
    batch,
    auth: auth.surface,
    live: liveControl(live.open),
    close: () => {
      auth.close();
      live.open().socket.close();
    },
  };
  return namesProxy((name) =>
    Object.hasOwn(own, name) ? own[name] : groupOf(port, name),
  ) as Client<A>;
}

let clients = 0;

const timeoutMsDefault = 65_000;

/** Called through the global each time, so that what replaces it later (tests, tracing) is used. */
const globalFetch: Fetch = (url, init) => fetch(url, init);

/** The live side of a client that may have none yet. */
interface LazyLive {
  /** Makes it when it is first asked for. */
  readonly open: () => LiveClient;
  /** Null: nobody asked for it yet. */
  readonly made: () => LiveClient | null;
}

function openLive(
  url: string,
  options: ClientOptions,
  told: { readonly made: () => void; readonly cookieEnded: () => void },
): LazyLive {
  let made: LiveClient | null = null;
  const { webSocket } = options;
  const open = () => {
    if (made !== null) return made;
    made = new LiveClient({
      url,
      webSocket: webSocket === undefined ? null : () => webSocket,
      token: options.token ?? null,
      timeoutMs: options.timeoutMs ?? timeoutMsDefault,
      // A live connection is made again for as long as it is needed: `retry: false` is about calls.
      retry: { ...defaultRetry, ...(options.retry === false ? {} : options.retry) },
      random: options.random ?? Math.random,
      cookieEnded: told.cookieEnded,
    });
    told.made();
    return made;
  };
  return { open, made: () => made };
}

/** The server's address, as requests begin with it. */
function baseOf(url: string): string {
  return url.replace(/\/+$/, "");
}

function openTokens(url: string, options: ClientOptions, ended: () => void): AuthTokens | null {
  if (options.auth !== "tokens") return null;
  return openAuthTokens({
    base: baseOf(url),
    fetch: options.fetch ?? globalFetch,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    storage: options.tokenStorage ?? null,
    ended,
  });
}

function openAuth(
  url: string,
  options: ClientOptions,
  { tokens, live }: { readonly tokens: AuthTokens | null; readonly live: LazyLive },
): AuthClient {
  const changed = () => {
    const socket = live.made()?.socket;
    if (socket === undefined) return;
    // A cookie is read when a connection is made, a token at any time.
    if (tokens !== null) void socket.renewToken(false).catch(() => undefined);
    else socket.reconnect();
  };
  return openAuthClient({
    base: baseOf(url),
    fetch: options.fetch ?? globalFetch,
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    tokens,
    token: options.token ?? null,
    changed,
  });
}

function openPort(url: string, options: ClientOptions, live: () => LiveClient): CallPort {
  const whenOpen = (callback: () => void) => live().whenOpen(callback);
  const parts = {
    transport: transportOf(url, options, live),
    token: options.token ?? null,
    retry:
      options.retry === false
        ? { ...defaultRetry, attempts: 1 }
        : { ...defaultRetry, ...options.retry },
    timeoutMs: options.timeoutMs ?? timeoutMsDefault,
    random: options.random ?? Math.random,
    ...(options.transport === "live" && { whenOpen }),
  };
  return {
    send: (request, callOptions) => sendRequest(parts, request, callOptions),
    sendLive: async (request, callOptions) => {
      let answer: LiveAnswer = { value: undefined, seq: 0 };
      const transport: Transport = {
        send: async (attempt) => (answer = await live().asks.ask(attempt)).value,
      };
      await sendRequest({ ...parts, transport, whenOpen }, request, callOptions);
      return answer;
    },
    live: () => live().queries,
    number: ++clients,
  };
}

function transportOf(url: string, options: ClientOptions, live: () => LiveClient): Transport {
  const { transport = "http" } = options;
  if (transport === "http") return httpTransport(url, options.fetch ?? globalFetch);
  if (transport === "live") return { send: (attempt) => live().asks.send(attempt) };
  return transport;
}

function liveControl(live: () => LiveClient): ClientLive {
  return Object.freeze({
    get state(): ConnectionState {
      return live().socket.state;
    },
    onState: (callback: (state: ConnectionState) => void) => {
      const listener = (state: ConnectionState) => callback(state);
      live().listeners.add(listener);
      return () => void live().listeners.delete(listener);
    },
    renewToken: async () => {
      await live().socket.renewToken(false);
    },
  });
}

/** `api.film` or `api.cinema`: both a table and a module may have the name. */
function groupOf(port: CallPort, group: string): object {
  return namesProxy((name) => {
    const plan = planOf(group, name);
    const call = (...args: readonly unknown[]) => makeCall(port, plan(args));
    if (isTableCall(name)) return call;
    const live = (
      args: unknown,
      callback: (value: unknown) => void,
      onError?: (error: KeelsonError) => void,
    ) => call(args).live(callback, onError);
    return Object.assign(call, { live });
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
