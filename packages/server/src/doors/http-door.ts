// The HTTP door: turns requests into gate operations and answers into bytes. It decides no right, limit or
// value (law 2). Listening, sockets and their timeouts belong to host/http-listener.ts.
//
// A request is: started -> (body read) -> at the gate -> answered. After `drain` new ones are refused; what
// was started is answered. During `hold` new ones wait, so that a reload can swap the app between two.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Mailbox } from "../auth/mail/mailbox.ts";
import type { HookDesk } from "../connect/hook-door.ts";
import type { Clock } from "../base/clock.ts";
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { RandomSource } from "../base/random.ts";
import type { Gate } from "../gate/gate-request.ts";
import type { Trace } from "../gate/trace-log.ts";
import type { Manifest } from "../model/manifest.ts";
import {
  developmentTokenPath,
  DevelopmentTokenDoor,
  type DevelopmentTokens,
} from "./development-token.ts";
import { AuthHttpDoor, isAuthPath } from "./auth-http.ts";
import { CallerAddress } from "./caller-address.ts";
import { openHttpAnswerer, type HttpAnswerer } from "./http-answer.ts";
import { HttpApi } from "./http-api.ts";
import { HttpAsker } from "./http-ask.ts";
import { answerBroken } from "./http-broken.ts";
import { isPreflight, openHttpCors, preflightGrant } from "./http-cors.ts";
import { assertDemands, expectsContinue } from "./http-demands.ts";
import type { AuthSource, HttpApp, HttpExchange } from "./http-exchange.ts";
import { answerHook, hooksPrefix } from "./hook-http.ts";
import { noHead, readHead } from "./http-head.ts";
import { pushLimitHeaders } from "./http-limit-headers.ts";
import type { Gauge, HttpMetrics } from "./http-metrics.ts";
import { answerMailbox, isMailboxPath } from "./mailbox-door.ts";
import { openHttpMounts, type Mount } from "./http-mounts.ts";
import { answerOperations } from "./http-operations.ts";
import type { HttpMode } from "./http-problem.ts";
import { rawReplyOf, rawRequestOf } from "./http-raw.ts";
import { allowOf, routeOf, type HttpRoute } from "./http-routes.ts";
import { pathSegments, splitTarget, type HttpTarget } from "./http-target.ts";
import { LiveCounts, makeLiveCounts } from "./live-counts.ts";
import { LiveDoor, livePath, type LiveSource } from "./live-door.ts";
import { openRequestIds } from "./request-ids.ts";
import type { StaticFiles } from "./static-files.ts";

/** One version of the app at its door. */
export interface HttpServed {
  readonly manifest: Manifest;
  readonly gate: Gate;
  /** What live queries read and follow. Absent: there is no /api/live. */
  readonly live?: LiveSource;
  /** Identity's own addresses. Absent: there are none. */
  readonly auth?: AuthSource;
  /** Webhooks that come in. Absent: there is no /hooks. */
  readonly hooks?: HookDesk;
}

/** What the door is made of. */
export interface HttpDoorParts {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly mode: HttpMode;
  readonly metrics: HttpMetrics;
  /** Reads /metrics from anywhere as a bearer token; null: only this machine may. */
  readonly metricsToken: string | null;
  /** Whether a proxy in front tells the caller's address and scheme (X-Forwarded-For, -Proto). */
  readonly trustProxy: boolean;
  /** A website beside the API, or null. */
  readonly statics: StaticFiles | null;
  /** Signs people in by name while an app is being written; null in production, which has no such address. */
  readonly developmentTokens: DevelopmentTokens | null;
  /** What was sent by e-mail, while an app is being written. Absent in production, which has no such address. */
  readonly mailbox?: Mailbox | null;
  /** The OpenAPI document of a manifest. */
  readonly openApi: (manifest: Manifest) => Later<Json>;
  /** Whether the store answers, for /readyz. */
  isReady(): Later<boolean>;
  gauges(): Later<readonly Gauge[]>;
  /** Calls back when the event loop has come round once. Absent: there is no /api/live. */
  readonly nextTurn?: (run: () => void) => void;
  /** Live connections of addresses and users, over all threads. Default: of this door alone. */
  readonly liveCounts?: LiveCounts;
  /** Told of requests that do not pass the gate, which tells its own. Absent: nobody is. */
  readonly record?: (finished: Trace) => void;
  /** Told of every failure that is not the caller's. */
  report(error: unknown, requestId: string): void;
}

/** The door. */
export interface HttpDoor {
  /** Answers a request; never throws. */
  handle(request: HttpExchange["request"], response: HttpExchange["response"]): void;
  /** Answers a request with `Expect`: its body is asked for unless it is refused anyway. */
  expect(request: IncomingMessage, response: ServerResponse): void;
  /** Answers a connection that node's parser gave up on (`clientError`). */
  broken(error: Error, socket: Socket): void;
  /** Whether a request with an Upgrade header is to be given to `upgrade`; others are answered as if they had none. */
  upgrades(request: IncomingMessage): boolean;
  /** Makes a live connection of a socket; never throws. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Serves another app from the next request on. @returns when the last request of the one before was answered. */
  serve(app: HttpServed): Promise<void>;
  /** New requests wait until the returned function is called. */
  hold(): () => void;
  /** From now on every connection closes after its answer and new requests are refused. */
  drain(): void;
  /** Resolves when the app that is served has no request to answer; at once when it has none. */
  idle(): Promise<void>;
  /** Requests being answered now; those that wait in `hold` do not count. */
  inFlight(): number;
  /** Live connections and what they watch; null: there is no /api/live. */
  live(): LiveDoor | null;
}

/** Opens the door. @param app what is served first. */
export function openHttpDoor(parts: HttpDoorParts, app: HttpServed): HttpDoor {
  return new Door(parts, app);
}

class Door implements HttpDoor {
  readonly #parts: HttpDoorParts;
  readonly #answerer: HttpAnswerer;
  readonly #callerAddress: CallerAddress;
  readonly #asker: HttpAsker;
  readonly #api: HttpApi;
  readonly #developmentTokens: DevelopmentTokenDoor | null;
  readonly #auth: AuthHttpDoor;
  readonly #nextId: () => string;
  readonly #live: LiveDoor | null;
  #app: HttpApp;
  #isDraining = false;
  #inFlight = 0;
  #held: (() => void)[] | null = null;

  constructor(parts: HttpDoorParts, app: HttpServed) {
    const { limits } = parts;
    this.#parts = parts;
    this.#nextId = openRequestIds(parts.random);
    this.#app = appOf(app);
    const answerer = openHttpAnswerer({
      limits,
      clock: parts.clock,
      mode: parts.mode,
      metrics: parts.metrics,
      isDraining: () => this.#isDraining,
      report: (error, requestId) => parts.report(error, requestId),
      record: (finished) => parts.record?.(finished),
      ended: ({ app }) => this.#ended(app),
    });
    this.#answerer = answerer;
    this.#callerAddress = new CallerAddress(parts.trustProxy, (notice) => {
      // While an app is being written, nobody minds who shares a limit.
      if (parts.mode === "production") parts.report(notice, "");
    });
    this.#asker = new HttpAsker({ limits, answerer, callerAddress: this.#callerAddress });
    this.#api = new HttpApi({ limits, answerer, asker: this.#asker });
    this.#developmentTokens =
      parts.developmentTokens === null
        ? null
        : new DevelopmentTokenDoor({ answerer, asker: this.#asker }, parts.developmentTokens);
    const { clock } = parts;
    this.#auth = new AuthHttpDoor({ limits, clock, answerer, asker: this.#asker });
    this.#live = this.#openLive(app);
  }

  #openLive(app: HttpServed): LiveDoor | null {
    const { limits, clock, mode, nextTurn, random } = this.#parts;
    const { live, manifest, gate } = app;
    if (live === undefined || nextTurn === undefined) return null;
    return new LiveDoor(
      {
        limits,
        clock,
        mode,
        callerAddress: this.#callerAddress,
        counts: this.#parts.liveCounts ?? new LiveCounts(makeLiveCounts(1, random), 0),
        nextTurn,
        nextId: this.#nextId,
        whenServed: (run) => {
          if (this.#held === null) run();
          else this.#held.push(run);
        },
        report: (error, requestId) => this.#parts.report(error, requestId),
      },
      { manifest, gate, live },
      this.#countsOf(this.#app),
    );
  }

  /** Counts asks of live connections among the requests of their app. */
  #countsOf(app: HttpApp): (delta: 1 | -1) => void {
    return (delta) => {
      if (delta === -1) {
        this.#ended(app);
        return;
      }
      this.#inFlight += 1;
      app.inFlight += 1;
    };
  }

  serve(app: HttpServed): Promise<void> {
    const before = this.#app;
    this.#app = appOf(app);
    const { manifest, gate, live } = app;
    if (live !== undefined) this.#live?.serve({ manifest, gate, live }, this.#countsOf(this.#app));
    return idleOf(before);
  }

  upgrades(request: IncomingMessage): boolean {
    const { url = "" } = request;
    return this.#live !== null && (url === livePath || url.startsWith(`${livePath}?`));
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.#live === null) socket.destroy();
    else if (this.#held === null) this.#live.upgrade(request, socket, head);
    else this.#held.push(() => this.#live?.upgrade(request, socket, head));
  }

  live(): LiveDoor | null {
    return this.#live;
  }

  hold(): () => void {
    const held: (() => void)[] = [];
    this.#held = held;
    return () => {
      if (this.#held !== held) return;
      this.#held = null;
      for (const start of held) start();
    };
  }

  drain(): void {
    this.#isDraining = true;
    this.#live?.drain();
  }

  idle(): Promise<void> {
    return idleOf(this.#app);
  }

  inFlight(): number {
    return this.#inFlight;
  }

  broken(error: Error, socket: Socket): void {
    const { metrics } = this.#parts;
    const status = answerBroken(error, socket, { ...this.#parts, requestId: this.#nextId() });
    if (status !== null) metrics.count("other", status, 0);
  }

  expect(request: IncomingMessage, response: ServerResponse): void {
    const bytes = Number(request.headers["content-length"] ?? 0);
    const isAsked = expectsContinue(request) && request.headers.host !== undefined;
    if (isAsked && bytes <= this.#parts.limits.bodyBytesMax) response.writeContinue();
    this.handle(request, response);
  }

  handle(request: HttpExchange["request"], response: HttpExchange["response"]): void {
    if (this.#held === null) this.#start(request, response);
    else this.#held.push(() => this.#start(request, response));
  }

  #start(request: HttpExchange["request"], response: HttpExchange["response"]): void {
    const exchange: HttpExchange = {
      request,
      response,
      requestId: this.#nextId(),
      app: this.#app,
      startedUs: this.#parts.clock.monotonicUs(),
      head: noHead,
      route: "other",
      told: null,
      isLast: false,
      isEnded: false,
    };
    this.#inFlight += 1;
    this.#app.inFlight += 1;
    try {
      exchange.head = readHead(request.rawHeaders);
      assertDemands(request);
      this.#dispatch(exchange);
    } catch (error) {
      this.#asker.refuse(exchange, error);
    }
  }

  #ended(app: HttpApp): void {
    this.#inFlight -= 1;
    app.inFlight -= 1;
    if (app.inFlight > 0 || app.whenIdle.length === 0) return;
    for (const resolve of app.whenIdle.splice(0)) resolve();
  }

  #dispatch(exchange: HttpExchange): void {
    const { request } = exchange;
    const target = splitTarget(request.url ?? "/", this.#parts.limits.urlCharsMax);
    const route = routeOf(target.path);
    if (this.#isDraining && route?.kind !== "health" && route?.kind !== "metrics") {
      throw new PlatformError("SHUTTING_DOWN");
    }
    const method = request.method ?? "GET";
    if (route === null) this.#dispatchOther(exchange, method, target);
    else if (method === "OPTIONS") this.#answerOptions(exchange, allowOf(route));
    else this.#dispatchFixed(exchange, route, method === "HEAD" ? "GET" : method, target);
  }

  #dispatchFixed(
    exchange: HttpExchange,
    route: HttpRoute,
    method: string,
    target: HttpTarget,
  ): void {
    switch (route.kind) {
      case "table":
        if (method === "GET") this.#api.list(exchange, route.table, target);
        else if (method === "POST") this.#api.create(exchange, route.table, target);
        else this.#refuseMethod(exchange, allowOf(route));
        return;
      case "row":
        if (method === "GET") this.#api.get(exchange, route, target);
        else if (method === "PATCH") this.#api.update(exchange, route, target);
        else if (method === "DELETE") this.#api.delete(exchange, route, target);
        else this.#refuseMethod(exchange, allowOf(route));
        return;
      case "call":
        if (method === "POST") this.#api.call(exchange, route.name, target);
        else this.#refuseMethod(exchange, allowOf(route));
        return;
      case "batch":
        if (method === "POST") this.#api.batch(exchange, target);
        else this.#refuseMethod(exchange, allowOf(route));
        return;
      case "openapi":
      case "health":
      case "ready":
      case "metrics":
        if (method === "GET") this.#answerAbout(exchange, route.kind);
        else this.#refuseMethod(exchange, allowOf(route));
        return;
      default:
        route satisfies never;
    }
  }

  /** What is no fixed address: identity, what only a development server has, the app's own. */
  #dispatchOther(exchange: HttpExchange, method: string, target: HttpTarget): void {
    if (this.#developmentTokens !== null && target.path === developmentTokenPath) {
      this.#developmentTokens.answer(exchange, method);
      return;
    }
    if (isAuthPath(target.path)) {
      const asked = { method, target };
      this.#auth.handle(exchange, asked, () => this.#dispatchOwn(exchange, method, target));
      return;
    }
    const { hooks } = exchange.app;
    if (hooks !== null && target.path.startsWith(hooksPrefix)) {
      const parts = { answerer: this.#answerer, asker: this.#asker };
      answerHook(parts, exchange, { method, path: target.path, desk: hooks });
      return;
    }
    const { mailbox = null } = this.#parts;
    if (mailbox !== null && isMailboxPath(target.path)) {
      const asked = { method, path: target.path };
      answerMailbox({ answerer: this.#answerer, mailbox }, exchange, asked);
      return;
    }
    this.#dispatchOwn(exchange, method, target);
  }

  /** The app's own: its http functions, then its website. */
  #dispatchOwn(exchange: HttpExchange, method: string, target: HttpTarget): void {
    const { mounts } = exchange.app;
    if (!mounts.isEmpty) {
      const match = mounts.match(method, pathSegments(target.path));
      if (match.kind === "found") {
        this.#mounted(exchange, match.mount, target);
        return;
      }
      if (match.kind === "otherMethod") {
        const allow = [...match.allow, "OPTIONS"].join(", ");
        if (method === "OPTIONS") this.#answerOptions(exchange, allow);
        else this.#refuseMethod(exchange, allow);
        return;
      }
    }
    this.#staticFile(exchange, method, target);
  }

  #mounted(exchange: HttpExchange, { name, params }: Mount, target: HttpTarget): void {
    exchange.route = "http";
    this.#asker.withBody(exchange, (body) => {
      const request = rawRequestOf(exchange, body, this.#asker.isSecure(exchange));
      const cause = `${request.method} ${target.path}`;
      const operation = { kind: "http", name, params, request } as const;
      this.#asker.ask(exchange, operation, cause, (exchange, answer) => {
        const reply = rawReplyOf(answer.json);
        const headers = [...reply.headers];
        if (answer.limit !== null) pushLimitHeaders(headers, answer.limit);
        this.#answerer.raw(exchange, reply.status, headers, reply.body);
      });
    });
  }

  #staticFile(exchange: HttpExchange, method: string, target: HttpTarget): void {
    const { statics } = this.#parts;
    const isRead = method === "GET" || method === "HEAD";
    if (statics === null || !isRead || target.path.startsWith("/api/")) {
      // The request itself says that there is nothing; without this its page would see that it failed, and not why.
      if (method === "OPTIONS" && isPreflight(exchange.head)) {
        this.#answerer.raw(exchange, 204, preflightGrant(exchange), null);
        return;
      }
      throw new PlatformError("NOT_FOUND");
    }
    exchange.route = "static";
    this.#asker.later(exchange, statics.find(target.path, exchange.head), (file) => {
      if (file === null) throw new PlatformError("NOT_FOUND");
      this.#answerer.raw(exchange, file.status, file.headers, file.body);
    });
  }

  #answerAbout(exchange: HttpExchange, kind: "openapi" | "health" | "ready" | "metrics"): void {
    if (kind === "openapi") {
      this.#openApi(exchange);
      return;
    }
    exchange.route = "operations";
    const { metrics, metricsToken } = this.#parts;
    answerOperations(
      {
        answerer: this.#answerer,
        metrics,
        metricsToken,
        isReady: () => this.#parts.isReady(),
        isDraining: () => this.#isDraining,
        gauges: () => this.#parts.gauges(),
      },
      exchange,
      kind,
    );
  }

  #openApi(exchange: HttpExchange): void {
    exchange.route = "openapi";
    const { manifest } = exchange.app;
    const etag = `"${manifest.hash}"`;
    const headers = ["etag", etag, "cache-control", "no-cache"];
    if (exchange.head.ifNoneMatch === etag) {
      this.#answerer.raw(exchange, 304, headers, null);
      return;
    }
    headers.push("content-type", "application/json");
    this.#asker.later(exchange, this.#parts.openApi(manifest), (document) => {
      this.#answerer.raw(exchange, 200, headers, JSON.stringify(document));
    });
  }

  #answerOptions(exchange: HttpExchange, allow: string): void {
    this.#answerer.raw(exchange, 204, ["allow", allow, ...preflightGrant(exchange)], null);
  }

  #refuseMethod(exchange: HttpExchange, allow: string): void {
    this.#answerer.refuse(exchange, new PlatformError("METHOD_NOT_ALLOWED"), ["allow", allow]);
  }
}

function appOf({ manifest, gate, auth, hooks }: HttpServed): HttpApp {
  const cors = openHttpCors(manifest);
  const mounts = openHttpMounts(manifest);
  return {
    manifest,
    gate,
    cors,
    mounts,
    auth: auth ?? null,
    hooks: hooks ?? null,
    inFlight: 0,
    whenIdle: [],
  };
}

function idleOf(app: HttpApp): Promise<void> {
  if (app.inFlight === 0) return Promise.resolve();
  return new Promise((resolve) => {
    app.whenIdle.push(resolve);
  });
}
