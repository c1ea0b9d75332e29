// Optimistic changes of live queries: a layer is what one mutation changes before the server has said so. It stays
// until a push shows the mutation's commit, or is taken back. While a mutation has no answer, pushes wait a moment:
// one may hold its commit already, and the change would be shown twice.
// (Over the live connection the server sends the answer first. After a lost connection it can't, but is asked for it
// again right behind the queries.)
import type { LivePush } from "./live-protocol.ts";
import type { LiveChangeOf, LiveView } from "./live-view.ts";

/** The server shows a write to its writer at once; this long without it, it is asked. */
const settleMsMax = 1_000;
/** Push and answer of one commit come at nearly the same time: whatever is longer apart is not one. */
const holdMsMax = 100;
/** The same for answers that were lost with a connection and are asked for again: a token may have to be fetched. */
const repeatMsMax = 1_000;

/** Optimistic changes of one mutation: shown until the server shows the commit, or taken back. */
export interface LiveLayer {
  /** The mutation's commit: the changes stay until that is shown. */
  settle(seq: number): void;
  /** It was refused or lost. */
  drop(): void;
}

/** What layers need of the queries. */
export interface LiveLayersParts {
  /** A view is to be looked at again. */
  changed(view: LiveView): void;
  /** Shows what was changed. */
  show(): void;
  /** Whether everything up to a commit is shown. */
  isShown(seq: number): boolean;
  /** Has the server answer for one of these views, with a push. @returns whether one is on its way. */
  ask(views: ReadonlySet<LiveView>): boolean;
  /** Applies pushes that do not wait any more. */
  apply(pushes: readonly LivePush[]): void;
}

interface Layer {
  readonly views: Set<LiveView>;
  /** The mutation's commit; null: it has no answer yet. */
  seq: number | null;
}

/** The layers of one client. */
export class LiveLayers {
  readonly #parts: LiveLayersParts;
  readonly #layers = new Set<Layer>();
  /** Layers whose mutation has no answer yet. */
  #pending = 0;
  readonly #held: LivePush[] = [];
  #holding: ReturnType<typeof setTimeout> | null = null;
  #holdMs = holdMsMax;

  constructor(parts: LiveLayersParts) {
    this.#parts = parts;
  }

  /** Puts changes on top of views. */
  add(changes: readonly (readonly [view: LiveView, change: LiveChangeOf])[]): LiveLayer {
    const layer: Layer = { seq: null, views: new Set() };
    for (const [view, change] of changes) {
      const below = view.changes.get(layer);
      view.changes.set(layer, below === undefined ? change : (value) => change(below(value)));
      layer.views.add(view);
      this.#parts.changed(view);
    }
    this.#layers.add(layer);
    this.#pending++;
    this.#parts.show();
    return {
      settle: (seq) => {
        this.#pending--;
        this.#settle(layer, seq);
        if (this.#pending === 0) this.#release();
      },
      drop: () => {
        this.#pending--;
        this.#drop(layer);
        if (this.#pending === 0) this.#release();
        else this.#parts.show();
      },
    };
  }

  /** A view begins: what is on top of one before it, that nobody watched any more, is on top of this one. */
  join(view: LiveView): void {
    for (const layer of this.#layers) {
      for (const { key, plan, changes } of layer.views) {
        const change = changes.get(layer);
        const isSame = key === view.key && plan.reading === view.plan.reading;
        if (isSame && change !== undefined) view.changes.set(layer, change);
      }
      if (view.changes.has(layer)) layer.views.add(view);
    }
  }

  /** Has a push applied: now, or when the answers that it may go before have come, but soon. */
  pushed(push: LivePush): void {
    this.#held.push(push);
    if (this.#pending === 0) this.#release();
    else this.#holding ??= setTimeout(() => this.#release(), this.#holdMs);
  }

  /** The connection that pushes came over is gone. */
  forgetHeld(): void {
    this.#held.length = 0;
    this.#stopHolding();
    if (this.#pending > 0) this.#holdMs = repeatMsMax;
  }

  /** Everything up to a commit is shown: what was changed by it needs no layer any more. */
  shown(): void {
    for (const layer of this.#layers) {
      if (layer.seq !== null && this.#parts.isShown(layer.seq)) this.#drop(layer);
    }
  }

  #stopHolding(): void {
    if (this.#holding !== null) clearTimeout(this.#holding);
    this.#holding = null;
    this.#holdMs = holdMsMax;
  }

  #release(): void {
    this.#stopHolding();
    this.#parts.apply(this.#held.splice(0));
  }

  #settle(layer: Layer, seq: number): void {
    if (!this.#layers.has(layer)) return;
    if (this.#parts.isShown(seq) || layer.views.size === 0) {
      this.#drop(layer);
      this.#parts.show();
      return;
    }
    layer.seq = seq;
    setTimeout(() => this.#probe(layer), settleMsMax);
  }

  /** No push showed the commit: it changed nothing of ours. */
  #probe(layer: Layer): void {
    if (!this.#layers.has(layer) || this.#parts.ask(layer.views)) return;
    this.#drop(layer);
    this.#parts.show();
  }

  #drop(layer: Layer): void {
    this.#layers.delete(layer);
    for (const view of layer.views) {
      view.changes.delete(layer);
      this.#parts.changed(view);
    }
  }
}
