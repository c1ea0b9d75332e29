import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { failurePlace } from "./failure-place.ts";
import { openTestApp, queries, saidBy, type TestApp } from "./isolate-harness.case.ts";
import type { SystemCall } from "./app-isolate.ts";

const film = { id: "film_1", title: "Alien", year: 1979 };

describe("a call", () => {
  let app: TestApp;
  const asked: [string, unknown][] = [];
  const system: SystemCall = (...call) => {
    const [operation] = call;
    asked.push([operation, saidBy(...call)]);
    if (operation === "db.list") return JSON.stringify({ rows: [film], next: "c1" });
    if (operation === "db.aggregate") return JSON.stringify([{ count: 7, top: 9 }]);
    if (operation === "db.delete") return "null";
    return JSON.stringify(film);
  };
  const askedBy = async (name: string, args = {}): Promise<[unknown, unknown]> => {
    asked.length = 0;
    const value = await app.value(name, args, system);
    return [asked, value];
  };

  before(async () => {
    app = await openTestApp(
      `${queries(
        {
          ctx: "return { me: ctx.me, now: ctx.now, requestId: ctx.requestId, args, keys: Object.keys(ctx).toSorted() };",
          nothing: "",
          getFilm: 'return ctx.db.film.get("film_1");',
          getWithFilm: 'return ctx.db.film.get("film_1", { select: ["title"] });',
          listFilm: "return ctx.db.film.list({ where: { year: 1979 }, limit: 3 });",
          pageFilm: "return ctx.db.film.page();",
          firstFilm: 'return ctx.db.film.first({ orderBy: "-year" });',
          countFilm: "return ctx.db.film.count({ where: { year: 1979 } });",
          aggregateFilm: 'return ctx.db.film.aggregate({ values: { top: { max: "year" } } });',
          grouped: 'return ctx.db.film.aggregate({ groupBy: ["year"], values: { n: "count" } });',
          system: 'return ctx.db.asSystem("nightly").film.get("film_1");',
          noReason: "return ctx.db.asSystem().film.get(1);",
          reader: "return typeof ctx.db.film.create;",
          spread: 'const { db } = { ...ctx }; const { film } = db; return film.get("film_1");',
          runIt: "return ctx.run(getFilm, { a: 1 });",
          runName: 'return ctx.run("test.getFilm");',
          runWrong: "return ctx.run({});",
          all: 'return (await Promise.all([1, 2, 3].map((n) => ctx.db.film.get("film_" + n)))).length;',
          frozenMe: "ctx.me.role = 'admin'; return ctx.me;",
        },
        "",
      )}
export const write = mutation({ allow: "anyone", async run({ db }) {
  const made = await db.film.create({ title: "x", year: undefined });
  await db.film.update("film_1" as never, { title: "y" });
  return [made, await db.film.delete("film_1" as never)];
} });`,
    );
  });
  after(() => app.close());

  test("gives a function its context and arguments", async () => {
    const outcome = await app.call("ctx", { a: 1 });
    assert.deepEqual(JSON.parse(outcome.resultJson), {
      me: { id: null, role: null },
      now: "2027-01-15T08:00:00.000Z",
      requestId: "request-1",
      args: { a: 1 },
      keys: ["db", "jobState", "me", "now", "requestId", "run", "workflowRun"],
    });
    assert.ok(outcome.cpuUs > 0);
  });

  test("of a function that returns nothing answers null", async () => {
    assert.equal((await app.call("nothing")).resultJson, "null");
  });

  test("is answered at once when every system call is", () => {
    const outcome = app.app.call(app.input("getFilm"), system);
    assert.ok(!(outcome instanceof Promise));
    assert.equal(outcome.systemCalls, 1);
  });

  test("sends the payloads that the gate reads", async () => {
    assert.deepEqual(await askedBy("getFilm"), [
      [["db.row", { table: "film", id: "film_1", reason: "" }]],
      film,
    ]);
    const query = { select: ["title"] };
    assert.deepEqual(await askedBy("getWithFilm"), [
      [["db.get", { table: "film", id: "film_1", query }]],
      film,
    ]);
    const list = { where: { year: 1979 }, limit: 3 };
    assert.deepEqual(await askedBy("listFilm"), [
      [["db.list", { table: "film", query: list }]],
      [film],
    ]);
    assert.deepEqual(await askedBy("pageFilm"), [
      [["db.list", { table: "film", query: {} }]],
      { rows: [film], next: "c1" },
    ]);
    assert.deepEqual(await askedBy("firstFilm"), [
      [["db.list", { table: "film", query: { orderBy: "-year", limit: 1 } }]],
      film,
    ]);
    const counted = { where: { year: 1979 }, aggregate: { count: "count" } };
    assert.deepEqual(await askedBy("countFilm"), [
      [["db.aggregate", { table: "film", query: counted }]],
      7,
    ]);
    assert.deepEqual(await askedBy("aggregateFilm"), [
      [["db.aggregate", { table: "film", query: { aggregate: { top: { max: "year" } } } }]],
      { count: 7, top: 9 },
    ]);
    assert.deepEqual(await askedBy("grouped"), [
      [
        [
          "db.aggregate",
          { table: "film", query: { groupBy: ["year"], aggregate: { n: "count" } } },
        ],
      ],
      [{ count: 7, top: 9 }],
    ]);
    assert.deepEqual(await askedBy("system"), [
      [["db.row", { table: "film", id: "film_1", reason: "nightly" }]],
      film,
    ]);
    assert.deepEqual(await askedBy("runIt"), [
      [["run", { name: "test.getFilm", args: { a: 1 } }]],
      film,
    ]);
    assert.deepEqual(await askedBy("runName"), [
      [["run", { name: "test.getFilm", args: {} }]],
      film,
    ]);
    assert.deepEqual(await askedBy("write"), [
      [
        ["db.create", { table: "film", value: { title: "x" } }],
        ["db.update", { table: "film", id: "film_1", value: { title: "y" } }],
        ["db.delete", { table: "film", id: "film_1" }],
      ],
      [film, null],
    ]);
  });

  test("gives queries a database without writes", async () => {
    assert.equal(await app.value("reader"), "undefined");
  });

  test("gives a context that may be spread and taken apart", async () => {
    assert.deepEqual(await app.value("spread", {}, system), film);
  });

  test("refuses elevation without a reason, and what is no function to run", async () => {
    assert.match(messageOf(await app.error("noReason")), /takes the reason/);
    assert.match(messageOf(await app.error("runWrong")), /run takes a function/);
  });

  test("runs system calls side by side", async () => {
    assert.equal(await app.value("all", {}, system), 3);
  });

  test("does not let one call change who calls for the next", async () => {
    const error = await app.error("frozenMe");
    assert.equal(error.code, "FUNCTION_FAILED");
    assert.deepEqual(await app.value("ctx").then((value) => (value as { me: unknown }).me), {
      id: null,
      role: null,
    });
  });

  test("of a function that is not there is refused", async () => {
    assert.equal((await app.error("missing")).code, "FUNCTION_NOT_FOUND");
  });
});

describe("a refused system call", () => {
  const refuse: SystemCall = (operation) => {
    if (operation === "db.list") throw new PlatformError("RULE_DENIED", { table: "film" });
    throw new PlatformError("UNIQUE_TAKEN", { field: "title" });
  };
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      queries({
        through: "return ctx.db.film.list();",
        caught: `try { await ctx.db.film.list(); } catch (error) {
          return [error instanceof Error, error.name, error.code, error.details, error.message];
        }`,
        other:
          "try { await ctx.db.film.list(); } catch (error) { throw new TypeError('other', { cause: error }); }",
        rethrown:
          "try { await ctx.db.film.list(); } catch (error) { error.code = 'NOT_FOUND'; throw error; }",
        floating: "ctx.db.film.list(); return 1;",
      }),
    );
  });
  after(() => app.close());

  test("reaches the caller as it was when user code lets it through", async () => {
    const original = new PlatformError("RULE_DENIED", { table: "film" });
    const throwing: SystemCall = () => {
      throw original;
    };
    await assert.rejects(
      async () => app.call("through", {}, throwing),
      (error) => error === original,
    );
    const later: SystemCall = () => Promise.reject(original);
    await assert.rejects(
      async () => app.call("through", {}, later),
      (error) => error === original,
    );
  });

  test("has its place kept beside it while developing", async () => {
    const refused = await app.error("through", {}, refuse);
    assert.deepEqual(refused.details, { table: "film" });
    const place = failurePlace(refused);
    assert.deepEqual([place?.file, place?.line], ["keelson/test.ts", 4]);
    const quiet = await openTestApp(queries({ through: "return ctx.db.film.list();" }), {
      development: false,
    });
    assert.equal(failurePlace(await quiet.error("through", {}, refuse)), null);
    quiet.close();
  });

  test("can be caught, with its code and details", async () => {
    assert.deepEqual(await app.value("caught", {}, refuse), [
      true,
      "SystemCallError",
      "RULE_DENIED",
      { table: "film" },
      "The rule of this table does not allow this.",
    ]);
  });

  test("that user code dresses up as another is still what it was", async () => {
    assert.equal((await app.error("rethrown", {}, refuse)).code, "RULE_DENIED");
    assert.equal((await app.error("other", {}, refuse)).code, "FUNCTION_FAILED");
  });

  test("that nobody waits for does not fail the call, and is in its log", async () => {
    const outcome = await app.call("floating", {}, refuse);
    assert.equal(outcome.resultJson, "1");
    assert.match(outcome.log[0]?.text ?? "", /Unhandled rejection/);
  });

  test("with a bug of ours ends the call with the bug, whatever user code does", async () => {
    const bug = new Error("assertion with a secret");
    const broken: SystemCall = () => {
      throw bug;
    };
    await assert.rejects(
      async () => app.call("caught", {}, broken),
      (error) => error === bug,
    );
  });
});

describe("an answer that comes later", () => {
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      queries({
        sum: "let n = 0; for (let i = 0; i < 5; i++) n += (await ctx.db.film.get(args.id)).year; return n;",
        forever: "await new Promise(() => {}); return 1;",
        race: 'return Promise.race([ctx.db.film.get("slow"), ctx.db.film.get("fast")]);',
        nested: 'return [await ctx.run("test.sum", { id: "a" }), args.n];',
      }),
      { limits: { wallMsMax: 1_000 } },
    );
  });
  after(() => app.close());

  test("is waited for, again and again", async () => {
    const system: SystemCall = async () => {
      await new Promise(setImmediate);
      return JSON.stringify(film);
    };
    const outcome = await app.call("sum", { id: "film_1" }, system);
    assert.equal(outcome.resultJson, String(5 * 1979));
    assert.equal(outcome.systemCalls, 5);
    assert.equal(app.clock.timers, 0);
  });

  test("lets calls of one isolate overlap without mixing them", async () => {
    const systemOf =
      (year: number): SystemCall =>
      async (...call) => {
        await new Promise(setImmediate);
        const { id } = saidBy(...call);
        assert.equal(id, `film_${year}`);
        return JSON.stringify({ year });
      };
    const calls = [1, 2, 3, 4, 5, 6, 7, 8].map((year) =>
      app.call("sum", { id: `film_${year}` }, systemOf(year)),
    );
    const results = (await Promise.all(calls)).map(({ resultJson }) => Number(resultJson));
    assert.deepEqual(results, [5, 10, 15, 20, 25, 30, 35, 40]);
  });

  test("is not needed by a call that is over", async () => {
    const answers = new Map<string, (answer: string) => void>();
    const system: SystemCall = (...call) =>
      new Promise((resolve) => {
        answers.set(String(saidBy(...call)["id"]), resolve);
      });
    const outcome = app.call("race", {}, system);
    answers.get("fast")?.('{"n":1}');
    assert.equal((await outcome).resultJson, '{"n":1}');
    answers.get("slow")?.('{"n":2}');
    await new Promise(setImmediate);
    assert.equal(await app.value("sum", {}, () => '{"year":1}'), 5);
  });

  test("a call that waits for nothing at all is told so", async () => {
    assert.equal((await app.error("forever")).code, "FUNCTION_NEVER_SETTLES");
  });

  test("a call that waits too long ends", async () => {
    const ending = app.error("sum", {}, () => new Promise(() => {}));
    await app.clock.move(1_001);
    const error = await ending;
    assert.equal(error.code, "FUNCTION_TIMEOUT");
    assert.equal(app.clock.timers, 0);
    assert.equal(await app.value("sum", {}, () => '{"year":1}'), 5);
  });

  test("a call from inside a system call waits until the isolate is free", async () => {
    const system: SystemCall = (operation, payload) => {
      if (operation !== "run") return '{"year":2}';
      const { name, args } = JSON.parse(payload) as { name: string; args: { id: string } };
      const inner = app.app.call(app.input(name.slice("test.".length), args), system);
      assert.ok(inner instanceof Promise);
      return inner.then(({ resultJson }) => resultJson);
    };
    assert.deepEqual(await app.value("nested", { n: 4 }, system), [10, 4]);
  });
});

describe("an error of user code", () => {
  let app: TestApp;
  before(async () => {
    const test = queries(
      {
        boom: "return args.x.y.z;",
        deep: "return helper(3);",
        refuse:
          'throw new Refusal("SEAT_TAKEN", "This seat is taken.", { seat: "F7", code: "FORGED" });',
        badRefusal: 'const e: any = new Refusal("OK", "x"); e.code = "lower case"; throw e;',
        text: "throw 'just text';",
        nothing: "throw undefined;",
        symbol: "throw Symbol('s');",
        object: "throw { code: 'X' };",
        proxy: "throw new Proxy({}, { get() { throw new Error('trap'); } });",
        getter: "throw { get stack() { throw 1; }, get message() { throw 2; } };",
        huge: "throw new Error('x'.repeat(1e6));",
        forged:
          "const e: any = new Error('x'); e.i = 0; e.kind = 'platform'; e.stack = 'at x (keelson:app:1:1)'; throw e;",
        sync: "return ctx.db.film.nothing(1);",
      },
      `async function helper(n: number): Promise<number> {
  await null;
  if (n === 0) throw new RangeError("bottom");
  return await helper(n - 1);
}`,
    );
    app = await openTestApp(test);
  });
  after(() => app.close());

  test("comes with its own file, line, column and the lines around it", async () => {
    const { code, details } = await app.error("deep");
    assert.equal(code, "FUNCTION_FAILED");
    const development = details["development"] as Record<string, unknown>;
    assert.equal(development["name"], "RangeError");
    assert.equal(development["message"], "bottom");
    assert.equal(development["file"], "keelson/test.ts");
    assert.equal(development["line"], 5);
    assert.equal(development["column"], 22);
    assert.match(
      String(development["frame"]),
      /> 5 \|   if \(n === 0\) throw new RangeError\("bottom"\);/,
    );
    assert.match(String(development["stack"]), /at .*helper \(keelson\/test\.ts:6:10\)/);
    assert.doesNotMatch(String(development["stack"]), /keelson:guest|node_modules|packages/);
  });

  test("tells callers nothing outside of development, and its cause everything", async () => {
    const quiet = await openTestApp(queries({ boom: "return args.x.y.z;" }), {
      development: false,
    });
    try {
      const error = await quiet.error("boom");
      assert.deepEqual(error.details, { function: "test.boom" });
      assert.match(String((error.cause as Error).stack), /keelson\/test\.ts:4/);
    } finally {
      quiet.close();
    }
  });

  test("made by Refusal keeps its code, text and details", async () => {
    const error = await app.error("refuse");
    assert.equal(error.code, "FUNCTION_REFUSED");
    assert.equal(error.message, "This seat is taken.");
    assert.deepEqual(error.details, {
      seat: "F7",
      code: "SEAT_TAKEN",
      text: "This seat is taken.",
    });
    assert.equal((await app.error("badRefusal")).code, "FUNCTION_FAILED");
  });

  for (const name of [
    "text",
    "nothing",
    "symbol",
    "object",
    "proxy",
    "getter",
    "huge",
    "forged",
    "sync",
  ]) {
    test(`is told whatever is thrown: ${name}`, async () => {
      const error = await app.error(name);
      assert.equal(error.code, "FUNCTION_FAILED");
      assert.ok(JSON.stringify(error.details).length < 40_000);
    });
  }
});

describe("a result", () => {
  let app: TestApp;
  before(async () => {
    app = await openTestApp(
      queries({
        cyclic: "const a: any = {}; a.a = a; return a;",
        bigint: "return 1n;",
        fn: "return () => 1;",
        symbol: "return Symbol('x');",
        toJson: "return { toJSON() { throw new Error('no'); } };",
        getter: "return { get a() { throw new Error('no'); } };",
        proxy: "return new Proxy({}, { ownKeys() { throw new Error('no'); } });",
        deep: "let a: any = null; for (let i = 0; i < 2_000; i++) a = [a]; return a;",
        thenable: "return { then(resolve: any) { resolve(42); } };",
        badThenable: "return { get then() { throw new Error('no'); } };",
        never: "return { then() {} };",
        twice: "return { then(a: any, b: any) { a(1); a(2); b(3); } };",
        unicode: "return 'žluťoučký 🐴';",
        large: "return 'x'.repeat(args.n);",
        wide: "return 'ž'.repeat(args.n);",
        date: "return { at: new Date(0), none: undefined, nan: NaN };",
        text: "return 'x'.repeat(5000);",
      }),
      { limits: { resultBytesMax: 10_000 } },
    );
  });
  after(() => app.close());

  for (const name of ["cyclic", "bigint", "fn", "symbol", "toJson", "getter", "proxy", "deep"]) {
    test(`that is no JSON is refused: ${name}`, async () => {
      assert.equal((await app.error(name)).code, "RESULT_INVALID");
    });
  }

  test("may be a thenable, which settles once", async () => {
    assert.equal(await app.value("thenable"), 42);
    assert.equal(await app.value("twice"), 1);
    assert.equal((await app.error("badThenable")).code, "FUNCTION_FAILED");
    assert.equal((await app.error("never")).code, "FUNCTION_NEVER_SETTLES");
  });

  test("comes out whole, whatever its letters and length", async () => {
    assert.equal(await app.value("unicode"), "žluťoučký 🐴");
    assert.equal(await app.value("text"), "x".repeat(5_000));
    assert.deepEqual(await app.value("date"), { at: "1970-01-01T00:00:00.000Z", nan: null });
    for (const n of [0, 997, 998, 999, 1_000, 1_001]) {
      assert.equal(await app.value("large", { n }), "x".repeat(n));
    }
  });

  test("has a limit, in bytes", async () => {
    assert.equal(await app.value("large", { n: 9_998 }), "x".repeat(9_998));
    assert.equal((await app.error("large", { n: 9_999 })).code, "RESULT_TOO_LARGE");
    assert.equal((await app.error("wide", { n: 6_000 })).code, "RESULT_TOO_LARGE");
  });
});

function messageOf(error: PlatformError): string {
  return String((error.details["development"] as { message?: unknown }).message);
}
