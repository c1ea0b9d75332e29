// One request and its answer, from the headers' end to the last byte. Answered once: `end` is the only way
// out, also for a client that went away.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AuthService } from "../auth/auth-service.ts";
import type { HookDesk } from "../connect/hook-door.ts";
import type { Gate } from "../gate/gate-request.ts";
import type { Manifest } from "../model/manifest.ts";
import type { HttpCors } from "./http-cors.ts";
import type { HttpHead } from "./http-head.ts";
import type { HttpMounts } from "./http-mounts.ts";
import type { RouteClass } from "./http-metrics.ts";
import type { ToldRequest } from "./http-told.ts";
import type { WholeRequest } from "./http-whole.ts";
import type { WholeConnection } from "./whole-connection.ts";

/** Where identity comes from: loaded when it is first asked for. */
export interface AuthSource {
  service(): Promise<AuthService>;
}

/** One version of the app, as the door needs it. Swapped whole by a reload. */
export interface HttpApp {
  readonly manifest: Manifest;
  readonly gate: Gate;
  readonly cors: HttpCors;
  readonly mounts: HttpMounts;
  /** Identity's own addresses; null: there are none. */
  readonly auth: AuthSource | null;
  /** Webhooks that come in; null: there are none. */
  readonly hooks: HookDesk | null;
  /** Requests that it is answering. */
  inFlight: number;
  /** Called, and emptied, when there are none. */
  readonly whenIdle: (() => void)[];
}

/** One request being answered. */
export interface HttpExchange {
  readonly request: IncomingMessage | WholeRequest;
  readonly response: ServerResponse | WholeConnection;
  readonly requestId: string;
  /** The app that answers it; a reload in between does not change it. */
  readonly app: HttpApp;
  /** Of the monotonic clock. */
  readonly startedUs: number;
  head: Readonly<HttpHead>;
  route: RouteClass;
  /** What the log is told of it; null: the gate tells it, or nobody. */
  told: ToldRequest | null;
  /** Whether its connection ends after the answer. */
  isLast: boolean;
  isEnded: boolean;
}
