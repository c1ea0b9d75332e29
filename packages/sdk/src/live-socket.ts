// The one WebSocket of a client: opened when somebody needs it, opened again when it is lost, closed when
// nobody needs it any more. It knows tokens and silence, and nothing of calls and live queries.
// States: idle -> connecting (needed) -> open (the handshake is done, the token sent) -> waiting (lost, and
// still needed; full jitter) -> connecting; idle again when not needed; closed for good by close().
import { KeelsonError } from "./client-error.ts";
import { askToken, tokenTimedOutCode, type TokenSource } from "./client-token.ts";
import type { LiveClientMessage, LiveProtocol, LiveServerMessage } from "./live-protocol.ts";
import type { LiveWebSocket, LiveWebSocketClass } from "./live-web-socket.ts";

const protocol: LiveProtocol = "keelson.live.1";
/** A handshake that takes longer is given up. */
const connectMsMax = 10_000;
/** Until the server says its own. */
const silentMsDefault = 60_000;
/** A connection that nobody needs stays this long: the next page may need it. */
const lingerMs = 1_000;
/** The server goes, and another one comes: no failure, so the wait does not grow. */
const restartCode = 1012;
/** The server asks for less: too slow a reader, too many connections. Wait as after this many failures. */
const lessCodes: ReadonlySet<number> = new Set([4013, 4029]);
const lessFailures = 4;

/** What a connection is doing. `waiting`: it was lost, and the next attempt comes by itself. */
export type ConnectionState = "idle" | "connecting" | "open" | "waiting" | "closed";

/** Whoever uses the socket. */
export interface LiveSocketUser {
  /** Whether the connection must be kept, and made again when it is lost. */
  isNeeded(): boolean;
  /** It is open: nothing that was sent on another one counts. */
  opened(): void;
  /** It is being asked who calls, and may be somebody else (another `caller`). */
  identifying(): void;
  /** It was asked who calls, and the server knows: somebody else (another `caller`), or the same. Only while it is open. */
  identified(): void;
  received(message: LiveServerMessage): void;
  /** It is gone, or did not come about. */
  lost(error: KeelsonError): void;
  changed(state: ConnectionState): void;
}

/** What a socket needs. */
export interface LiveSocketParts {
  readonly url: () => string;
  readonly webSocket: () => LiveWebSocketClass;
  readonly token: TokenSource;
  /** For the token, in ms. */
  readonly timeoutMs: number;
  /** The longest wait before the first new attempt in ms; doubles for each, up to `capMs`. */
  readonly baseMs: number;
  readonly capMs: number;
  /** From 0 to 1. */
  readonly random: () => number;
}

type Timer = ReturnType<typeof setTimeout>;

/** One at most is open at a time. */
export class LiveSocket {
  readonly #parts: LiveSocketParts;
  readonly #user: LiveSocketUser;
  #state: ConnectionState = "idle";
  #socket: LiveWebSocket | null = null;
  /** Events of earlier connections carry an earlier number, and are ignored. */
  #connection = 0;
  /** Attempts that failed since the last one that the server welcomed. */
  #failed = 0;
  #timer: Timer | null = null;
  #lingering: Timer | null = null;
  #token: string | null = null;
  /** Tokens that this connection had before the one it has. */
  readonly #past = new Set<string | null>();
  #caller: object = {};
  /** Somebody else signed in after the token of this handshake was asked for. */
  #isTokenOld = false;
  /** Renewals of this connection that wait for their token. */
  #renewing = 0;
  #renewals = 0;
  /** The newest renewal whose token was used: what an older one brings late is not who calls now. */
  #renewed = 0;
  #silentMs = silentMsDefault;
  #heardMs = 0;
  #pingedMs: number | null = null;
  #stopListening: () => void = () => undefined;

  constructor(parts: LiveSocketParts, user: LiveSocketUser) {
    this.#parts = parts;
    this.#user = user;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** The same for a text that is a message already. */
  sendText(text: string): void {
    this.#socket?.send(text);
  }

  /** Somebody needs it. While it waits for its next attempt, that one stands. */
  wake(): void {
    if (this.#lingering !== null) clearTimeout(this.#lingering);
    this.#lingering = null;
    if (this.#state === "idle") void this.#connect();
  }

  /** Somebody does not need it any more. */
  release(): void {
    if (this.#user.isNeeded() || this.#lingering !== null) return;
    if (this.#state === "waiting") return this.#rest();
    this.#lingering = setTimeout(() => {
      this.#lingering = null;
      if (!this.#user.isNeeded() && this.#state !== "closed") this.#rest();
    }, lingerMs);
  }

  /** Only while it is open. */
  send(message: LiveClientMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  /** Another object for each connection, each token on it, and whenever somebody may have signed in or out. */
  get caller(): object {
    return this.#caller;
  }

  /** Whether it is being asked who calls. */
  get isIdentifying(): boolean {
    return this.#renewing > 0;
  }

  /** Whether this connection had the token and has another one now. */
  isPast(token: string | null): boolean {
    return token !== this.#token && this.#past.has(token);
  }

  /** Says who calls, when it is somebody else than before. Only while it is open. */
  useToken(token: string | null): boolean {
    if (token === this.#token) return false;
    this.#past.add(this.#token);
    this.#token = token;
    this.#caller = {};
    this.send({ type: "token", token });
    // What follows from it is sent right behind it.
    this.#user.identified();
    return true;
  }

  /** Asks for the token again and uses it. @param refused the server does not take the one it has. @returns whether it is another one. */
  async renewToken(refused: boolean): Promise<boolean> {
    this.#isTokenOld = this.#state === "connecting";
    if (!refused) {
      this.#caller = {};
      this.#user.identifying();
    }
    const connection = this.#connection;
    const renewal = ++this.#renewals;
    let isOther = true;
    this.#renewing++;
    try {
      const past = refused ? this.#token : null;
      const token = await askToken(this.#parts.token, past, this.#parts);
      // A new connection asks by itself, and so did whoever renewed it later.
      if (connection === this.#connection && this.isOpen && renewal > this.#renewed) {
        this.#renewed = renewal;
        isOther = this.useToken(token);
      }
    } finally {
      // Whoever asks for the connection's token for ever keeps no other one waiting.
      if (connection === this.#connection) {
        this.#renewing--;
        if (this.isOpen) this.#user.identified();
      }
    }
    return isOther;
  }

  /** Ends the connection and makes a new one: what came over it can't be right. */
  restart(cause: unknown): void {
    this.#lose(lostError(cause));
  }

  /** Somebody else signed in by a cookie, which is read when a connection is made: makes another one at once. */
  reconnect(): void {
    this.#caller = {};
    if (this.#state === "idle" || this.#state === "closed") return;
    this.#drop();
    // Nobody asks for the connection while it is being replaced.
    this.#enter("connecting");
    this.#user.lost(lostError("another caller"));
    if (this.#user.isNeeded()) void this.#connect();
    else this.#enter("idle");
  }

  /** Ends it for good. */
  close(): void {
    if (this.#state === "closed") return;
    this.#drop();
    this.#enter("closed");
    this.#user.lost(closedError());
  }

  async #connect(): Promise<void> {
    const connection = this.#nextConnection();
    this.#enter("connecting");
    const isCurrent = () => connection === this.#connection;
    this.#isTokenOld = false;
    try {
      const token = await askToken(this.#parts.token, null, this.#parts);
      if (!isCurrent()) return;
      this.#listen(new (this.#parts.webSocket())(this.#parts.url(), protocol), token, isCurrent);
    } catch (error) {
      // No token to be had, no WebSocket, or an address that is none: the wait grows, and it is tried again.
      if (isCurrent()) this.#lose(lostError(error));
    }
  }

  #listen(socket: LiveWebSocket, token: string | null, isCurrent: () => boolean): void {
    this.#socket = socket;
    this.#timer = setTimeout(() => this.#lose(lostError("no handshake")), connectMsMax);
    socket.addEventListener("open", () => {
      if (!isCurrent()) return;
      this.#token = null;
      this.#past.clear();
      this.#caller = {};
      this.#enter("open");
      this.#hear();
      this.#watchSilence();
      if (token !== null) {
        this.#token = token;
        this.send({ type: "token", token });
      }
      // Asked for first: until it is known who calls, nothing is asked that would be refused to who called before.
      if (this.#isTokenOld) this.renewToken(false).catch(() => undefined);
      this.#user.opened();
    });
    socket.addEventListener("message", ({ data }) => {
      if (isCurrent()) this.#receive(data);
    });
    // A failed handshake fires `error` alone in some runtimes.
    socket.addEventListener("error", () => {
      if (isCurrent() && this.#state === "connecting") this.#lose(lostError("handshake failed"));
    });
    socket.addEventListener("close", ({ code }) => {
      if (!isCurrent()) return;
      if (code === restartCode) this.#failed = 0;
      if (lessCodes.has(code)) this.#failed = Math.max(this.#failed, lessFailures);
      this.#lose(lostError(`closed with ${code}`));
    });
  }

  #receive(data: unknown): void {
    this.#hear();
    let message: LiveServerMessage;
    try {
      message = JSON.parse(String(data)) as LiveServerMessage;
    } catch (error) {
      return this.restart(error);
    }
    if (message.type === "welcome") {
      this.#failed = 0;
      this.#silentMs = message.silentMsMax;
      this.#watchSilence();
    }
    this.#user.received(message);
  }

  #hear(): void {
    this.#heardMs = performance.now();
    this.#pingedMs = null;
  }

  /** Half of the silence is waited for, then a ping, then the other half. A timer that comes late asks first, too. */
  #watchSilence(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    const halfMs = this.#silentMs / 2;
    const sinceMs = performance.now() - (this.#pingedMs ?? this.#heardMs);
    this.#timer = setTimeout(
      () => {
        const nowMs = performance.now();
        if (this.#pingedMs !== null && nowMs - this.#pingedMs >= halfMs) {
          return this.#lose(lostError("silence"));
        }
        if (this.#pingedMs === null && nowMs - this.#heardMs >= halfMs) {
          this.#pingedMs = nowMs;
          this.send({ type: "ping" });
        }
        this.#watchSilence();
      },
      Math.max(1, halfMs - sinceMs),
    );
  }

  #lose(error: KeelsonError): void {
    this.#drop();
    if (this.#user.isNeeded()) this.#wait();
    else this.#enter("idle");
    this.#user.lost(error);
    // What was needed may have been asks alone, and those have failed now.
    this.release();
  }

  #wait(): void {
    this.#enter("waiting");
    const capMs = Math.min(this.#parts.capMs, this.#parts.baseMs * 2 ** Math.min(this.#failed, 30));
    this.#failed++;
    const delayMs = this.#parts.random() * capMs;
    const retry = () => {
      this.#stopListening();
      if (this.#user.isNeeded()) void this.#connect();
      else this.#enter("idle");
    };
    // The network is back: no need to wait longer, but for the jitter of those who come back with us.
    const online = () => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = setTimeout(retry, this.#parts.random() * this.#parts.baseMs);
    };
    this.#stopListening = onOnline(online);
    this.#timer = setTimeout(retry, delayMs);
  }

  #rest(): void {
    this.#drop();
    this.#enter("idle");
  }

  #nextConnection(): number {
    this.#renewing = 0;
    return ++this.#connection;
  }

  #drop(): void {
    this.#nextConnection();
    this.#stopListening();
    for (const timer of [this.#timer, this.#lingering]) if (timer !== null) clearTimeout(timer);
    this.#timer = null;
    this.#lingering = null;
    this.#pingedMs = null;
    const socket = this.#socket;
    this.#socket = null;
    try {
      socket?.close();
    } catch {
      // It is closed already, or was never open: both are what is wanted.
    }
  }

  #enter(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#user.changed(state);
  }
}

/** `close()` was called: nothing is tried again. */
export function closedError(): KeelsonError {
  return new KeelsonError({ code: "CLIENT_CLOSED", message: "The client was closed.", status: 0 });
}

function lostError(cause: unknown): KeelsonError {
  if (cause instanceof KeelsonError && cause.code === tokenTimedOutCode) return cause;
  return new KeelsonError({
    code: "CONNECTION_LOST",
    message: "The live connection was lost.",
    status: 0,
    cause,
  });
}

function onOnline(listener: () => void): () => void {
  const target = globalThis as Partial<Pick<EventTarget, "addEventListener">> &
    Partial<Pick<EventTarget, "removeEventListener">>;
  if (typeof target.addEventListener !== "function") return () => undefined;
  target.addEventListener("online", listener);
  return () => target.removeEventListener?.("online", listener);
}
