import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { openGateHarness, type GateHarness } from "./gate-harness.case.ts";
import { anonymous } from "./identity.ts";
import { openOperator, type Operator, type OperatorOrder } from "./operator.ts";
import { startWork } from "./work.ts";

const schema = `
  import { define, table, t } from "keelson";
  export const { app, rules } = define({
    note: table({ title: t.text({ min: 3 }), secret: t.text().private().optional() })
      .check(({ next }) => next.title !== "bad"),
    open: table({ title: t.text() }),
  });
`;
const rules = `
  import { rules } from "./schema.ts";
  export default rules({ open: { read: () => true, create: () => true } });
`;
const app = `
  import { app } from "./schema.ts";
  import rules from "./rules.ts";
  export default app({ rules });
`;

let harness: GateHarness;
let operator: Operator;

before(async () => {
  harness = await openGateHarness({
    files: { "schema.ts": schema, "rules.ts": rules, "app.ts": app },
  });
  const { manifest, store, writer, clock, limits } = harness;
  operator = openOperator({
    manifest,
    store,
    writer,
    clock,
    limits,
    random: { bytes: (count) => new Uint8Array(count) },
    isolates: { call: () => assert.fail("no function is called") },
    development: true,
  });
});

after(() => harness.close());

function order(more: Partial<OperatorOrder> = {}): OperatorOrder {
  return {
    caller: anonymous,
    authority: "system",
    asksAllow: false,
    idempotencyKey: null,
    cause: "test",
    work: startWork(),
    ...more,
  };
}

async function codeOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "done";
  } catch (error) {
    return error instanceof PlatformError ? error.code : String(error);
  }
}

const id = "note_01m7xxdxaqebp97vy695b83fh8";

test("the operator writes a row with its own id and private fields into a table without rules", async () => {
  const value = { id, title: "First", secret: "hidden" };
  const { json } = await operator.execute({ kind: "create", table: "note", value }, order());
  assert.deepEqual(JSON.parse(json), value);
  const asked = await harness.ask({ id: "user_1" }, { kind: "create", table: "note", value });
  assert.equal(asked.code, "TABLE_NOT_FOUND");
});

test("nobody else gives ids, and checks, values and constraints hold for the operator too", async () => {
  const open = {
    kind: "create",
    table: "open",
    value: { id: "open_01m7xxdxaqebp97vy695b83fh8", title: "x" },
  } as const;
  assert.equal((await harness.ask(null, open)).code, "FIELD_IMMUTABLE");
  const create = (value: object) =>
    codeOf(() =>
      operator.execute({ kind: "create", table: "note", value: value as never }, order()),
    );
  assert.equal(await create({ title: "bad" }), "CHECK_FAILED");
  assert.equal(await create({ title: "x" }), "VALUE_INVALID");
  assert.equal(
    await create({ title: "Fine", id: "film_01m7xxdxaqebp97vy695b83fh8" }),
    "VALUE_INVALID",
  );
  assert.equal(await create({ title: "Again", id }), "UNIQUE_TAKEN");
});

test("a key of the operator brings back the first answer, and is nobody else's key", async () => {
  const create = { kind: "create", table: "open", value: { title: "once" } } as const;
  const first = await operator.execute(create, order({ idempotencyKey: "k" }));
  const second = await operator.execute(create, order({ idempotencyKey: "k" }));
  assert.deepEqual([first.repeated, second.repeated], [false, true]);
  assert.equal(second.json, first.json);
  const outside = await harness.ask(null, create, { key: "k" });
  assert.equal(outside.answer?.repeated, false);
});

test("with a caller's authority the caller's rules hold", async () => {
  const read = () =>
    codeOf(() =>
      operator.execute({ kind: "list", table: "note", query: {} }, order({ authority: "caller" })),
    );
  assert.equal(await read(), "RULE_DENIED");
});
