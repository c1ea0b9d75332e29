// One WebSocket of /api/live: its messages to the gate and to the live queries, and what they answer back
// onto the wire. It decides no right, limit of the gate, or value (law 2).
// States: open -> closing (a close frame was sent) -> closed. Asks under way when it closes are not cut off:
// a write that was accepted is done, and its client asks again with its key.
import type { WebSocket } from "ws";
import type { LiveCloseCode, LiveServerMessage } from "@keelson/sdk/live-protocol";
import { isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Gate, GateAnswer, GateOperation } from "../gate/gate-request.ts";
import type { LiveHub } from "../live/live-hub.ts";
import type { LiveOutcome, LiveSession } from "../live/live-session.ts";
import { problemOf, type HttpMode } from "./http-problem.ts";
import { parseLiveMessage, type LiveHeard, type LiveHeardSubscribe } from "./live-message.ts";

/** What a connection is made with. */
export interface LiveConnectionParts {
  readonly socket: WebSocket;
  readonly limits: Limits;
  readonly mode: HttpMode;
  readonly gate: Gate;
  readonly hub: LiveHub;
  /** Hash of the manifest. */
  readonly app: string;
  readonly address: string;
  readonly cookie: string | null;
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

/** Times the limit of asks at which a client that was told to wait and did not is cut off. */
const asksOver = 4;

/** One connection. */
export class LiveConnection {
  readonly #parts: LiveConnectionParts;
  readonly #session: LiveSession;
  #asks = 0;
  #isPaused = false;
  /** Whether anything was heard since the last ping. */
  #isAlive = true;
  #isClosed = false;
  /** The code that it is closing with. */
  #closesWith: LiveCloseCode | null = null;
  /** The user that this connection is counted for. */
  #counted: string | null = null;

  constructor(parts: LiveConnectionParts) {
    this.#parts = parts;
    const { socket, hub, address, cookie, limits } = parts;
    this.#session = hub.open(
      {
        push: (seq, outcomes) => this.#push(seq, outcomes),
        unreadBytes: () => socket.bufferedAmount,
      },
      { address, cookie },
    );
    socket.on("message", (data: Buffer, isBinary: boolean) => this.#heard(data, isBinary));
    socket.on("pong", () => {
      this.#isAlive = true;
    });
    // Broken frames, too large ones and resets: ws closes with the code that fits.
    socket.on("error", () => {});
    socket.on("close", () => this.#ended());
    this.#tell({
      type: "welcome",
      app: parts.app,
      silentMsMax: limits.livePingMs * 2,
      messageBytesMax: limits.liveMessageBytesMax,
      subscriptionsMax: limits.liveSubscriptionsMax,
      asksMax: limits.liveAsksMax,
    });
  }

  /** Asks for a sign of life; without one since the last time the connection is over. */
  ping(): void {
    const { socket } = this.#parts;
    if (!this.#isAlive) {
      this.#cut(4008);
      return;
    }
    this.#isAlive = false;
    socket.ping();
  }

  /** Ends it once what is under way was answered; nothing more is heard. */
  close(code: LiveCloseCode): void {
    this.#session.close();
    this.#closesWith ??= code;
    if (this.#asks === 0) this.#parts.socket.close(code);
  }

  /** Ends it at once. */
  terminate(): void {
    this.#parts.socket.terminate();
  }

  #ended(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#session.close();
    this.#countCaller(null);
    this.#parts.closed(this);
  }

  /** Ends a connection whose other side does not listen: nothing waits for it to answer. */
  #cut(code: LiveCloseCode): void {
    const { socket } = this.#parts;
    this.#session.close();
    this.#closesWith ??= code;
    socket.close(code);
    socket.terminate();
  }

  #heard(data: Buffer, isBinary: boolean): void {
    this.#isAlive = true;
    if (this.#closesWith !== null) return;
    const { limits } = this.#parts;
    try {
      if (isBinary) throw new PlatformError("REQUEST_INVALID", { problem: "text frames only" });
      const heard = parseLiveMessage(data.toString("utf8"), {
        depthMax: limits.jsonDepthMax + 4,
        stepsMax: limits.batchStepsMax,
        subsMax: limits.liveSubscriptionsMax,
      });
      this.#act(heard);
    } catch (error) {
      if (!(error instanceof PlatformError)) this.#parts.report(error, this.#parts.nextId());
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
    const { limits, whenServed } = this.#parts;
    this.#asks += 1;
    if (this.#asks > limits.liveAsksMax * asksOver) {
      this.#asks -= 1;
      this.#cut(4029);
      return;
    }
    if (this.#asks >= limits.liveAsksMax && !this.#isPaused) {
      this.#isPaused = true;
      this.#parts.socket.pause();
    }
    // Who calls is whoever called when the message came, not when a reload is over.
    const { credentials } = this.#session;
    const requestId = this.#parts.nextId();
    whenServed(() => {
      this.#parts.asking(1);
      // It waited for a reload, and another version is served: the client asks that one.
      if (this.#closesWith === null) this.#askGate(heard, credentials, requestId);
      else this.#answered();
    });
  }

  #askGate(
    heard: LiveHeard & { type: "ask" },
    credentials: LiveSession["credentials"],
    requestId: string,
  ): void {
    const { operation, id, key, mayBeRepeat } = heard;
    let answer: Later<GateAnswer>;
    try {
      if (operation instanceof PlatformError) throw operation;
      answer = this.#parts.gate.handle({
        operation,
        ...credentials,
        idempotencyKey: key,
        mayBeRepeat,
        requestId,
        cause: causeOf(operation),
      });
    } catch (error) {
      this.#refuse(id, error, requestId);
      return;
    }
    if (!isLater(answer)) {
      this.#answer(id, answer, operation);
      return;
    }
    answer.then(
      (answer) => this.#answer(id, answer, operation),
      (error: unknown) => this.#refuse(id, error, requestId),
    );
  }

  #answer(id: number, { json, seq, repeated }: GateAnswer, operation: GateOperation): void {
    const more = repeated ? `,"repeated":true` : "";
    this.#send(`{"type":"result","id":${id},"seq":${seq}${more},"value":${json}}`);
    this.#answered();
    if (operation.kind !== "list" && operation.kind !== "get") this.#session.wrote(seq);
  }

  #refuse(id: number, error: unknown, requestId: string): void {
    this.#send(`{"type":"error","id":${id},"error":${this.#problem(error, requestId)}}`);
    this.#answered();
  }

  #answered(): void {
    this.#asks -= 1;
    this.#parts.asking(-1);
    if (this.#closesWith !== null && this.#asks === 0) this.#parts.socket.close(this.#closesWith);
    if (!this.#isPaused || this.#asks > this.#parts.limits.liveAsksMax / 2) return;
    this.#isPaused = false;
    this.#parts.socket.resume();
  }

  // Watching

  #subscribe(subs: readonly LiveHeardSubscribe[]): void {
    this.#session.subscribe(
      subs.map(({ id, operation, hash }) => ({
        id,
        operation,
        hash,
        requestId: this.#parts.nextId(),
        cause: operation instanceof PlatformError ? "live" : causeOf(operation),
      })),
    );
  }

  #push(seq: number, outcomes: readonly LiveOutcome[]): void {
    if (!this.#countCaller(this.#session.caller?.id ?? null)) {
      this.#cut(4029);
      return;
    }
    const changes = outcomes.map((outcome) => this.#change(outcome)).join();
    this.#send(`{"type":"push","seq":${seq},"changes":[${changes}]}`);
  }

  /** @returns whether this caller may have one more connection. */
  #countCaller(id: string | null): boolean {
    const before = this.#counted;
    if (before === id) return true;
    this.#counted = id;
    return this.#parts.countCaller(before, id);
  }

  #change(outcome: LiveOutcome): string {
    const { id } = outcome;
    switch (outcome.kind) {
      case "value":
      case "patch":
        return `{"id":${id},"hash":"${outcome.hash}","${outcome.kind}":${outcome.json}}`;
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
    if (!(error instanceof PlatformError)) this.#parts.report(error, requestId);
    const { json, retryAfterSeconds } = problemOf(error, requestId, this.#parts.mode);
    if (retryAfterSeconds === null) return json;
    return `${json.slice(0, -1)},"retryAfter":${retryAfterSeconds}}`;
  }

  #tell(message: LiveServerMessage): void {
    this.#send(JSON.stringify(message));
  }

  #send(text: string): void {
    const { socket, limits } = this.#parts;
    if (socket.readyState !== socket.OPEN) return;
    socket.send(bytesOf(text), asText);
    if (socket.bufferedAmount > limits.liveBufferBytesMax) this.#cut(4013);
  }
}

const asText = { binary: false } as const;
let lastText = "";
let lastBytes = Buffer.alloc(0);

/** The same push often goes to many connections: it is written down once. */
function bytesOf(text: string): Buffer {
  if (text === lastText) return lastBytes;
  lastText = text;
  lastBytes = Buffer.from(text);
  return lastBytes;
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
