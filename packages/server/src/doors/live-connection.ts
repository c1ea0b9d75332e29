// One WebSocket of /api/live: its messages to the gate and to the live queries, and what they answer back
// onto the wire. It decides no right, limit of the gate, or value (law 2).
// States: open -> closing (a close frame was sent) -> closed. Asks under way when it closes are not cut off:
// a write that was accepted is done, and its client asks again with its key.
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import type { LiveCloseCode, LiveServerMessage } from "@keelson/sdk/live-protocol";
import { isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Gate, GateAnswer, GateOperation } from "../gate/gate-request.ts";
import type { LiveHub } from "../live/live-hub.ts";
import type { LiveOutcome } from "../live/live-outcome.ts";
import type { LiveOrigin, LiveSession, LiveSink } from "../live/live-session.ts";
import type { Manifest } from "../model/manifest.ts";
import { problemOf, type HttpMode } from "./http-problem.ts";
import { parseLiveMessage, type LiveHeard, type LiveHeardSubscribe } from "./live-message.ts";
import type { LiveTraffic } from "./live-traffic.ts";
import { LiveWire } from "./live-wire.ts";

/** What the connections of one version of the app share. */
export interface LiveConnectionScene {
  readonly traffic: LiveTraffic;
  readonly limits: Limits;
  readonly mode: HttpMode;
  readonly gate: Gate;
  readonly hub: LiveHub;
  readonly manifest: Manifest;
  nextId(): string;
  /** Runs now, or once a reload is over. */
  whenServed(run: () => void): void;
  /** An ask begins or has ended. */
  asking(delta: 1 | -1): void;
  /** The connection is another user's now (null: nobody's). @returns whether that one may have it. */
  countCaller(before: string | null, now: string | null): boolean;
  /** It is over. */
  closed(connection: LiveConnection): void;
  report(error: unknown, requestId: string): void;
}

/** What a connection is made with. */
export interface LiveConnectionParts {
  readonly socket: WebSocket;
  /** What the socket is on. */
  readonly stream: Duplex;
  /** When it is pinged: connections take turns. */
  readonly pingPart: number;
  readonly origin: LiveOrigin;
}

/** An ask that is at the gate. */
interface Asking {
  readonly id: number;
  readonly requestId: string;
  /** It was answered: the commit that it made, or null when it was refused. */
  readonly wrote: (seq: number | null) => void;
}

/** Times the limit of asks at which a client that was told to wait and did not is cut off. */
const asksOver = 4;
/** Times the limit of subscriptions, for refusals of them that wait to be told. */
const refusedOver = 8;

/** One connection. There are many: what they have in common is in the scene. */
export class LiveConnection implements LiveSink {
  readonly pingPart: number;
  readonly #scene: LiveConnectionScene;
  readonly #socket: WebSocket;
  readonly #session: LiveSession;
  readonly #wire: LiveWire;
  #asks = 0;
  #isPaused = false;
  /** Whether anything was heard since the last ping. */
  #isAlive = true;
  #isClosed = false;
  /** The code that it is closing with. */
  #closesWith: LiveCloseCode | null = null;
  /** The user that this connection is counted for. */
  #counted: string | null = null;

  constructor(scene: LiveConnectionScene, parts: LiveConnectionParts) {
    const { socket, stream, pingPart, origin } = parts;
    const { traffic, hub, limits, manifest } = scene;
    this.#scene = scene;
    this.#socket = socket;
    this.pingPart = pingPart;
    this.#wire = new LiveWire(stream, traffic);
    this.#session = hub.open(this, origin);
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#heard(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // Broken frames, too large ones and resets: ws closes with the code that fits.
    socket.on("error", () => {});
    socket.on("close", () => this.#ended());
    this.#tell({
      type: "welcome",
      app: manifest.hash,
      silentMsMax: limits.livePingMs * 2,
      messageBytesMax: limits.liveMessageBytesMax,
      subscriptionsMax: limits.liveSubscriptionsMax,
      asksMax: limits.liveAsksMax,
    });
  }

  /** Asks for a sign of life; without one since the last time the connection is over. */
  ping(): void {
    if (!this.#isAlive) {
      this.#cut(4008);
      return;
    }
    this.#isAlive = false;
    this.#socket.ping();
  }

  /** Ends it once what is under way was answered; nothing more is heard. */
  close(code: LiveCloseCode): void {
    this.#session.close();
    this.#closesWith ??= code;
    if (this.#asks === 0) this.#socket.close(code);
  }

  /** Ends it at once. */
  terminate(): void {
    this.#socket.terminate();
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.close();
    this.#countCaller(null);
    this.#scene.closed(this);
  }

  /** Ends a connection whose other side does not listen: nothing waits for it to answer. */
  #cut(code: LiveCloseCode): void {
    this.#session.close();
    this.#closesWith ??= code;
    this.#socket.close(code);
    this.#socket.terminate();
  }

  #heard(data: Buffer, isBinary: boolean): void {
    this.#isAlive = true;
    if (this.#closesWith !== null) return;
    const { limits } = this.#scene;
    try {
      if (isBinary) throw new PlatformError("REQUEST_INVALID", { problem: "text frames only" });
      const heard = parseLiveMessage(data.toString("utf8"), {
        depthMax: limits.jsonDepthMax + 4,
        stepsMax: limits.batchStepsMax,
        subsMax: limits.liveSubscriptionsMax,
      });
      this.#act(heard);
    } catch (error) {
      if (!(error instanceof PlatformError)) this.#scene.report(error, this.#scene.nextId());
      this.close(4000);
    }
  }

  #act(heard: LiveHeard): void {
    switch (heard.type) {
      case "token":
        this.#session.authenticate(heard.token);
        return;
      case "ask":
        this.#ask(heard);
        return;
      case "subscribe":
        this.#subscribe(heard.subs);
        return;
      case "unsubscribe":
        this.#session.unsubscribe(heard.ids);
        return;
      case "ping":
        this.#tell({ type: "pong" });
        return;
      default:
        heard satisfies never;
    }
  }

  // Asking

  #ask(heard: LiveHeard & { type: "ask" }): void {
    const { limits, whenServed } = this.#scene;
    this.#asks += 1;
    if (this.#asks > limits.liveAsksMax * asksOver) {
      this.#asks -= 1;
      this.#cut(4029);
      return;
    }
    if (this.#asks >= limits.liveAsksMax && !this.#isPaused) {
      this.#isPaused = true;
      this.#socket.pause();
    }
    const requestId = this.#scene.nextId();
    // Who calls is whoever called when the message came, not when a reload is over.
    const credentials = this.#credentials();
    whenServed(() => {
      this.#scene.asking(1);
      // It waited for a reload, and another version is served: the client asks that one.
      if (this.#closesWith === null) this.#askGate(heard, credentials, requestId);
      else this.#answered();
    });
  }

  /** A refusal of theirs is the answer to what is asked with them. */
  #credentials(): LiveSession["credentials"] | PlatformError {
    try {
      return this.#session.credentials;
    } catch (error) {
      if (error instanceof PlatformError) return error;
      throw error;
    }
  }

  #askGate(
    heard: LiveHeard & { type: "ask" },
    credentials: LiveSession["credentials"] | PlatformError,
    requestId: string,
  ): void {
    const { operation, id, key, mayBeRepeat } = heard;
    const asking = { id, requestId, wrote: this.#writing(operation) };
    let answer: Later<GateAnswer>;
    try {
      if (credentials instanceof PlatformError) throw credentials;
      if (operation instanceof PlatformError) throw operation;
      answer = this.#scene.gate.handle({
        operation,
        ...credentials,
        idempotencyKey: key,
        mayBeRepeat,
        requestId,
        cause: causeOf(operation),
      });
    } catch (error) {
      this.#refuse(asking, error);
      return;
    }
    if (!isLater(answer)) {
      this.#answer(asking, answer);
      return;
    }
    answer.then(
      (answer) => this.#answer(asking, answer),
      (error: unknown) => this.#refuse(asking, error),
    );
  }

  /**
   * Pushes that may show a write wait for its answer. Not for that of an action, which makes commits of its own
   * while it runs, for as long as it likes.
   */
  #writing(operation: GateOperation | PlatformError): Asking["wrote"] {
    const kind =
      operation instanceof PlatformError ? "read" : effectOf(operation, this.#scene.manifest);
    switch (kind) {
      case "read":
        return () => {};
      case "transaction":
        return this.#session.writing();
      case "action":
        return (seq) => {
          if (seq !== null) this.#session.wrote(seq);
        };
      default:
        return kind satisfies never;
    }
  }

  #answer({ id, wrote }: Asking, { json, seq, repeated }: GateAnswer): void {
    const more = repeated ? `,"repeated":true` : "";
    this.#sendSoon(`{"type":"result","id":${id},"seq":${seq}${more},"value":${json}}`);
    this.#answered();
    wrote(seq);
  }

  #refuse({ id, requestId, wrote }: Asking, error: unknown): void {
    this.#sendSoon(`{"type":"error","id":${id},"error":${this.#problem(error, requestId)}}`);
    this.#answered();
    wrote(null);
  }

  #answered(): void {
    this.#asks -= 1;
    this.#scene.asking(-1);
    if (this.#closesWith !== null && this.#asks === 0) this.#socket.close(this.#closesWith);
    if (!this.#isPaused || this.#asks > this.#scene.limits.liveAsksMax / 2) return;
    this.#isPaused = false;
    this.#socket.resume();
  }

  // Watching

  #subscribe(subs: readonly LiveHeardSubscribe[]): void {
    this.#session.subscribe(
      subs.map(({ id, operation, hash, bytes }) => ({
        id,
        operation,
        hash,
        bytes,
        requestId: this.#scene.nextId(),
        cause: operation instanceof PlatformError ? "live" : causeOf(operation),
      })),
    );
    // Refusals are kept until they can be told: for one who asks on and does not read, without an end.
    const refusedMax = this.#scene.limits.liveSubscriptionsMax * refusedOver;
    if (this.#session.refusedCount > refusedMax) this.#cut(4029);
  }

  unreadBytes(): number {
    return this.#wire.unreadBytes;
  }

  push(seq: number, outcomes: readonly LiveOutcome[]): void {
    if (!this.#countCaller(this.#session.caller?.id ?? null)) {
      this.#cut(4029);
      return;
    }
    if (!this.#isOpen()) return;
    // More than may wait for a reader is not even put together: the text could be longer than texts can be.
    if (charsOf(outcomes) > this.#scene.limits.liveBufferBytesMax) {
      this.#cutSlow();
      return;
    }
    this.#scene.traffic.pushes += 1;
    const start = `{"type":"push","seq":${seq},"changes":[`;
    const [only] = outcomes;
    if (outcomes.length === 1 && only !== undefined && isValue(only)) {
      this.#wire.sendValue(start + valueStart(only), only.json, "}]}");
    } else {
      this.#wire.send(`${start}${outcomes.map((outcome) => this.#change(outcome)).join()}]}`);
    }
    this.#cutSlowReader();
  }

  /** @returns whether this caller may have one more connection. */
  #countCaller(id: string | null): boolean {
    const before = this.#counted;
    if (before === id) return true;
    this.#counted = null;
    if (!this.#scene.countCaller(before, id)) return false;
    this.#counted = id;
    return true;
  }

  #change(outcome: LiveOutcome): string {
    const { id } = outcome;
    switch (outcome.kind) {
      case "value":
      case "patch":
        return `${valueStart(outcome)}${outcome.json}}`;
      case "same":
        return `{"id":${id},"same":true}`;
      case "error": {
        const ended = outcome.isEnded ? `,"ended":true` : "";
        const problem = this.#problem(outcome.error, outcome.requestId);
        return `{"id":${id},"error":${problem}${ended}}`;
      }
      default:
        return outcome satisfies never;
    }
  }

  // The wire

  #problem(error: unknown, requestId: string): string {
    if (!(error instanceof PlatformError)) this.#scene.report(error, requestId);
    const { json, retryAfterSeconds } = problemOf(error, requestId, this.#scene.mode);
    if (retryAfterSeconds === null) return json;
    return `${json.slice(0, -1)},"retryAfter":${retryAfterSeconds}}`;
  }

  #tell(message: LiveServerMessage): void {
    this.#sendSoon(JSON.stringify(message));
  }

  #sendSoon(text: string): void {
    if (!this.#isOpen()) return;
    this.#wire.sendSoon(text);
    this.#cutSlowReader();
  }

  #isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  #cutSlowReader(): void {
    if (this.#wire.unreadBytes > this.#scene.limits.liveBufferBytesMax) this.#cutSlow();
  }

  #cutSlow(): void {
    this.#scene.traffic.slowReaders += 1;
    this.#cut(4013);
  }
}

type ValueOutcome = Extract<LiveOutcome, { readonly kind: "value" | "patch" }>;

function isValue(outcome: LiveOutcome): outcome is ValueOutcome {
  return outcome.kind === "value" || outcome.kind === "patch";
}

/** Of the values and patches of a push; bytes are no fewer. */
function charsOf(outcomes: readonly LiveOutcome[]): number {
  let chars = 0;
  for (const outcome of outcomes) if (isValue(outcome)) chars += outcome.json.length;
  return chars;
}

function valueStart({ id, hash, kind }: ValueOutcome): string {
  return `{"id":${id},"hash":"${hash}","${kind}":`;
}

/** What an operation may do to data: one commit before its answer, or any number of them while it runs. */
function effectOf(operation: GateOperation, manifest: Manifest): "read" | "transaction" | "action" {
  switch (operation.kind) {
    case "list":
    case "get":
      return "read";
    case "create":
    case "update":
    case "delete":
    case "batch":
      return "transaction";
    case "call":
    case "http": {
      const kind = manifest.functions[operation.name]?.kind;
      if (kind === "mutation") return "transaction";
      return kind === "query" || kind === undefined ? "read" : "action";
    }
    default:
      return operation satisfies never;
  }
}

/** What an operation is called in the log. */
function causeOf(operation: GateOperation): string {
  switch (operation.kind) {
    case "call":
    case "http":
      return operation.name;
    case "batch":
      return "live batch";
    case "list":
    case "get":
    case "create":
    case "update":
    case "delete":
      return `live ${operation.kind} ${operation.table}`.slice(0, 100);
    default:
      return operation satisfies never;
  }
}
