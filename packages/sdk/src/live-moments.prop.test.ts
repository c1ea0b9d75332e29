// Live queries of one client move together: whatever is lost, late or refused, what is shown at one time was true at
// one commit, never an earlier one than before, and in the end it is the newest. Random histories of a scripted server.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { openScene, problem, settled, type Scene, type SceneSocket } from "./live-scene.case.ts";
import type { LiveChange, LiveProblem, LiveServerMessage } from "./live-protocol.ts";

const halls = 4;

/** What the data was at each commit: how often the seats of each hall had changed. */
class History {
  /** The commits of what the client wrote. */
  readonly bookings = new Map<string, number>();
  readonly #commits: (readonly number[])[] = [Array.from({ length: halls }, () => 0)];

  get seq(): number {
    return this.#commits.length - 1;
  }

  commit(changed: readonly number[]): number {
    const before = this.#commits.at(-1) ?? [];
    this.#commits.push(before.map((count, hall) => count + (changed.includes(hall) ? 1 : 0)));
    return this.seq;
  }

  at(seq: number, hall: number): number {
    return this.#commits[seq]?.[hall] ?? assert.fail("no such commit");
  }

  /** Commits at which all of these were so. */
  commitsOf(shown: readonly (readonly [hall: number, count: number])[]): readonly number[] {
    return this.#commits.flatMap((counts, seq) =>
      shown.every(([hall, count]) => counts[hall] === count) ? [seq] : [],
    );
  }
}

interface Subscribed {
  readonly hall: number;
  /** What the client has; null: it is owed a first answer. */
  sent: number | "nothing" | null;
  readonly hash: string | undefined;
}

/** One connection, as a server sees it. Messages take their time in both directions. */
class Side {
  readonly #history: History;
  readonly #done: Map<string, number>;
  readonly socket: SceneSocket;
  readonly #subscribed = new Map<number, Subscribed>();
  readonly #underWay: LiveServerMessage[] = [];
  #heard = 0;
  #isOwing = false;

  constructor(history: History, done: Map<string, number>, socket: SceneSocket) {
    this.#history = history;
    this.#done = done;
    this.socket = socket;
  }

  get isQuiet(): boolean {
    return this.#heard === this.socket.heard.length && this.#underWay.length === 0;
  }

  /** Takes one message of the client. */
  hear(): void {
    const message = this.socket.heard[this.#heard];
    if (message === undefined) return;
    this.#heard++;
    if (message.type === "subscribe") {
      for (const { id, watch, hash } of message.subs) {
        assert.ok("call" in watch);
        const { hall } = watch.args as { readonly hall: number };
        this.#subscribed.set(id, { hall, sent: null, hash });
      }
    } else if (message.type === "unsubscribe") {
      for (const id of message.ids) this.#subscribed.delete(id);
    } else if (message.type === "ask") {
      assert.ok("call" in message.ask);
      const { seat } = message.ask.args as { readonly seat: string };
      const key = message.key ?? assert.fail("a write without a key");
      const [hall, booking] = seat.split(" ") as [string, string];
      const seq = this.#done.get(key) ?? this.#history.commit([Number(hall)]);
      this.#history.bookings.set(booking, seq);
      this.#done.set(key, seq);
      this.#isOwing = true;
      this.#underWay.push({ type: "result", id: message.id, seq, value: "" });
    }
  }

  /** Brings everything that was answered to the newest commit, and answers as many as `most` for the first time. */
  push(most: number): void {
    const { seq } = this.#history;
    let first = 0;
    const changes: LiveChange[] = [];
    for (const [id, one] of this.#subscribed) {
      if (one.sent === null && ++first > most) continue;
      const count = this.#history.at(seq, one.hall);
      const before = one.sent;
      one.sent = count;
      const hash = `h${count}`;
      if (before === null || before === "nothing") {
        const isSame = before === null && one.hash === hash;
        changes.push(isSame ? { id, same: true } : { id, hash, value: [String(count)] });
      } else if (before !== count) {
        const patch = { kind: "items", length: 1, set: [[0, String(count)]] } as const;
        changes.push({ id, hash, patch });
      }
    }
    if (changes.length === 0 && !this.#isOwing) return;
    this.#isOwing = false;
    this.#underWay.push({ type: "push", seq, changes });
  }

  /** Says of one of them why there is no value, and forgets it or not. */
  refuse(index: number, error: LiveProblem, ended?: true): void {
    const ids = [...this.#subscribed.keys()];
    const id = ids[index % ids.length];
    const one = this.#subscribed.get(id ?? 0);
    if (id === undefined || one === undefined) return;
    if (ended) this.#subscribed.delete(id);
    else one.sent = "nothing";
    const change = { id, error, ...(ended && { ended }) };
    this.#underWay.push({ type: "push", seq: this.#history.seq, changes: [change] });
  }

  /** A value that the client can't make sense of. */
  garble(): void {
    const [id] = this.#subscribed.keys();
    if (id === undefined) return;
    const patch = { kind: "fields", set: { a: 1 } } as const;
    this.#underWay.push({
      type: "push",
      seq: this.#history.seq,
      changes: [{ id, hash: "x", patch }],
    });
  }

  /** One message comes to the client. */
  deliver(): void {
    const message = this.#underWay.shift();
    if (message !== undefined) this.socket.tell(message);
  }
}

/** Somebody who follows one hall. */
interface Follower {
  readonly hall: number;
  readonly stop: () => void;
  /** The count, and what is shown on top of it. */
  readonly shown: () => readonly string[] | undefined;
}

class World {
  readonly history = new History();
  readonly #scene: Scene;
  readonly #context: TestContext;
  readonly #followers = new Set<Follower>();
  readonly #done = new Map<string, number>();
  #side: Side | null = null;
  #seen = 0;
  #booked = 0;
  #sockets = 0;
  #failure: Error | null = null;

  constructor(context: TestContext) {
    this.#context = context;
    let token = 0;
    this.#scene = openScene({ random: () => 0.5, token: () => `t${++token}` });
  }

  get api(): Scene["api"] {
    return this.#scene.api;
  }

  /** The connection, when the client has one. */
  get side(): Side | null {
    return this.#side?.socket.isEnded === false ? this.#side : null;
  }

  /** Lets the client's timers run, and accepts the connection that it makes. */
  async pass(ms: number): Promise<void> {
    this.#context.mock.timers.tick(ms);
    await settled();
    const socket = this.#scene.sockets.at(-1);
    if (socket === undefined || socket.isEnded || socket === this.#side?.socket) return;
    this.#side = new Side(this.history, this.#done, socket);
    this.#sockets++;
    socket.open();
    await settled();
  }

  follow(hall: number): void {
    const store = this.api.cinema.seats({ hall }).store();
    let isStopped = false;
    let last: unknown;
    const see = (seen: unknown) =>
      this.#hold(() => {
        assert.ok(!isStopped, "called after its end");
        assert.notEqual(seen, last, "called twice for one thing");
        last = seen;
        this.#checkShown();
      });
    const end = this.api.cinema.seats.live({ hall }, see, see);
    const stop = () => {
      isStopped = true;
      end();
      this.#followers.delete(follower);
    };
    const shown = () => store.getSnapshot().data;
    const follower = { hall, stop, shown };
    this.#followers.add(follower);
  }

  stop(index: number): void {
    const followers = [...this.#followers];
    followers[index % followers.length]?.stop();
  }

  /** Books a seat, and shows it at once. */
  book(hall: number): void {
    const booking = `b${++this.#booked}`;
    const booked = this.api.cinema.book({ seat: `${hall} ${booking}` }).optimistic((show) => {
      show(this.api.cinema.seats({ hall }), (seats) => [...seats, booking]);
    });
    booked.catch(() => undefined);
  }

  /** What throws in a callback would not reach the test. */
  #hold(assertion: () => void): void {
    try {
      assertion();
    } catch (error) {
      this.#failure ??= error as Error;
    }
  }

  check(): void {
    if (this.#failure !== null) throw this.#failure;
    this.#checkShown();
  }

  /** What is shown was so at one commit, and at no earlier one than what was shown before. */
  #checkShown(): void {
    const shown = [...this.#followers].flatMap(({ hall, shown }) => {
      const seats = shown();
      return seats === undefined ? [] : [[hall, Number(seats[0])] as const];
    });
    const commits = this.history.commitsOf(shown);
    assert.ok(commits.length > 0, `two moments: ${JSON.stringify(shown)}`);
    assert.ok(Math.max(...commits) >= this.#seen, `an earlier moment: ${JSON.stringify(shown)}`);
    const oldest = Math.min(...commits);
    this.#seen = Math.max(this.#seen, oldest);
    // An answer that was lost with its connection may come after the push that shows its commit.
    if (this.#sockets > 1) return;
    for (const booking of [...this.#followers].flatMap(({ shown }) => shown()?.slice(1) ?? [])) {
      const seq = this.history.bookings.get(booking) ?? Infinity;
      assert.ok(seq > oldest, `shown twice: ${booking}`);
    }
  }

  /** All that is on its way comes, in both directions. */
  async answer(): Promise<void> {
    while (this.side?.isQuiet === false) {
      this.side.hear();
      this.side.deliver();
      await settled();
    }
  }

  /** The same, and what the server has to push. */
  async serve(): Promise<void> {
    await this.answer();
    this.side?.push(Infinity);
    await this.answer();
  }

  /** Nothing fails any more: in the end all that is followed is the newest. */
  async end(): Promise<void> {
    for (let turn = 0; turn < 30; turn++) {
      await this.pass(200);
      await this.serve();
      this.check();
    }
    for (const { hall, shown } of this.#followers) {
      const count = this.history.at(this.history.seq, hall);
      assert.deepEqual(shown(), [String(count)], `hall ${hall}`);
    }
    this.api.close();
    await settled();
  }
}

type Step = (world: World) => void | Promise<void>;

const hall = fc.nat({ max: halls - 1 });
const some = fc.nat({ max: 9 });
const named = (name: string, step: Step): Step =>
  Object.assign(step, { [fc.toStringMethod]: () => name });
const refusal = fc
  .record({
    index: some,
    reason: fc.constantFrom(
      { error: problem("OVERLOADED", 503), ended: true } as const,
      { error: problem("RATE_LIMITED", 429, { retryAfter: 5 }), ended: true } as const,
      { error: problem("TOKEN_EXPIRED", 401), ended: true } as const,
      { error: problem("RULE_DENIED", 403) },
    ),
  })
  .map(({ index, reason: { error, ended } }) =>
    named(`refuse ${index} ${error.code}`, (world) => world.side?.refuse(index, error, ended)),
  );
const step = fc.oneof(
  { weight: 4, arbitrary: hall.map((one) => named(`follow ${one}`, (world) => world.follow(one))) },
  { weight: 2, arbitrary: some.map((one) => named(`stop ${one}`, (world) => world.stop(one))) },
  { weight: 2, arbitrary: hall.map((one) => named(`book ${one}`, (world) => world.book(one))) },
  {
    weight: 5,
    arbitrary: fc
      .subarray([0, 1, 2, 3], { minLength: 1 })
      .map((some) => named(`commit ${some.join()}`, (world) => void world.history.commit(some))),
  },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom(1, 2, Infinity)
      .map((most) => named(`push ${most}`, (world) => world.side?.push(most))),
  },
  { weight: 6, arbitrary: fc.constant(named("hear", (world) => world.side?.hear())) },
  { weight: 6, arbitrary: fc.constant(named("deliver", (world) => world.side?.deliver())) },
  { weight: 4, arbitrary: fc.constant(named("answer", (world) => world.answer())) },
  { weight: 6, arbitrary: fc.constant(named("serve", (world) => world.serve())) },
  { weight: 2, arbitrary: fc.constant(named("lose", (world) => world.side?.socket.end())) },
  { weight: 1, arbitrary: fc.constant(named("garble", (world) => world.side?.garble())) },
  { weight: 2, arbitrary: refusal },
  {
    weight: 1,
    arbitrary: fc.constant(named("renew", (world) => void world.api.live.renewToken())),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(0, 5, 100, 1_000)
      .map((ms) => named(`pass ${ms}`, (world) => world.pass(ms))),
  },
);

void test("what is shown is of one moment, goes forward, and comes to the newest", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const world = new World(context);
      world.follow(0);
      world.follow(1);
      await world.pass(0);
      for (const step of steps) {
        await step(world);
        await settled();
        world.check();
      }
      await world.end();
    }),
    { numRuns: 200 },
  );
});
