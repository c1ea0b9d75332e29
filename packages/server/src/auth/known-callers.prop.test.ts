// Whatever is written and asked in whatever order, nobody is handed out who stands on rows that changed.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { commitMarkMemory, openCommitMark } from "../store/commit-mark.ts";
import type { Commit } from "../store/store.ts";
import { KnownCallers, type Knowable } from "./known-callers.ts";

const ids = Array.from({ length: 6 }, (_, index) => `auth_session_${"0".repeat(25)}${index}`);

/** What a caller was made of: the version of each row at that time. */
interface Seen extends Knowable {
  readonly versions: readonly number[];
}

type Step =
  | { readonly kind: "change"; readonly rows: readonly number[] }
  | { readonly kind: "ask"; readonly who: number }
  | { readonly kind: "wait"; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant("change" as const),
    rows: fc.array(fc.nat(ids.length - 1), { maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant("ask" as const), who: fc.nat(9) }),
  fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(70_000) }),
);

test("a caller that is handed out stands on rows as they are now, on every thread", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const memory = commitMarkMemory();
      const writer = openCommitMark(memory);
      // Two threads: each has a cache of its own over the same memory.
      const threads = [0, 1].map(() => new KnownCallers<Seen>(openCommitMark(memory), 4));
      const versions = ids.map(() => 0);
      let nowMs = 0;
      let hits = 0;
      for (const [index, step] of steps.entries()) {
        if (step.kind === "wait") nowMs += step.ms;
        if (step.kind === "change") {
          const changes = step.rows.map((row) => ({ id: ids[row], table: "authSession" }));
          writer.begin([{ changes } as unknown as Commit]);
          for (const row of step.rows) versions[row] = (versions[row] ?? 0) + 1;
          writer.end();
        }
        if (step.kind !== "ask") continue;
        const rows = [step.who % ids.length, (step.who * 7 + 3) % ids.length];
        const callers = threads[index % 2] as KnownCallers<Seen>;
        const now = rows.map((row) => versions[row] ?? 0);
        const known = callers.get(`c${step.who}`, nowMs);
        if (known !== null) {
          hits += 1;
          assert.deepEqual(known.versions, now);
          assert.ok(nowMs < known.expiresMs);
          continue;
        }
        const read = { mark: callers.mark(), nowMs };
        const made = {
          versions: now,
          rows: rows.map((row) => ids[row] ?? ""),
          expiresMs: nowMs + 90_000,
        };
        callers.put(`c${step.who}`, made, read);
        assert.ok(callers.size <= 4);
      }
      return hits >= 0;
    }),
    { numRuns: 300 },
  );
});

test("a caller is remembered while nothing of theirs changes, and not while a group is being written", () => {
  const memory = commitMarkMemory();
  const writer = openCommitMark(memory);
  const callers = new KnownCallers<Seen>(openCommitMark(memory), 10);
  const made = { versions: [0], rows: [ids[0] ?? ""], expiresMs: 1_000 };
  callers.put("a", made, { mark: callers.mark(), nowMs: 0 });
  writer.begin([{ changes: [{ id: ids[3], table: "authSession" }] } as unknown as Commit]);
  writer.end();
  assert.equal(callers.get("a", 1), made, "others' rows are nothing to it");
  writer.begin([{ changes: [{ id: ids[0], table: "authSession" }] } as unknown as Commit]);
  assert.equal(callers.get("a", 2), null);
  callers.put("a", made, { mark: callers.mark(), nowMs: 2 });
  writer.end();
  assert.equal(callers.get("a", 3), null, "it was read while the group was under way");
  assert.equal(callers.before("a"), made, "but that it was genuine is known");
});

test("credentials that end alike are not taken for each other", () => {
  const callers = new KnownCallers<Seen>(openCommitMark(commitMarkMemory()), 10);
  const made = (row: number) => ({ versions: [row], rows: [ids[row] ?? ""], expiresMs: 1_000 });
  const end = "the same sixteen characters and more";
  const [one, other] = [made(0), made(1)];
  callers.put(`one ${end}`, one, { mark: callers.mark(), nowMs: 0 });
  assert.equal(callers.get(`other ${end}`, 1), null);
  callers.put(`other ${end}`, other, { mark: callers.mark(), nowMs: 0 });
  assert.equal(callers.get(`other ${end}`, 1), other);
  assert.equal(callers.get(`one ${end}`, 1), null, "one place, of the one that came last");
  callers.drop(`one ${end}`);
  assert.equal(callers.get(`other ${end}`, 1), other);
  assert.equal(callers.get("the end", 1), null);
});
