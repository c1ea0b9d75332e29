import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { IsolatedApp } from "./isolated-app.ts";
import { functionText, openTestApp, queries, type TestApp } from "./isolate-harness.case.ts";

const film = '{"id":"film_1","title":"Alien","year":1979}';

describe("a limit that a function breaks", () => {
  let app: TestApp;
  const limits = {
    cpuMsMax: 300,
    isolateBytesMax: 33_554_432,
    systemCallsMax: 50,
    logLinesMax: 5,
    logLineCharsMax: 64,
    argsBytesMax: 10_000,
  };
  before(async () => {
    app = await openTestApp(
      queries({
        loop: "for (;;) {}",
        microtasks:
          "const again = (): any => void Promise.resolve().then(again); again(); return new Promise(() => {});",
        asyncLoop: "for (;;) await null;",
        regexp: "return /^(a+)+$/.test('a'.repeat(40) + 'b');",
        caught: "for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } }",
        stack: "const f = (): any => f(); return f();",
        asyncStack:
          "const f = async (n: number): Promise<any> => { await f(n + 1); }; return f(0);",
        callLoop: "for (;;) { try { await ctx.db.film.get('x'); } catch {} }",
        callTimes: "for (let i = 0; i < 100; i++) { try { await ctx.db.film.get('x'); } catch {} }",
        objects: "const a: any[] = []; for (;;) a.push({ a });",
        arrays: "const a: any[] = []; for (;;) a.push(new Array(1e5).fill(1.5));",
        texts: "const a: any[] = []; for (let i = 0; ; i++) a.push('x'.repeat(1e6) + i);",
        lengths: "return 'ab'.repeat(2 ** 27).length;",
        buffers: "const a: any[] = []; for (;;) a.push(new ArrayBuffer(1e6));",
        promises:
          "const f: any = () => { void Promise.resolve().then(f); void Promise.resolve().then(f); }; f(); await new Promise(() => {});",
        log: "for (let i = 0; i < 100; i++) console.log('x'.repeat(100), i); return 1;",
        payload: "await ctx.db.film.get('x'.repeat(20_000));",
        well: "return 'well';",
      }),
      { limits },
    );
  });
  after(() => app.close());

  const ending = async (
    name: string,
    development = true,
  ): Promise<{ code: string; isAlive: boolean }> => {
    const isolate = new IsolatedApp(app.image, { ...app.ports, development });
    try {
      await isolate.call(app.input(name), () => film);
      return { code: "none", isAlive: isolate.alive };
    } catch (error) {
      return { code: (error as { code: string }).code, isAlive: isolate.alive };
    } finally {
      isolate.dispose();
    }
  };

  for (const name of ["loop", "microtasks", "asyncLoop", "regexp", "caught"]) {
    test(`CPU time: ${name}`, async () => {
      const expected = { code: "FUNCTION_CPU_EXCEEDED", isAlive: false };
      assert.deepEqual(await ending(name), expected);
      assert.deepEqual(await ending(name, false), expected);
    });
  }

  for (const name of ["objects", "arrays", "texts", "promises"]) {
    test(`memory: ${name}`, async () => {
      const { code, isAlive } = await ending(name);
      assert.ok(["FUNCTION_MEMORY_EXCEEDED", "FUNCTION_CPU_EXCEEDED"].includes(code), code);
      assert.equal(isAlive, false);
    });
  }

  test("while developing, an endless loop is told with its line", async () => {
    const isolate = app.another();
    const thrown = ((): unknown => {
      try {
        return isolate.call(app.input("loop"), () => film);
      } catch (error) {
        return error;
      }
    })() as { readonly details: { readonly development?: Record<string, unknown> } };
    assert.equal(thrown.details.development?.["file"], "keelson/test.ts");
    assert.match(String(thrown.details.development?.["frame"]), /> \d+ \| export const loop/);
  });

  test("memory that is not given: the call ends, the isolate goes on", async () => {
    const expected = { code: "FUNCTION_MEMORY_EXCEEDED", isAlive: true };
    assert.deepEqual(await ending("buffers"), expected);
    assert.deepEqual(await ending("buffers", false), expected);
    assert.deepEqual(await ending("lengths"), expected);
  });

  test("three memory bombs in a row leave other isolates answering", async () => {
    for (let round = 0; round < 3; round++) {
      assert.equal((await ending("objects")).isAlive, false);
      assert.equal(await app.value("well"), "well");
    }
  });

  test("depth of the stack: an error of user code, synchronous or not", async () => {
    assert.equal((await app.error("stack")).code, "FUNCTION_FAILED");
    assert.equal((await app.error("asyncStack")).code, "FUNCTION_FAILED");
    assert.equal(await app.value("well"), "well");
  });

  test("system calls: the call ends, though user code catches the refusal", async () => {
    const isolate = app.another();
    assert.throws(
      () => isolate.call(app.input("callLoop"), () => film),
      (error: { code: string }) => /FUNCTION_C(ALLS|PU)_EXCEEDED/.test(error.code),
    );
  });

  test("wall time: a call ends though every answer is there at once, and user code catches the refusal", () => {
    let us = 0;
    const clock = { nowMs: () => 0, monotonicUs: () => us, after: () => () => {} };
    const limits = { ...app.ports.limits, systemCallsMax: 1_000_000, wallMsMax: 1_000 };
    const isolate = new IsolatedApp(app.image, { ...app.ports, clock, limits });
    const slowRead = (): string => {
      us += 100_000;
      return film;
    };
    assert.throws(() => isolate.call(app.input("callTimes"), slowRead), {
      code: "FUNCTION_TIMEOUT",
    });
    // At most seven more, then the clock is asked.
    assert.ok(us <= 1_900_000, `${us} us`);
    isolate.dispose();
  });

  test("log: the rest is dropped", async () => {
    const { log } = await app.call("log");
    assert.equal(log.length, 5);
    assert.ok(log.every(({ text }) => text.length === 64));
  });

  test("payload of a system call", async () => {
    const { code, details } = await app.error("payload", {}, () => film);
    assert.equal(code, "SYSTEM_CALL_INVALID");
    assert.equal(details["operation"], "db.get");
    assert.match(String(details["problem"]), /longer than 10000 characters/);
  });

  test("the dead isolate refuses calls, and ends those that wait in it", async () => {
    const isolate = app.another();
    const stuck = isolate.call(app.input("callLoop"), () => new Promise(() => {}));
    const ended = assert.rejects(Promise.resolve(stuck), { code: "FUNCTION_INTERRUPTED" });
    assert.throws(() => isolate.call(app.input("loop"), () => film), {
      code: "FUNCTION_CPU_EXCEEDED",
    });
    await ended;
    assert.throws(() => isolate.call(app.input("well"), () => film), {
      code: "FUNCTION_INTERRUPTED",
    });
  });

  test("time in the host is not the function's", () => {
    const slow = app.another();
    const outcome = slow.call(app.input("well"), () => film);
    assert.ok(!(outcome instanceof Promise));
    const end = performance.now() + 300;
    const error = ((): { code?: string } => {
      try {
        slow.call(app.input("callLoop"), () => {
          while (performance.now() < end) {}
          throw new Error("stop");
        });
        return {};
      } catch (thrown) {
        return thrown as { code?: string };
      }
    })();
    assert.equal((error as Error).message, "stop");
  });
});

describe("what user code does to its world", () => {
  let app: TestApp;
  const pollution = [
    "Object.prototype.polluted = 1",
    "Array.prototype.push = () => 0",
    "Array.prototype[0] = 'x'",
    "Promise.prototype.then = () => { throw 1; }",
    "Function.prototype.call = () => 0",
    "Map.prototype.get = () => 0",
    "JSON.parse = () => ({ forged: true })",
    "JSON.stringify = () => 'forged'",
    "Math.random = () => 0.5",
    "Date.now = () => 0",
    "globalThis.leak = 1",
    "globalThis.Promise = null",
    "globalThis.JSON = null",
    "delete globalThis.URL",
    "URL.prototype.toString = () => 'x'",
    "Headers.prototype.get = () => 'x'",
    "Object.setPrototypeOf(Object.prototype, { polluted: 1 })",
    "Object.setPrototypeOf(Array, null)",
    "Object.defineProperty(Object.prototype, 'polluted', { value: 1 })",
    "({}).__proto__.polluted = 1",
    "({}).constructor.prototype.polluted = 1",
    "[].constructor.prototype.polluted = 1",
    "(async () => {}).constructor.prototype.polluted = 1",
    "Object.getPrototypeOf(function* () {}).polluted = 1",
    "Object.getPrototypeOf([][Symbol.iterator]()).next = () => 0",
    "console.log = 1",
    "crypto.randomUUID = () => 'x'",
    "Object.getPrototypeOf(ctx.db).polluted = 1",
    "Object.getPrototypeOf(ctx.db.film).get = async () => 'forged'",
    "Refusal.prototype.code = 'x'",
    "Error.prototype.name = 'x'",
    "Object.prototype.toString = () => 'x'",
    "Symbol.prototype.polluted = 1",
    "Reflect.apply = () => 0",
    "Temporal.Now.instant = () => 0",
    "Atomics.add = 1",
    "Intl.DateTimeFormat.prototype.format = 1",
  ];
  before(async () => {
    const bodies = pollution.map((line, index) =>
      functionText(
        "query",
        `pollute${index}`,
        `try { ${line.replaceAll("Object.prototype.polluted", "(Object.prototype as any).polluted")}; return "done"; } catch (error) { return (error as Error).name; }`,
      ),
    );
    app = await openTestApp(
      `${queries({
        probe: `const o: any = {}; const a: any[] = []; a.push(3);
          return { own: Object.keys(Object.prototype), polluted: o.polluted ?? null, first: a[0], length: a.length,
            json: JSON.parse('{"a":1}'), text: JSON.stringify([1]), random: Math.random(), now: Date.now(),
            leak: typeof (globalThis as any).leak, url: new URL("http://a/b").href, map: new Map([[1, 2]]).get(1),
            then: await Promise.resolve(5), string: String({}), film: await ctx.db.film.get("film_1"),
            error: new Error("x").name, header: new Headers({ a: "b" }).get("a") };`,
        overrides: `class Mine extends Error { constructor() { super("m"); this.name = "Mine"; } }
          const o: any = {}; o.toString = () => "own"; o.constructor = 1; o.hasOwnProperty = 2; o.valueOf = () => 7;
          const e: any = new TypeError("t"); e.message = "changed"; e.name = "Changed";
          return [new Mine().name, String(o), o.constructor, o.hasOwnProperty, +o, e.message, e.name, Object.keys(o)];`,
        escape: `const F: any = (() => {}).constructor;
          const world = F("return this")();
          return ["process", "require", "global", "Buffer", "__keelsonGuest", "__keelsonTake", "__keelsonThrew", "__keelsonSdk", "WebAssembly", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry", "ivm"]
            .filter((name) => typeof (globalThis as any)[name] !== "undefined" || (world !== undefined && typeof world[name] !== "undefined"));`,
        callSites: `const found: string[] = [];
          const old = Error.prepareStackTrace;
          try { (Error as any).prepareStackTrace = (_: any, sites: any[]) => sites; } catch { return "frozen"; }
          const sites: any = new Error().stack;
          (Error as any).prepareStackTrace = old;
          for (const site of sites) found.push(typeof site.getThis(), typeof site.getFunction());
          return found.filter((kind) => kind !== "undefined");`,
        hidden:
          "return Object.getOwnPropertyNames(globalThis).filter((name) => /keelson|ivm|host/i.test(name));",
        waiting: "return typeof (Atomics as any).wait + typeof (Atomics as any).waitAsync;",
      })}\n${bodies.join("\n")}`,
    );
  });
  after(() => app.close());

  test("does not reach the next call", async () => {
    const before = await app.value("probe", {}, () => film);
    for (const index of pollution.keys()) await app.call(`pollute${index}`, {}, () => film);
    const value = await app.value("probe", {}, () => film);
    assert.deepEqual(value, before);
    assert.deepEqual((value as { film: unknown }).film, JSON.parse(film));
  });

  for (const [index, line] of pollution.entries()) {
    test(`is refused, or is a matter of one call: ${line}`, async () => {
      await app.call(`pollute${index}`, {}, () => film);
      const value = (await app.value("probe", {}, () => film)) as Record<string, unknown>;
      assert.equal(value["polluted"], null);
      assert.equal(value["first"], 3);
      assert.equal(value["string"], "[object Object]");
    });
  }

  test("may be to give its own objects the names of built-ins", async () => {
    assert.deepEqual(await app.value("overrides"), [
      "Mine",
      "own",
      1,
      2,
      7,
      "changed",
      "Changed",
      ["toString", "constructor", "hasOwnProperty", "valueOf"],
    ]);
  });

  test("leads nowhere outside", async () => {
    assert.deepEqual(await app.value("escape"), []);
    assert.deepEqual(await app.value("hidden"), []);
    assert.equal(await app.value("waiting"), "undefinedundefined");
  });

  test("shows no function or object of ours on the stack", async () => {
    const value = await app.value("callSites");
    assert.ok(
      value === "frozen" || (Array.isArray(value) && value.length === 0),
      JSON.stringify(value),
    );
  });
});

describe("built-ins that V8 cannot interrupt", () => {
  let app: TestApp;
  const lines = [
    "new Array(1e9).fill(0)",
    "Array.from({ length: 1e9 })",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
    "Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "Array.prototype.join.call({ length: 2 ** 32 - 1 }, '')",
    "Array.prototype.reverse.call({ length: 2 ** 53 - 1 })",
    "Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 3)",
    "Array.prototype.unshift.call({ length: 2 ** 53 - 3 }, 1)",
    "Array.prototype.shift.call({ length: 2 ** 53 - 3 })",
    "Array.prototype.splice.call({ length: 2 ** 53 - 3 }, 0, 0, 1)",
    "Array.prototype.slice.call({ length: 2 ** 32 - 1 })",
    "Array.prototype.sort.call({ length: 2 ** 53 - 1 })",
    "Array.prototype.toSorted.call({ length: 2 ** 32 - 1 })",
    "Array.prototype.toReversed.call({ length: 2 ** 32 - 1 })",
    "Array.prototype.toSpliced.call({ length: 2 ** 32 - 1 }, 0, 1)",
    "Array.prototype.with.call({ length: 2 ** 32 - 1 }, 0, 1)",
    "Array.prototype.flat.call({ length: 2 ** 53 - 1 })",
    "[].concat({ length: 2 ** 32 - 1, [Symbol.isConcatSpreadable]: true })",
    "{ const a = []; a.length = 2 ** 32 - 1; a.indexOf(3); }",
    "{ const a = []; a.length = 2 ** 32 - 1; a.sort(); }",
    "Array.prototype.sort.call(new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 53 - 1 : t[k]) }))",
    "Array.prototype.toSorted.call(new Proxy([], { get: (t, k) => (k === 'length' ? 2 ** 32 - 1 : t[k]) }))",
    "Uint8Array.from({ length: 1e8 })",
    "'x'.repeat(2 ** 28).split('')",
    "'x'.padEnd(2 ** 29 - 30)",
    "{ let s = 'ab'; for (let i = 0; i < 27; i++) s += s; s.split(''); }",
    "{ let s = '['; for (let i = 0; i < 25; i++) s += s; JSON.parse(s); }",
  ];
  before(async () => {
    const bodies = lines.map((line, index) =>
      functionText(
        "query",
        `long${index}`,
        `(globalThis as any).x; eval(${JSON.stringify(line)});`,
      ),
    );
    app = await openTestApp(
      `${queries({
        lyingLength:
          "let n = 0; const o = { get length() { return n++ === 0 ? 3 : 2 ** 53 - 1; } }; const at = Array.prototype.indexOf.call(o, 1); if (at === -1) throw new Error('steady');",
        lyingSort:
          "let n = 0; const o = { get length() { return n++ === 0 ? 3 : 2 ** 53 - 1; } }; Array.prototype.sort.call(o); throw new Error('steady');",
        lyingProxy:
          "let n = 0; const p = new Proxy([], { get: (t: any, k) => (k === 'length' ? (n++ === 0 ? 3 : 2 ** 32 - 1) : t[k]) }); Array.prototype.indexOf.call(p, 1); Array.prototype.with.call(p, 0, 1); throw new Error('no');",
        regexp:
          "return args.text === undefined ? [(RegExp as any).$1 ?? null, (RegExp as any).input ?? null] : /(s.*)/.exec(args.text)![1];",
        sorted:
          "const a: any = [3, , undefined, 1, 10]; const b = a.toSorted(); a.sort(); const c = [3, 1, 2].sort((x, y) => y - x); return [a.length, 4 in a, String(a), String(b), c, Array.prototype.sort.call({ 0: 'b', 1: 'a', length: 2 }), (function (..._: any[]) { return Array.prototype.slice.call(arguments, 1); })(1, 2, 3), Array.prototype.concat.call([1], [2], 3), Array.prototype.join.call('abc', '-')];",
        small:
          "return [[3, 1, 2].sort(), Array.from('ab'), [1].concat([2], 3), [1, 2].fill(0), Array.from({ length: 2 }, (_, i) => i), [1, [2]].flat(), [].at.length, [].concat.name];",
      })}\n${bodies.join("\n")}`,
    );
  });
  after(() => app.close());

  for (const [index, line] of lines.entries()) {
    test(`refuse what is longer than an isolate can hold: ${line}`, async () => {
      const startMs = performance.now();
      const error = await app.error(`long${index}`);
      const isText = line.includes("JSON.parse");
      assert.equal(error.code, isText ? "FUNCTION_FAILED" : "FUNCTION_MEMORY_EXCEEDED");
      assert.equal((error.details["development"] as { name: string }).name, "RangeError");
      assert.ok(performance.now() - startMs < 400);
    });
  }

  test("are interrupted where a length lies", async () => {
    for (const name of ["lyingLength", "lyingSort", "lyingProxy"]) {
      const isolate = app.another();
      const input = app.input(name);
      assert.throws(
        () => isolate.call(input, () => film),
        (error: { code: string }) =>
          /FUNCTION_(CPU_EXCEEDED|MEMORY_EXCEEDED|FAILED)/.test(error.code),
        name,
      );
    }
  });

  test("sort and slice as ever, holes and array-likes included", async () => {
    assert.deepEqual(await app.value("sorted"), [
      5,
      false,
      "1,10,3,,",
      "1,10,3,,",
      [3, 2, 1],
      { 0: "a", 1: "b", length: 2 },
      [2, 3],
      [1, 2, 3],
      "a-b-c",
    ]);
  });

  test("do not remember the last text that was matched", async () => {
    assert.equal(await app.value("regexp", { text: "a secret" }), "secret");
    assert.deepEqual(await app.value("regexp"), [null, null]);
  });

  test("work as ever on what is not", async () => {
    assert.deepEqual(await app.value("small"), [
      [1, 2, 3],
      ["a", "b"],
      [1, 2, 3],
      [0, 0],
      [0, 1],
      [1, 2],
      1,
      "concat",
    ]);
  });
});
