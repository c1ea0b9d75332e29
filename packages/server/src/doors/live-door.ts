// /api/live: handshakes of WebSockets (RFC 6455), and the connections that come of them. A page of another
// origin is let in only when the app lists it: browsers send cookies with a handshake and ask nobody.
// States: serving -> draining (no new ones; the others are closed once their asks are answered).
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { WebSocket, WebSocketServer } from "ws";
import type { LiveProtocol } from "@keelson/sdk/live-protocol";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import { addressKey } from "../gate/address-key.ts";
import type { Gate } from "../gate/gate-request.ts";
import type { Watcher } from "../gate/watcher.ts";
import type { Revocation } from "../gate/identity.ts";
import { openLiveHub, type LiveHub, type LiveHubGauges } from "../live/live-hub.ts";
import type { LiveOrigin } from "../live/live-session.ts";
import type { Manifest } from "../model/manifest.ts";
import type { CommitFeed } from "../store/commit-feed.ts";
import type { Store } from "../store/store.ts";
import type { CallerAddress } from "./caller-address.ts";
import { openHttpCors } from "./http-cors.ts";
import { readHead, type HttpHead } from "./http-head.ts";
import { problemOf, type HttpMode } from "./http-problem.ts";
import { LiveConnection, type LiveConnectionScene } from "./live-connection.ts";
import type { LiveCounts } from "./live-counts.ts";
import { newLiveTraffic, type LiveTraffic } from "./live-traffic.ts";

/** What live queries read and follow. */
export interface LiveSource {
  readonly watcher: Watcher;
  readonly store: Pick<Store, "read" | "commitsAfter">;
  readonly commits: CommitFeed;
}

/** One version of the app, as live connections need it. */
export interface LiveServed {
  readonly manifest: Manifest;
  readonly gate: Gate;
  readonly live: LiveSource;
}

/** What the door is made of. */
export interface LiveDoorParts {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly mode: HttpMode;
  readonly callerAddress: CallerAddress;
  /** Connections of addresses and users, over all threads. */
  readonly counts: LiveCounts;
  /** Calls back when the event loop has come round once. */
  readonly nextTurn: (run: () => void) => void;
  nextId(): string;
  /** Runs now, or once a reload is over. */
  whenServed(run: () => void): void;
  report(error: unknown, requestId: string): void;
}

/** The path of live connections. */
export const livePath = "/api/live";
/** What the two sides speak. */
export const liveProtocol: LiveProtocol = "keelson.live.1";

/** One version and its connections. */
interface Serving {
  readonly hub: LiveHub;
  readonly cors: ReturnType<typeof openHttpCors>;
  readonly connections: Set<LiveConnection>;
  readonly scene: LiveConnectionScene;
  /** Told when the last connection has gone. */
  emptied: () => void;
}

/** Live connections of one thread. */
export class LiveDoor {
  readonly #parts: LiveDoorParts;
  readonly #traffic = newLiveTraffic();
  #server: Promise<WebSocketServer> | null = null;
  #serving: Serving;
  #isDraining = false;
  #connections = 0;
  #pings = 0;
  #cancelPing: (() => void) | null = null;

  constructor(parts: LiveDoorParts, served: LiveServed, asking: (delta: 1 | -1) => void) {
    this.#parts = parts;
    this.#serving = this.#serve(served, asking);
  }

  /** What there is now, and what was sent since the thread began. */
  get gauges(): LiveHubGauges & LiveTraffic & { readonly connections: number } {
    const { hub, connections } = this.#serving;
    return { ...hub.gauges, ...this.#traffic, connections: connections.size };
  }

  /** Credentials are not to be taken any more: connections that stand on them send nothing else for them. */
  revoke(what: Revocation): void {
    this.#serving.hub.revoke(what);
  }

  /** Serves another version: connections of the one before are closed, their clients come again. */
  serve(served: LiveServed, asking: (delta: 1 | -1) => void): void {
    const before = this.#serving;
    this.#serving = this.#serve(served, asking);
    this.#end(before);
  }

  /** Takes no more, and ends those there are. */
  drain(): void {
    this.#isDraining = true;
    this.#end(this.#serving);
  }

  /** Answers a handshake. Never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A client that goes away in the middle of it.
    socket.on("error", destroy);
    const requestId = this.#parts.nextId();
    try {
      this.#welcome(request, socket, head);
    } catch (error) {
      refuse(socket, error, requestId, this.#parts.mode);
    }
  }

  #welcome(request: IncomingMessage, socket: Duplex, first: Buffer): void {
    const serving = this.#serving;
    const head = readHead(request.rawHeaders);
    if (this.#isDraining) throw new PlatformError("SHUTTING_DOWN");
    assertHandshake(request);
    const cookie = originCookie(serving, head);
    const { counts, limits, callerAddress } = this.#parts;
    const address = callerAddress.of(head, request.socket.remoteAddress ?? "");
    const name = `address ${addressKey(address)}`;
    const { liveConnectionsPerAddressMax: max } = limits;
    // Counted from here on, so that handshakes under way count too.
    if (!counts.enter(name, max)) {
      throw new PlatformError("RATE_LIMITED", { limit: "liveConnectionsPerAddressMax", max });
    }
    leaveAtEnd(socket, counts, name);
    this.#server ??= this.#openServer();
    this.#server
      .then((server) => {
        server.handleUpgrade(request, socket, first, (webSocket) => {
          // From here on ws looks after it.
          socket.off("error", destroy);
          if (this.#isDraining || serving !== this.#serving) webSocket.close(1012);
          else this.#connected(serving, webSocket, socket, { address, cookie });
        });
      })
      .catch((error: unknown) => {
        this.#parts.report(error, "");
        socket.destroy();
      });
  }

  async #openServer(): Promise<WebSocketServer> {
    // Loaded with the first connection: a start is in a hurry.
    const { WebSocketServer } = await import("ws");
    return new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: this.#parts.limits.liveMessageBytesMax,
      perMessageDeflate: false,
      handleProtocols: () => liveProtocol,
    });
  }

  #connected(serving: Serving, socket: WebSocket, stream: Duplex, origin: LiveOrigin): void {
    const pingPart = this.#connections++ % pingParts;
    const { scene, connections } = serving;
    connections.add(new LiveConnection(scene, { socket, stream, pingPart, origin }));
    this.#cancelPing ??= this.#pingLater();
  }

  #serve(served: LiveServed, asking: (delta: 1 | -1) => void): Serving {
    const { clock, limits, mode, nextTurn } = this.#parts;
    const { gate, manifest } = served;
    const { watcher, store, commits } = served.live;
    const hub = openLiveHub({
      watcher,
      store,
      feed: commits,
      clock,
      limits,
      nextTurn,
      report: (error) => this.#parts.report(error, ""),
    });
    const connections = new Set<LiveConnection>();
    const scene: LiveConnectionScene = {
      limits,
      mode,
      gate,
      hub,
      manifest,
      traffic: this.#traffic,
      nextId: () => this.#parts.nextId(),
      whenServed: (run) => this.#parts.whenServed(run),
      asking,
      countCaller: (before, now) => this.#countCaller(before, now),
      closed: (connection) => {
        connections.delete(connection);
        if (connections.size === 0) serving.emptied();
      },
      report: (error, requestId) => this.#parts.report(error, requestId),
    };
    const cors = openHttpCors(manifest);
    const serving: Serving = { hub, cors, connections, scene, emptied: () => undefined };
    return serving;
  }

  #end(serving: Serving): void {
    const { hub, connections } = serving;
    hub.close();
    for (const connection of connections) connection.close(1012);
    this.#cancelPing?.();
    this.#cancelPing = null;
    if (connections.size === 0) return;
    // A timer that nobody needs any more would keep the process.
    serving.emptied = this.#parts.clock.after(this.#parts.limits.shutdownMsMax, () => {
      for (const connection of connections) connection.terminate();
    });
  }

  #countCaller(before: string | null, now: string | null): boolean {
    const { counts, limits } = this.#parts;
    if (before !== null) counts.leave(`user ${before}`);
    return now === null || counts.enter(`user ${now}`, limits.liveConnectionsPerUserMax);
  }

  /** A part of the connections at a time: ten thousand pings at once would hold up everything else. */
  #pingLater(): () => void {
    const { clock, limits } = this.#parts;
    return clock.after(limits.livePingMs / pingParts, () => {
      const { connections } = this.#serving;
      this.#pings = (this.#pings + 1) % pingParts;
      for (const connection of connections) {
        if (connection.pingPart === this.#pings) connection.ping();
      }
      this.#cancelPing = connections.size > 0 ? this.#pingLater() : null;
    });
  }
}

const pingParts = 100;

function destroy(this: Duplex): void {
  this.destroy();
}

/** By itself: whatever a listener could see of a handshake would stay as long as its connection. */
function leaveAtEnd(socket: Duplex, counts: LiveCounts, name: string): void {
  socket.on("close", () => counts.leave(name));
}

/** @throws METHOD_NOT_ALLOWED, REQUEST_INVALID. */
function assertHandshake(request: IncomingMessage): void {
  if (request.method !== "GET") throw new PlatformError("METHOD_NOT_ALLOWED");
  const protocols = request.headers["sec-websocket-protocol"] ?? "";
  if (protocols.split(",").some((name) => name.trim() === liveProtocol)) return;
  throw new PlatformError("REQUEST_INVALID", { problem: `the subprotocol is ${liveProtocol}` });
}

/** The cookie, when the page may use it. @throws ORIGIN_DENIED when it may not even connect. */
function originCookie({ cors }: Serving, { origin, host, cookie }: HttpHead): string | null {
  if (origin === null || cors.trustsCookie(origin, host)) return cookie;
  if (cors.headers(origin) === null) throw new PlatformError("ORIGIN_DENIED", { origin, host });
  return null;
}

function refuse(socket: Duplex, error: unknown, requestId: string, mode: HttpMode): void {
  const { status, json, retryAfterSeconds } = problemOf(error, requestId, mode);
  const retry = retryAfterSeconds === null ? "" : `retry-after: ${retryAfterSeconds}\r\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: application/problem+json\r\n${retry}` +
      `x-request-id: ${requestId}\r\ncontent-length: ${Buffer.byteLength(json)}\r\n` +
      `connection: close\r\n\r\n${json}`,
  );
}
