// Who writes in the soak: rooms, messages and memberships come, change and go; money moves; a tally is raised.
// Everything is known at each pause: no write is under way then.
import { setTimeout as wait } from "node:timers/promises";
import type { Id } from "keelson";
import type { Dice, SoakApi, SoakWorld } from "./soak-client.ts";

const rooms = 12;
const messagesMax = 400;
const writersCount = 4;
/** Between two writes of one writer. */
const pauseMs = 8;

/** The writers, all of them the staff. */
export class SoakWriters implements SoakWorld {
  readonly accounts = 6;
  readonly roomIds: Id<"room">[] = [];
  commits = 0;
  readonly #api: SoakApi;
  readonly #users: readonly { readonly id: string }[];
  readonly #random: Dice;
  #accountIds: readonly Id<"account">[] = [];
  #messages: Id<"message">[] = [];
  #members: { readonly id: Id<"member">; readonly room: string; readonly user: string }[] = [];
  #isPaused = true;
  #running: Promise<unknown>[] = [];

  constructor(api: SoakApi, users: readonly { readonly id: string }[], random: Dice) {
    this.#api = api;
    this.#users = users;
    this.#random = random;
  }

  /** What there is from the beginning. */
  async plant(): Promise<void> {
    await this.#api.bank.open({ count: this.accounts });
    await this.#api.tally.create({ name: "t", value: 0 });
    this.#accountIds = (await this.#api.account.list()).map(({ id }) => id);
    for (let level = 0; level < rooms; level++) {
      this.roomIds.push((await this.#api.room.create({ name: `room ${level}`, level })).id);
    }
    for (let count = 0; count < 30; count++) await this.#join();
  }

  /** Writes until `pause`. */
  go(): void {
    this.#isPaused = false;
    this.#running = Array.from({ length: writersCount }, () => this.#write());
  }

  /** @returns when no write is under way. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await Promise.all(this.#running);
  }

  async #write(): Promise<void> {
    while (!this.#isPaused) {
      await this.#step();
      this.commits++;
      await wait(pauseMs);
    }
  }

  async #step(): Promise<void> {
    const die = this.#random(100);
    if (die < 10) await this.#api.bank.raise({ name: "t", mark: "soak" });
    else if (die < 25) await this.#move();
    else if (die < 45) await this.#say();
    else if (die < 70) await this.#edit();
    else if (die < 80) await this.#delete();
    else if (die < 88) await this.#join();
    else if (die < 96) await this.#leave();
    else await this.#api.room.update(this.#room(), { level: this.#random(rooms) });
  }

  async #move(): Promise<void> {
    const at = () => this.#accountIds[this.#random(this.accounts)] as Id<"account">;
    await this.#api.bank.move({ from: at(), to: at() });
  }

  async #say(): Promise<void> {
    if (this.#messages.length >= messagesMax) return this.#delete();
    const score = this.#random(1_000);
    const text = `said ${score}, in a text of some length, so that a patch is shorter`;
    const { id } = await this.#api.message.create({ room: this.#room(), text, score });
    this.#messages.push(id);
    return undefined;
  }

  async #edit(): Promise<void> {
    const id = this.#messages[this.#random(Math.max(1, this.#messages.length))];
    if (id === undefined) return;
    const moves = this.#random(5) === 0;
    const change = moves ? { room: this.#room() } : { score: this.#random(1_000) };
    await this.#api.message.update(id, change).catch(goneAlready);
  }

  async #delete(): Promise<void> {
    const [id] = this.#messages.splice(this.#random(Math.max(1, this.#messages.length)), 1);
    if (id !== undefined) await this.#api.message.delete(id);
  }

  /** Somebody gets a right. */
  async #join(): Promise<void> {
    const room = this.#room();
    const user = this.#users[this.#random(this.#users.length)]?.id as Id<"user">;
    if (this.#members.some((member) => member.room === room && member.user === user)) return;
    const place = { room, user };
    const { id } = await this.#api.member.create(place);
    this.#members.push({ id, ...place });
  }

  /** Somebody loses one. */
  async #leave(): Promise<void> {
    const [gone] = this.#members.splice(this.#random(Math.max(1, this.#members.length)), 1);
    if (gone !== undefined) await this.#api.member.delete(gone.id);
  }

  #room(): Id<"room"> {
    return this.roomIds[this.#random(rooms)] as Id<"room">;
  }
}

/** Another writer deleted it in between. */
function goneAlready(error: { readonly code?: string }): void {
  if (error.code !== "NOT_FOUND") throw error;
}
