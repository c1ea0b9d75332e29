// The replay engine against a naive twin: random programs of steps, sleeps, branches that run at once, races and
// catches, told of random answers in random order, killed at every point and begun anew from what was recorded.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Json } from "../../base/json.ts";
import { PlatformError } from "../../base/platform-error.ts";
import { Replay, type Asked, type Delivery, type History } from "./replay.ts";

/** A workflow, as data. */
type Program =
  | { readonly do: "ask"; readonly name: string; readonly instant: boolean }
  | { readonly do: "seq"; readonly parts: readonly Program[] }
  | { readonly do: "all"; readonly parts: readonly Program[] }
  | { readonly do: "race"; readonly parts: readonly Program[] }
  | { readonly do: "attempt"; readonly part: Program };

const { program } = fc.letrec<{ program: Program }>((tie) => {
  const parts = fc.array(tie("program"), { minLength: 1, maxLength: 3 });
  return {
    program: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.record({
        do: fc.constant("ask" as const),
        name: fc.constantFrom("a", "b", "c"),
        instant: fc.boolean(),
      }),
      fc.record({ do: fc.constant("seq" as const), parts }),
      fc.record({ do: fc.constant("all" as const), parts }),
      fc.record({ do: fc.constant("race" as const), parts }),
      fc.record({ do: fc.constant("attempt" as const), part: tie("program") }),
    ),
  };
});

type Ask = (name: string, instant: boolean) => Promise<Json>;

async function run(program: Program, ask: Ask): Promise<Json> {
  switch (program.do) {
    case "ask":
      return ask(program.name, program.instant);
    case "seq": {
      const values: Json[] = [];
      for (const part of program.parts) values.push(await run(part, ask));
      return values;
    }
    case "all":
      return Promise.all(program.parts.map((part) => run(part, ask)));
    case "race":
      return Promise.race(program.parts.map((part) => run(part, ask)));
    case "attempt":
      try {
        return await run(program.part, ask);
      } catch (error) {
        return `caught ${(error as Error).message}`;
      }
    default:
      return program satisfies never;
  }
}

/** What is on disk. */
interface Recorded {
  commands: { readonly asked: Asked; readonly instant: boolean }[];
  deliveries: Delivery[];
  answered: Set<number>;
  seen: number | null;
  result: string | null;
}

const asAsked = (name: string): Asked => ({ kind: "step", name, hash: "0" });
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Waiter {
  readonly resolve: (value: Json) => void;
  readonly reject: (error: Error) => void;
}

function tell(waiters: Map<number, Waiter>, delivery: Delivery): void {
  if (delivery.kind === "interrupt") {
    for (const waiter of waiters.values()) waiter.reject(new Error(delivery.error.code));
    waiters.clear();
    return;
  }
  const waiter = waiters.get(delivery.seq);
  waiters.delete(delivery.seq);
  if (delivery.kind === "done") waiter?.resolve(delivery.value);
  else waiter?.reject(new Error(delivery.error.code));
}

const quiet = (promise: Promise<unknown>) => void promise.catch(() => undefined);
const shownEnd = (promise: Promise<Json>): Promise<string> =>
  promise.then(
    (value) => `done ${JSON.stringify(value)}`,
    (error: unknown) => `failed ${(error as Error).message}`,
  );

/** One tick: a replay from the start. What it makes is recorded at its end, all or nothing. @param isKilled it ends before. */
async function tick(program: Program, disk: Recorded, isKilled: boolean): Promise<void> {
  const instants: boolean[] = [];
  const fresh: Delivery[] = [];
  const history: History = {
    commands: disk.commands.map(({ asked }) => asked),
    deliveries: disk.deliveries,
    seen: disk.seen,
    fullAt: null,
  };
  const replay = new Replay(history, {
    commandsMax: 1_000,
    isFull: () => false,
    begin(seq) {
      if (instants[seq] !== true) return [];
      const delivery: Delivery = { kind: "done", seq, value: `now ${seq}`, atMs: 0 };
      fresh.push(delivery);
      return [delivery];
    },
  });
  const waiters = new Map<number, Waiter>();
  let result: string | null = null;
  const body = run(program, (name, instant) => {
    const promise = new Promise<Json>((resolve, reject) => {
      const seq = replay.ask(asAsked(name));
      instants[seq] = instant;
      waiters.set(seq, { resolve, reject });
    });
    quiet(promise);
    return promise;
  });
  void shownEnd(body).then((shown) => {
    result = shown;
    replay.end();
  });
  for (;;) {
    await settled();
    const delivery = await replay.next();
    if (delivery === null) break;
    tell(waiters, delivery);
  }
  replay.assertWhole();
  if (isKilled) return;
  disk.deliveries = [...disk.deliveries, ...fresh];
  disk.commands = replay.asked.map((asked, seq) => ({ asked, instant: instants[seq] === true }));
  for (const delivery of disk.deliveries) {
    if (delivery.kind !== "interrupt") disk.answered.add(delivery.seq);
    else disk.commands.forEach((_, seq) => replay.open.has(seq) || disk.answered.add(seq));
  }
  disk.seen = replay.given;
  disk.result = result;
}

/** The next answer from the world, by the numbers given: which of those that wait, and how it went. */
function answer(disk: Recorded, choice: number): boolean {
  const open = disk.commands.flatMap((_, seq) => (disk.answered.has(seq) ? [] : [seq]));
  if (open.length === 0) return false;
  if (choice % 11 === 0) {
    const error = { code: "CANCELLED", text: "", details: {} };
    disk.deliveries = [...disk.deliveries, { kind: "interrupt", error, atMs: 0 }];
    for (const seq of open) disk.answered.add(seq);
    return true;
  }
  const seq = open[choice % open.length] as number;
  const error = { code: `E${seq}`, text: "", details: {} };
  const delivery: Delivery =
    choice % 5 === 0
      ? { kind: "failed", seq, error, atMs: 0 }
      : { kind: "done", seq, value: `later ${seq}`, atMs: 0 };
  disk.answered.add(seq);
  disk.deliveries = [...disk.deliveries, delivery];
  return true;
}

/** The same, with no replay: the function is held in memory and told of the same answers in the same order. */
async function twin(program: Program, deliveries: readonly Delivery[]): Promise<string | null> {
  const waiters = new Map<number, Waiter>();
  let count = 0;
  let result: string | null = null;
  const body = run(program, () => {
    const promise = new Promise<Json>((resolve, reject) => {
      waiters.set(count++, { resolve, reject });
    });
    quiet(promise);
    return promise;
  });
  void shownEnd(body).then((shown) => {
    result = shown;
  });
  await settled();
  for (const delivery of deliveries) {
    if (result !== null) break;
    tell(waiters, delivery);
    await settled();
  }
  return result;
}

const nothing = (): Recorded => ({
  commands: [],
  deliveries: [],
  answered: new Set(),
  seen: null,
  result: null,
});

test("a program replayed from any point ends as one that was never interrupted", async () => {
  await fc.assert(
    fc.asyncProperty(
      program,
      fc.array(fc.nat({ max: 1_000 }), { maxLength: 20 }),
      fc.array(fc.boolean(), { maxLength: 40 }),
      async (program, choices, kills) => {
        const disk = nothing();
        let at = 0;
        const tickOnce = async () => {
          // Killed as often as the kills say, at each point; then it comes through.
          while (kills[at++] === true) await tick(program, disk, true);
          await tick(program, disk, false);
        };
        await tickOnce();
        for (const choice of choices) {
          if (disk.result !== null || !answer(disk, choice)) break;
          // Two answers may come before the next tick.
          if (choice % 3 === 0) answer(disk, choice + 1);
          await tickOnce();
        }
        assert.equal(disk.result, await twin(program, disk.deliveries));
      },
    ),
    { numRuns: 300 },
  );
});

test("another program than the one that was begun is found out, or does the same", async () => {
  await fc.assert(
    fc.asyncProperty(
      program,
      program,
      fc.array(fc.nat(), { maxLength: 6 }),
      async (one, other, choices) => {
        const disk = nothing();
        await tick(one, disk, false);
        for (const choice of choices) {
          if (disk.result !== null || !answer(disk, choice)) break;
          await tick(one, disk, false);
        }
        if (disk.result !== null) return;
        const before = structuredClone({ ...disk, answered: [...disk.answered] });
        const names = disk.commands.map(({ asked }) => asked.name);
        const instants = disk.commands.map(({ instant }) => instant);
        try {
          await tick(other, disk, false);
        } catch (error) {
          assert.ok(error instanceof PlatformError);
          assert.equal(error.code, "WORKFLOW_NOT_DETERMINISTIC");
          assert.deepEqual({ ...disk, answered: [...disk.answered] }, before);
          return;
        }
        assert.deepEqual(
          disk.commands.slice(0, names.length).map(({ asked }) => asked.name),
          names,
        );
        if (disk.commands.length > names.length) {
          // It went further only where it was told something new, by an answer that is there at once.
          assert.ok(instants.length < disk.commands.length);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("a run that asks for more than it may is refused, and may still undo what it did", () => {
  const history: History = { commands: [], deliveries: [], seen: null, fullAt: null };
  const replay = new Replay(history, { commandsMax: 2, isFull: () => false, begin: () => [] });
  replay.ask(asAsked("a"));
  replay.ask(asAsked("b"));
  assert.throws(() => replay.ask(asAsked("c")), { code: "WORKFLOW_TOO_LONG" });
  replay.ask(asAsked("c"), true);
  replay.ask(asAsked("d"), true);
  assert.throws(() => replay.ask(asAsked("e"), true), { code: "WORKFLOW_TOO_LONG" });
});

test("what differs is named", () => {
  const history: History = { commands: [asAsked("charge")], deliveries: [], seen: 0, fullAt: null };
  const replay = new Replay(history, { commandsMax: 10, isFull: () => false, begin: () => [] });
  assert.throws(
    () => replay.ask(asAsked("refund")),
    (error) => {
      assert.ok(error instanceof PlatformError);
      assert.equal(error.code, "WORKFLOW_NOT_DETERMINISTIC");
      assert.deepEqual(error.details, {
        step: 0,
        recorded: "step charge (arguments 0)",
        asked: "step refund (arguments 0)",
      });
      return true;
    },
  );
});
