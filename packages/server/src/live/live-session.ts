// One connection's live queries, and their moves from one commit to a later one, all together. A session
// knows nothing of sockets: it is handed messages and hands out pushes.
// States: quiet -> due (something changed) -> moving (a snapshot is being read) -> holding (writes of this
// connection are not answered yet) -> quiet or due; closed.
// Invariants: a push names every subscription whose value at its seq is another than what was sent before; the
// answer to a write of this connection goes before a push that shows its commit. A push that the answer overtook is made
// anew, once.
import { andThen, isLater, type Later } from "../base/later.ts";
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Caller, Revocation } from "../gate/identity.ts";
import type { Watcher, WatchRun } from "../gate/watcher.ts";
import type { ReadTx } from "../store/store.ts";
import { LiveVersion, type LiveQuery } from "./live-query.ts";
import { LiveRoom } from "./live-room.ts";
import { isForLater, type LiveOutcome } from "./live-outcome.ts";
import { LiveSubscription, type LiveRequest } from "./live-subscription.ts";
import { isRevoked } from "./revocation.ts";

/** Where pushes go. */
export interface LiveSink {
  push(seq: number, outcomes: readonly LiveOutcome[]): void;
  /** Bytes that the other side has not taken yet. */
  unreadBytes(): number;
}

/** What a session needs of the hub. */
export interface LiveSessionPorts {
  readonly watcher: Watcher;
  readonly limits: Limits;
  /** The query of what is asked, shared where it can be, joined by the subscription. */
  join(subscription: LiveSubscription, asked: WatchRun): LiveQuery;
  leave(subscription: LiveSubscription): void;
  /** Something is due: the session is to be moved soon. */
  due(session: LiveSession): void;
  /** The session has left. */
  closed(session: LiveSession): void;
}

/** Credentials that do not change while a connection lasts. */
export interface LiveOrigin {
  readonly address: string;
  readonly cookie: string | null;
}

/** A push that waits for answers to go first. */
interface HeldPush {
  readonly seq: number;
  readonly outcomes: readonly LiveOutcome[];
  /** Writes that were under way when it was made. */
  readonly writes: Set<object>;
  /** What the client has, of those that it changes. */
  readonly before: readonly SentBefore[];
}

/** What was known of a subscription before a push. */
type SentBefore = readonly [
  subscription: LiveSubscription,
  state: Pick<LiveSubscription, "sent" | "isNew" | "brought">,
];

/** One connection. */
export class LiveSession {
  readonly #ports: LiveSessionPorts;
  readonly #sink: LiveSink;
  readonly #origin: LiveOrigin;
  readonly #subscriptions = new Map<number, LiveSubscription>();
  /** Of those that are due; null: none. There are many sessions, and most have nothing to do. */
  #due: Set<LiveSubscription> | null = null;
  readonly #refused: LiveOutcome[] = [];
  readonly #room: LiveRoom;
  #authorization: string | null = null;
  #cookie: string | null;
  #caller: Caller | null = null;
  /** Verified for the next move: an identity may need a moment each time. */
  #verified: Caller | null = null;
  /** Grows with every change of credentials: what was begun before is not sent. */
  #era = 0;
  #isMoving = false;
  #isIdentifying = false;
  #isClosed = false;
  #sentSeq = 0;
  /** A write of this connection: a push with this seq or a later one is owed. */
  #owedSeq = 0;
  /** Writes of this connection that are not answered yet; null: none. */
  #writes: Set<object> | null = null;
  #held: HeldPush | null = null;
  /** What was to be pushed is made anew because an answer overtook it: what is made then is pushed, or it would never be. */
  #isOvertaken = false;
  /** Its credentials were taken back: they are nobody's until others come. */
  #isRevoked = false;

  constructor(ports: LiveSessionPorts, sink: LiveSink, origin: LiveOrigin) {
    this.#ports = ports;
    this.#room = new LiveRoom(ports.limits);
    this.#sink = sink;
    this.#origin = origin;
    this.#cookie = origin.cookie;
  }

  /** Who calls, for requests at the gate. @throws TOKEN_INVALID when that was taken back. */
  get credentials(): {
    readonly authorization: string | null;
    readonly cookie: string | null;
    readonly address: string;
  } {
    if (this.#isRevoked) throw new PlatformError("TOKEN_INVALID");
    return {
      authorization: this.#authorization,
      cookie: this.#cookie,
      address: this.#origin.address,
    };
  }

  /** The caller of the last move; null before the first. */
  get caller(): Caller | null {
    return this.#caller;
  }

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Refusals that the client was not told yet: it does not read, or asks faster than it is answered. */
  get refusedCount(): number {
    return this.#refused.length;
  }

  /** Whether nothing stands in the way of a move now. */
  get isFree(): boolean {
    return !this.#isMoving && !this.#isIdentifying && !this.#isClosed && this.#held === null;
  }

  /** Bytes on their way to the client. */
  unreadBytes(): number {
    return this.#sink.unreadBytes();
  }

  /** Another caller from here on. @param token null: nobody. */
  authenticate(token: string | null): void {
    const authorization = token === null ? null : `Bearer ${token}`;
    const isSame = authorization === this.#authorization && this.#cookie === null;
    if (isSame && !this.#isRevoked) return;
    this.#isRevoked = false;
    this.#authorization = authorization;
    this.#cookie = null;
    this.#beginEra();
  }

  /** Credentials are not to be taken any more: what stood on them ends, and nothing else is sent for them. */
  revoke(what: Revocation): void {
    const caller = this.#caller;
    // Whoever was not told apart yet is so anew.
    if (caller === null || this.#isIdentifying) this.#beginEra();
    if (caller === null || !isRevoked(what, caller)) return;
    this.#isRevoked = true;
    this.#beginEra();
    this.#endAll(new PlatformError("TOKEN_INVALID"));
  }

  #beginEra(): void {
    this.#verified = null;
    this.#era += 1;
    this.#dropHeld();
    this.#ports.due(this);
  }

  /** What waits to be sent was another caller's, or is overtaken: it is worked out anew. */
  #dropHeld(): void {
    const held = this.#held;
    this.#held = null;
    for (const outcome of held?.outcomes ?? []) {
      const subscription = this.#subscriptions.get(outcome.id);
      if (subscription === undefined) {
        if (outcome.kind === "error") this.#refused.push(outcome);
        continue;
      }
      subscription.sent = null;
      subscription.isNew = true;
      this.#addDue(subscription);
    }
  }

  subscribe(requests: readonly LiveRequest[]): void {
    for (const request of requests) {
      this.#drop(request.id);
      const refusal = this.#room.refusalOf(request.bytes) ?? request.operation;
      if (refusal instanceof PlatformError) {
        this.#refuse(request, refusal);
        continue;
      }
      const subscription = new LiveSubscription(request, this);
      this.#subscriptions.set(request.id, subscription);
      this.#room.enter(subscription);
      this.#addDue(subscription);
    }
    this.#ports.due(this);
  }

  /** A subscription of this session may have another answer now. */
  touched(subscription: LiveSubscription): void {
    this.#addDue(subscription);
    this.#ports.due(this);
  }

  #addDue(subscription: LiveSubscription): void {
    this.#due ??= new Set();
    this.#due.add(subscription);
  }

  unsubscribe(ids: readonly number[]): void {
    for (const id of ids) this.#drop(id);
  }

  /**
   * A write of this connection begins: pushes that may show it wait for its answer.
   * @returns to be called once it was answered, with its commit, or null when it made none.
   */
  writing(): (seq: number | null) => void {
    const write = {};
    this.#writes ??= new Set();
    this.#writes.add(write);
    return (seq) => {
      this.#writes?.delete(write);
      if (this.#writes?.size === 0) this.#writes = null;
      if (seq !== null) this.wrote(seq);
      this.#release(write);
    };
  }

  /** A write of this connection was answered with this commit. */
  wrote(seq: number): void {
    if (this.#subscriptions.size === 0 || seq <= this.#sentSeq) return;
    this.#owedSeq = Math.max(this.#owedSeq, seq);
    this.#ports.due(this);
  }

  #release(write: object): void {
    const held = this.#isClosed ? null : this.#held;
    if (held === null || !held.writes.delete(write) || held.writes.size > 0) return;
    if (this.#isBehind(held.seq)) {
      this.#dropHeld();
      for (const [subscription, state] of held.before) Object.assign(subscription, state);
    } else {
      this.#held = null;
      this.#push(held.seq, held.outcomes);
    }
    this.#dueIfOwing();
  }

  /** Whether a write with a later commit was answered: whoever has the answer is not shown the state before it. Once. */
  #isBehind(seq: number): boolean {
    if (this.#isOvertaken || this.#owedSeq <= seq) return false;
    this.#isOvertaken = true;
    return true;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const id of [...this.#subscriptions.keys()]) this.#drop(id);
    this.#ports.closed(this);
  }

  /**
   * Makes sure of the caller, and that every subscription has a query of this caller.
   * @returns whether it can be moved now; if not, it will be due again by itself when it can.
   */
  prepare(): boolean {
    if (this.#subscriptions.size === 0) return true;
    let caller: Later<Caller>;
    try {
      caller = this.#verified ?? this.#ports.watcher.identify(this.credentials);
    } catch (error) {
      this.#endAll(error);
      return true;
    }
    this.#verified = null;
    if (isLater(caller)) {
      this.#identifyLater(caller);
      return false;
    }
    if (this.#isCookieOver(caller)) {
      this.#endAll(new PlatformError("TOKEN_INVALID"));
      return true;
    }
    this.#setCaller(caller);
    for (const subscription of this.#due ?? []) this.#begin(subscription, caller);
    return true;
  }

  /**
   * Whether the session of the handshake's cookie has ended. Going on as nobody would be wrong: the client may have
   * another cookie by now, which only another connection brings.
   */
  #isCookieOver({ id }: Caller): boolean {
    const before = this.#caller?.id ?? null;
    return this.#authorization === null && this.#cookie !== null && before !== null && id === null;
  }

  /** Asks again who calls: tokens expire without any commit. */
  recheck(): void {
    if (this.#subscriptions.size === 0 || !this.isFree) return;
    // Nobody's credentials do not expire.
    if (this.#authorization === null && this.#cookie === null && !this.#isRevoked) return;
    const before = this.#caller;
    let isDue: boolean;
    try {
      const caller = this.#ports.watcher.identify(this.credentials);
      if (isLater(caller)) caller.catch(() => undefined);
      isDue = isLater(caller) || caller !== before;
    } catch {
      isDue = true;
    }
    if (isDue) this.#ports.due(this);
  }

  /** Brings all subscriptions to the snapshot, and pushes what changed. Only when it is free and prepared. */
  move(tx: ReadTx): Later<void> {
    const { seq } = tx;
    if (this.#isBehind(seq)) return this.#ports.due(this);
    const due = [...(this.#due ?? [])].filter(({ isAlive, query }) => isAlive && query !== null);
    this.#due = null;
    // What is replaced makes room first: which of them fit does not hang on what they were.
    for (const subscription of due) this.#room.keep(subscription, 0);
    const versions = due.map((subscription) =>
      andThen((subscription.query as LiveQuery).versionAt(tx), (version) =>
        this.#fitting(subscription, version),
      ),
    );
    if (!versions.some(isLater)) return this.#moved(seq, due, versions as readonly LiveVersion[]);
    const era = this.#era;
    this.#isMoving = true;
    return Promise.all(versions.map(async (version) => version)).then((versions) => {
      this.#isMoving = false;
      if (this.#isClosed) return;
      if (era === this.#era && !this.#isBehind(seq)) this.#moved(seq, due, versions);
      else for (const subscription of due) this.#addDue(subscription);
      if (era !== this.#era) this.#ports.due(this);
      this.#dueIfOwing();
    });
  }

  /**
   * An answer, or why there is no room for it. That is left at once, and not when all of a move have come: answers of
   * which each may be sent are together more than may be held.
   */
  #fitting(subscription: LiveSubscription, version: LiveVersion): LiveVersion {
    if (!subscription.isAlive) return version;
    const refusal = this.#room.keep(subscription, version.bytes);
    if (refusal === null) return version;
    if (subscription.query !== null) this.#ports.leave(subscription);
    subscription.query = null;
    return new LiveVersion(null, refusal);
  }

  /** What came while it was not free was not taken up: it is now. */
  #dueIfOwing(): void {
    const isOwing = this.#owedSeq > this.#sentSeq || this.#refused.length > 0;
    if (isOwing || (this.#due?.size ?? 0) > 0) this.#ports.due(this);
  }

  #moved(seq: number, due: readonly LiveSubscription[], versions: readonly LiveVersion[]): void {
    const outcomes = this.#refused.splice(0);
    const before: SentBefore[] = [];
    for (const [index, subscription] of due.entries()) {
      if (!subscription.isAlive) continue;
      const { sent, isNew, brought } = subscription;
      const outcome = this.#outcomeOf(subscription, versions[index] as LiveVersion);
      if (outcome === null) continue;
      outcomes.push(outcome);
      if (this.#writes !== null) before.push([subscription, { sent, isNew, brought }]);
    }
    const isOwed = this.#owedSeq > this.#sentSeq && seq >= this.#owedSeq;
    if (outcomes.length === 0 && !isOwed) return;
    if (this.#writes === null) this.#push(seq, outcomes);
    else this.#held = { seq, outcomes, writes: new Set(this.#writes), before };
  }

  #push(seq: number, outcomes: readonly LiveOutcome[]): void {
    this.#isOvertaken = false;
    this.#sentSeq = Math.max(seq, this.#sentSeq);
    this.#sink.push(this.#sentSeq, outcomes);
  }

  #outcomeOf(subscription: LiveSubscription, version: LiveVersion): LiveOutcome | null {
    const { request, query, sent, isNew, brought } = subscription;
    const { id } = request;
    if (!isNew && (sent === version || sent?.isSame(version) === true)) return null;
    subscription.sent = version;
    subscription.isNew = false;
    subscription.brought = null;
    const { json, error, hash } = version;
    if (error !== null) {
      const isEnded = isForLater(error);
      if (isEnded) this.#drop(id);
      return {
        id,
        kind: "error",
        error,
        requestId: query?.requestId ?? request.requestId,
        isEnded,
      };
    }
    if (isNew && brought === hash) return { id, kind: "same" };
    const patch = sent === null || isNew ? null : version.patchFrom(sent);
    if (patch !== null) return { id, kind: "patch", hash, json: patch };
    return { id, kind: "value", hash, json: json as string };
  }

  #identifyLater(caller: Promise<Caller>): void {
    this.#isIdentifying = true;
    const era = this.#era;
    const known = () => {
      this.#isIdentifying = false;
      if (!this.#isClosed) this.#ports.due(this);
    };
    // Credentials that were replaced in the meantime say nothing any more.
    caller.then(
      (caller) => {
        if (era === this.#era) this.#verified = caller;
        known();
      },
      (error: unknown) => {
        if (era === this.#era && !this.#isClosed) this.#endAll(error);
        known();
      },
    );
  }

  #setCaller(caller: Caller): void {
    const before = this.#caller;
    if (before === caller) return;
    this.#caller = caller;
    if (before === null || rightsKey(before) === rightsKey(caller)) return;
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.query !== null) this.#ports.leave(subscription);
      subscription.query = null;
      this.#addDue(subscription);
    }
  }

  /** Gives a subscription its query. One that this caller may not have waits for another caller. */
  #begin(subscription: LiveSubscription, caller: Caller): void {
    if (subscription.query !== null || !subscription.isAlive) return;
    const { operation, requestId, cause } = subscription.request;
    if (operation instanceof PlatformError) return;
    try {
      const asked = { operation, caller, requestId, cause };
      this.#ports.watcher.begin(asked, this.#origin.address);
      subscription.query = this.#ports.join(subscription, asked);
    } catch (error) {
      const isEnded = isForLater(error);
      this.#refuse(subscription.request, error, isEnded);
      if (isEnded) this.#drop(subscription.request.id);
      this.#due?.delete(subscription);
      this.#room.keep(subscription, 0);
      subscription.sent = null;
      subscription.brought = null;
      subscription.isNew = true;
    }
  }

  #endAll(error: unknown): void {
    const requests = [...this.#subscriptions.values()].map(({ request }) => request);
    for (const request of requests) {
      this.#refuse(request, error);
      this.#drop(request.id);
    }
    this.#caller = null;
  }

  #refuse({ id, requestId }: LiveRequest, error: unknown, isEnded = true): void {
    const refusal =
      error instanceof PlatformError ? error : new PlatformError("INTERNAL", {}, { cause: error });
    this.#refused.push({ id, kind: "error", error: refusal, requestId, isEnded });
  }

  #drop(id: number): void {
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#room.leave(subscription);
    this.#due?.delete(subscription);
    subscription.isAlive = false;
    if (subscription.query !== null) this.#ports.leave(subscription);
  }
}

/** What callers may is the same when this is. */
function rightsKey({ me, scopes }: Caller): string {
  return JSON.stringify([me, scopes ?? null]);
}
