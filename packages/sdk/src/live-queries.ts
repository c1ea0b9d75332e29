// The live queries of one client. Equal ones are one subscription. All of them move together: a push is
// applied to every subscription before any callback runs, and the callbacks run in one go. Whenever some
// do not stand where the others do (after a lost connection, or when one is asked for anew), what comes is
// kept and shown when they do, so that nobody ever sees a mix of two moments.
import type { KeelsonError } from "./client-error.ts";
import { tokenTimedOutCode } from "./client-token.ts";
import { problemError } from "./live-asks.ts";
import { LiveLayers, type LiveLayer } from "./live-layers.ts";
import { applyPatch } from "./live-patch.ts";
import type { LiveChange, LivePush, LiveSubscribe } from "./live-protocol.ts";
import { LiveRenewal } from "./live-renewal.ts";
import { shareValue } from "./live-share.ts";
import { closedError, type LiveSocket } from "./live-socket.ts";
import {
  forgetRetry,
  newSubscription,
  subscriptionKey,
  type LiveSubscription,
} from "./live-subscription.ts";
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
/** Queries that wait for their first value are told after so many lost connections, or a long wait. It is tried on. */
const lostInRowTold = 3;

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
  readonly #layers: LiveLayers;
  readonly #renewal: LiveRenewal;
  readonly #subscriptions = new Map<string, LiveSubscription>();
  readonly #byId = new Map<number, LiveSubscription>();
  /** Of those that may be shown: without an answer that goes with the others'. Until it has come, nothing that came is shown. */
  readonly #unanswered = new Set<LiveSubscription>();
  /** Those of which something came that is not shown yet. */
  readonly #arrived = new Set<LiveSubscription>();
  readonly #touched = new Set<LiveSubscription>();
  readonly #changed = new Set<LiveView>();
  /** The state before anything came: another object for each caller, so that whoever shows it hears of another one. */
  #loading: LiveState<never> = loadingState;
  #loadingFor: object | null = null;
  /** Something came for that caller. */
  #isAnswered = false;
  #isFlushing = false;
  #lostInRow = 0;
  #nextId = 1;
  #seq = -1;
  #shownSeq = -1;

  constructor(socket: LiveSocket, parts: LiveQueriesParts) {
    this.#socket = socket;
    const show = () => this.#show();
    this.#layers = new LiveLayers({
      show,
      changed: (view) => this.#changed.add(view),
      isShown: (seq) => this.#shownSeq >= seq,
      ask: (views) => this.#probe(views),
      apply: (pushes) => this.#applyAll(pushes),
    });
    this.#renewal = new LiveRenewal({
      ...parts,
      show,
      renewToken: () => socket.renewToken(true),
      again: (subscription) => this.#touch(subscription),
      fail: (subscription, error) => this.#fail(subscription, error),
    });
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
    return this.#watched(plan)?.state ?? this.#loading;
  }

  /** For whom that state is. */
  callerOf(plan: LivePlan): object | null {
    const view = this.#watched(plan);
    return view === undefined || view.state.isLoading ? this.#socket.caller : view.caller;
  }

  /** Shows changes at once. Queries that nobody watches are left alone. */
  addLayer(changes: readonly (readonly [plan: LivePlan, change: LiveChangeOf])[]): LiveLayer {
    return this.#layers.add(
      changes.flatMap(([plan, change]) => {
        const view = this.#watched(plan);
        return view === undefined ? [] : [[view, change] as const];
      }),
    );
  }

  /** The connection is open: everything is asked for again, with what is known of it. */
  opened(): void {
    this.#forget();
    this.identified();
  }

  /** Who calls may be somebody else: whoever loads is told, and keeps nothing of what was shown to another. */
  identifying(): void {
    if (this.#loadingFor === this.#socket.caller) return;
    this.#loadingFor = this.#socket.caller;
    this.#disown();
    if (!this.#isAnswered) return;
    this.#isAnswered = false;
    this.#loading = Object.freeze({ ...loadingState });
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.shown.kind !== "none") continue;
      for (const view of subscription.views.values()) this.#changed.add(view);
    }
    this.#show();
  }

  /**
   * It is known who calls: what this caller was not asked for yet, also what another one was refused for good or
   * waits for, is asked for. The server asks again for what it has by itself.
   */
  identified(): void {
    this.identifying();
    if (this.#socket.isIdentifying) return;
    const { caller } = this.#socket;
    const unasked = [...this.#subscriptions.values()].filter(
      ({ id, shown, caller: askedFor }) =>
        askedFor !== caller && (id === null || shown.kind === "none"),
    );
    for (const subscription of unasked) {
      subscription.isOver = false;
      forgetRetry(subscription);
      this.#unanswered.add(subscription);
    }
    this.#ask(unasked);
    this.#flush();
  }

  /** The connection is gone: what is shown stays. */
  lost(error: KeelsonError): void {
    this.#forget();
    this.identifying();
    if (this.#socket.state === "closed")
      return this.#refuseClosed([...this.#subscriptions.values()], error);
    this.#lostInRow++;
    const isTold = this.#lostInRow >= lostInRowTold || error.code === tokenTimedOutCode;
    for (const subscription of this.#subscriptions.values()) {
      if (isTold && subscription.shown.kind === "none")
        this.#tell(subscription, { kind: "error", error });
    }
    this.#show();
  }

  /** Applies a push, then shows it. */
  pushed(push: LivePush): void {
    this.#layers.pushed(push);
  }

  // What the server says

  #applyAll(pushes: readonly LivePush[]): void {
    try {
      for (const push of pushes) this.#applyPush(push);
    } catch (error) {
      // A patch that does not fit: the value is not known any more. All are asked for anew, in whole.
      for (const subscription of this.#subscriptions.values()) subscription.hash = null;
      this.#socket.restart(error);
      return;
    }
    this.#show();
  }

  #applyPush(push: LivePush): void {
    for (const change of push.changes) this.#apply(change);
    this.#seq = push.seq;
    this.#lostInRow = 0;
  }

  #apply(change: LiveChange): void {
    const subscription = this.#byId.get(change.id);
    if (subscription === undefined) return;
    this.#unanswered.delete(subscription);
    if ("error" in change) return this.#refused(subscription, problemError(change.error), change);
    subscription.failed = 0;
    const { caller, base } = subscription;
    const before = base.kind === "value" ? base.value : undefined;
    if ("same" in change) {
      if (base.kind === "value") this.#become(subscription, { ...base, caller });
      return undefined;
    }
    const value =
      "patch" in change ? applyPatch(before, change.patch) : shareValue(before, change.value);
    subscription.hash = change.hash;
    this.#become(subscription, { kind: "value", value, caller });
    return undefined;
  }

  #refused(
    subscription: LiveSubscription,
    error: KeelsonError,
    change: { readonly ended?: true },
  ): void {
    if (change.ended !== true) return this.#fail(subscription, error);
    if (subscription.id !== null) this.#byId.delete(subscription.id);
    subscription.id = null;
    if (subscription.caller !== this.#socket.caller) {
      // Its caller was another one, and the refusal was on its way: what is shown waits for the answer to this one.
      this.#unanswered.add(subscription);
      return this.#touch(subscription);
    }
    if (this.#renewal.ended(subscription, error)) {
      // It stays where it was while the others go on.
      if (subscription.base.kind === "value") this.#unanswered.add(subscription);
      return undefined;
    }
    subscription.isOver = true;
    return this.#fail(subscription, error);
  }

  /** An error stands where the value stood: rights that were lost show nothing any more. */
  #fail(subscription: LiveSubscription, error: KeelsonError): void {
    // A value after an error is a whole one.
    subscription.hash = null;
    // It is of no moment.
    this.#unanswered.delete(subscription);
    this.#become(subscription, { kind: "error", error });
  }

  /** Remembers what is to be shown; `show` does it when everything has arrived. */
  #become(subscription: LiveSubscription, base: LiveBase): void {
    if (base.kind === "value") this.#isAnswered = true;
    subscription.base = base;
    this.#arrived.add(subscription);
  }

  /** Has something shown that is of no moment, whatever the others wait for. What has come is shown in its time. */
  #tell(subscription: LiveSubscription, shown: LiveBase): void {
    subscription.shown = shown;
    this.#arrived.add(subscription);
    for (const view of subscription.views.values()) this.#changed.add(view);
  }

  // Who watches

  #watched(plan: LivePlan): LiveView | undefined {
    return this.#subscriptions.get(subscriptionKey(plan))?.views.get(plan.reading);
  }

  #subscriptionOf(plan: LivePlan): LiveSubscription {
    const known = this.#subscriptions.get(subscriptionKey(plan));
    if (known !== undefined) {
      if (known.isOver && this.#socket.state !== "closed") this.#beginAgain(known);
      return known;
    }
    const subscription = newSubscription(plan);
    this.#subscriptions.set(subscription.key, subscription);
    return subscription;
  }

  /** What was refused for good is asked for once more when somebody new asks. */
  #beginAgain(subscription: LiveSubscription): void {
    subscription.isOver = false;
    subscription.failed = 0;
    subscription.base = { kind: "none" };
    this.#tell(subscription, subscription.base);
  }

  #viewOf(subscription: LiveSubscription, plan: LivePlan): LiveView {
    let view = subscription.views.get(plan.reading);
    if (view !== undefined) return view;
    view = new LiveView(subscription.key, plan, this.#loading);
    subscription.views.set(plan.reading, view);
    this.#layers.join(view);
    view.refresh(subscription.shown, this.#loading);
    return view;
  }

  // What the server is asked

  /** Whoever came and went in this tick is told to the server once, and whoever came together is asked for together. */
  #touch(subscription: LiveSubscription): void {
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
    const begun: LiveSubscription[] = [];
    for (const subscription of touched) {
      const { id } = subscription;
      if (this.#dropUnwatched(subscription)) {
        if (id !== null) ended.push(id);
      } else if (id === null && !subscription.isOver && subscription.retry === null) {
        begun.push(subscription);
      }
    }
    // Who ended may have been the last that all others waited for.
    this.#show();
    if (this.isBusy) this.#socket.wake();
    else this.#socket.release();
    if (this.#socket.state === "closed") return this.#refuseClosed(begun, closedError());
    if (!this.#socket.isOpen) return undefined;
    if (ended.length > 0) this.#socket.send({ type: "unsubscribe", ids: ended });
    // Asked for too early they would be refused to who called before.
    if (this.#socket.isIdentifying) for (const one of begun) this.#touched.add(one);
    else this.#ask(begun);
    return undefined;
  }

  /** Whoever watches at the client's end is told, and who begins after it, or would wait for ever. Once. */
  #refuseClosed(subscriptions: readonly LiveSubscription[], error: KeelsonError): void {
    for (const subscription of subscriptions) {
      subscription.isOver = true;
      this.#fail(subscription, error);
    }
    this.#show();
  }

  #dropUnwatched(subscription: LiveSubscription): boolean {
    for (const [reading, view] of subscription.views) {
      if (view.listeners.size === 0) subscription.views.delete(reading);
    }
    if (subscription.views.size > 0) return false;
    if (this.#subscriptions.get(subscription.key) === subscription) {
      this.#subscriptions.delete(subscription.key);
    }
    if (subscription.id !== null) this.#byId.delete(subscription.id);
    forgetRetry(subscription);
    subscription.id = null;
    this.#unanswered.delete(subscription);
    this.#arrived.delete(subscription);
    this.#renewal.forget(subscription);
    return true;
  }

  /** Subscribes; those that are subscribed already under a new id. */
  #ask(subscriptions: readonly LiveSubscription[]): void {
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
      subscription.caller = this.#socket.isIdentifying ? null : this.#socket.caller;
      this.#byId.set(id, subscription);
      subs.push(hash === null ? { id, watch } : { id, watch, hash });
      chars += key.length + 120;
    }
    if (subs.length > 0) this.#socket.send({ type: "subscribe", subs });
  }

  /** Asking again for one query of these brings a push. */
  #probe(views: ReadonlySet<LiveView>): boolean {
    for (const subscription of this.#byId.values()) {
      if (![...subscription.views.values()].some((view) => views.has(view))) continue;
      // A push that is on its way names it as it was asked for before: of the others alone.
      this.#unanswered.add(subscription);
      this.#ask([subscription]);
      return true;
    }
    // Lost: the next connection begins with a push. Otherwise nobody watches what was changed.
    return this.isBusy && !this.#socket.isOpen;
  }

  /** An answer that another caller waited for, and that is on its way, is not shown to this one. */
  #disown(): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.shown.kind !== "none" || subscription.id === null) continue;
      this.#byId.delete(subscription.id);
      subscription.base = subscription.shown;
      subscription.hash = null;
      this.#arrived.delete(subscription);
      this.#unanswered.add(subscription);
    }
  }

  #forget(): void {
    this.#layers.forgetHeld();
    this.#byId.clear();
    this.#renewal.clear();
    for (const subscription of this.#subscriptions.values()) {
      subscription.id = null;
      forgetRetry(subscription);
      // Some of what came may be of a later moment than the rest.
      this.#unanswered.add(subscription);
    }
  }

  // What is shown

  /** All of it stands on one commit: it may be shown. */
  #reveal(): void {
    for (const subscription of this.#arrived) {
      subscription.shown = subscription.base;
      for (const view of subscription.views.values()) this.#changed.add(view);
    }
    this.#arrived.clear();
    if (this.#shownSeq === this.#seq) return;
    this.#shownSeq = this.#seq;
    this.#layers.shown();
  }

  /** First every state, then every callback. */
  #show(): void {
    if (this.#unanswered.size === 0) this.#reveal();
    if (this.#changed.size === 0) return;
    const views = [...this.#changed].filter((view) => {
      const subscription = this.#subscriptions.get(view.key);
      return subscription !== undefined && view.refresh(subscription.shown, this.#loading);
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
