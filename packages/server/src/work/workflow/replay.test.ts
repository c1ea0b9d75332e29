// What a replay refuses, tells and begins: one case for each rule of the engine. Whole programs are in
// replay.prop.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../../base/platform-error.ts";
import { Replay, type Asked, type Delivery, type History } from "./replay.ts";

const asked = (name: string): Asked => ({ kind: "step", name, hash: "0" });
const done = (seq: number): Delivery => ({ kind: "done", seq, value: seq, atMs: 0 });
const error = { code: "WORKFLOW_CANCELLED", text: "", details: {} };
const interrupt: Delivery = { kind: "interrupt", error, atMs: 0 };

/** A replay, and what it began. */
function replayOf(
  names: readonly string[],
  more: Partial<History> & { readonly answers?: readonly Delivery[] } = {},
): { readonly replay: Replay; readonly begun: number[] } {
  const begun: number[] = [];
  const { answers = [], ...others } = more;
  const history = { commands: names.map(asked), deliveries: [], seen: 0, fullAt: null, ...others };
  const replay = new Replay(history, {
    commandsMax: 100,
    isFull: () => false,
    begin(seq) {
      begun.push(seq);
      return answers.filter((answer) => answer.kind !== "interrupt" && answer.seq === seq);
    },
  });
  return { replay, begun };
}

/** Fails unless it is found out, and names what was recorded and asked. */
function assertFoundOut(run: () => void, recorded: string | null, given: string | null): void {
  const shown = (name: string | null) => (name === null ? null : `step ${name} (arguments 0)`);
  assert.throws(run, (thrown) => {
    assert.ok(thrown instanceof PlatformError);
    assert.equal(thrown.code, "WORKFLOW_NOT_DETERMINISTIC");
    assert.equal(thrown.details["recorded"], shown(recorded));
    assert.equal(thrown.details["asked"], shown(given));
    return true;
  });
}

test("asking for more without having been told anything new is found out", () => {
  const { replay } = replayOf(["a"]);
  replay.ask(asked("a"));
  assertFoundOut(() => replay.ask(asked("b")), null, "b");
  // Whatever it asks for from then on.
  assertFoundOut(() => replay.ask(asked("c")), null, "b");
});

test("having been told something new, it may ask for more", async () => {
  const { replay } = replayOf(["a"], { deliveries: [done(0)] });
  replay.ask(asked("a"));
  assert.deepEqual(await replay.next(), done(0));
  assert.equal(replay.ask(asked("b")), 1);
});

test("asking for less is found out before anything is begun", async () => {
  const { replay, begun } = replayOf(["a", "b"]);
  replay.ask(asked("a"));
  assert.equal(await replay.next(), null);
  assert.deepEqual(begun, []);
  assertFoundOut(() => replay.assertWhole(), "b", null);
});

test("ending before all that it was through is found out", () => {
  const { replay } = replayOf(["a"]);
  replay.ask(asked("a"));
  replay.end();
  assertFoundOut(() => replay.assertWhole(), null, null);
});

test("ending without having asked for all that is recorded is found out", async () => {
  const { replay } = replayOf(["a", "b"], { deliveries: [done(0)] });
  replay.ask(asked("a"));
  assert.deepEqual(await replay.next(), done(0));
  replay.end();
  assertFoundOut(() => replay.assertWhole(), "b", null);
});

test("an answer to what was not asked for is found out", async () => {
  const { replay } = replayOf(["a"], { deliveries: [done(0)], seen: 1 });
  assert.equal(await replay.next(), null);
  assertFoundOut(() => replay.assertWhole(), "a", null);
});

test("an interrupt ends all that is waited for: nothing of it is begun", async () => {
  const { replay, begun } = replayOf([], { deliveries: [interrupt], seen: null });
  replay.ask(asked("a"));
  replay.ask(asked("b"));
  assert.deepEqual(await replay.next(), interrupt);
  assert.equal(await replay.next(), null);
  assert.deepEqual(begun, []);
  assert.deepEqual([...replay.open], []);
});

test("an interrupt leaves what undoes to wait, and a stop ends that too", async () => {
  const stop: Delivery = { ...interrupt, isStop: true };
  for (const [delivery, left] of [[interrupt, [1]] as const, [stop, []] as const]) {
    const { replay, begun } = replayOf([], { deliveries: [delivery], seen: null });
    replay.ask(asked("a"));
    replay.ask(asked("b"), true);
    assert.deepEqual(await replay.next(), delivery);
    assert.equal(await replay.next(), null);
    assert.deepEqual([begun, [...replay.open]], [left, left]);
  }
});

test("what waits is begun once, in the order of asking, and answers come in their own order", async () => {
  const { replay, begun } = replayOf([], { seen: null, answers: [done(1)] });
  for (const name of ["a", "b", "c"]) replay.ask(asked(name));
  assert.deepEqual(await replay.next(), done(1));
  assert.deepEqual(begun, [0, 1]);
  assert.equal(await replay.next(), null);
  assert.equal(await replay.next(), null);
  assert.deepEqual(begun, [0, 1, 2]);
  assert.deepEqual([...replay.open], [0, 2]);
});

test("when the function has ended, nothing more is begun", async () => {
  const { replay, begun } = replayOf([], { seen: null });
  replay.ask(asked("a"));
  replay.end();
  assert.equal(await replay.next(), null);
  assert.deepEqual(begun, []);
  replay.assertWhole();
});

test("what was refused for lack of room is refused at the same number again", () => {
  const { replay } = replayOf(["a", "undo"], { fullAt: 1 });
  replay.ask(asked("a"));
  assert.throws(() => replay.ask(asked("b")), { code: "WORKFLOW_TOO_LONG" });
  assert.equal(replay.ask(asked("undo"), true), 1);
});
