import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous } from "../gate/identity.ts";
import { startWork } from "../gate/work.ts";
import type { WriteJob } from "../gate/writer.ts";
import type { Row, WriteTx } from "../store/store.ts";
import { guardAttempts } from "./attempt-guard.ts";

const id = "work_job_1";
const info = { root: "r", chain: [], createdMs: 0 };
const row = (attempts: number, more: object = { startedMs: 1 }): Row => ({
  id,
  attempts,
  info: { ...info, ...more },
});

/** What a write gives when its job's row is this; "not asked": the row may not be looked at. */
function written(found: Row | null | "not asked", write: Partial<WriteJob>): unknown {
  const tx = {
    get() {
      assert.notEqual(found, "not asked");
      return found;
    },
  } as unknown as WriteTx;
  const job: WriteJob = {
    operation: { kind: "procedure", name: "work.enqueue", input: null },
    caller: anonymous,
    cause: "a test",
    requestId: "r",
    atMs: 0,
    idempotency: null,
    ...write,
  };
  return guardAttempts(() => "written")(job, tx, startWork());
}

const second = { job: { id, token: id, attempt: 2 } };

test("a write of the attempt under way is taken; one for no job is not looked at", () => {
  assert.equal(written(row(2), second), "written");
  assert.equal(written("not asked", {}), "written");
});

test("a write is refused when the job is gone, waits to be tried again, or is at another attempt", () => {
  for (const found of [null, row(2, {}), row(1), row(3)]) {
    assert.throws(() => written(found, second), { code: "FUNCTION_INTERRUPTED" });
  }
});

test("to say how far it is, is answered false then", () => {
  const operation = { kind: "procedure", name: "work.progress", input: { value: 1 } } as const;
  assert.equal(written(row(2), { ...second, operation }), "written");
  assert.equal(written(row(3), { ...second, operation }), "false");
});
