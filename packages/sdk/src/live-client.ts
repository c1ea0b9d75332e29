// The live side of a client, put together: the socket, the calls over it and the live queries. Made when it
// is first needed, so that a client which only calls over HTTP never opens a socket.
import type { KeelsonError } from "./client-error.ts";
import type { RetryPolicy } from "./client-retry.ts";
import type { TokenSource } from "./client-send.ts";
import { LiveAsks } from "./live-asks.ts";
import type { LiveServerMessage } from "./live-protocol.ts";
import { LiveQueries } from "./live-queries.ts";
import { LiveSocket, type ConnectionState, type LiveSocketUser } from "./live-socket.ts";
import { liveUrl, type LiveWebSocketClass } from "./live-web-socket.ts";

/** What the live side needs. */
export interface LiveClientParts {
  readonly url: string;
  readonly webSocket: (() => LiveWebSocketClass) | null;
  readonly token: TokenSource;
  readonly retry: RetryPolicy;
  readonly random: () => number;
}

/** The live side of one client. */
export class LiveClient implements LiveSocketUser {
  readonly asks: LiveAsks;
  readonly queries: LiveQueries;
  readonly socket: LiveSocket;
  readonly listeners = new Set<(state: ConnectionState) => void>();

  constructor(parts: LiveClientParts) {
    const { url, token, random } = parts;
    const { baseMs, capMs } = parts.retry;
    this.socket = new LiveSocket(
      {
        url: () => liveUrl(url, (globalThis as { location?: Location }).location?.href),
        webSocket: parts.webSocket ?? globalWebSocket,
        token,
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

  identified(): void {
    this.queries.identified();
    this.asks.identified();
  }

  received(message: LiveServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.asks.welcomed(message);
      case "push":
        return this.queries.pushed(message);
      case "result":
      case "error":
        return this.asks.answered(message);
      case "pong":
        return undefined;
      default:
        // Of a newer server: what it needs an answer to, it does not send to this protocol.
        return message satisfies never;
    }
  }

  lost(error: KeelsonError): void {
    this.asks.lost(error);
    this.queries.lost(error);
  }

  changed(state: ConnectionState): void {
    for (const listener of [...this.listeners]) listener(state);
  }
}

function globalWebSocket(): LiveWebSocketClass {
  const { WebSocket: found } = globalThis as { WebSocket?: LiveWebSocketClass };
  if (found !== undefined) return found;
  throw new TypeError("There is no WebSocket here: pass one as the client's option `webSocket`.");
}
