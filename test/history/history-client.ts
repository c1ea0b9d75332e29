// A client: asks one thing after the other until it is told to stop, and writes down what it asked and what it was told.
import { setTimeout as wait } from "node:timers/promises";
import type { Json } from "@keelson/sdk/spec";
import { drawAsk, type AskPlace, type DrawnAsk } from "./draw-ask.ts";
import type { Operation } from "./history.ts";
import { Lost, type Answer, type Transport } from "./transport.ts";

/** What a client is made of. */
export interface HistoryClientParts {
  readonly name: string;
  readonly transport: Transport;
  /** Another way to the same server, of the same user. */
  readonly other: Transport;
  /** Microseconds of the history's clock. */
  readonly nowUs: () => number;
  readonly record: (operation: Operation) => void;
  /** Longest rest between two asks. */
  readonly restMsMax: number;
}

/** Refusals that say that nothing was done, and to come again. */
const comeAgain = new Set(["OVERLOADED", "SHUTTING_DOWN", "NOT_READY", "RATE_LIMITED"]);
/** Those that an ask may get. */
const expected = new Set(["FUNCTION_REFUSED", "NOT_FOUND"]);
const againMs = 10;
const keyChance = 0.7;
const twiceChance = 0.15;
/** Of writes with a key that got no answer: whether the client asks until it has one. */
const patienceChance = 0.7;
const triesMax = 1_500;

/** A client. */
export class HistoryClient {
  readonly #parts: HistoryClientParts;
  #asked = 0;

  constructor(parts: HistoryClientParts) {
    this.#parts = parts;
  }

  /** Asks until `isOver`. @param place what asks are drawn from. */
  async run(place: () => AskPlace, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const now = place();
      await this.ask(drawAsk(now), now.random);
      await wait(now.random() * this.#parts.restMsMax);
    }
  }

  /** Asks once, and writes it down. */
  async ask(drawn: DrawnAsk, random: () => number): Promise<void> {
    const { name, transport, other, nowUs, record } = this.#parts;
    this.#asked += 1;
    const key = drawn.mayWrite && random() < keyChance ? this.#key(random) : null;
    const isPatient = !drawn.mayWrite || (key !== null && random() < patienceChance);
    const isTwice = key !== null && random() < twiceChance;
    const connection = transport.connection?.();
    const startUs = nowUs();
    const sent = [this.#settle({ drawn, key, isPatient, transport })];
    if (isTwice) sent.push(this.#settle({ drawn, key, isPatient, transport: other }));
    const ends = await Promise.all(
      sent.map(async (end) => {
        const answer = await end;
        return { answer, endUs: answer?.atUs ?? nowUs() };
      }),
    );
    const common = { client: name, what: drawn.what, kind: "call", startUs } as const;
    const first = ends.find(({ answer }) => answer?.kind === "done");
    if (first?.answer?.kind === "done") {
      const { value, commit } = first.answer;
      const isAlone =
        !isTwice && connection !== undefined && connection === transport.connection?.();
      record({
        ...common,
        endUs: Math.min(...ends.flatMap(({ answer, endUs }) => (answer === null ? [] : [endUs]))),
        outcome: "done",
        commit,
        steps: drawn.saw(value),
        answers: [...new Set(ends.flatMap(({ answer }) => textOf(answer)))],
        ...(isAlone ? { connection } : {}),
      });
      return;
    }
    if (!drawn.mayWrite) return;
    const isRefused = ends.every(({ answer }) => answer?.kind === "refused");
    const outcome = isRefused ? "refused" : "unknown";
    record({ ...common, endUs: null, outcome, commit: null, steps: drawn.writes });
  }

  /** Some clients count, some draw: a server must find both. */
  #key(random: () => number): string {
    const { name } = this.#parts;
    const counted = `${name}-${String(this.#asked).padStart(8, "0")}`;
    return random() < 0.5 ? counted : `${random().toString(36).slice(2)}-${counted}`;
  }

  /** @returns null: nobody knows what came of it. */
  async #settle(one: {
    readonly drawn: DrawnAsk;
    readonly key: string | null;
    readonly isPatient: boolean;
    readonly transport: Transport;
  }): Promise<Answer | null> {
    const { drawn, key, isPatient, transport } = one;
    let isSent = false;
    for (let tries = 0; tries < triesMax; tries++) {
      try {
        const more = { ...(key === null ? {} : { key }), ...(isSent ? { repeat: true } : {}) };
        const answer = await transport.send(drawn.ask, more);
        if (answer.kind === "done") return answer;
        const { code, status } = answer;
        if (code === "STORE_FAILED") throw new Lost(true);
        if (!comeAgain.has(code)) {
          if (expected.has(code)) return answer;
          throw new Error(`${drawn.what} was refused with ${status} ${code}`);
        }
      } catch (error) {
        if (!(error instanceof Lost)) throw error;
        isSent ||= error.isSent;
        if (isSent && !isPatient) return null;
      }
      await wait(againMs);
    }
    return null;
  }
}

function textOf(answer: Answer | null): string[] {
  if (answer === null) return [];
  return [answer.kind === "done" ? JSON.stringify(sorted(answer.value)) : answer.code];
}

/** Doors may name fields in another order. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, each]) => [name, sorted(each)]));
}
