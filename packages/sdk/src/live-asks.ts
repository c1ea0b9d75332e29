// Calls over the live connection, pipelined: sent at once, answered in any order. Sends each attempt once;
// what is sent again, and with which key, is decided above (client-send.ts).
import { KeelsonError } from "./client-error.ts";
import { stepForm } from "./client-step.ts";
import type { Transport, TransportAttempt } from "./client-transport.ts";
import type {
  LiveAsk,
  LiveClientMessage,
  LiveProblem,
  LiveServerMessage,
} from "./live-protocol.ts";
import { closedError, type LiveSocket } from "./live-socket.ts";

/** Until the server says its own. */
const asksMaxDefault = 16;

/** An answer with the commit that it stands on, or that it made. */
export interface LiveAnswer {
  readonly value: unknown;
  readonly seq: number;
}

interface Ask {
  readonly id: number;
  readonly token: string | null;
  readonly text: string;
  readonly resolve: (answer: LiveAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** The caller gave up; the server may still work on it. */
  isOver: boolean;
  /** Its token was replaced while it waited: it is sent as whoever calls now. */
  isLate: boolean;
}

/** The calls of one client. */
export class LiveAsks implements Transport {
  readonly #socket: LiveSocket;
  readonly #sent = new Map<number, Ask>();
  #queue: Ask[] = [];
  #nextId = 1;
  #asksMax = asksMaxDefault;
  #messageBytesMax = Infinity;
  #isFlushing = false;

  constructor(socket: LiveSocket) {
    this.#socket = socket;
  }

  /** Whether anybody waits for an answer. */
  get isBusy(): boolean {
    return this.#queue.length > 0 || this.#sent.size > 0;
  }

  async send(attempt: TransportAttempt): Promise<unknown> {
    return (await this.ask(attempt)).value;
  }

  /** @throws KeelsonError as Transport.send; `isSent` is false when the connection did not come about. */
  ask(attempt: TransportAttempt): Promise<LiveAnswer> {
    if (this.#socket.state === "closed") return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const { token } = attempt;
      const text = askText(id, attempt);
      const ask: Ask = { id, token, text, resolve, reject, isOver: false, isLate: false };
      attempt.signal.addEventListener(
        "abort",
        () => {
          ask.isOver = true;
          this.#queue = this.#queue.filter((other) => other !== ask);
          reject(attempt.signal.reason);
        },
        { once: true },
      );
      this.#queue.push(ask);
      this.#socket.wake();
      this.#flush();
    });
  }

  /** The connection is open. */
  opened(): void {
    this.#flush();
  }

  /** It is known who calls. */
  identified(): void {
    this.#flush();
  }

  /** The connection's limits. */
  welcomed(limits: { readonly asksMax: number; readonly messageBytesMax: number }): void {
    this.#asksMax = limits.asksMax;
    this.#messageBytesMax = limits.messageBytesMax;
    this.#flush();
  }

  /** An answer came. */
  answered(message: Extract<LiveServerMessage, { readonly type: "result" | "error" }>): void {
    const ask = this.#sent.get(message.id);
    if (ask === undefined) return;
    this.#sent.delete(message.id);
    if (message.type === "error") ask.reject(problemError(message.error));
    else ask.resolve({ value: message.value, seq: message.seq });
    this.#flush();
    if (!this.isBusy) this.#socket.release();
  }

  /** The connection is gone: what was sent may have been done, what was not was not. */
  lost(error: KeelsonError): void {
    const sent = [...this.#sent.values()];
    const queue = this.#queue;
    this.#sent.clear();
    this.#queue = [];
    this.#asksMax = asksMaxDefault;
    for (const ask of sent) ask.reject(error);
    const isClosed = this.#socket.state === "closed";
    for (const ask of queue) ask.reject(isClosed ? error : notSent(error));
  }

  #flush(): void {
    if (!this.#socket.isOpen || this.#isFlushing) return;
    this.#isFlushing = true;
    while (this.#queue.length > 0 && this.#sent.size < this.#asksMax) {
      const [ask] = this.#queue as [Ask, ...Ask[]];
      if (this.#isHeld(ask)) break;
      this.#queue.shift();
      this.#sendOne(ask);
    }
    this.#isFlushing = false;
  }

  /** A token that came late must not make the connection its caller's again: the source says who calls now. */
  #isHeld(ask: Ask): boolean {
    if (ask.isLate) return this.#socket.isIdentifying;
    if (!this.#socket.isPast(ask.token)) return false;
    ask.isLate = true;
    this.#socket.renewToken(false).catch(() => undefined);
    return true;
  }

  #sendOne(ask: Ask): void {
    if (isLonger(ask.text, this.#messageBytesMax)) {
      return ask.reject(tooLarge(this.#messageBytesMax));
    }
    if (!ask.isLate) this.#socket.useToken(ask.token);
    this.#sent.set(ask.id, ask);
    this.#socket.sendText(ask.text);
  }
}

function askText(id: number, attempt: TransportAttempt): string {
  const { request, idempotencyKey, mayBeRepeat } = attempt;
  const ask: LiveAsk =
    request.kind === "batch" ? { steps: request.steps.map(stepForm) } : stepForm(request);
  return JSON.stringify({
    type: "ask",
    id,
    ask,
    ...(idempotencyKey !== null && { key: idempotencyKey }),
    ...(mayBeRepeat && { repeat: true }),
  } satisfies LiveClientMessage);
}

/** What the server said, as the caller sees it. */
export function problemError(problem: LiveProblem): KeelsonError {
  return new KeelsonError({
    code: problem.code,
    message: problem.detail,
    status: problem.status,
    ...(problem.details !== undefined && { details: problem.details }),
    requestId: problem.requestId,
    retryAfterMs: problem.retryAfter === undefined ? null : problem.retryAfter * 1_000,
  });
}

function notSent({ code, message, cause }: KeelsonError): KeelsonError {
  return new KeelsonError({ code, message, status: 0, cause, isSent: false });
}

/** A character is 3 bytes of UTF-8 at most (a pair of them 4): most texts need no counting. */
function isLonger(text: string, bytesMax: number): boolean {
  if (text.length * 3 <= bytesMax) return false;
  return new TextEncoder().encode(text).byteLength > bytesMax;
}

function tooLarge(bytesMax: number): KeelsonError {
  return new KeelsonError({
    code: "BODY_TOO_LARGE",
    message: `A live connection takes messages of ${bytesMax} bytes; send this one over HTTP.`,
    status: 413,
    isSent: false,
  });
}
