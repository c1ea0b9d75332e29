// The order of the stages, and that there is one way only.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../store/store.ts";
import { openGateHarness, type HarnessOptions, type GateHarness } from "./gate-harness.case.ts";
import type { GateOperation, GateRequest } from "./gate-request.ts";
import { plantStudio, studioFiles, type Studio } from "./studio.case.ts";

const list: GateOperation = { kind: "list", table: "film", query: {} };

async function withStudio(
  options: Partial<HarnessOptions>,
  body: (harness: GateHarness, studio: Studio) => Promise<void>,
): Promise<void> {
  const harness = await openGateHarness({ files: studioFiles, ...options });
  try {
    await body(harness, await plantStudio(harness));
  } finally {
    await harness.close();
  }
}

function request(operation: GateOperation, over: Partial<GateRequest> = {}): GateRequest {
  return {
    operation,
    authorization: null,
    cookie: null,
    idempotencyKey: null,
    address: "192.0.2.1",
    requestId: "req_1",
    cause: "test",
    ...over,
  };
}

async function codeOf(harness: GateHarness, asked: GateRequest): Promise<unknown> {
  try {
    await harness.gate.handle(asked);
    return null;
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

test("a read on the embedded engine is answered at once, not in a promise", () =>
  withStudio({}, async (harness) => {
    const { gate } = harness;
    assert.ok(!(gate.handle(request(list)) instanceof Promise));
    const nothing: GateOperation = { kind: "get", table: "film", id: "x", query: {} };
    assert.throws(() => gate.handle(request(nothing)), { code: "NOT_FOUND" });
  }));

test("stages refuse in their order", () =>
  withStudio({ limits: { anonymousPerMinuteMax: 60 } }, async (harness) => {
    const everythingWrong = request(
      { kind: "batch", steps: [{ kind: "create", table: "film", value: 7 }] },
      { authorization: "nonsense", idempotencyKey: "" },
    );
    assert.equal(await codeOf(harness, everythingWrong), "TOKEN_INVALID");
    // Without a token: validation comes before authorisation, and that before the key.
    const anonymous = { ...everythingWrong, authorization: null };
    assert.equal(await codeOf(harness, anonymous), "VALUE_INVALID");
    const denied: GateOperation = { kind: "call", name: "studio.add", args: { value: {} } };
    assert.equal(await codeOf(harness, { ...anonymous, operation: denied }), "SIGN_IN_REQUIRED");
    // The limit comes before all that looks at the request.
    for (let times = 0; times < 60; times++) await harness.ask(null, list);
    assert.equal(await codeOf(harness, anonymous), "RATE_LIMITED");
    const refused = await harness.ask(null, list);
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.error?.details["retryAfterSeconds"]) >= 1);
    // An address that used up its share does not hold up who is signed in.
    assert.equal((await harness.ask({ id: "user_x" }, list)).code, null);
  }));

test("an address with many bad tokens waits; others and good requests do not", () =>
  withStudio({ limits: { badTokensPerMinuteMax: 3 } }, async (harness) => {
    const bad = request(list, { authorization: "nonsense" });
    for (let times = 0; times < 3; times++)
      assert.equal(await codeOf(harness, bad), "TOKEN_INVALID");
    assert.equal(await codeOf(harness, bad), "RATE_LIMITED");
    assert.equal(await codeOf(harness, { ...bad, address: "192.0.2.2" }), "TOKEN_INVALID");
    assert.equal(await codeOf(harness, request(list)), null);
    harness.clock.ms += 60_000;
    assert.equal(await codeOf(harness, bad), "TOKEN_INVALID");
  }));

test("answers tell what is left of the limit", () =>
  withStudio({}, async (harness) => {
    const first = await harness.ask(null, list);
    const second = await harness.ask(null, list);
    assert.equal(first.answer?.limit?.policy, "address");
    const left = (outcome: typeof first) => outcome.answer?.limit?.remaining ?? -1;
    assert.equal(left(first) - left(second), 1);
  }));

test("a bug is INTERNAL outside and whole in the trace", () => {
  const broken = (store: Store): Store =>
    new Proxy(store, {
      get(target, name) {
        if (name === "read")
          return () => {
            throw new TypeError("secret path /data/x");
          };
        const value = Reflect.get(target, name) as unknown;
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  return withStudio({ wrapStore: broken, development: false }, async (harness) => {
    const outcome = await harness.ask(null, list);
    assert.equal(outcome.code, "INTERNAL");
    assert.ok(!outcome.text.includes("secret"));
    assert.ok(harness.lastTrace().error instanceof TypeError);
    assert.equal(harness.lastTrace().code, "INTERNAL");
  });
});

test("names of prototypes are no tables and no functions", () =>
  withStudio({}, async (harness) => {
    for (const table of ["constructor", "__proto__", "toString", "hasOwnProperty", ""]) {
      assert.equal(
        (await harness.ask(null, { kind: "list", table, query: {} })).code,
        "TABLE_NOT_FOUND",
      );
      const call: GateOperation = { kind: "call", name: table, args: {} };
      assert.equal((await harness.ask(null, call)).code, "FUNCTION_NOT_FOUND");
      const http: GateOperation = {
        kind: "http",
        name: table,
        params: {},
        request: { method: "GET", url: "http://x/", headers: [], body: null },
      };
      assert.equal((await harness.ask(null, http)).code, "FUNCTION_NOT_FOUND");
    }
  }));

test("ids that are nonsense are rows that do not exist", () =>
  withStudio({}, async (harness, { staff, id }) => {
    for (const wrong of [
      "",
      "x",
      id.ann,
      `${id.open}x`,
      "film_' OR 1=1 --",
      "film_\u0000",
      "x".repeat(10_000),
    ]) {
      const get: GateOperation = { kind: "get", table: "film", id: wrong, query: {} };
      assert.equal((await harness.ask(staff, get)).code, "NOT_FOUND", wrong.slice(0, 30));
      const remove: GateOperation = { kind: "delete", table: "film", id: wrong };
      assert.equal((await harness.ask(staff, remove)).code, "NOT_FOUND", wrong.slice(0, 30));
    }
  }));
