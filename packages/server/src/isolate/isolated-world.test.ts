import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import { PlatformError } from "../base/platform-error.ts";
import type { EgressRequest } from "./egress.ts";
import {
  actions,
  functionText,
  openTestApp,
  queries,
  type TestApp,
} from "./isolate-harness.case.ts";

describe("time and randomness in queries and mutations", () => {
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      queries({
        world: `const start = Date.now();
          for (let i = 0; i < 1000; i++) await null;
          const T = (globalThis as any).Temporal;
          return {
            stands: Date.now() === start && new Date().getTime() === start && performance.now() === 0,
            now: ctx.now, date: new Date().toISOString(), called: typeof Date() === "string",
            year: new Date(2020, 1, 3).getFullYear(), sub: new (class extends Date {})().getTime() === start,
            is: new Date() instanceof Date, name: Date.name, formatted: new Intl.DateTimeFormat("en", { timeZone: "UTC" }).format(),
            temporal: T === undefined ? 0 : T.Now.instant().epochMilliseconds,
            random: [Math.random(), Math.random()], uuid: crypto.randomUUID(),
            bytes: [...crypto.getRandomValues(new Uint8Array(20))], many: crypto.getRandomValues(new Uint32Array(3)).length,
          };`,
        random: "return Array.from({ length: args.n }, () => Math.random());",
        noTimeout: "setTimeout(() => {}, 1); return 1;",
        noFetch: 'await fetch("https://example.com"); return 1;',
        tooMany: "crypto.getRandomValues(new Uint8Array(65537));",
      }),
    );
  });
  after(() => app.close());
  const world = async (seed: string): Promise<Record<string, unknown>> => {
    const outcome = await app.app.call(app.input("world", {}, { seed }), () => "null");
    return JSON.parse(outcome.resultJson) as Record<string, unknown>;
  };

  test("the clock stands at the call's time, whoever asks", async () => {
    const value = await world("a");
    assert.equal(value["stands"], true);
    assert.equal(value["now"], "2027-01-15T08:00:00.000Z");
    assert.equal(value["date"], value["now"]);
    assert.equal(value["formatted"], "1/15/2027");
    assert.ok([0, 1_800_000_000_000].includes(value["temporal"] as number));
    assert.deepEqual(
      [value["called"], value["year"], value["sub"], value["is"], value["name"]],
      [true, 2020, true, true, "Date"],
    );
  });

  test("the same seed gives the same numbers, another seed others", async () => {
    assert.deepEqual(await world("a"), await world("a"));
    const [one, two] = [await world("a"), await world("b")];
    for (const key of ["random", "uuid", "bytes"]) assert.notDeepEqual(one[key], two[key]);
    assert.match(
      String(one["uuid"]),
      /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });

  test("another isolate gives the same numbers", async () => {
    const other = app.another();
    const outcome = await other.call(app.input("world", {}, { seed: "a" }), () => "null");
    assert.deepEqual(JSON.parse(outcome.resultJson), await world("a"));
  });

  test("numbers are from 0 to below 1, and spread", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (given) => {
        const seed = JSON.stringify(given);
        const outcome = await app.app.call(app.input("random", { n: 400 }, { seed }), () => "null");
        const numbers = JSON.parse(outcome.resultJson) as number[];
        assert.ok(numbers.every((value) => value >= 0 && value < 1));
        const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
        assert.ok(Math.abs(mean - 0.5) < 0.1, `mean ${mean}`);
      }),
      { numRuns: 50 },
    );
  });

  test("there are no timers and no network", async () => {
    for (const name of ["noTimeout", "noFetch"]) {
      const { details } = await app.error(name);
      assert.match((details["development"] as { message: string }).message, /Use an action/);
    }
    assert.equal((await app.error("tooMany")).code, "FUNCTION_FAILED");
  });
});

describe("timers in actions", () => {
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      actions({
        wait: `const start = Date.now();
          const value = await new Promise((resolve) => setTimeout(resolve, 500, "over"));
          return [value, Date.now() - start, performance.now()];`,
        order: `const seen: number[] = [];
          await new Promise<void>((resolve) => {
            setTimeout(() => { seen.push(3); resolve(); }, 30);
            setTimeout(() => seen.push(2), 20);
            const cleared = setTimeout(() => seen.push(9), 10);
            setTimeout(() => seen.push(1), 10);
            clearTimeout(cleared);
          });
          return seen;`,
        interval: `let n = 0;
          await new Promise<void>((resolve) => {
            const id = setInterval(() => { if (++n === 3) { clearInterval(id); resolve(); } }, 100);
          });
          return n;`,
        left: "setTimeout(() => console.log('never'), 10_000); return 1;",
        many: "for (let i = 0; i < 200; i++) setTimeout(() => {}, 1000); await new Promise(() => {});",
        throws:
          "await new Promise(() => setTimeout(() => { throw new Error('in a timer'); }, 10));",
        abort: `const signal = AbortSignal.timeout(50);
          return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason.name)));`,
        micro: "return new Promise((resolve) => queueMicrotask(() => resolve('micro')));",
      }),
      { limits: { actionMsMax: 2_000 } },
    );
  });
  after(() => app.close());

  test("wait on the host's clock, which actions see move", async () => {
    const ending = app.value("wait");
    await app.clock.move(499);
    await app.clock.move(1);
    assert.deepEqual(await ending, ["over", 500, 500]);
  });

  test("come in order, and not when they are cleared", async () => {
    const ending = app.value("order");
    await app.clock.move(100);
    assert.deepEqual(await ending, [1, 2, 3]);
  });

  test("repeat until cleared", async () => {
    const ending = app.value("interval");
    await app.clock.move(1_000);
    assert.equal(await ending, 3);
  });

  test("are dropped when the call is over", async () => {
    const outcome = await app.call("left");
    assert.equal(app.clock.timers, 0);
    await app.clock.move(20_000);
    assert.deepEqual(outcome.log, []);
  });

  test("have a limit for each call", async () => {
    const ending = app.error("many");
    await app.clock.move(2_000);
    const { code } = await ending;
    assert.ok(["FUNCTION_TIMEOUT", "FUNCTION_NEVER_SETTLES"].includes(code), code);
  });

  test("that throw do not take the isolate with them", async () => {
    const ending = app.error("throws");
    await app.clock.move(100);
    assert.equal((await ending).code, "FUNCTION_NEVER_SETTLES");
    assert.equal(app.app.alive, true);
  });

  test("serve AbortSignal.timeout and queueMicrotask", async () => {
    const ending = app.value("abort");
    await app.clock.move(50);
    assert.equal(await ending, "TimeoutError");
    assert.equal(await app.value("micro"), "micro");
  });
});

describe("fetch in actions", () => {
  let app: TestApp;
  const sent: EgressRequest[] = [];
  before(async () => {
    const hosted = (name: string, body: string): string =>
      functionText("action", name, body).replace(
        'allow: "anyone"',
        'allow: "anyone", hosts: ["api.example.com"]',
      );
    const text = [
      actions({}),
      hosted(
        "post",
        `const answer = await fetch("https://api.example.com/x?y=1", { method: "POST", headers: { "X-Key": "k" }, body: JSON.stringify({ a: "ž" }) });
         return [answer.status, answer.ok, answer.headers.get("content-type"), await answer.json(), answer.url, answer.redirected];`,
      ),
      hosted("denied", 'await fetch("https://other.example.com/");'),
      hosted(
        "caught",
        'try { await fetch("https://other.example.com/"); } catch (error: any) { return [error.code, error.details]; }',
      ),
      hosted(
        "abort",
        `const stop = new AbortController();
         const asked = fetch("https://api.example.com/slow", { signal: stop.signal });
         stop.abort();
         try { await asked; } catch (error: any) { return error.name; }`,
      ),
      hosted("bytes", 'return [...await (await fetch("https://api.example.com/bytes")).bytes()];'),
      hosted(
        "many",
        'return (await Promise.allSettled(Array.from({ length: 30 }, () => fetch("https://api.example.com/slow")))).length;',
      ),
    ].join("\n");
    app = await openTestApp(text, {
      egress: {
        send(request) {
          sent.push(request);
          const { url } = request.request;
          if (url.includes("other")) {
            return Promise.reject(
              new PlatformError("EGRESS_DENIED", { host: "other.example.com" }),
            );
          }
          if (url.includes("slow")) {
            return new Promise((_, reject) => {
              request.signal.addEventListener("abort", () => {
                reject(new PlatformError("EGRESS_FAILED", { host: "api.example.com" }));
              });
            });
          }
          const body = url.includes("bytes")
            ? Buffer.from([0, 255, 128])
            : Buffer.from('{"ok":"ž"}');
          return Promise.resolve({
            status: 201,
            statusText: "Created",
            headers: [["content-type", "application/json"]] as const,
            body: body.toString("base64"),
            url,
            redirected: false,
          });
        },
      },
    });
  });
  after(() => app.close());

  test("sends what user code asks for, with the hosts that the function declared", async () => {
    sent.length = 0;
    const url = "https://api.example.com/x?y=1";
    assert.deepEqual(await app.value("post"), [
      201,
      true,
      "application/json",
      { ok: "ž" },
      url,
      false,
    ]);
    const [{ request, hosts, redirect } = {} as never] = sent;
    assert.deepEqual(hosts, ["api.example.com"]);
    assert.equal(redirect, "follow");
    assert.equal(request.method, "POST");
    assert.equal(request.url, url);
    assert.deepEqual(request.headers, [
      ["content-type", "text/plain;charset=UTF-8"],
      ["x-key", "k"],
    ]);
    assert.equal(Buffer.from(request.body ?? "", "base64").toString(), '{"a":"ž"}');
    assert.deepEqual(await app.value("bytes"), [0, 255, 128]);
  });

  test("fails with the host's refusal", async () => {
    assert.equal((await app.error("denied")).code, "EGRESS_DENIED");
    assert.deepEqual(await app.value("caught"), ["EGRESS_DENIED", { host: "other.example.com" }]);
  });

  test("can be aborted", async () => {
    assert.equal(await app.value("abort"), "AbortError");
  });

  test("has a limit for each call, and ends with it", async () => {
    sent.length = 0;
    const ending = app.error("many");
    await app.clock.move(120_000);
    assert.equal((await ending).code, "FUNCTION_TIMEOUT");
    assert.equal(sent.length, 20);
    assert.ok(sent.every(({ signal }) => signal.aborted));
  });
});
