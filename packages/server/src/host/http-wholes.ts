// Connections on which requests come whole: taken before node's parser sees them, given to it when it must read one.
import type { Server } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import type { Limits } from "../base/limits.ts";
import type { HttpDoor } from "../doors/http-door.ts";
import { WholeConnection, type WholeConnectionParts } from "../doors/whole-connection.ts";

// An `import` reads all that node:http exports (see http-listener.ts).
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/** Connections that node's parser has not seen. */
export type Wholes = Map<Socket, WholeConnection>;

/** Takes every new connection of a server. @param parts.wholes where they are kept. */
export function takeWholes(parts: {
  readonly server: Server;
  readonly door: HttpDoor;
  readonly wholes: Wholes;
  readonly limits: Limits;
  readonly clock: Clock;
}): void {
  const { server, door, wholes, limits, clock } = parts;
  const takers = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection");
  const shared: WholeConnectionParts = {
    clock,
    reasons: STATUS_CODES,
    date: openDates(clock),
    headBytesMax: limits.headerBytesMax,
    keepAliveMs: limits.keepAliveMs,
    keepAlive: `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(limits.keepAliveMs / 1_000)}\r\n`,
    handle: (request, reply) => door.handle(request, reply),
    given: (socket, bytes) => {
      wholes.delete(socket);
      // What is put back must wait until node listens.
      socket.pause();
      if (bytes !== null) socket.unshift(bytes);
      for (const take of takers) take.call(server, socket);
      socket.resume();
    },
  };
  server.on("connection", (socket: Socket) => {
    wholes.set(socket, new WholeConnection(socket, shared));
  });
}

/** Ends connections that nobody uses, and gives node those that say nothing. @returns a function that ends it. */
export function watchWholes(parts: {
  readonly wholes: Readonly<Wholes>;
  readonly limits: Limits;
  readonly clock: Clock;
}): () => void {
  const { wholes, limits, clock } = parts;
  const newMs = Math.min(1_000, Math.max(20, limits.headersMsMax / 8));
  const look = (): void => {
    const nowUs = clock.monotonicUs();
    for (const whole of wholes.values()) whole.look(nowUs, newMs);
    cancel = clock.after(newMs, look);
  };
  let cancel = clock.after(newMs, look);
  return () => cancel();
}

/** The date is written anew each second. */
function openDates(clock: Clock): () => string {
  let second = -1;
  let text = "";
  return () => {
    const nowMs = clock.nowMs();
    const now = Math.floor(nowMs / 1_000);
    if (now !== second) {
      second = now;
      text = new Date(nowMs).toUTCString();
    }
    return text;
  };
}
