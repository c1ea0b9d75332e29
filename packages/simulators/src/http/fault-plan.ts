// Faults on request: what goes wrong next, and how often. A plan is a queue for the API and one for webhooks; a
// fault is used up by the first request (or delivery) that it fits, so a test knows what it gets.

/** What goes wrong with an answer of the API. */
export interface ApiFault {
  readonly kind: "rateLimit" | "serverError" | "timeoutBefore" | "timeoutAfterSuccess" | "delay";
  /** `POST /v1/refunds`; a prefix fits too. Default: any request. */
  readonly on?: string;
  /** How many requests it hits. Default: 1. */
  readonly times?: number;
  /** For `delay`: how long the answer waits, in ms. */
  readonly ms?: number;
}

/** What goes wrong with a webhook. */
export interface WebhookFault {
  readonly kind: "duplicate" | "reorder" | "delay" | "drop";
  /** The type of the event. Default: any. */
  readonly on?: string;
  /** How many deliveries it hits. Default: 1. */
  readonly times?: number;
  /** For `delay`: how long it waits, in ms. */
  readonly ms?: number;
}

interface Pending<F> {
  readonly fault: F;
  left: number;
}

/** The faults that are still to come. */
export class FaultPlan {
  readonly #api: Pending<ApiFault>[] = [];
  readonly #webhooks: Pending<WebhookFault>[] = [];

  /** Adds a fault of the API. */
  api(fault: ApiFault): void {
    this.#api.push({ fault, left: fault.times ?? 1 });
  }

  /** Adds a fault of webhooks. */
  webhook(fault: WebhookFault): void {
    this.#webhooks.push({ fault, left: fault.times ?? 1 });
  }

  /** The fault of this request, used up. @param request `POST /v1/refunds`. */
  takeApi(request: string): ApiFault | null {
    return take(this.#api, ({ on }) => on === undefined || request.startsWith(on));
  }

  /** The fault of a delivery of an event of this type, used up. */
  takeWebhook(type: string): WebhookFault | null {
    return take(this.#webhooks, ({ on }) => on === undefined || on === type);
  }
}

function take<F>(pending: Pending<F>[], fits: (fault: F) => boolean): F | null {
  const index = pending.findIndex(({ fault }) => fits(fault));
  const found = pending[index];
  if (found === undefined) return null;
  found.left -= 1;
  if (found.left <= 0) pending.splice(index, 1);
  return found.fault;
}
