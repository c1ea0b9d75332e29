import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { openMailQueue } from "./mail-queue.ts";
import { openMailbox } from "./mailbox.ts";
import type { Letter } from "../mail-port.ts";
import type { MailMessage } from "./mail.ts";

/** A clock whose timers run when `pass` says so. */
function handClock() {
  const timers = new Set<{ atMs: number; run: () => void }>();
  let nowMs = 0;
  return {
    clock: {
      nowMs: () => nowMs,
      monotonicUs: () => nowMs * 1_000,
      after(delayMs: number, run: () => void) {
        const timer = { atMs: nowMs + delayMs, run };
        timers.add(timer);
        return () => void timers.delete(timer);
      },
    },
    pass(ms: number) {
      nowMs += ms;
      for (const timer of [...timers]) {
        if (timer.atMs > nowMs) continue;
        timers.delete(timer);
        timer.run();
      }
    },
    waiting: () => timers.size,
  };
}

const order: Letter = { to: "ada@example.com", template: "email-code", data: { code: "1" } };
const render = ({ to, template, data }: Letter): MailMessage => {
  if (!to.includes("@")) throw new TypeError("no address");
  return { to, template, subject: "s", text: String(data["code"]), html: "" };
};
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("a mail that can't be delivered is tried again, later each time, and then given up", async () => {
  const { clock, pass } = handClock();
  const told: unknown[] = [];
  const delayed: unknown[] = [];
  const triedAt: number[] = [];
  const queue = openMailQueue({
    clock,
    limits: { ...limits, mailTriesMax: 3, mailRetryMs: 100 },
    render,
    report: (error) => told.push(error),
    delayed: (error) => delayed.push(error),
    transport: {
      deliver: async () => {
        triedAt.push(clock.nowMs());
        throw new Error("refused");
      },
    },
  });
  queue.send(order);
  for (let step = 0; step < 10; step++) {
    await settled();
    pass(50);
  }
  await queue.idle();
  assert.deepEqual(triedAt, [0, 100, 300]);
  assert.equal(told.length, 1);
  assert.match(String(told[0]), /email-code was not delivered$/);
  assert.equal(delayed.length, 1);
  assert.match(String(delayed[0]), /email-code was not delivered yet, and is tried again/);
});

test("sending never waits and never throws, and no more than four travel at once", async () => {
  const { clock } = handClock();
  const told: unknown[] = [];
  const open: (() => void)[] = [];
  const queue = openMailQueue({
    clock,
    limits: { ...limits, mailQueueMax: 6 },
    render,
    report: (error) => told.push(error),
    transport: { deliver: () => new Promise((resolve) => open.push(resolve)) },
  });
  queue.send({ ...order, to: "nobody" });
  for (let count = 0; count < 8; count++) queue.send(order);
  assert.equal(open.length, 4);
  assert.deepEqual(
    told.map((error) => String(error)),
    [
      "TypeError: no address",
      "Error: 6 mails wait: email-code is dropped",
      "Error: 6 mails wait: email-code is dropped",
    ],
  );
  while (open.length > 0) {
    open.splice(0).forEach((done) => done());
    await settled();
  }
  await queue.idle();
});

test("a closed queue gives up what waits, and says so of what comes", async () => {
  const { clock, waiting } = handClock();
  const told: unknown[] = [];
  const transport = { deliver: () => Promise.reject(new Error("down")) };
  const queue = openMailQueue({
    clock,
    limits,
    render,
    transport,
    report: (error) => told.push(error),
  });
  queue.send(order);
  await settled();
  assert.equal(waiting(), 1);
  queue.close();
  await queue.idle();
  assert.equal(waiting(), 0);
  queue.send(order);
  assert.match(String(told.at(-1)), /came after the end/);
});

test("the mailbox keeps the newest first, and no more than it may", async () => {
  const box = openMailbox({ max: 2, nowMs: () => 5 });
  for (const code of ["1", "2", "3"]) await box.deliver(render({ ...order, data: { code } }));
  assert.deepEqual(
    box.list().map(({ number, text }) => [number, text]),
    [
      [3, "3"],
      [2, "2"],
    ],
  );
  assert.equal(box.find(1), null);
  assert.equal(box.find(3)?.atMs, 5);
});
