// The live side of a client, put together: the socket, the calls over it and the live queries. Made when it
// is first needed, so that a client which only calls over HTTP never opens a socket.
import type { KeelsonError } from "./client-error.ts";
import type { RetryPolicy } from "./client-retry.ts";
import type { TokenSource } from "./client-token.ts";
import { LiveAsks } from "./live-asks.ts";
import type { LivePush, LiveServerMessage } from "./live-protocol.ts";
import { LiveQueries } from "./live-queries.ts";
import { LiveSocket, type ConnectionState, type LiveSocketUser } from "./live-socket.ts";
import { liveUrl, type LiveWebSocketClass } from "./live-web-socket.ts";

/** What the live side needs. */
export interface LiveClientParts {
  readonly url: string;
  readonly webSocket: (() => LiveWebSocketClass) | null;
  readonly token: TokenSource;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly random: () => number;
  /** The session of the cookie that a connection was made with has ended. Another connection reads the cookie of now. */
  cookieEnded(): void;
}

/** The live side of one client. */
export class LiveClient implements LiveSocketUser {
  readonly asks: LiveAsks;
  readonly queries: LiveQueries;
  readonly socket: LiveSocket;
  readonly listeners = new Set<(state: ConnectionState) => void>();
  readonly #parts: LiveClientParts;
  /** Another connection was made because of its cookie, and nothing has been answered on it yet: no second one. */
  #isCookieNew = false;

  constructor(parts: LiveClientParts) {
    this.#parts = parts;
    const { url, token, timeoutMs, random } = parts;
    const { baseMs, capMs } = parts.retry;
    this.socket = new LiveSocket(
      {
        url: () => liveUrl(url, (globalThis as { location?: Location }).location?.href),
        webSocket: parts.webSocket ?? globalWebSocket,
        token,
        timeoutMs,
        baseMs,
        capMs,
        random,
      },
      this,
    );
    this.asks = new LiveAsks(this.socket);
    const isTokenRenewable = typeof token === "function";
    this.queries = new LiveQueries(this.socket, { baseMs, capMs, random, isTokenRenewable });
  }

  isNeeded(): boolean {
    return this.asks.isBusy || this.queries.isBusy;
  }

  opened(): void {
    this.queries.opened();
    this.asks.opened();
  }

  identifying(): void {
    this.queries.identifying();
  }

  identified(): void {
    this.queries.identified();
    this.asks.identified();
  }

  received(message: LiveServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.asks.welcomed(message);
      case "push":
        // Not shown: the next connection answers all of it, as whoever the cookie says by then.
        if (this.#isCookieOver(endedCodes(message))) return this.#parts.cookieEnded();
        return this.queries.pushed(message);
      case "result":
        this.#isCookieNew = false;
        return this.asks.answered(message);
      case "error":
        this.asks.answered(message);
        if (this.#isCookieOver([message.error.code])) this.#parts.cookieEnded();
        return undefined;
      case "pong":
        return undefined;
      default:
        // Of a newer server: what it needs an answer to, it does not send to this protocol.
        return message satisfies never;
    }
  }

  /** Over HTTP a cookie whose session ended is nobody's: here it is read anew, once. */
  #isCookieOver(codes: readonly string[]): boolean {
    if (this.#parts.token !== null) return false;
    const isOver = codes.some((code) => code === "TOKEN_INVALID" || code === "TOKEN_EXPIRED");
    const isFirst = isOver && !this.#isCookieNew;
    this.#isCookieNew = isOver;
    return isFirst;
  }

  lost(error: KeelsonError): void {
    this.asks.lost(error);
    this.queries.lost(error);
  }

  /** Calls back each time that the connection is open. @returns a function that ends it. */
  whenOpen(callback: () => void): () => void {
    const listener = (state: ConnectionState) => {
      if (state === "open") callback();
    };
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  changed(state: ConnectionState): void {
    for (const listener of [...this.listeners]) listener(state);
  }
}

/** Why subscriptions have ended. */
function endedCodes({ changes }: LivePush): string[] {
  return changes.flatMap((one) => ("error" in one && one.ended === true ? [one.error.code] : []));
}

function globalWebSocket(): LiveWebSocketClass {
  const { WebSocket: found } = globalThis as { WebSocket?: LiveWebSocketClass };
  if (found !== undefined) return found;
  throw new TypeError("There is no WebSocket here: pass one as the client's option `webSocket`.");
}
