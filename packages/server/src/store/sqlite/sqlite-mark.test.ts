// Readers in threads of their own share a snapshot among the reads of one turn, as long as the mark says that
// it is the newest. Here the turns are ended by hand, and the writer is another connection.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { limits } from "../../base/limits.ts";
import { commitMarkMemory, openCommitMark, type CommitMark } from "../commit-mark.ts";
import type { CommitGroup, ReadTx } from "../store.ts";
import { tableModel } from "../store.fixture.ts";
import { openSqliteStore, type SqliteStore } from "./sqlite-store.ts";
import { tempFile } from "./temp-file.case.ts";

const tables = { note: tableModel("note", { text: { kind: "text", min: 0, max: 200 } }) };
const id = "note_01h455vb4pex5vsknk084sn02q";
const meta = { by: null, cause: "test", requestId: "r", atMs: 1, idempotency: null };

class Scene {
  readonly path = tempFile();
  readonly mark: CommitMark;
  readonly writer: SqliteStore;
  readonly reader: SqliteStore;
  #turns: (() => void)[] = [];
  #later: (() => void)[] = [];

  constructor() {
    const memory = commitMarkMemory();
    this.mark = openCommitMark(memory);
    const shared = { path: this.path, manifest: { tables }, limits };
    this.writer = openSqliteStore({ ...shared, mark: openCommitMark(memory) });
    this.reader = openSqliteStore({
      ...shared,
      readOnly: true,
      mark: this.mark,
      clock: {
        nowMs: () => 1,
        monotonicUs: () => 1,
        after: (_ms, run) => {
          this.#later.push(run);
          return () => {};
        },
      },
      nextTurn: (run) => this.#turns.push(run),
    });
    this.write("zero", true);
  }

  write(text: string, isFirst = false): void {
    const group = this.writer.openGroup();
    this.#change(group, text, isFirst);
    group.commit();
  }

  #change(group: CommitGroup, text: string, isFirst: boolean): void {
    const outcome = group.mutate(meta, (tx) => {
      if (isFirst) void tx.insert("note", { id, text });
      else void tx.update("note", id, { text });
      return "null";
    });
    assert.ok(!(outcome instanceof Promise) && outcome.kind === "done");
  }

  read(): string {
    return this.reader.read((tx) => textIn(tx)) as string;
  }

  /** The reader's turn ends. */
  turn(): void {
    for (const run of this.#turns.splice(0)) run();
  }

  get turnsAsked(): number {
    return this.#turns.length;
  }

  /** What waits for longer than a turn ends. @returns how many did. */
  pause(): number {
    const ending = this.#later.splice(0);
    for (const run of ending) run();
    return ending.length;
  }

  close(): void {
    this.reader.close();
    this.writer.close();
  }
}

function textIn(tx: ReadTx): string {
  return (tx.get("note", id, null) as { readonly text: string }).text;
}

test("what is committed is read at once, in the middle of a turn too", () => {
  const scene = new Scene();
  for (let round = 0; round < 50; round++) {
    assert.equal(scene.read(), round === 0 ? "zero" : `round ${round - 1}`);
    scene.write(`round ${round}`);
    assert.equal(scene.read(), `round ${round}`);
    if (round % 7 === 0) scene.turn();
  }
  scene.close();
});

test("while a group becomes visible no snapshot is shared", () => {
  const scene = new Scene();
  assert.equal(scene.read(), "zero");
  // A writer that has not said yet what it did: its commit may be visible or not.
  const silent = openSqliteStore({ path: scene.path, manifest: { tables }, limits });
  const change = { table: "note", id, before: null, after: null };
  const write = (text: string) => {
    const group = silent.openGroup();
    void group.mutate(meta, (tx) => {
      void tx.update("note", id, { text });
      return "null";
    });
    group.commit();
  };
  scene.mark.begin([
    { seq: 2, cause: "test", requestId: "r", atMs: 1, by: null, changes: [change] },
  ]);
  assert.equal(scene.read(), "zero");
  write("one");
  assert.equal(scene.read(), "one");
  write("two");
  assert.equal(scene.read(), "two");
  scene.mark.end();
  assert.equal(scene.read(), "two");
  silent.close();
  scene.close();
});

test("a mark left odd by a writer that ended is set right by the next", () => {
  const scene = new Scene();
  scene.mark.begin([]);
  assert.equal(scene.mark.current(), null);
  scene.writer.close();
  const memory = commitMarkMemory();
  const mark = openCommitMark(memory);
  mark.begin([]);
  const next = openSqliteStore({ path: scene.path, manifest: { tables }, limits, mark });
  assert.notEqual(mark.current(), null);
  next.close();
  scene.reader.close();
});

test("an idle reader does not keep the log from starting again", () => {
  const scene = new Scene();
  const other = new DatabaseSync(scene.path, { timeout: 0 });
  const isHeld = () => other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 1;
  assert.equal(scene.read(), "zero");
  assert.equal(scene.read(), "zero");
  assert.equal(scene.turnsAsked, 1, "the end of the turn is asked for once");
  scene.write("one");
  assert.equal(isHeld(), true);
  scene.turn();
  assert.equal(isHeld(), false);
  other.close();
  scene.close();
});

test("a read that outlives its turn keeps its snapshot, and ends it", async () => {
  const scene = new Scene();
  const gate = Promise.withResolvers<void>();
  const slow = scene.reader.read(async (tx) => {
    const before = textIn(tx);
    await gate.promise;
    return [before, textIn(tx)];
  });
  scene.turn();
  scene.write("one");
  assert.equal(scene.read(), "one");
  gate.resolve();
  assert.deepEqual(await slow, ["zero", "zero"]);
  scene.turn();
  scene.close();
});

test("where nothing is committed for a while a snapshot lasts for more than a turn, and no longer than a pause", () => {
  const scene = new Scene();
  const other = new DatabaseSync(scene.path, { timeout: 0 });
  const isHeld = () => other.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"] === 1;
  scene.read();
  scene.turn();
  scene.write("one");
  for (let turns = 0; scene.turnsAsked === 0 && turns < 100; turns++) {
    assert.equal(scene.read(), "one");
    scene.turn();
    if (scene.pause() > 0) break;
  }
  assert.equal(scene.read(), "one");
  assert.equal(scene.turnsAsked, 0, "it is calm: no turn ends it");
  scene.write("two");
  assert.equal(isHeld(), true);
  assert.equal(scene.read(), "two", "it is shared only while it is the newest");
  assert.equal(scene.pause(), 1);
  assert.equal(isHeld(), false);
  assert.equal(scene.read(), "two");
  assert.equal(scene.turnsAsked, 1, "after a commit a turn ends it again");
  scene.turn();
  assert.equal(isHeld(), false);
  other.close();
  scene.close();
});
