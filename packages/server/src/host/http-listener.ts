// Sockets of the HTTP door: limits on slow, large and many connections (node's own, set here), and an end
// that answers what was accepted. States: listening -> closing (no new connections; answers close theirs)
// -> closed. Nothing of HTTP itself is decided here.
import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { HttpDoor } from "../doors/http-door.ts";
import { takeWholes, watchWholes, type Wholes } from "./http-wholes.ts";

/** An open address. */
export interface HttpListener {
  /** `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly port: number;
  /** Open connections. */
  connections(): number;
  /**
   * Takes no more connections, ends the idle ones, and waits for the others.
   * @param deadlineMs from now; then what is left is cut off.
   * @returns whether every accepted request was answered in time.
   */
  close(deadlineMs: number): Promise<boolean>;
}

// An `import` of node:http reads all it exports, and with that loads Node's client of `fetch`: 40 ms and 10 MB in
// each thread.
const { createServer } = process.getBuiltinModule("node:http");

/** How often node looks for slow clients: an eighth of the shorter limit, within these bounds. */
const checkMsMin = 50;
const checkMsMax = 5_000;
const idleMsMore = 5_000;

/**
 * Opens an address.
 * @param parts.port 0 takes any free one. @param parts.host an address of this machine.
 * @throws LISTEN_FAILED when it is taken or not ours.
 */
export async function listenHttp(parts: {
  readonly door: HttpDoor;
  readonly host: string;
  readonly port: number;
  /** Whether other threads of this process listen there too, and connections are spread over them. Default: no. */
  readonly reusePort?: boolean;
  readonly limits: Limits;
  readonly clock: Clock;
}): Promise<HttpListener> {
  const { door, limits } = parts;
  const sockets = new Set<Socket>();
  const watched = new Map<Socket, Moved>();
  const server = openServer(door, limits, watched);
  const wholes: Wholes = new Map();
  takeWholes({ ...parts, server, wholes });
  // One for all: there may be many sockets, and each lives long.
  function gone(this: Socket): void {
    sockets.delete(this);
    watched.delete(this);
    wholes.delete(this);
  }
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    watched.set(socket, { bytes: 0, sinceUs: parts.clock.monotonicUs() });
    socket.on("close", gone);
  });
  await listening(server, parts);
  const stopSlow = watchSlowReaders({ ...parts, sockets });
  const stopStill = watchStill({ ...parts, watched });
  const stopWholes = watchWholes({ ...parts, wholes });
  const { address, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === "IPv6" ? `[${address}]` : address}:${port}`,
    port,
    connections: () => sockets.size,
    close: async (deadlineMs) => {
      const inTime = await close({ ...parts, server, sockets, wholes, deadlineMs });
      stopWholes();
      stopSlow();
      stopStill();
      return inTime;
    },
  };
}

/** @param watched the sockets of HTTP: one that is upgraded leaves them. */
function openServer(door: HttpDoor, limits: Limits, watched: Map<Socket, Moved>): Server {
  const shortest = Math.min(limits.headersMsMax, limits.requestMsMax);
  const server = createServer({
    // Counted with the request line: an address longer than this is refused before it is an address.
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: Math.min(limits.headersMsMax, limits.requestMsMax),
    requestTimeout: limits.requestMsMax,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(checkMsMax, Math.max(checkMsMin, shortest / 8)),
    insecureHTTPParser: false,
    // A request that says that it has no body is not given the life of a stream.
    optimizeEmptyRequests: true,
    // The door refuses those without one itself, and says why.
    requireHostHeader: false,
    noDelay: true,
    // Whatever else asks to be upgraded is answered as if it had not.
    shouldUpgradeCallback: (request) => door.upgrades(request),
  });
  // Sockets on which nothing moves are looked for below: a timer for each costs with every read and write.
  server.timeout = 0;
  // Node drops headers past this number without a word; their bytes are limited above instead.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connectionsMax;
  server.on("request", (request, response) => door.handle(request, response));
  server.on("checkContinue", (request, response) => door.expect(request, response));
  server.on("checkExpectation", (request, response) => door.expect(request, response));
  server.on("upgrade", (request, socket, head) => {
    // From here on it is no connection of HTTP: it may be silent for as long as it answers pings.
    (socket as Socket).setTimeout(0);
    watched.delete(socket as Socket);
    door.upgrade(request, socket, head);
  });
  server.on("clientError", (error, socket) => door.broken(error, socket as Socket));
  return server;
}

function listening(
  server: Server,
  { host, port, reusePort = false }: { host: string; port: number; reusePort?: boolean },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException) => {
      const details = { host, port, reason: cause.code ?? "unknown" };
      reject(new PlatformError("LISTEN_FAILED", details, { cause }));
    };
    server.once("error", fail);
    server.listen({ host, port, reusePort, backlog: 1_024 }, () => {
      server.off("error", fail);
      resolve();
    });
  });
}

/** Cuts off connections whose client does not take its answers. @returns a function that ends it. */
function watchSlowReaders(parts: {
  readonly sockets: ReadonlySet<Socket>;
  readonly limits: Limits;
  readonly clock: Clock;
}): () => void {
  const { sockets, limits, clock } = parts;
  const lookMs = Math.min(1_000, Math.max(20, limits.answerMsMax / 8));
  let behindSince = new Map<Socket, number>();
  const look = (): void => {
    const nowUs = clock.monotonicUs();
    const behind = new Map<Socket, number>();
    for (const socket of sockets) {
      const waiting = socket.writableLength;
      if (waiting === 0) continue;
      const sinceUs = behindSince.get(socket) ?? nowUs;
      const isLate = nowUs - sinceUs > limits.answerMsMax * 1_000;
      if (isLate || waiting > limits.socketBytesMax) socket.destroy();
      else behind.set(socket, sinceUs);
    }
    behindSince = behind;
    cancel = clock.after(lookMs, look);
  };
  let cancel = clock.after(lookMs, look);
  return () => cancel();
}

/** What had gone over a socket when it was looked at last, and since when it is no more. */
interface Moved {
  bytes: number;
  sinceUs: number;
}

/**
 * Cuts off connections on which nothing moves for longer than anything may take: the client is gone without a word.
 * @returns a function that ends it.
 */
function watchStill(parts: {
  readonly watched: ReadonlyMap<Socket, Moved>;
  readonly limits: Limits;
  readonly clock: Clock;
}): () => void {
  const { watched, limits, clock } = parts;
  const stillMs =
    Math.max(limits.actionMsMax, limits.requestMsMax, limits.keepAliveMs) + idleMsMore;
  const look = (): void => {
    const nowUs = clock.monotonicUs();
    for (const [socket, moved] of watched) {
      const bytes = socket.bytesRead + socket.bytesWritten;
      if (bytes !== moved.bytes) {
        moved.bytes = bytes;
        moved.sinceUs = nowUs;
      } else if (nowUs - moved.sinceUs > stillMs * 1_000) socket.destroy();
    }
    cancel = clock.after(idleMsMore, look);
  };
  let cancel = clock.after(idleMsMore, look);
  return () => cancel();
}

function close(parts: {
  readonly server: Server;
  readonly door: HttpDoor;
  readonly sockets: ReadonlySet<Socket>;
  readonly wholes: Readonly<Wholes>;
  readonly clock: Clock;
  readonly deadlineMs: number;
}): Promise<boolean> {
  const { server, door, sockets, wholes, clock, deadlineMs } = parts;
  return new Promise((resolve) => {
    let inTime = true;
    const cancel = clock.after(deadlineMs, () => {
      inTime = door.inFlight() === 0;
      server.closeAllConnections();
      for (const whole of wholes.values()) whole.end();
    });
    door.drain();
    server.close(() => {
      cancel();
      resolve(inTime);
    });
    // Node counts a connection that never sent a byte (a browser's spare one) as busy.
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    for (const whole of wholes.values()) if (whole.isIdle) whole.end();
  });
}
