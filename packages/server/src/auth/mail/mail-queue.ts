// Mails on their way: taken on at once, delivered a few at a time, tried again when that fails. In memory: what
// waits when the process ends is lost, and whoever waited for it asks again (links and codes live for minutes).
import type { Clock } from "../../base/clock.ts";
import type { Limits } from "../../base/limits.ts";
import type { Letter, MailPort } from "../mail-port.ts";
import type { MailMessage, MailTransport } from "./mail.ts";

/** What a queue works with. */
export interface MailQueueParts {
  readonly transport: MailTransport;
  readonly clock: Clock;
  readonly limits: Pick<Limits, "mailQueueMax" | "mailTriesMax" | "mailRetryMs" | "mailsAtOnceMax">;
  render(letter: Letter): MailMessage;
  /** Told of every mail that is given up, and why. */
  report(error: unknown): void;
  /** Told of a mail's first attempt that failed; it is tried again. */
  delayed?(error: unknown): void;
}

/** A queue. */
export interface MailQueue extends MailPort {
  /** Resolves when nothing waits and nothing is on its way; what waits to be tried again counts. */
  idle(): Promise<void>;
  /** Takes no more, and gives up what waits to be tried again. */
  close(): void;
}

interface Waiting {
  readonly message: MailMessage;
  tries: number;
}

/** Opens a queue. */
export function openMailQueue(parts: MailQueueParts): MailQueue {
  return new Queue(parts);
}

class Queue implements MailQueue {
  readonly #parts: MailQueueParts;
  readonly #waiting: Waiting[] = [];
  readonly #retries = new Set<() => void>();
  #underWay = 0;
  #isClosed = false;
  #whenIdle: (() => void)[] = [];

  constructor(parts: MailQueueParts) {
    this.#parts = parts;
  }

  send(letter: Letter): void {
    const { limits, report } = this.#parts;
    try {
      if (this.#isClosed) throw new Error(`a mail ${letter.template} came after the end`);
      const count = this.#waiting.length + this.#underWay + this.#retries.size;
      if (count >= limits.mailQueueMax)
        throw new Error(`${count} mails wait: ${letter.template} is dropped`);
      this.#waiting.push({ message: this.#parts.render(letter), tries: 0 });
    } catch (error) {
      report(error);
      return;
    }
    this.#next();
  }

  idle(): Promise<void> {
    if (this.#isIdle()) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  close(): void {
    this.#isClosed = true;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
    this.#tellIdle();
  }

  #isIdle(): boolean {
    return this.#waiting.length === 0 && this.#underWay === 0 && this.#retries.size === 0;
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  #next(): void {
    while (this.#underWay < this.#parts.limits.mailsAtOnceMax) {
      const mail = this.#waiting.shift();
      if (mail === undefined) return;
      this.#underWay += 1;
      this.#deliver(mail).then(
        () => this.#done(),
        (error: unknown) => {
          this.#parts.report(error);
          this.#done();
        },
      );
    }
  }

  #done(): void {
    this.#underWay -= 1;
    this.#next();
    this.#tellIdle();
  }

  async #deliver(mail: Waiting): Promise<void> {
    const { transport, clock, limits } = this.#parts;
    mail.tries += 1;
    try {
      await transport.deliver(mail.message);
    } catch (error) {
      if (mail.tries >= limits.mailTriesMax || this.#isClosed) {
        throw new Error(`the mail ${mail.message.template} was not delivered`, { cause: error });
      }
      if (mail.tries === 1) {
        const says = `the mail ${mail.message.template} was not delivered yet, and is tried again`;
        this.#parts.delayed?.(new Error(says, { cause: error }));
      }
      const delayMs = limits.mailRetryMs * 2 ** (mail.tries - 1);
      const cancel = clock.after(delayMs, () => {
        this.#retries.delete(cancel);
        this.#waiting.push(mail);
        this.#next();
      });
      this.#retries.add(cancel);
    }
  }
}
