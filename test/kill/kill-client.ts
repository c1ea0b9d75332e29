// A client at full speed: draws a write, sends it until it is answered, draws the next one.
import { setTimeout as wait } from "node:timers/promises";
import type { Exchange, HttpClient } from "../server/http-exchange.ts";
import type { KillWorld } from "./kill-world.ts";
import type { Mutation } from "./mutation.ts";

/** A connection may break before the program has noticed that the server ended. */
const brokenMs = 5;
const triesMax = 2_000;

/**
 * Sends a write with its key until it is answered.
 * @returns the answer. @throws when there is none after very many tries, or one that no write may get.
 */
export async function settle(
  world: KillWorld,
  http: HttpClient,
  write: Mutation,
): Promise<Exchange> {
  for (let tries = 0; tries < triesMax; tries++) {
    try {
      const exchange = await http.send(await world.url(), write.sending);
      // Nothing of it was done: the server says so, and asks for a repeat.
      if (exchange.status !== 503) return assertExpected(write, exchange);
    } catch (error) {
      if (error instanceof UnexpectedAnswer) throw error;
    }
    await wait(brokenMs);
  }
  throw new Error(`no answer to ${write.key} after ${triesMax} tries`);
}

/** An answer that none of the writes may get. */
class UnexpectedAnswer extends Error {}

function assertExpected(write: Mutation, exchange: Exchange): Exchange {
  if (exchange.status < 300) return exchange;
  const isRefusal = exchange.status === 400 && exchange.text.includes('"FUNDS"');
  if (write.kind === "transfer" && isRefusal) return exchange;
  throw new UnexpectedAnswer(`${write.kind} ${write.key}: ${exchange.status} ${exchange.text}`);
}

/** Writes until it is told to stop; then ends when the last write is answered. */
export async function runClient(
  parts: {
    readonly world: KillWorld;
    readonly http: HttpClient;
    readonly draw: () => Mutation;
    readonly isOver: () => boolean;
  },
  written: Mutation[],
): Promise<void> {
  while (!parts.isOver()) {
    const write = parts.draw();
    written.push(write);
    write.answer = await settle(parts.world, parts.http, write);
  }
}
