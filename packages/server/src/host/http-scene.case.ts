// A door on a real socket in front of a gate of a few lines, for tests of the door and the listener alone.
// Not a mock of the gate: a small app of its own that keeps rows in a map and refuses as gates do.
import { connect, type Socket } from "node:net";
import { PlatformError } from "../base/platform-error.ts";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import type { Gate, GateAnswer, GateRequest } from "../gate/gate-request.ts";
import type { Manifest } from "../model/manifest.ts";
import { openHttpDoor, type HttpDoor, type HttpDoorParts } from "../doors/http-door.ts";
import { openHttpMetrics } from "../doors/http-metrics.ts";
import { listenHttp, type HttpListener } from "./http-listener.ts";
import { realClock } from "./real-clock.ts";
import { doorGauges } from "./server-gauges.ts";
import { openRealRandom } from "./real-random.ts";

/** A running door. */
export interface HttpScene {
  readonly url: string;
  readonly port: number;
  readonly door: HttpDoor;
  readonly listener: HttpListener;
  /** Every request that reached the gate. */
  readonly asked: GateRequest[];
  /** Ends the calls of `slow.wait` that are waiting. */
  release(): void;
  /** Resolves when `count` calls of `slow.wait` are waiting. */
  waiting(count: number): Promise<void>;
  readonly reports: unknown[];
  close(): Promise<boolean>;
}

/** A manifest with these functions and origins and no tables: the door reads nothing else of it. */
export function sceneManifest(parts: Partial<Manifest> = {}): Manifest {
  const http = (name: string, method: string, path: string) => ({
    name,
    kind: "http" as const,
    args: {},
    allow: "anyone" as const,
    route: { method, path },
  });
  return {
    version: 1,
    tables: {},
    functions: {
      "site.echo": http("site.echo", "POST", "/echo/:word"),
      "site.page": http("site.page", "GET", "/pages/*rest"),
    },
    invariants: [],
    cors: ["https://shop.example"],
    hash: "0123456789abcdef",
    ...parts,
  };
}

/** Opens a door on a free port of this machine. */
export async function openHttpScene(
  options: {
    readonly limits?: Partial<Limits>;
    readonly door?: Partial<HttpDoorParts>;
    readonly manifest?: Manifest;
  } = {},
): Promise<HttpScene> {
  const limits: Limits = { ...defaultLimits, ...options.limits };
  const gate = new SceneGate();
  const reports: unknown[] = [];
  const door: HttpDoor = openHttpDoor(
    {
      limits,
      clock: realClock,
      random: openRealRandom(),
      mode: "production",
      metrics: openHttpMetrics(),
      metricsToken: null,
      trustProxy: false,
      statics: null,
      developmentTokens: null,
      openApi: () => ({ openapi: "3.1.0" }),
      isReady: () => true,
      gauges: () => doorGauges(door, null),
      report: (error) => reports.push(error),
      ...options.door,
    },
    { manifest: options.manifest ?? sceneManifest(), gate },
  );
  const listener = await listenHttp({
    door,
    host: "127.0.0.1",
    port: 0,
    limits,
    clock: realClock,
  });
  return {
    url: listener.url,
    port: listener.port,
    door,
    listener,
    asked: gate.asked,
    release: () => gate.release(),
    waiting: (count) => gate.waiting(count),
    reports,
    close: () => {
      gate.release();
      return listener.close(5_000);
    },
  };
}

class SceneGate implements Gate {
  readonly asked: GateRequest[] = [];
  readonly #rows = new Map<string, string>();
  #slow: (() => void)[] = [];
  #watchers: { readonly count: number; readonly done: () => void }[] = [];

  handle(request: GateRequest): Promise<GateAnswer> | GateAnswer {
    this.asked.push(request);
    const { operation } = request;
    switch (operation.kind) {
      case "get": {
        const row = this.#rows.get(operation.id);
        if (row === undefined) throw new PlatformError("NOT_FOUND");
        return answerOf(row);
      }
      case "create": {
        const id = `film_${this.#rows.size}`;
        const row = JSON.stringify({ id, ...(operation.value as object) });
        this.#rows.set(id, row);
        return answerOf(row);
      }
      case "call":
        return this.#call(operation.name, request);
      case "http":
        return answerOf(
          JSON.stringify({
            status: 201,
            headers: [
              ["content-type", "text/plain"],
              ["set-cookie", "a=1"],
              ["set-cookie", "b=2"],
              ["transfer-encoding", "chunked"],
              ["x-word", operation.params["word"] ?? operation.params["rest"] ?? ""],
            ],
            body: operation.request.body,
          }),
        );
      case "list":
      case "update":
      case "delete":
      case "batch":
        return answerOf(JSON.stringify({ kind: operation.kind }));
      default:
        return operation satisfies never;
    }
  }

  #call(name: string, request: GateRequest): Promise<GateAnswer> | GateAnswer {
    switch (name) {
      case "slow.wait":
        return new Promise((resolve) => {
          this.#slow.push(() => resolve(answerOf('"waited"')));
          this.#tell();
        });
      case "bug.throw":
        throw new TypeError("a secret in a message of ours");
      case "bug.reject":
        return Promise.reject(
          new PlatformError("FUNCTION_FAILED", { message: "secret", file: "a.ts" }),
        );
      case "limit.reached":
        throw new PlatformError("RATE_LIMITED", {
          policy: "user",
          quota: 10,
          windowSeconds: 60,
          retryAfterSeconds: 7,
        });
      case "big.text":
        return answerOf(JSON.stringify("all work and no play ".repeat(500)));
      default:
        return answerOf(JSON.stringify({ name, cookie: request.cookie }));
    }
  }

  waiting(count: number): Promise<void> {
    return new Promise((done) => {
      this.#watchers.push({ count, done });
      this.#tell();
    });
  }

  release(): void {
    for (const end of this.#slow.splice(0)) end();
  }

  #tell(): void {
    for (const { count, done } of this.#watchers) if (this.#slow.length >= count) done();
  }
}

function answerOf(json: string): GateAnswer {
  const limit = { policy: "user", quota: 100, windowSeconds: 60, remaining: 99, resetSeconds: 1 };
  return { json, seq: 1, repeated: false, limit };
}

/** A raw connection: what a browser would never send. */
export interface RawConnection {
  readonly socket: Socket;
  send(text: string | Uint8Array): void;
  /** Everything received once the server has closed the connection. */
  all(): Promise<string>;
  /** What was received as soon as it has `text` in it. */
  until(text: string): Promise<string>;
}

/** Connects to 127.0.0.1. */
export function openRaw(port: number): RawConnection {
  const socket = connect({ host: "127.0.0.1", port });
  let received = "";
  let isClosed = false;
  const watchers = new Set<() => void>();
  const tell = () => {
    for (const watch of watchers) watch();
  };
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    received += chunk;
    tell();
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    isClosed = true;
    tell();
  });
  const when = (isThere: () => boolean) =>
    new Promise<string>((resolve) => {
      const watch = () => {
        if (!isThere() && !isClosed) return;
        watchers.delete(watch);
        resolve(received);
      };
      watchers.add(watch);
      watch();
    });
  return {
    socket,
    send: (text) => socket.write(text),
    all: () => when(() => false),
    until: (text) => when(() => received.includes(text)),
  };
}
