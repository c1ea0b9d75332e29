// Sends webhooks as the real services do: signed, again when the receiver refuses, one after the other for each
// receiver. Faults can double, hold back, delay or drop a delivery.
import type { FaultPlan } from "./fault-plan.ts";

/** A delivery to make. */
export interface WebhookDelivery {
  readonly url: string;
  /** The event's type, for faults. */
  readonly type: string;
  /** Made anew for each attempt: signatures hold the time. */
  readonly message: () => Promise<WebhookMessage> | WebhookMessage;
  /** Told when it was taken, or is given up. */
  readonly ended?: () => void;
}

/** What is sent. */
export interface WebhookMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How an attempt went. */
export interface WebhookAttempt {
  readonly url: string;
  readonly type: string;
  /** 0 when there was no answer. */
  readonly status: number;
}

const attemptMsMax = 10_000;
const attemptsKept = 10_000;

/** The outbox of one simulator. */
export class WebhookSender {
  readonly #faults: FaultPlan;
  readonly #retryMs: readonly number[];
  readonly #attempts: WebhookAttempt[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #underWay = new Set<Promise<void>>();
  /** Held back until another one was sent. */
  #held: WebhookDelivery[] = [];
  #isClosed = false;

  /** @param retryMs how long to wait before each further attempt. */
  constructor(faults: FaultPlan, retryMs: readonly number[]) {
    this.#faults = faults;
    this.#retryMs = retryMs;
  }

  /** Every attempt so far, oldest first. */
  attempts(): readonly WebhookAttempt[] {
    return this.#attempts;
  }

  /** Sends, in the background. */
  send(delivery: WebhookDelivery): void {
    const fault = this.#faults.takeWebhook(delivery.type);
    const kind = fault?.kind;
    switch (kind) {
      case undefined:
        this.#start(delivery);
        break;
      case "drop":
        delivery.ended?.();
        return;
      case "duplicate":
        this.#start(delivery);
        this.#start(delivery);
        break;
      case "delay":
        this.#later(fault?.ms ?? 0, () => this.#start(delivery));
        return;
      case "reorder":
        this.#held.push(delivery);
        return;
      default:
        kind satisfies never;
    }
    const held = this.#held;
    this.#held = [];
    for (const one of held) this.#start(one);
  }

  /** Resolves when nothing is under way; what waits for its time or is held back does not count. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Gives up what is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    await this.settled();
  }

  #start(delivery: WebhookDelivery, tries = 0): void {
    if (this.#isClosed) return;
    const running = this.#attempt(delivery).then((status) => {
      this.#underWay.delete(running);
      const waitMs = this.#retryMs[tries];
      const isTaken = status >= 200 && status < 300;
      if (isTaken || (waitMs === undefined && !this.#isClosed)) delivery.ended?.();
      else if (waitMs !== undefined) this.#later(waitMs, () => this.#start(delivery, tries + 1));
    });
    this.#underWay.add(running);
  }

  async #attempt({ url, type, message }: WebhookDelivery): Promise<number> {
    let status = 0;
    try {
      const { headers, body } = await message();
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(attemptMsMax),
      });
      await response.arrayBuffer();
      status = response.status;
    } catch {
      // No answer: the status says so.
    }
    this.#attempts.push({ url, type, status });
    if (this.#attempts.length > attemptsKept) this.#attempts.shift();
    return status;
  }

  #later(ms: number, run: () => void): void {
    if (this.#isClosed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}
