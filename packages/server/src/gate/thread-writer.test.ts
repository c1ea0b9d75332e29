import assert from "node:assert/strict";
import { test } from "node:test";
import { limits as defaultLimits, type Limits } from "../base/limits.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Commit } from "../store/store.ts";
import { anonymous, type Caller } from "./identity.ts";
import type { DirectJob, DirectWriter, JobEnd } from "./inline-writer.ts";
import { ThreadWriter } from "./thread-writer.ts";
import { startWork, type Work } from "./work.ts";
import { WriterDesk } from "./writer-desk.ts";
import type { WriteJob, WriteResult } from "./writer.ts";
import type { FromWriter, ToWriter } from "./writer-messages.ts";

const ann: Caller = { id: "user_ann", role: null, me: { id: "user_ann", role: null, team: "a" } };

function job(name: string, caller: Caller = anonymous): WriteJob {
  return {
    operation: { kind: "call", name, args: {} },
    caller,
    cause: name,
    requestId: name,
    atMs: 1,
    idempotency: null,
  };
}

/** A writer that ends jobs when told to. */
class HandWriter implements Pick<DirectWriter, "enqueue"> {
  readonly taken: DirectJob[] = [];

  enqueue(job: WriteJob, work: Work, end: JobEnd): void {
    if (job.cause === "refused") throw new PlatformError("OVERLOADED", { retryAfterSeconds: 1 });
    this.taken.push({ job, work, end });
  }
}

/** A door and a desk, with a channel of plain data between them. */
class Scene {
  readonly limits: Limits;
  readonly turns: (() => void)[] = [];
  readonly door: ThreadWriter;
  readonly desk = new WriterDesk({ lastSeq: () => 7 });
  readonly writer = new HandWriter();
  readonly toWriter: ToWriter[] = [];
  readonly toDoor: FromWriter[] = [];
  #receive: ((message: ToWriter) => void) | null = null;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.door = new ThreadWriter({ limits: this.limits, nextTurn: (run) => this.turns.push(run) });
    this.desk.use(this.writer);
  }

  link(): void {
    const { receive } = this.desk.open({
      post: (message) => {
        this.toDoor.push(message);
        const copy = structuredClone(message);
        if ("answers" in copy) this.door.receive(copy);
      },
    });
    this.#receive = receive;
    this.door.linked({
      post: (message) => {
        this.toWriter.push(message);
        this.#receive?.(structuredClone(message));
      },
    });
  }

  /** The door's turn ends. */
  turn(): void {
    for (const run of this.turns.splice(0)) run();
  }
}

test("jobs of one turn go in one message, and answers of one group come in one", async () => {
  const scene = new Scene();
  scene.link();
  const work = startWork();
  const first = scene.door.submit(job("a", ann), work);
  const second = scene.door.submit(job("b", ann), startWork());
  assert.equal(scene.toWriter.length, 0);
  scene.turn();
  assert.equal(scene.toWriter.length, 1);
  const [one, other] = scene.writer.taken;
  assert.ok(one !== undefined && other !== undefined);
  assert.deepEqual(one.job.caller, ann);
  assert.equal(one.job.caller, other.job.caller, "a caller is one object in the writer too");
  one.work.rowsWritten = 3;
  one.work.denials = [{ table: "t", right: "read", field: null, explanation: null }];
  one.end.resolve({ json: '{"é":1}', seq: 4, repeated: false });
  other.end.resolve({ json: "null", seq: 2, repeated: true });
  assert.equal(scene.toDoor.length, 0);
  scene.desk.groupEnded();
  assert.equal(scene.toDoor.length, 1);
  assert.deepEqual(await first, { json: '{"é":1}', seq: 4, repeated: false });
  assert.deepEqual(await second, { json: "null", seq: 2, repeated: true });
  assert.equal(work.rowsWritten, 3);
  assert.equal(work.denials?.length, 1);
  assert.equal(scene.door.waiting(), 0);
  assert.equal(scene.desk.answered(), 2);
});

test("a refusal crosses with its code, and what the job used comes with it", async () => {
  const scene = new Scene();
  scene.link();
  const work = startWork();
  const asked = scene.door.submit(job("a"), work);
  const refused = scene.door.submit(job("refused"), startWork());
  scene.turn();
  await assert.rejects(refused, { code: "OVERLOADED", details: { retryAfterSeconds: 1 } });
  const [one] = scene.writer.taken;
  assert.ok(one !== undefined);
  one.work.rowsRead = 2;
  one.end.reject(new PlatformError("UNIQUE_TAKEN", { field: "title" }));
  scene.desk.groupEnded();
  await assert.rejects(asked, { code: "UNIQUE_TAKEN", details: { field: "title" } });
  assert.equal(work.rowsRead, 2);
});

test("when the writer ends, what it had is answered honestly and what it had not waits for the next", async () => {
  const scene = new Scene();
  scene.link();
  const had = scene.door.submit(job("had", ann), startWork());
  scene.turn();
  const hadNot = scene.door.submit(job("had not", ann), startWork());
  scene.door.lost();
  await assert.rejects(had, {
    code: "STORE_FAILED",
    details: { retryAfterSeconds: 1, outcome: "unknown" },
  });
  const later = scene.door.submit(job("later", ann), startWork());
  scene.turn();
  assert.equal(scene.writer.taken.length, 1);
  scene.link();
  scene.turn();
  assert.deepEqual(
    scene.writer.taken.map(({ job }) => job.cause),
    ["had", "had not", "later"],
  );
  // An answer of the writer before, come late, is nobody's.
  for (const { end } of scene.writer.taken) end.resolve({ json: "1", seq: 1, repeated: false });
  scene.desk.groupEnded();
  assert.equal((await hadNot).json, "1");
  assert.equal((await later).json, "1");
});

test("jobs under way are bounded, and one caller's part of them", async () => {
  const scene = new Scene({ writeQueueMax: 16 });
  const accepted = Array.from({ length: 13 }, () => scene.door.submit(job("a", ann), startWork()));
  await assert.rejects(scene.door.submit(job("a", ann), startWork()), { code: "OVERLOADED" });
  const other = scene.door.submit(job("b"), startWork());
  assert.equal(scene.door.waiting(), 14);
  scene.door.retire();
  for (const one of [...accepted, other]) await assert.rejects(one, { code: "SHUTTING_DOWN" });
  assert.equal(scene.door.waiting(), 0);
});

test("draining ends with the last answer and takes no more", async () => {
  const scene = new Scene();
  scene.link();
  const asked = scene.door.submit(job("a"), startWork());
  scene.turn();
  const drained = scene.door.drain();
  await assert.rejects(scene.door.submit(job("b"), startWork()), { code: "SHUTTING_DOWN" });
  scene.writer.taken[0]?.end.resolve({ json: "1", seq: 1, repeated: false });
  scene.desk.groupEnded();
  await drained;
  assert.equal((await asked).seq, 1);
});

test("more callers than are remembered are numbered anew", async () => {
  const scene = new Scene({ rightsCacheMax: 2 });
  scene.link();
  const asked: Promise<WriteResult>[] = [];
  for (const name of ["a", "b", "c", "a"]) {
    const caller = { id: `user_${name}`, role: null, me: { id: `user_${name}`, role: null } };
    asked.push(scene.door.submit(job(name, caller), startWork()));
    scene.turn();
  }
  assert.deepEqual(
    scene.writer.taken.map(({ job }) => job.caller.id),
    ["user_a", "user_b", "user_c", "user_a"],
  );
  for (const { end } of scene.writer.taken) end.resolve({ json: "1", seq: 1, repeated: false });
  scene.desk.groupEnded();
  await Promise.all(asked);
});

test("commits are sent to doors that want them, before the answers of their group", () => {
  const scene = new Scene();
  scene.link();
  const commit: Commit = { seq: 8, atMs: 0, by: null, cause: "c", requestId: "r", changes: [] };
  scene.desk.publish([commit]);
  assert.equal(scene.toDoor.length, 0);
  const asked = scene.door.submit(job("a"), startWork());
  scene.turn();
  const wanting: FromWriter[] = [];
  const other = scene.desk.open({ post: (message) => wanting.push(message) });
  other.receive({ feed: true });
  scene.desk.publish([commit]);
  other.receive({ feed: false });
  scene.desk.publish([commit]);
  assert.deepEqual(wanting, [
    { commits: "[]", seq: 7 },
    { commits: JSON.stringify([commit]), seq: 8 },
  ]);
  scene.door.lost();
  return assert.rejects(asked);
});
