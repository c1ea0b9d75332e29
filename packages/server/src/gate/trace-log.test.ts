import assert from "node:assert/strict";
import { test } from "node:test";
import { openGateHarness } from "./gate-harness.case.ts";
import { openTraceLog, type Trace } from "./trace-log.ts";
import { startWork } from "./work.ts";
import { plantStudio, studioFiles } from "./studio.case.ts";

function trace(requestId: string, over: Partial<Trace> = {}): Trace {
  return {
    requestId,
    cause: "GET /api/tables/film",
    operation: "film.list",
    caller: null,
    role: null,
    startedAtMs: 0,
    wallUs: 100,
    code: null,
    error: null,
    seq: 1,
    repeated: false,
    bytesOut: 10,
    work: startWork(),
    ...over,
  };
}

test("the newest traces are kept, failed ones longer than a flood of good ones", () => {
  const log = openTraceLog({ keepMax: 3 });
  log.record(trace("bad", { code: "NOT_FOUND" }));
  for (let n = 0; n < 10; n++) log.record(trace(`good ${n}`));
  assert.deepEqual(
    log.recent(5).map((one) => one.requestId),
    ["good 9", "good 8", "good 7"],
  );
  assert.equal(log.find("good 3"), null);
  assert.equal(log.find("good 8")?.requestId, "good 8");
  assert.equal(log.find("bad")?.code, "NOT_FOUND");
});

test("meters add up by operation, with refusals by code and times in buckets", () => {
  const log = openTraceLog({ keepMax: 3 });
  const work = { ...startWork(), rowsRead: 5, rowsWritten: 1, cpuUs: 7, systemCalls: 2 };
  log.record(trace("1", { work, wallUs: 0 }));
  log.record(trace("2", { work, wallUs: 1_000 }));
  log.record(trace("3", { code: "RULE_DENIED", wallUs: 1e12 }));
  const usage = log.meter.usage().get("film.list");
  assert.ok(usage !== undefined);
  const { wall, codes, ...sums } = usage;
  assert.deepEqual(sums, {
    requests: 3,
    wallUs: 1e12 + 1_000,
    cpuUs: 14,
    rowsRead: 10,
    rowsWritten: 2,
    systemCalls: 4,
    bytesOut: 30,
  });
  assert.deepEqual([...codes], [["RULE_DENIED", 1]]);
  assert.equal(wall[0], 1);
  assert.equal(wall[10], 1);
  assert.equal(wall[27], 1);
});

test("names that callers make up are one name in the meters", async () => {
  const harness = await openGateHarness({ files: studioFiles });
  for (let n = 0; n < 5; n++)
    await harness.ask(null, { kind: "list", table: `made up ${n}`, query: {} });
  await harness.ask(null, { kind: "call", name: "made.up", args: {} });
  assert.deepEqual([...harness.trace.meter.usage().keys()], ["unknown"]);
  await harness.close();
});

test("a trace tells who asked, which queries ran, and which rule denied; the caller is not told", async () => {
  const harness = await openGateHarness({ files: studioFiles });
  const { bob, id } = await plantStudio(harness);
  await harness.ask(bob, { kind: "list", table: "film", query: { where: { rating: { gt: 5 } } } });
  const listed = harness.lastTrace();
  assert.equal(listed.caller, id.bob);
  assert.equal(listed.operation, "film.list");
  const touches = [{ table: "film", field: "rating" }];
  assert.deepEqual(listed.work.queries, [
    { kind: "list", table: "film", touches, rows: 1, seen: "rule" },
  ]);
  const refused = await harness.ask(bob, {
    kind: "update",
    table: "film",
    id: id.open,
    value: { title: "x" },
  });
  assert.ok(!refused.text.includes("owner"));
  const [denial] = harness.lastTrace().work.denials ?? [];
  assert.equal(denial?.right, "update");
  assert.ok(JSON.stringify(denial?.explanation).includes("row.owner === me.id"));
  await harness.close();
});

test("in production denials are not explained and failures of the app keep to themselves", async () => {
  const harness = await openGateHarness({ files: studioFiles, development: false });
  const { bob, id } = await plantStudio(harness);
  await harness.ask(bob, { kind: "get", table: "film", id: id.draft, query: {} });
  assert.equal(harness.lastTrace().work.denials, null);
  await harness.ask(bob, { kind: "delete", table: "film", id: id.open });
  assert.equal(harness.lastTrace().work.denials?.[0]?.explanation, null);
  await harness.close();
});
