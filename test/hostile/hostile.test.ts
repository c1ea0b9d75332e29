// What nobody should send and no function should do, against one running server: each ends with its own code,
// and everybody else's requests go on being answered meanwhile.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { openApp } from "@keelson/server";
import { openHttpClient, type Exchange, type Sending } from "../server/http-exchange.ts";

/** How long an honest request may take while a hostile one runs. */
const answerMsMax = 1_000;

const folder = mkdtempSync(join(tmpdir(), "keelson-hostile-"));
const hostile = openHttpClient(4);
const honest = openHttpClient(4);
let child: ChildProcess;
let url = "";
let itemId = "";

before(async () => {
  child = spawn(process.execPath, [join(import.meta.dirname, "serve-hostile.ts"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  assert.ok(child.stdout);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  ({ url, itemId } = JSON.parse(line) as { url: string; itemId: string });
});
after(async () => {
  hostile.close();
  honest.close();
  child.kill("SIGTERM");
  await once(child, "exit");
  rmSync(folder, { recursive: true, force: true });
});

const call = (name: string, body: unknown = {}): Sending => ({
  method: "POST",
  path: `/api/fn/attack.${name}`,
  token: null,
  body,
});
const listBig = (query: string): Sending => ({
  method: "GET",
  path: `/api/tables/big?${query}`,
  token: null,
});
const json = (value: unknown): string => encodeURIComponent(JSON.stringify(value));
const deep = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);

/** Who asks what, and what they must be told. */
const attacks: readonly (readonly [string, Sending, number, string])[] = [
  ["an endless loop", call("loop"), 500, "FUNCTION_CPU_EXCEEDED"],
  ["an endless loop in a mutation", call("loopInMutation"), 500, "FUNCTION_CPU_EXCEEDED"],
  ["an endless loop in an action", call("loopInAction"), 500, "FUNCTION_CPU_EXCEEDED"],
  ["an endless chain of microtasks", call("microtasks"), 500, "FUNCTION_CPU_EXCEEDED"],
  ["a regular expression without end", call("expression"), 500, "FUNCTION_CPU_EXCEEDED"],
  ["a memory bomb", call("memory"), 500, "FUNCTION_MEMORY_EXCEEDED"],
  ["endless recursion", call("stack"), 500, "FUNCTION_FAILED"],
  ["a function that throws", call("fails"), 500, "FUNCTION_FAILED"],
  ["endless system calls", call("calls"), 500, "FUNCTION_CALLS_EXCEEDED"],
  ["reading without end", call("rows"), 500, "FUNCTION_ROWS_EXCEEDED"],
  ["a promise that nobody keeps", call("nothing"), 500, "FUNCTION_NEVER_SETTLES"],
  ["a result of 5 MB", call("large"), 500, "RESULT_TOO_LARGE"],
  ["an argument of 10 MB", call("takes", { text: "x".repeat(10_485_760) }), 413, "BODY_TOO_LARGE"],
  [
    "an argument longer than its field",
    call("takes", { text: "x".repeat(101) }),
    422,
    "ARGUMENT_INVALID",
  ],
  ["deep JSON", call("takes", { text: deep(5_000) }), 400, "JSON_TOO_DEEP"],
  [
    "a key that reaches a prototype",
    call("takes", JSON.parse('{"__proto__":{"a":1}}')),
    400,
    "JSON_KEY_FORBIDDEN",
  ],
  [
    "a filter without an index on 1,000,000 rows",
    listBig(`where=${json({ group: 5_000 })}`),
    422,
    "QUERY_TOO_COSTLY",
  ],
  ["an order without an index", listBig("orderBy=group&limit=1"), 422, "QUERY_TOO_COSTLY"],
  [
    "a sum of all of it",
    listBig(`aggregate=${json({ n: { sum: "group" } })}`),
    422,
    "QUERY_TOO_COSTLY",
  ],
  ["the same from a function", call("scan", { group: 5_000 }), 422, "QUERY_TOO_COSTLY"],
];

/** Three honest clients, one request after the other each, until `during` is over. @returns the slowest, in ms. */
async function whileServing(during: () => Promise<Exchange>): Promise<readonly [Exchange, number]> {
  const over = new AbortController();
  let slowestMs = 0;
  const requests: readonly Sending[] = [
    { method: "GET", path: `/api/tables/item/${itemId}`, token: null },
    { method: "GET", path: `/api/tables/big?where=${json({ number: 77 })}`, token: null },
    call("add", { name: "one more" }),
  ];
  const clients = requests.map(async (request) => {
    do {
      const from = performance.now();
      const { status, text } = await honest.send(url, request);
      slowestMs = Math.max(slowestMs, performance.now() - from);
      assert.ok(status < 300, `${request.path}: ${status} ${text}`);
    } while (!over.signal.aborted);
  });
  const exchange = await during().finally(() => over.abort());
  await Promise.all(clients);
  return [exchange, slowestMs];
}

const codeOf = ({ text }: Exchange): string =>
  (JSON.parse(text) as { readonly code?: string }).code ?? "none";

for (const [name, sending, status, code] of attacks) {
  test(`${name} ends with ${code}, and others are answered within ${answerMsMax} ms`, async (context) => {
    const [exchange, slowestMs] = await whileServing(() => hostile.send(url, sending));
    assert.deepEqual([exchange.status, codeOf(exchange)], [status, code], exchange.text);
    context.diagnostic(`slowest honest answer ${Math.round(slowestMs)} ms`);
    assert.ok(slowestMs < answerMsMax, `an honest request took ${Math.round(slowestMs)} ms`);
  });
}

test("an endless loop after a write leaves nothing of it", async () => {
  const path = `/api/tables/item?where=${json({ name: "never" })}&aggregate=${json({ n: "count" })}`;
  const { text } = await honest.send(url, { method: "GET", path, token: null });
  assert.deepEqual(JSON.parse(text), { rows: [{ n: 0 }], next: null });
});

test("twenty hostile calls at once are each refused, and the next honest one is answered", async () => {
  const names = ["loop", "memory", "microtasks", "fails", "nothing"];
  const exchanges = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      hostile.send(url, call(names[index % names.length] ?? "")),
    ),
  );
  for (const exchange of exchanges) assert.match(codeOf(exchange), /^FUNCTION_/);
  const { status } = await honest.send(url, call("itemCount"));
  assert.equal(status, 200);
});

// Rules are read, not run: they cannot throw. What comes nearest is a value that is not there.
test("a rule that divides by zero or follows a reference to nothing denies; it does not fail", async () => {
  const create = (body: object): Promise<Exchange> =>
    hostile.send(url, { method: "POST", path: "/api/tables/odd", token: null, body });
  const allowed = await create({ name: "half", share: 1, of: 2 });
  assert.equal(allowed.status, 201, allowed.text);
  for (const body of [
    { name: "by zero", share: 1, of: 0 },
    { name: "of nothing", of: 2 },
  ]) {
    assert.equal(codeOf(await create(body)), "RULE_DENIED");
  }
  assert.equal(codeOf(await create({ name: "negative", share: -1, of: -2 })), "CHECK_FAILED");
  const listed = await hostile.send(url, { method: "GET", path: "/api/tables/odd", token: null });
  assert.deepEqual(JSON.parse(listed.text), { rows: [], next: null });
});

test("a rule that looks through 1,000,000 rows is refused with what it costs", async () => {
  const body = { name: "costly", number: 5_000 };
  const [exchange, slowestMs] = await whileServing(() =>
    hostile.send(url, { method: "POST", path: "/api/tables/slow", token: null, body }),
  );
  assert.equal(codeOf(exchange), "QUERY_TOO_COSTLY", exchange.text);
  assert.ok(slowestMs < answerMsMax);
});

test("a rule that throws is a mistake of the app, told with its place before anything runs", async () => {
  const appDir = join(folder, "throws");
  cpSync(join(import.meta.dirname, "app"), appDir, { recursive: true });
  writeFileSync(
    join(appDir, "keelson", "rules.ts"),
    `import { rules } from "./schema.ts";
export default rules({
  item: { read: () => { throw new Error("no"); } },
});
`,
  );
  await assert.rejects(openApp({ appDir, dataDir: join(appDir, "data") }), (error) => {
    const { code, mistakes } = error as {
      code: string;
      mistakes: { file: string; line: number }[];
    };
    assert.equal(code, "APP_INVALID");
    assert.deepEqual([mistakes[0]?.file, mistakes[0]?.line], ["keelson/rules.ts", 3]);
    return true;
  });
});

test("400 bodies of 900 KB that are refused are not kept", async (context) => {
  const residentMb = async (): Promise<number> => {
    const { text } = await honest.send(url, { method: "GET", path: "/metrics", token: null });
    return Number(/^process_resident_memory_bytes (\S+)$/m.exec(text)?.[1]) / 1_048_576;
  };
  const send = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n += 4) {
      const sent = await Promise.all(
        Array.from({ length: 4 }, () =>
          hostile.send(url, call("takes", { text: "x".repeat(900_000) })),
        ),
      );
      for (const exchange of sent) assert.equal(codeOf(exchange), "ARGUMENT_INVALID");
    }
  };
  await send(100);
  const before = await residentMb();
  await send(400);
  const grownMb = (await residentMb()) - before;
  context.diagnostic(`grown by ${Math.round(grownMb)} MB`);
  assert.ok(grownMb < 200, `grown by ${grownMb} MB`);
});
