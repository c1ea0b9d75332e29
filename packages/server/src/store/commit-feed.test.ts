import assert from "node:assert/strict";
import { test } from "node:test";
import { openCommitRelay } from "./commit-feed.ts";
import type { Commit } from "./store.ts";

function commit(seq: number): Commit {
  return { seq, atMs: 0, by: null, cause: "test", requestId: "r", changes: [] };
}

const seqsOf = (commits: readonly Commit[]) => commits.map(({ seq }) => seq);

function openFeed(
  log: readonly Commit[],
  options: { readonly isLate?: boolean; readonly fails?: boolean } = {},
) {
  const reported: unknown[] = [];
  const feed = openCommitRelay({
    lastSeq: () => 10,
    commitsAfter(seq, limit) {
      if (options.fails === true) throw new Error("no log");
      const found = log.filter((one) => one.seq > seq).slice(0, limit);
      return options.isLate === true ? Promise.resolve(found) : found;
    },
    report: (error) => reported.push(error),
  });
  const told: number[][] = [];
  const end = feed.subscribe((commits) => told.push([...seqsOf(commits)]));
  return { feed, told, end, reported };
}

test("a listener is told of each group once, until it ends", () => {
  const { feed, told, end } = openFeed([]);
  feed.publish([commit(11), commit(12)]);
  feed.publish([commit(12), commit(13)]);
  end();
  feed.publish([commit(14)]);
  assert.deepEqual(told, [[11, 12], [13]]);
  assert.equal(feed.seq, 14);
});

test("commits whose message was lost are read from the log, in order", () => {
  const log = Array.from({ length: 20 }, (_, at) => commit(at + 1));
  const { feed, told } = openFeed(log);
  feed.publish([commit(15)]);
  assert.deepEqual(told.flat(), [11, 12, 13, 14, 15, 16, 17, 18, 19, 20]);
  feed.publish([commit(16), commit(21)]);
  assert.deepEqual(told.flat().slice(-1), [21]);
});

test("more lost commits than are read at once come in parts", () => {
  const log = Array.from({ length: 2_500 }, (_, at) => commit(at + 1));
  const { feed, told } = openFeed(log);
  feed.publish([commit(2_500)]);
  assert.deepEqual(
    told.flat(),
    log.slice(10).map(({ seq }) => seq),
  );
});

test("groups that come while the log is read wait for it", async () => {
  const { feed, told } = openFeed([commit(11), commit(12)], { isLate: true });
  feed.publish([commit(13)]);
  feed.publish([commit(14)]);
  assert.deepEqual(told, []);
  await Promise.resolve();
  await Promise.resolve();
  assert.deepEqual(told.flat(), [11, 12, 13, 14]);
});

test("a log that can't be read is reported, and what is known is told", () => {
  const { feed, told, reported } = openFeed([], { fails: true });
  feed.publish([commit(13)]);
  assert.deepEqual(told, [[13]]);
  assert.equal(reported.length, 1);
});

test("a listener that fails is reported and does not keep the others from being told", () => {
  const { feed, told, reported } = openFeed([]);
  feed.subscribe(() => {
    throw new Error("a listener's mistake");
  });
  const others: number[][] = [];
  feed.subscribe((commits) => others.push([...seqsOf(commits)]));
  feed.publish([commit(11)]);
  assert.deepEqual(told, [[11]]);
  assert.deepEqual(others, [[11]]);
  assert.equal(reported.length, 1);
});

test("a source elsewhere is asked to send while anybody listens, and what passed meanwhile is not lost", () => {
  const log = Array.from({ length: 30 }, (_, at) => commit(at + 1));
  let newest = 10;
  const wanted: boolean[] = [];
  const feed = openCommitRelay({
    lastSeq: () => newest,
    commitsAfter: (seq, limit) =>
      log.filter((one) => one.seq > seq && one.seq <= newest).slice(0, limit),
    wanted: (isWanted) => wanted.push(isWanted),
    report: () => assert.fail("nothing fails"),
  });
  newest = 20;
  const told: number[] = [];
  const end = feed.subscribe((commits) => told.push(...seqsOf(commits)));
  const endOther = feed.subscribe(() => {});
  newest = 25;
  // The source's answer to being wanted: nothing new of its own, but its newest number.
  feed.publish([], 25);
  assert.deepEqual(told, [21, 22, 23, 24, 25]);
  feed.publish([], 25);
  end();
  assert.deepEqual(wanted, [true]);
  endOther();
  assert.deepEqual(wanted, [true, false]);
  assert.equal(told.length, 5);
});
