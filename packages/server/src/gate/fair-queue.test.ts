import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { CallerShares } from "./caller-shares.ts";
import { FairQueue } from "./fair-queue.ts";

function take<T>(queue: FairQueue<T>, max: number): T[] {
  const taken: T[] = [];
  while (taken.length < max && queue.size > 0) taken.push(queue.next());
  return taken;
}

test("callers take turns, each in its own order", () => {
  const queue = new FairQueue<string>();
  for (const item of ["a1", "a2", "a3", "a4", "b1", "c1", "c2"]) queue.push(item.slice(0, 1), item);
  assert.deepEqual(take(queue, 5), ["a1", "b1", "c1", "a2", "c2"]);
  queue.push("b", "b2");
  assert.deepEqual(take(queue, 9), ["a3", "b2", "a4"]);
  assert.equal(queue.size, 0);
});

test("nothing is lost or taken twice, and no caller waits for more than one item of each other", () => {
  const step = fc.oneof(
    fc.record({ push: fc.constantFrom("a", "b", "c", "d") }),
    fc.record({ take: fc.integer({ min: 1, max: 6 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new FairQueue<{ readonly caller: string; readonly n: number }>();
      const waiting: Record<string, number[]> = { a: [], b: [], c: [], d: [] };
      const passedBy: Record<string, string[]> = { a: [], b: [], c: [], d: [] };
      let n = 0;
      for (const one of steps) {
        if ("push" in one) {
          queue.push(one.push, { caller: one.push, n });
          (waiting[one.push] as number[]).push(n++);
          continue;
        }
        const before = queue.size;
        const taken = take(queue, one.take);
        assert.equal(taken.length, Math.min(one.take, before));
        for (const { caller, n } of taken) {
          assert.equal((waiting[caller] as number[]).shift(), n);
          passedBy[caller] = [];
          for (const other of Object.keys(waiting)) {
            if (other === caller || (waiting[other] as number[]).length === 0) continue;
            const passed = passedBy[other] as string[];
            passed.push(caller);
            assert.ok(passed.filter((name) => name === caller).length <= 2, `${other} starves`);
          }
        }
      }
      const left = Object.values(waiting).reduce((sum, list) => sum + list.length, 0);
      assert.equal(queue.size, left);
    }),
  );
});

test("a flooding caller leaves room for others, and several share what there is", () => {
  const shares = new CallerShares(100);
  let flood = 0;
  while (shares.take("flood")) flood++;
  assert.equal(flood, 80);
  let second = 0;
  while (shares.take("second")) second++;
  assert.equal(second, 16);
  assert.ok(shares.take("normal"), "somebody who has nothing in the queue gets in");
  shares.giveBack("normal");
  for (let index = 0; index < flood; index++) shares.giveBack("flood");
  assert.equal(shares.total, second);
  assert.throws(() => shares.giveBack("flood"));
});

test("a full queue takes nothing", () => {
  const shares = new CallerShares(3);
  for (const name of ["a", "b", "c"]) assert.ok(shares.take(name));
  assert.equal(shares.take("d"), false);
});
