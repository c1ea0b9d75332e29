// Questions between two threads and their answers, over one port: both sides ask and answer. A question to a
// thread that has gone, or that does not answer in time, fails; none is asked twice.
import type { MessagePort, Transferable, Worker } from "node:worker_threads";
import type { Clock } from "../base/clock.ts";
import { PlatformError } from "../base/platform-error.ts";
import { fromPortableError, toPortableError, type PortableError } from "../gate/portable-error.ts";

/** Answers one kind of question. May throw, which the asker gets. */
export type ThreadAnswer = (value: never) => unknown;

type Message =
  | { readonly ask: number; readonly name: string; readonly value: unknown }
  | { readonly answer: number; readonly value: unknown; readonly error: PortableError | null };

/** One end of the port. */
export class ThreadCalls {
  readonly #port: Pick<Worker | MessagePort, "postMessage">;
  readonly #clock: Clock;
  readonly #answers: Readonly<Record<string, ThreadAnswer>>;
  readonly #asked = new Map<number, PromiseWithResolvers<unknown>>();
  #ids = 0;
  #isClosed = false;

  /** @param parts.answers by name of the question. */
  constructor(parts: {
    readonly port: Worker | MessagePort;
    readonly clock: Clock;
    readonly answers: Readonly<Record<string, ThreadAnswer>>;
  }) {
    this.#port = parts.port;
    this.#clock = parts.clock;
    this.#answers = parts.answers;
    parts.port.on("message", (message: Message) => {
      if ("ask" in message) void this.#answer(message);
      else this.#answered(message);
    });
  }

  /**
   * Asks. @param options.deadlineMs from now; 0 waits until the other thread answers or ends.
   * @throws what the other side threw; OVERLOADED when it did not answer in time; SHUTTING_DOWN when it is gone.
   */
  ask(
    name: string,
    value: unknown = null,
    options: { readonly deadlineMs?: number; readonly transfer?: readonly Transferable[] } = {},
  ): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new PlatformError("SHUTTING_DOWN"));
    const { deadlineMs = 0, transfer = [] } = options;
    const id = ++this.#ids;
    const waiter = Promise.withResolvers<unknown>();
    this.#asked.set(id, waiter);
    this.#port.postMessage({ ask: id, name, value } satisfies Message, [...transfer]);
    if (deadlineMs === 0) return waiter.promise;
    const cancel = this.#clock.after(deadlineMs, () => {
      this.#asked.delete(id);
      waiter.reject(new PlatformError("OVERLOADED", { limit: `${name}MsMax` }));
    });
    return waiter.promise.finally(cancel);
  }

  /** Says something that nobody waits for. */
  tell(name: string, value: unknown = null): void {
    if (!this.#isClosed) this.#port.postMessage({ ask: 0, name, value } satisfies Message, []);
  }

  /** The other side is gone: every open question fails. */
  close(): void {
    this.#isClosed = true;
    for (const waiter of this.#asked.values()) waiter.reject(new PlatformError("SHUTTING_DOWN"));
    this.#asked.clear();
  }

  async #answer({ ask, name, value }: Extract<Message, { readonly ask: number }>): Promise<void> {
    let message: Message;
    try {
      const answer = this.#answers[name];
      if (answer === undefined) throw new Error(`nobody answers ${name}`);
      message = { answer: ask, value: await answer(value as never), error: null };
    } catch (error) {
      message = { answer: ask, value: null, error: toPortableError(error) };
    }
    if (ask !== 0 && !this.#isClosed) this.#port.postMessage(message, []);
  }

  #answered({ answer, value, error }: Extract<Message, { readonly answer: number }>): void {
    const waiter = this.#asked.get(answer);
    this.#asked.delete(answer);
    if (error === null) waiter?.resolve(value);
    else waiter?.reject(fromPortableError(error));
  }
}
