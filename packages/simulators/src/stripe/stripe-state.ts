// What a simulated account holds: objects by id, in the order they were made, and the events they caused.
import { noSuch } from "./stripe-error.ts";

/** Any object of the API, as JSON. */
export interface StripeObject {
  readonly id: string;
  readonly object: string;
  [field: string]: unknown;
}

/**
 * What the simulator knows of an object and the API never tells: the number of a card, the secret of an endpoint, the lines
 * of a session.
 */
export interface StripeHidden {
  /** Of a payment method. */
  number?: string;
  /** Of a webhook endpoint. */
  secret?: string;
  /** Of a webhook endpoint: whoever started the simulator named it, and names it anew at the next start. */
  isGiven?: boolean;
  /** Of a checkout session. */
  lines?: readonly { readonly price: StripeObject; readonly quantity: number }[];
  /** Of a checkout session, for what it makes. */
  inner?: { readonly metadata: Readonly<Record<string, string>>; readonly trialDays: number };
  /** Of a subscription: payments that failed in a row. */
  failures?: number;
}

const hidden = new WeakMap<object, StripeHidden>();

/** What is known of an object; to be added to. */
export function hiddenOf(object: StripeObject): StripeHidden {
  const known = hidden.get(object) ?? {};
  hidden.set(object, known);
  return known;
}

/** A state as JSON. */
export interface StripeSnapshot {
  readonly objects: readonly StripeObject[];
  readonly hidden: Readonly<Record<string, StripeHidden>>;
  readonly made: number;
  readonly aheadMs: number;
}

/** Told of each event. */
export type EventListener = (event: StripeObject) => void;

/** The objects of one account. */
export class StripeState {
  readonly #objects = new Map<string, StripeObject>();
  readonly #clock: () => number;
  readonly #listeners: EventListener[] = [];
  readonly apiVersion: string;
  #made = 0;
  /** Added to the clock: time that a test let pass. */
  #aheadMs = 0;

  constructor(clock: () => number, apiVersion: string) {
    this.#clock = clock;
    this.apiVersion = apiVersion;
  }

  /** All of it. */
  snapshot(): StripeSnapshot {
    const objects = [...this.#objects.values()];
    const hidden = objects.map((object) => [object.id, hiddenOf(object)] as const);
    return {
      objects,
      hidden: Object.fromEntries(hidden.filter(([, known]) => Object.keys(known).length > 0)),
      made: this.#made,
      aheadMs: this.#aheadMs,
    };
  }

  /** Goes on with what an earlier process knew. */
  restore({ objects, hidden, made, aheadMs }: StripeSnapshot): void {
    for (const object of objects) {
      this.#objects.set(object.id, object);
      Object.assign(hiddenOf(object), hidden[object.id]);
    }
    this.#made = made;
    this.#aheadMs = aheadMs;
  }

  /** Seconds since 1970, as Stripe tells times. */
  now(): number {
    return Math.floor((this.#clock() + this.#aheadMs) / 1_000);
  }

  /** Lets time pass for what renews and expires. */
  advance(ms: number): void {
    this.#aheadMs += ms;
  }

  /** A new id: ids of one account differ, and tell their order. */
  id(prefix: string): string {
    this.#made += 1;
    return `${prefix}_sim${String(this.#made).padStart(10, "0")}`;
  }

  onEvent(listener: EventListener): void {
    this.#listeners.push(listener);
  }

  /** Keeps a new object, with what all have. */
  make<T extends object>(prefix: string, kind: string, fields: T): T & StripeObject {
    const id = this.id(prefix);
    const made = { id, object: kind, created: this.now(), livemode: false, ...fields };
    this.#objects.set(id, made);
    return made;
  }

  /** @throws StripeError when there is none of that kind. */
  get(kind: string, id: string): StripeObject {
    const found = this.#objects.get(id);
    if (found?.object === kind) return found;
    throw noSuch(kind.replaceAll("_", ""), id);
  }

  find(id: string): StripeObject | null {
    return this.#objects.get(id) ?? null;
  }

  drop(id: string): void {
    this.#objects.delete(id);
  }

  /** All of a kind, the newest first. */
  all(kind: string): readonly StripeObject[] {
    return [...this.#objects.values()].filter(({ object }) => object === kind).toReversed();
  }

  /** Records an event about an object as it is now, and tells it. @param before what changed, as it was. */
  emit(type: string, about: StripeObject, before?: object): void {
    const event = this.make("evt", "event", {
      api_version: this.apiVersion,
      data: {
        object: structuredClone(about),
        ...(before === undefined ? {} : { previous_attributes: before }),
      },
      pending_webhooks: 0,
      request: { id: null, idempotency_key: null },
      type,
    });
    for (const listener of this.#listeners) listener(event);
  }
}
