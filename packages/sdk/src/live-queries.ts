// The live queries of one client. Equal ones are one subscription. All of them move together: a push is
// applied to every subscription before any callback runs, and the callbacks run in one go. After a lost
// connection nothing is shown until every subscription has its answer on the new one, so that nobody ever
// sees a mix of two moments.
import { KeelsonError } from "./client-error.ts";
import { failureKind } from "./client-retry.ts";
import { stepForm } from "./client-step.ts";
import { problemError } from "./live-asks.ts";
import { applyPatch } from "./live-patch.ts";
import type { LiveChange, LiveServerMessage, LiveSubscribe, LiveWatch } from "./live-protocol.ts";
import { shareValue } from "./live-share.ts";
import type { LiveSocket } from "./live-socket.ts";
import {
  LiveView,
  loadingState,
  type LiveBase,
  type LiveChangeOf,
  type LivePlan,
  type LiveState,
} from "./live-view.ts";

/** Characters of one `subscribe` message, well under what servers take; a single query may be longer. */
const subscribeCharsMax = 200_000;
const subscribeCountMax = 250;
/** The server shows a write to its writer at once; this long without it, it is asked. */
const settleMsMax = 1_000;

/** Push and answer of one commit come at nearly the same time: whatever is longer apart is not one. */
const holdMsMax = 100;
/** Queries that wait for their first value are told after so many lost connections. It is tried on. */
const lostInRowTold = 3;

type Push = Extract<LiveServerMessage, { readonly type: "push" }>;

interface Subscription {
  readonly key: string;
  readonly watch: LiveWatch;
  readonly views: Map<string, LiveView>;
  /** On the connection; null: not there (yet, or any more). */
  id: number | null;
  hash: string | null;
  base: LiveBase;
  /** The server ended it for good. */
  isOver: boolean;
  /** Until it is tried again. */
  retry: ReturnType<typeof setTimeout> | null;
  failed: number;
}

/** Optimistic changes of one mutation: shown until the server shows the commit, or taken back. */
export interface LiveLayer {
  /** The mutation's commit: the changes stay until that is shown. */
  settle(seq: number): void;
  /** It was refused or lost. */
  drop(): void;
}

/** What the queries need beside the socket. */
export interface LiveQueriesParts {
  readonly baseMs: number;
  readonly capMs: number;
  readonly random: () => number;
  /** Whether a refused token can be replaced: there is a function to ask. */
  readonly isTokenRenewable: boolean;
}

/** All live queries of a client. */
export class LiveQueries {
  readonly #socket: LiveSocket;
  readonly #parts: LiveQueriesParts;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #byId = new Map<number, Subscription>();
  /** Without an answer on this connection, of those that were shown before it. */
  readonly #unanswered = new Set<Subscription>();
  readonly #touched = new Set<Subscription>();
  readonly #layers = new Map<
    object,
    { readonly seq: number | null; readonly views: Set<LiveView> }
  >();
  readonly #changed = new Set<LiveView>();
  readonly #renewing = new Set<Subscription>();
  #isFlushing = false;
  /** Pushes that wait for the answer to an optimistic mutation. */
  readonly #held: Push[] = [];
  #holding: ReturnType<typeof setTimeout> | null = null;
  /** Layers whose mutation has no answer yet. */
  #pendingLayers = 0;
  #lostInRow = 0;
  #nextId = 1;
  #seq = -1;

  constructor(socket: LiveSocket, parts: LiveQueriesParts) {
    this.#socket = socket;
    this.#parts = parts;
  }

  /** Whether anybody watches. */
  get isBusy(): boolean {
    return this.#subscriptions.size > 0;
  }

  /** Begins to watch. @param notify called when the state is another one, together with all others. */
  subscribe(plan: LivePlan, notify: () => void): () => void {
    const subscription = this.#subscriptionOf(plan);
    const view = this.#viewOf(subscription, plan);
    // Each watcher is its own, also when two pass the same function.
    const listener = () => notify();
    view.listeners.add(listener);
    this.#touch(subscription);
    return () => {
      if (view.listeners.delete(listener)) this.#touch(subscription);
    };
  }

  /** The state as it is shown now; loading when nobody watches. */
  stateOf(plan: LivePlan): LiveState<unknown> {
    const view = this.#subscriptions.get(keyOf(plan))?.views.get(plan.reading);
    return view?.state ?? loadingState;
  }

  /** Shows changes at once. Queries that nobody watches are left alone. */
  addLayer(changes: readonly (readonly [plan: LivePlan, change: LiveChangeOf])[]): LiveLayer {
    const layer = {};
    const views = new Set<LiveView>();
    for (const [plan, change] of changes) {
      const view = this.#subscriptions.get(keyOf(plan))?.views.get(plan.reading);
      if (view === undefined) continue;
      const below = view.changes.get(layer);
      view.changes.set(layer, below === undefined ? change : (value) => change(below(value)));
      views.add(view);
      this.#changed.add(view);
    }
    this.#layers.set(layer, { seq: null, views });
    this.#pendingLayers++;
    this.#show();
    return {
      settle: (seq) => {
        this.#pendingLayers--;
        this.#settle(layer, seq);
        if (this.#pendingLayers === 0) this.#release();
      },
      drop: () => {
        this.#pendingLayers--;
        this.#dropLayer(layer);
        if (this.#pendingLayers === 0) this.#release();
        else this.#show();
      },
    };
  }

  /** The connection is open: everything is asked for again, with what is known of it. */
  opened(): void {
    this.#forget();
    const subscriptions = [...this.#subscriptions.values()].filter(({ isOver }) => !isOver);
    for (const subscription of subscriptions) this.#unanswered.add(subscription);
    this.#ask(subscriptions);
  }

  /** The connection is gone: what is shown stays. */
  lost(error: KeelsonError): void {
    this.#forget();
    const isClosed = this.#socket.state === "closed";
    this.#lostInRow++;
    for (const subscription of this.#subscriptions.values()) {
      const isUnknown = subscription.base.kind === "none" && this.#lostInRow >= lostInRowTold;
      if (isClosed || isUnknown) this.#fail(subscription, error);
    }
    this.#show();
  }

  /**
   * Applies a push, then shows it. While the answer to an optimistic mutation is on its way, the push may hold
   * its commit already, and the change would be shown twice: it waits for the answer, but not for long.
   */
  pushed(push: Push): void {
    this.#held.push(push);
    if (this.#pendingLayers === 0) return this.#release();
    this.#holding ??= setTimeout(() => this.#release(), holdMsMax);
  }

  #release(): void {
    if (this.#holding !== null) clearTimeout(this.#holding);
    this.#holding = null;
    try {
      for (const push of this.#held.splice(0)) this.#applyPush(push);
    } catch (error) {
      // A patch that does not fit: the value is not known any more. All are asked for anew, in whole.
      for (const subscription of this.#subscriptions.values()) subscription.hash = null;
      this.#socket.restart(error);
      return;
    }
    this.#show();
  }

  #applyPush(push: Push): void {
    for (const change of push.changes) this.#apply(change);
    this.#seq = push.seq;
    this.#lostInRow = 0;
    for (const [layer, { seq }] of this.#layers) {
      if (seq !== null && seq <= push.seq && this.#unanswered.size === 0) this.#dropLayer(layer);
    }
  }

  #apply(change: LiveChange): void {
    const subscription = this.#byId.get(change.id);
    if (subscription === undefined) return;
    this.#unanswered.delete(subscription);
    if ("error" in change) return this.#refused(subscription, problemError(change.error), change);
    subscription.failed = 0;
    if ("same" in change) return undefined;
    const before = subscription.base.kind === "value" ? subscription.base.value : undefined;
    const value =
      "patch" in change ? applyPatch(before, change.patch) : shareValue(before, change.value);
    subscription.hash = change.hash;
    this.#become(subscription, { kind: "value", value });
    return undefined;
  }

  #refused(
    subscription: Subscription,
    error: KeelsonError,
    change: { readonly ended?: true },
  ): void {
    if (change.ended !== true) return this.#fail(subscription, error);
    if (subscription.id !== null) this.#byId.delete(subscription.id);
    subscription.id = null;
    const isToken = error.code === "TOKEN_EXPIRED" || error.code === "TOKEN_INVALID";
    if (isToken && this.#parts.isTokenRenewable) return this.#renew(subscription, error);
    if (failureKind(error) === "notDone") return this.#retryLater(subscription, error);
    subscription.isOver = true;
    return this.#fail(subscription, error);
  }

  /** An error stands where the value stood: rights that were lost show nothing any more. */
  #fail(subscription: Subscription, error: KeelsonError): void {
    // A value after an error is a whole one.
    subscription.hash = null;
    this.#become(subscription, { kind: "error", error });
  }

  /** Remembers what is to be shown; `show` does it when everything has arrived. */
  #become(subscription: Subscription, base: LiveBase): void {
    subscription.base = base;
    for (const view of subscription.views.values()) this.#changed.add(view);
  }

  #retryLater(subscription: Subscription, error: KeelsonError): void {
    const { baseMs, capMs, random } = this.#parts;
    const growing = Math.min(capMs, baseMs * 2 ** Math.min(subscription.failed++, 30));
    const delayMs = (error.retryAfterMs ?? 0) + random() * growing;
    if (subscription.retry !== null) clearTimeout(subscription.retry);
    subscription.retry = setTimeout(() => {
      subscription.retry = null;
      this.#touch(subscription);
    }, delayMs);
  }

  /** One renewal for all that the token took along. While it lasts they show what they had. */
  #renew(subscription: Subscription, error: KeelsonError): void {
    this.#renewing.add(subscription);
    if (this.#renewing.size > 1) return;
    const done = (isOther: boolean) => {
      const waiting = [...this.#renewing];
      this.#renewing.clear();
      for (const one of waiting) {
        if (isOther) {
          this.#touch(one);
          continue;
        }
        this.#fail(one, error);
        this.#retryLater(one, error);
      }
      this.#show();
    };
    queueMicrotask(() => {
      this.#socket.renewToken(true).then(done, () => done(false));
    });
  }

  #settle(layer: object, seq: number): void {
    const entry = this.#layers.get(layer);
    if (entry === undefined) return;
    const isShown = this.#seq >= seq && this.#unanswered.size === 0;
    if (isShown || entry.views.size === 0) {
      this.#dropLayer(layer);
      return this.#show();
    }
    this.#layers.set(layer, { ...entry, seq });
    setTimeout(() => this.#probe(layer), settleMsMax);
    return undefined;
  }

  /** No push showed the commit: it changed nothing of ours. Asking again for one query brings a push. */
  #probe(layer: object): void {
    const entry = this.#layers.get(layer);
    if (entry === undefined) return;
    for (const subscription of this.#byId.values()) {
      if (![...subscription.views.values()].some((view) => entry.views.has(view))) continue;
      this.#ask([subscription]);
      return;
    }
    // Lost: the next connection begins with a push. Otherwise nobody watches what it changed.
    if (this.isBusy && !this.#socket.isOpen) return;
    this.#dropLayer(layer);
    this.#show();
  }

  #dropLayer(layer: object): void {
    const views = this.#layers.get(layer)?.views ?? [];
    this.#layers.delete(layer);
    for (const view of views) {
      view.changes.delete(layer);
      this.#changed.add(view);
    }
  }

  #subscriptionOf(plan: LivePlan): Subscription {
    const key = keyOf(plan);
    const known = this.#subscriptions.get(key);
    if (known !== undefined) {
      if (known.isOver) this.#beginAgain(known);
      return known;
    }
    const subscription: Subscription = {
      key,
      watch: stepForm(plan.step) as LiveWatch,
      views: new Map(),
      id: null,
      hash: null,
      base: { kind: "none" },
      isOver: false,
      retry: null,
      failed: 0,
    };
    this.#subscriptions.set(key, subscription);
    return subscription;
  }

  /** What was refused for good is asked for once more when somebody new asks. */
  #beginAgain(subscription: Subscription): void {
    subscription.isOver = false;
    subscription.failed = 0;
    this.#become(subscription, { kind: "none" });
  }

  #viewOf(subscription: Subscription, plan: LivePlan): LiveView {
    let view = subscription.views.get(plan.reading);
    if (view !== undefined) return view;
    view = new LiveView(subscription.key, plan);
    subscription.views.set(plan.reading, view);
    // While others wait for their answers it waits with them.
    if (this.#unanswered.size === 0) view.refresh(subscription.base);
    else this.#changed.add(view);
    return view;
  }

  /** Whoever came and went in this tick is told to the server once, and whoever came together is asked for together. */
  #touch(subscription: Subscription): void {
    this.#touched.add(subscription);
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    const touched = [...this.#touched];
    this.#touched.clear();
    const ended: number[] = [];
    const begun: Subscription[] = [];
    for (const subscription of touched) {
      const { id } = subscription;
      if (this.#dropUnwatched(subscription)) {
        if (id !== null) ended.push(id);
      } else if (id === null && !subscription.isOver && subscription.retry === null) {
        begun.push(subscription);
      }
    }
    if (this.isBusy) this.#socket.wake();
    else this.#socket.release();
    if (!this.#socket.isOpen) return;
    if (ended.length > 0) this.#socket.send({ type: "unsubscribe", ids: ended });
    this.#ask(begun);
  }

  #dropUnwatched(subscription: Subscription): boolean {
    for (const [reading, view] of subscription.views) {
      if (view.listeners.size === 0) subscription.views.delete(reading);
    }
    if (subscription.views.size > 0) return false;
    if (this.#subscriptions.get(subscription.key) === subscription) {
      this.#subscriptions.delete(subscription.key);
    }
    if (subscription.id !== null) this.#byId.delete(subscription.id);
    if (subscription.retry !== null) clearTimeout(subscription.retry);
    subscription.id = null;
    this.#unanswered.delete(subscription);
    this.#renewing.delete(subscription);
    return true;
  }

  /** Subscribes; those that are subscribed already under a new id. */
  #ask(subscriptions: readonly Subscription[]): void {
    const replaced = subscriptions.flatMap(({ id }) => (id === null ? [] : [id]));
    for (const id of replaced) this.#byId.delete(id);
    if (replaced.length > 0) this.#socket.send({ type: "unsubscribe", ids: replaced });
    let subs: LiveSubscribe[] = [];
    let chars = 0;
    for (const subscription of subscriptions) {
      const { key, watch, hash } = subscription;
      const isFull = chars + key.length > subscribeCharsMax || subs.length === subscribeCountMax;
      if (isFull && subs.length > 0) {
        this.#socket.send({ type: "subscribe", subs });
        subs = [];
        chars = 0;
      }
      const id = this.#nextId++;
      subscription.id = id;
      this.#byId.set(id, subscription);
      subs.push(hash === null ? { id, watch } : { id, watch, hash });
      chars += key.length + 120;
    }
    if (subs.length > 0) this.#socket.send({ type: "subscribe", subs });
  }

  #forget(): void {
    this.#held.length = 0;
    this.#byId.clear();
    this.#unanswered.clear();
    this.#renewing.clear();
    for (const subscription of this.#subscriptions.values()) {
      subscription.id = null;
      if (subscription.retry !== null) clearTimeout(subscription.retry);
      subscription.retry = null;
    }
  }

  /** First every state, then every callback. */
  #show(): void {
    if (this.#unanswered.size > 0 || this.#changed.size === 0) return;
    const views = [...this.#changed].filter((view) => {
      const subscription = this.#subscriptions.get(view.key);
      return subscription !== undefined && view.refresh(subscription.base);
    });
    this.#changed.clear();
    for (const view of views) {
      for (const listener of [...view.listeners]) {
        // A callback before this one may have ended it.
        if (view.listeners.has(listener)) callSafely(listener);
      }
    }
  }
}

/** A callback that throws does not keep the others from running. */
function callSafely(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function keyOf(plan: LivePlan): string {
  return JSON.stringify(plan.step);
}
