// One client of the soak: it watches some queries, changes its mind now and then, and can compare what it has with a
// fresh read of the same user.
import { isDeepStrictEqual } from "node:util";
import type { Call } from "keelson/client";
import { watchBank, type BankWatch } from "./bank-watch.ts";
import type { SceneClient } from "./live-scene.ts";

/** The app's client. */
export type SoakApi = SceneClient;

/** A whole number from 0 to below `sides`. */
export type Dice = (sides: number) => number;

/** What clients must know of what is there. */
export interface SoakWorld {
  readonly accounts: number;
  readonly roomIds: readonly `room_${string}`[];
}

/** What it is made with. */
export interface SoakClientParts {
  /** Cut off now and then. */
  readonly watching: SoakApi;
  /** Of the same user, never cut. */
  readonly reading: SoakApi;
  readonly world: SoakWorld;
  readonly random: Dice;
  readonly problem: (text: string) => void;
}

interface Watch {
  readonly name: string;
  /** A fresh read of it. */
  readonly read: () => Promise<unknown>;
  /** What is shown; an error as its code. */
  readonly shown: () => unknown;
  readonly stop: () => void;
}

const watchesMax = 8;
/** When writes have ended, a client that was cut off has so long to come back. */
const arriveMsMax = 20_000;

/** A client. */
export class SoakClient {
  readonly #parts: SoakClientParts;
  readonly #watches: Watch[] = [];
  readonly #bank: BankWatch;

  constructor(parts: SoakClientParts) {
    this.#parts = parts;
    const { watching, world, problem } = parts;
    this.#bank = watchBank(watching, world.accounts * 100, problem);
    for (let count = 0; count < 4; count++) this.change();
  }

  /** Watches something else, or less. */
  change(): void {
    const { random } = this.#parts;
    const isFull = this.#watches.length >= watchesMax;
    if (isFull || (this.#watches.length > 0 && random(3) === 0)) {
      const [gone] = this.#watches.splice(random(this.#watches.length), 1);
      gone?.stop();
      return;
    }
    this.#watches.push(this.#draw());
  }

  /** Compares everything, when no write is under way. @returns how many answers were compared. */
  async compare(): Promise<number> {
    const untilMs = performance.now() + arriveMsMax;
    for (const { name, read, shown } of this.#watches) {
      const fresh = await read().catch(codeOf);
      while (!isDeepStrictEqual(shown(), fresh)) {
        if (performance.now() > untilMs) {
          const texts = [shown(), fresh].map((value) => JSON.stringify(value)?.slice(0, 2_000));
          this.#parts.problem(`${name} shows\n  ${texts.join("\nand is\n  ")}`);
          break;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    return this.#watches.length;
  }

  close(): void {
    this.#bank.stop();
    this.#parts.watching.close();
    this.#parts.reading.close();
  }

  #draw(): Watch {
    const { random, world } = this.#parts;
    const room = world.roomIds[random(world.roomIds.length)] ?? "room_";
    const from = random(900);
    const span = 1 + random(200);
    switch (random(8)) {
      case 0:
        return this.#watch("rooms", (api) => api.room.list({ orderBy: "name" }));
      case 1:
        return this.#watch("messages of a room", (api) =>
          api.message.list({ where: { room }, orderBy: "score" }),
        );
      case 2:
        return this.#watch("messages in a range", (api) =>
          api.message.list({ where: { score: { gte: from, lt: from + span } }, orderBy: "score" }),
        );
      case 3:
        return this.#watch("the ten best", (api) =>
          api.message.list({ orderBy: "-score", limit: 10 }),
        );
      case 4:
        return this.#watch("a room", (api) => api.room.get(room));
      case 5:
        return this.#watch("how many", (api) =>
          api.message.count({ where: { score: { gt: from } } }),
        );
      case 6:
        return this.#watch("rooms by level", (api) =>
          api.room.list({ where: { level: { gte: from % 12 } }, orderBy: "name" }),
        );
      default:
        return this.#watch("the summary", (api) => api.bank.summary());
    }
  }

  #watch<T>(name: string, ask: (api: SoakApi) => LiveCall<T>): Watch {
    const { watching, reading } = this.#parts;
    const store = ask(watching).store();
    const stop = store.subscribe(() => undefined);
    return {
      name,
      stop,
      read: async () => ask(reading),
      shown: () => {
        const { data, error } = store.getSnapshot();
        return error === null ? data : codeOf(error);
      },
    };
  }
}

type LiveCall<T> = Call<T> & {
  store(): {
    subscribe(changed: () => void): () => void;
    getSnapshot(): { readonly data: T | undefined; readonly error: Error | null };
  };
};

function codeOf(error: unknown): string {
  const { code } = error as { readonly code?: string };
  return code ?? String(error);
}
