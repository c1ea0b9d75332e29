// What the live queries of one connection take: how many they are, what it takes to keep what they ask, and the
// answers that are held for them. Bounded: a client may not make the server hold more by asking for more.
import type { Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";

/** A live query, as far as it takes room. */
export interface LiveHolder {
  /** Bytes of what is asked. */
  readonly request: { readonly bytes: number };
  /** Bytes of the answer that is held for it. */
  keptBytes: number;
}

/** The room of one connection. */
export class LiveRoom {
  readonly #limits: Limits;
  #count = 0;
  #watchBytes = 0;
  #answerBytes = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Why one more is too many, or null. @param bytes of what it asks. */
  refusalOf(bytes: number): PlatformError | null {
    const { liveSubscriptionsMax, liveWatchBytesMax } = this.#limits;
    if (this.#count >= liveSubscriptionsMax) {
      return overloaded("liveSubscriptionsMax", liveSubscriptionsMax);
    }
    if (this.#watchBytes + bytes <= liveWatchBytesMax) return null;
    return overloaded("liveWatchBytesMax", liveWatchBytesMax);
  }

  /** One that `refusalOf` let in. */
  enter({ request }: LiveHolder): void {
    this.#count += 1;
    this.#watchBytes += request.bytes;
  }

  leave(holder: LiveHolder): void {
    this.#count -= 1;
    this.#watchBytes -= holder.request.bytes;
    this.keep(holder, 0);
  }

  /** Holds an answer in the place of the one before. @returns why there is no room for it (nothing is held then), or null. */
  keep(holder: LiveHolder, bytes: number): PlatformError | null {
    const { liveAnswerBytesMax } = this.#limits;
    const others = this.#answerBytes - holder.keptBytes;
    const fits = others + bytes <= liveAnswerBytesMax;
    holder.keptBytes = fits ? bytes : 0;
    this.#answerBytes = others + holder.keptBytes;
    return fits ? null : overloaded("liveAnswerBytesMax", liveAnswerBytesMax);
  }
}

function overloaded(limit: string, max: number): PlatformError {
  return new PlatformError("OVERLOADED", { limit, max });
}
