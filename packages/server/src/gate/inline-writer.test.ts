import assert from "node:assert/strict";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import type { CommitGroup, Store } from "../store/store.ts";
import {
  openGateHarness,
  type GateHarness,
  type HarnessOptions,
  type Outcome,
} from "./gate-harness.case.ts";
import type { GateOperation } from "./gate-request.ts";

const files = {
  "app.ts": `
import { define, table, t } from "keelson";
export const { app, rules } = define({
  seat: table({ name: t.text({ max: 20 }).unique(), taken: t.int().default(0), at: t.time().default("now") }),
});
const policy = rules({ seat: { read: () => true, write: () => true } });
export default app({ rules: policy });
`,
};

const seat = (name: string): GateOperation => ({ kind: "create", table: "seat", value: { name } });
const ann = { id: "user_ann" };
const bob = { id: "user_bob" };

/** Counts groups and can make their commits fail. */
class WatchedCommits {
  groups = 0;
  failing: PlatformError | null = null;

  wrap = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (name === "openGroup") return () => this.#group(target.openGroup() as CommitGroup);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });

  #group(group: CommitGroup): CommitGroup {
    this.groups++;
    return {
      mutate: (meta, body) => group.mutate(meta, body),
      abort: () => group.abort(),
      commit: () => {
        if (this.failing === null) return group.commit();
        group.abort();
        throw this.failing;
      },
    };
  }
}

async function withApp(
  options: Partial<HarnessOptions>,
  body: (harness: GateHarness) => Promise<void>,
): Promise<void> {
  const harness = await openGateHarness({ files, ...options });
  try {
    await body(harness);
  } finally {
    await harness.close();
  }
}

async function countSeats(harness: GateHarness): Promise<number> {
  const query = { aggregate: { n: "count" } };
  const answer = await harness.value(null, { kind: "list", table: "seat", query });
  return (answer as { rows: { n: number }[] }).rows[0]?.n ?? -1;
}

test("what arrives in one turn is one commit, a lone write is its own", async () => {
  const watched = new WatchedCommits();
  await withApp({ wrapStore: watched.wrap, limits: { groupMax: 256 } }, async (harness) => {
    await harness.ask(ann, seat("A1"));
    assert.equal(watched.groups, 1);
    const many = Array.from({ length: 300 }, (_, index) => harness.ask(ann, seat(`B${index}`)));
    const outcomes = await Promise.all(many);
    assert.ok(outcomes.every((outcome) => outcome.code === null));
    assert.equal(watched.groups, 3, "300 jobs are two groups of at most 256");
    const seqs = outcomes.map((outcome) => outcome.answer?.seq ?? -1);
    assert.deepEqual(
      seqs,
      seqs.toSorted((a, b) => a - b),
      "in the order of arrival",
    );
    assert.equal(new Set(seqs).size, 300);
  });
});

test("a refused write of a group changes nothing of the others", () =>
  withApp({}, async (harness) => {
    const names = ["A1", "A1", "A2", "A1", "A3"];
    const outcomes = await Promise.all(names.map((name) => harness.ask(ann, seat(name))));
    const codes = outcomes.map((outcome) => outcome.code);
    assert.deepEqual(codes, [null, "UNIQUE_TAKEN", null, "UNIQUE_TAKEN", null]);
    assert.equal(await countSeats(harness), 3);
  }));

test("when a commit fails nobody of the group is told anything else", async () => {
  const watched = new WatchedCommits();
  await withApp({ wrapStore: watched.wrap }, async (harness) => {
    watched.failing = new PlatformError("DISK_FULL");
    const outcomes = await Promise.all(
      ["A1", "A1", "A2"].map((name) => harness.ask(ann, seat(name), { key: name })),
    );
    assert.deepEqual(
      outcomes.map((outcome) => outcome.code),
      ["DISK_FULL", "DISK_FULL", "DISK_FULL"],
    );
    assert.equal(await countSeats(harness), 0);
    watched.failing = new PlatformError("INTERNAL");
    assert.equal((await harness.ask(ann, seat("A1"))).code, "STORE_FAILED");
    watched.failing = null;
    // The key was not remembered with a failure: the same request may pass now.
    const again = await harness.ask(ann, seat("A1"), { key: "A1" });
    assert.equal(again.code, null);
    assert.equal(again.answer?.repeated, false);
  });
});

test("a repeated key brings back the first answer, once committed, to its own caller", () =>
  withApp({}, async (harness) => {
    const first = await harness.ask(ann, seat("A1"), { key: "k1" });
    const again = await harness.ask(ann, seat("A1"), { key: "k1" });
    assert.equal(again.text, first.text);
    assert.equal(again.answer?.repeated, true);
    assert.equal(again.answer?.seq, first.answer?.seq);
    assert.equal(
      (await harness.ask(ann, seat("A2"), { key: "k1" })).code,
      "IDEMPOTENCY_KEY_REUSED",
    );
    assert.equal((await harness.ask(bob, seat("A2"), { key: "k1" })).code, null);
    assert.equal((await harness.ask(ann, seat("A1"), { key: "k2" })).code, "UNIQUE_TAKEN");
    assert.equal((await harness.ask(bob, seat("A3"), { key: "k2" })).code, null);
    assert.equal(await countSeats(harness), 3);
  }));

test("a refusal is not remembered under its key", () =>
  withApp({}, async (harness) => {
    const created = await harness.ask(ann, seat("A1"));
    assert.equal((await harness.ask(ann, seat("A1"), { key: "k" })).code, "UNIQUE_TAKEN");
    const { id } = JSON.parse(created.text) as { id: string };
    await harness.ask(ann, { kind: "delete", table: "seat", id });
    assert.equal((await harness.ask(ann, seat("A1"), { key: "k" })).code, null);
  }));

test("two requests with one key in one group happen once", () =>
  withApp({}, async (harness) => {
    const both = await Promise.all([1, 2].map(() => harness.ask(ann, seat("A1"), { key: "k" })));
    assert.deepEqual(
      both.map((outcome) => outcome.code),
      [null, null],
    );
    assert.equal(both[0]?.text, both[1]?.text);
    assert.equal(await countSeats(harness), 1);
  }));

test("a default that differs in a repeat does not make it another request", () =>
  withApp({}, async (harness) => {
    await harness.ask(ann, seat("A1"), { key: "k" });
    harness.clock.ms += 5_000;
    assert.equal((await harness.ask(ann, seat("A1"), { key: "k" })).answer?.repeated, true);
  }));

test("keys that are no keys are refused", () =>
  withApp({}, async (harness) => {
    for (const key of ["", " ", "a b", "ä", "x".repeat(256), "a\nb"]) {
      assert.equal(
        (await harness.ask(ann, seat("A1"), { key })).code,
        "IDEMPOTENCY_KEY_INVALID",
        key,
      );
    }
    assert.equal((await harness.ask(ann, seat("A1"), { key: "x".repeat(255) })).code, null);
    // A read needs no key and looks at none.
    const read: GateOperation = { kind: "list", table: "seat", query: {} };
    assert.equal((await harness.ask(ann, read, { key: "" })).code, null);
  }));

test("more jobs than may wait are refused with the time to come again", () =>
  withApp({ limits: { writeQueueMax: 16 } }, async (harness) => {
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, index) => harness.ask(ann, seat(`A${index}`))),
    );
    const refused = outcomes.filter((outcome) => outcome.code === "OVERLOADED");
    assert.equal(refused.length, 7, "one caller's part of 16 places is 13");
    assert.equal(refused[0]?.status, 503);
    assert.deepEqual(refused[0]?.error?.details, { retryAfterSeconds: 1 });
    assert.equal(await countSeats(harness), 13);
  }));

test("a caller who floods the queue neither shuts another out nor goes before him", () =>
  withApp({ limits: { writeQueueMax: 1_000, groupMax: 10 } }, async (harness) => {
    const flood = Array.from({ length: 2_000 }, (_, index) => harness.ask(ann, seat(`A${index}`)));
    const [first, last] = [harness.ask(bob, seat("B1")), harness.ask(bob, seat("B2"))];
    assert.equal(
      (await first).answer?.seq,
      2,
      "bob's first is in the first group, after one of ann's",
    );
    assert.equal((await last).answer?.seq, 4);
    const codes = (await Promise.all(flood)).map((outcome) => outcome.code);
    assert.equal(codes.filter((code) => code === null).length, 800);
    assert.equal(codes.filter((code) => code === "OVERLOADED").length, 1_200);
  }));

test("draining finishes what was accepted and refuses what comes after", () =>
  withApp({ limits: { groupMax: 10 } }, async (harness) => {
    const accepted = Array.from({ length: 35 }, (_, index) => harness.ask(ann, seat(`A${index}`)));
    const drained = harness.writer.drain();
    const late = harness.ask(ann, seat("late"));
    assert.equal((await late).code, "SHUTTING_DOWN");
    await drained;
    assert.equal(await countSeats(harness), 35);
    assert.ok((await Promise.all(accepted)).every((outcome) => outcome.code === null));
    await harness.writer.drain();
  }));

test("a slow group closes early, and who comes meanwhile has its turn in the next", async () => {
  const watched = new WatchedCommits();
  let harness: GateHarness | null = null;
  let late: Promise<Outcome> | null = null;
  const slow = (store: Store): Store =>
    new Proxy(watched.wrap(store), {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (name !== "openGroup") return typeof value === "function" ? value.bind(target) : value;
        return () => {
          const group = target.openGroup() as CommitGroup;
          const mutate: CommitGroup["mutate"] = (meta, body) => {
            if (harness !== null) {
              harness.clock.ms += 30;
              late ??= harness.ask(bob, seat("B1"));
            }
            return group.mutate(meta, body);
          };
          return { ...group, mutate };
        };
      },
    });
  harness = await openGateHarness({ files, wrapStore: slow });
  const opened = harness;
  const names = ["A1", "A2", "A3", "A4", "A5"];
  const outcomes = await Promise.all(names.map((name) => opened.ask(ann, seat(name))));
  assert.ok(outcomes.every((outcome) => outcome.code === null));
  assert.equal(watched.groups, 3, "two of 30 ms fit into 50 ms");
  const seqs = outcomes.map((outcome) => outcome.answer?.seq ?? -1);
  assert.deepEqual(seqs, [1, 2, 4, 5, 6]);
  assert.equal((await (late as Promise<Outcome> | null))?.answer?.seq, 3);
  await harness.close();
});

test("a store that opens no group fails who waits, and the next are served", async () => {
  let isBroken = true;
  const breaking = (store: Store): Store =>
    new Proxy(store, {
      get: (target, name) => {
        const value = Reflect.get(target, name) as unknown;
        if (name !== "openGroup" || !isBroken)
          return typeof value === "function" ? value.bind(target) : value;
        return () => {
          throw new PlatformError("STORE_FAILED");
        };
      },
    });
  const harness = await openGateHarness({ files, wrapStore: breaking });
  const codes = await Promise.all(
    ["A1", "A2"].map(async (name) => (await harness.ask(ann, seat(name))).code),
  );
  assert.deepEqual(codes, ["STORE_FAILED", "STORE_FAILED"]);
  isBroken = false;
  assert.equal((await harness.ask(ann, seat("A3"))).code, null);
  await harness.close();
});

test("a batch happens whole or not at all, and says which step failed", () =>
  withApp({}, async (harness) => {
    const list: GateOperation = { kind: "list", table: "seat", query: {} };
    const good = await harness.ask(ann, { kind: "batch", steps: [seat("A1"), list, seat("A2")] });
    const [first, page, second] = JSON.parse(good.text) as [
      { name: string },
      { rows: unknown[] },
      { name: string },
    ];
    assert.equal(first.name, "A1");
    assert.deepEqual(page.rows, [first], "a step sees the writes of those before it");
    assert.equal(second.name, "A2");
    const bad = await harness.ask(ann, {
      kind: "batch",
      steps: [seat("A3"), seat("A1"), seat("A4")],
    });
    assert.equal(bad.code, "UNIQUE_TAKEN");
    assert.equal(bad.error?.details["step"], 1);
    assert.equal(await countSeats(harness), 2);
    const invalid = await harness.ask(ann, {
      kind: "batch",
      steps: [seat("A3"), seat("x".repeat(21))],
    });
    assert.equal(invalid.code, "VALUE_INVALID");
    assert.equal(invalid.error?.details["step"], 1);
    const reads = await harness.ask(null, { kind: "batch", steps: [list, list] });
    assert.equal((JSON.parse(reads.text) as unknown[]).length, 2);
    for (const steps of [
      [],
      Array.from({ length: 101 }, () => list),
      [{ kind: "batch", steps: [list] } as const],
    ]) {
      assert.equal((await harness.ask(ann, { kind: "batch", steps })).code, "REQUEST_INVALID");
    }
  }));
