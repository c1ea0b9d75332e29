// The client against a real HTTP server on this machine: what goes over the wire, what comes back, and
// what is sent again. The server's side is scripted: each test says how it answers.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { createClient, KeelsonError, type ClientOptions, type Transport } from "./client.ts";
import { define, t, table } from "./index.ts";

const { query, mutation, action, app } = define({
  film: table({
    title: t.text(),
    rating: t.number().optional(),
    secret: t.text().private().optional(),
  }),
  screening: table({ film: t.ref("film") }),
});
const cinema = {
  seats: query({
    args: { n: t.int().optional() },
    allow: "anyone",
    returns: t.list(t.text()),
    run: () => [],
  }),
  book: mutation({ args: { seat: t.text() }, allow: "anyone", returns: t.text(), run: () => "" }),
  pay: action({ allow: "anyone", returns: t.nothing(), run: () => undefined }),
};
const cinemaApp = app({ functions: { cinema } });

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

type Answer = (seen: Seen, response: ServerResponse, count: number) => void;

/** Starts a server that answers as told. @returns what it saw, and a client of it that waits only briefly. */
async function start(context: TestContext, answer: Answer, options: ClientOptions = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const { method = "", url = "", headers } = request;
      const one = {
        method,
        url,
        headers,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
      };
      seen.push(one);
      answer(one, response, seen.length);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const api = createClient<typeof cinemaApp>(url, {
    retry: { attempts: 4, baseMs: 2, capMs: 20 },
    ...options,
  });
  return { api, seen, url };
}

function json(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(value));
}

function problem(
  response: ServerResponse,
  status: number,
  code: string,
  more: object = {},
  headers = {},
): void {
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "x-request-id": "req-1",
    ...headers,
  });
  const body = {
    type: `urn:keelson:error:${code}`,
    title: "Title",
    status,
    code,
    detail: "Detail",
    requestId: "req-1",
  };
  response.end(JSON.stringify({ ...body, ...more }));
}

/** Runs `call`. @returns the error that it ends with. */
async function errorOf(call: PromiseLike<unknown>): Promise<KeelsonError> {
  const error = await call.then(
    () => assert.fail("it did not fail"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof KeelsonError, String(error));
  return error;
}

void test("a function is called by its name with its arguments as the body", async (context) => {
  const { api, seen } = await start(context, (_seen, response) => json(response, ["A1"]), {
    token: () => "secret",
  });
  assert.deepEqual(await api.cinema.seats({ n: 3 }), ["A1"]);
  assert.equal(seen[0]?.method, "POST");
  assert.equal(seen[0]?.url, "/api/fn/cinema.seats");
  assert.deepEqual(seen[0]?.body, { n: 3 });
  assert.equal(seen[0]?.headers["authorization"], "Bearer secret");
  assert.equal(seen[0]?.headers["content-type"], "application/json");
});

void test("queries on tables have the addresses of the REST door", async (context) => {
  const rows = { rows: [{ id: "film_1", title: "A" }], next: "cursor" };
  const { api, seen } = await start(context, (_seen, response) => json(response, rows));
  assert.deepEqual(
    await api.film.list({
      where: { rating: { gte: 8 }, title: { startsWith: "Ä & b" } },
      orderBy: ["-rating", "id"],
      limit: 20,
      after: "x",
      select: ["title"],
      search: "sea",
    }),
    rows.rows,
  );
  const url = new URL(seen[0]?.url ?? "", "http://x");
  assert.equal(url.pathname, "/api/tables/film");
  assert.deepEqual(Object.fromEntries(url.searchParams), {
    where: '{"rating":{"gte":8},"title":{"startsWith":"Ä & b"}}',
    orderBy: "-rating,id",
    limit: "20",
    after: "x",
    select: "title",
    search: "sea",
  });
  assert.equal(seen[0]?.headers["idempotency-key"], undefined);
  assert.deepEqual(await api.screening.page({ with: { film: { select: ["title"] } } }), rows);
  assert.equal(
    new URL(seen[1]?.url ?? "", "http://x").searchParams.get("with"),
    '{"film":{"select":["title"]}}',
  );
  assert.deepEqual(await api.film.first(), rows.rows[0]);
  assert.equal(seen[2]?.url, "/api/tables/film?limit=1");
  await api.film.list();
  assert.equal(seen[3]?.url, "/api/tables/film");
});

void test("counts and aggregates ask for values by name", async (context) => {
  const { api, seen } = await start(context, (_seen, response, count) =>
    json(response, { rows: count === 1 ? [{ count: 7 }] : [{ title: "A", best: 9 }], next: null }),
  );
  assert.equal(await api.film.count({ where: { title: "A" } }), 7);
  assert.deepEqual(Object.fromEntries(new URL(seen[0]?.url ?? "", "http://x").searchParams), {
    where: '{"title":"A"}',
    aggregate: '{"count":"count"}',
  });
  assert.deepEqual(await api.film.aggregate({ values: { best: { max: "rating" } } }), {
    title: "A",
    best: 9,
  });
  const groups = await api.film.aggregate({
    groupBy: ["title"],
    values: { best: { max: "rating" } },
  });
  assert.deepEqual(groups, [{ title: "A", best: 9 }]);
  assert.deepEqual(Object.fromEntries(new URL(seen[2]?.url ?? "", "http://x").searchParams), {
    aggregate: '{"best":{"max":"rating"}}',
    groupBy: "title",
  });
});

void test("writes carry a key of their own, and ids are part of the address", async (context) => {
  const row = { id: "film_1", title: "A" };
  const { api, seen } = await start(context, (one, response) =>
    one.method === "DELETE"
      ? response.writeHead(204).end()
      : json(response, row, one.method === "POST" ? 201 : 200),
  );
  assert.deepEqual(await api.film.create({ title: "A" }), row);
  assert.deepEqual(await api.film.update("film_1", { rating: null }), row);
  assert.equal(await api.film.delete("film_a/b"), undefined);
  assert.deepEqual(
    seen.map(({ method, url, body }) => [method, url, body]),
    [
      ["POST", "/api/tables/film", { title: "A" }],
      ["PATCH", "/api/tables/film/film_1", { rating: null }],
      ["DELETE", "/api/tables/film/film_a%2Fb", undefined],
    ],
  );
  const keys = seen.map(({ headers }) => headers["idempotency-key"]);
  assert.ok(keys.every((key) => /^[0-9a-z]{8,9}-[0-9a-f-]{36}$/.test(String(key))));
  assert.equal(new Set(keys).size, 3);
  await api.film.create({ title: "B" }, { idempotencyKey: "mine" });
  assert.equal(seen[3]?.headers["idempotency-key"], "mine");
});

void test("a row that is not there is null, and a table that is not there is an error", async (context) => {
  const { api } = await start(context, (_seen, response, count) =>
    problem(response, 404, count === 1 ? "NOT_FOUND" : "TABLE_NOT_FOUND"),
  );
  assert.equal(await api.film.get("film_1"), null);
  assert.equal((await errorOf(api.film.get("film_1"))).code, "TABLE_NOT_FOUND");
});

void test("values are grouped by one name or by several", async (context) => {
  const rows = { rows: [{ film: "film_1", n: 2 }], next: null };
  const { api, seen } = await start(context, (_seen, response) => json(response, rows));
  const values = { n: "count" } as const;
  assert.deepEqual(await api.screening.aggregate({ values, groupBy: "film" }), rows.rows);
  await api.screening.aggregate({ values, groupBy: ["film"] });
  const sent = seen.map(({ url }) => new URL(url, "http://x").searchParams.get("groupBy"));
  assert.deepEqual(sent, ["film", "film"]);
});

void test("names of what to bring along, in a program without types, go as they are", async (context) => {
  const rows = { rows: [], next: null };
  const { api, seen } = await start(context, (_seen, response) => json(response, rows));
  for (const names of ["film", ["film"]]) {
    await api.screening.list({ with: names as unknown as { readonly film: true } });
  }
  const sent = seen.map(({ url }) => new URL(url, "http://x").searchParams.get("with"));
  assert.deepEqual(sent, ["film", '["film"]']);
});

void test("an error tells what is wrong with single fields, and nothing where nothing is said", async (context) => {
  const issues = [
    { path: "title", problem: "must not be empty", code: "VALUE_INVALID" },
    { path: "homes[1].zip", problem: "is required", code: "VALUE_INVALID" },
  ];
  const told: unknown[] = [issues, undefined, "none", [null, 5, { path: "x" }, ...issues]];
  const { api } = await start(context, (_seen, response) => {
    const [next] = told.splice(0, 1);
    problem(response, 422, "VALUE_INVALID", { details: { issues: next } });
  });
  const shown = issues.map(({ path, problem: says }) => ({ path, problem: says }));
  for (const expected of [shown, [], [], shown]) {
    assert.deepEqual((await errorOf(api.film.create({ title: "" }))).issues, expected);
  }
});

void test("a refusal becomes an error with code, status, details and request id, and is not sent again", async (context) => {
  const details = { code: "SEAT_TAKEN", seat: "F7" };
  const { api, seen } = await start(context, (_seen, response) =>
    problem(response, 400, "FUNCTION_REFUSED", { details }),
  );
  const error = await errorOf(api.cinema.book({ seat: "F7" }));
  assert.equal(error.code, "FUNCTION_REFUSED");
  assert.equal(error.refusal, "SEAT_TAKEN");
  assert.equal(error.status, 400);
  assert.equal(error.message, "Detail");
  assert.equal(error.requestId, "req-1");
  assert.deepEqual(error.details, details);
  assert.equal(seen.length, 1);
});

void test("a write without an answer is sent again with the same key and says that it may be a repeat", async (context) => {
  const { api, seen } = await start(context, (_seen, response, count) => {
    if (count <= 2) response.destroy();
    else json(response, "booking_1");
  });
  assert.equal(await api.cinema.book({ seat: "F7" }), "booking_1");
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen.map(({ headers }) => headers["idempotency-key"])).size, 1);
  assert.deepEqual(
    seen.map(({ headers }) => headers["idempotency-repeat"]),
    [undefined, "?1", "?1"],
  );
});

void test("an answer that breaks off in the middle counts as none", async (context) => {
  const { api, seen } = await start(context, (_seen, response, count) => {
    if (count > 1) return json(response, "booking_1");
    response.writeHead(200, { "content-length": "100" });
    return response.write('"boo', () => response.destroy());
  });
  assert.equal(await api.cinema.book({ seat: "F7" }), "booking_1");
  assert.equal(seen.length, 2);
});

void test("an action that may have run is not run again: the first loss is told", async (context) => {
  const { api, seen } = await start(context, (one, response) => {
    if (one.headers["idempotency-repeat"] === undefined) response.destroy();
    else problem(response, 409, "ACTION_MAYBE_DONE");
  });
  const error = await errorOf(api.cinema.pay());
  assert.equal(error.code, "CONNECTION_LOST");
  assert.equal(error.status, 0);
  assert.equal(seen.length, 2);
});

void test("when one attempt got no answer, those after it that were surely not begun do not hide it", async (context) => {
  const lost = (isSent: boolean) =>
    new KeelsonError({ code: "CONNECTION_LOST", message: "Lost.", status: 0, isSent });
  const overloaded = new KeelsonError({ code: "OVERLOADED", message: "Full.", status: 503 });
  for (const last of [lost(false), overloaded]) {
    let made = 0;
    const transport: Transport = {
      send: async () => {
        made += 1;
        throw made === 1 ? lost(true) : last;
      },
    };
    const { api } = await start(context, () => assert.fail("nothing goes over HTTP"), {
      transport,
    });
    const error = await errorOf(api.cinema.book({ seat: "F7" }));
    assert.deepEqual([error.code, error.isSent, made], ["CONNECTION_LOST", true, 4]);
  }
});

void test("what was surely not begun is sent again as it was, after the wait that the server asks for", async (context) => {
  const { api, seen } = await start(
    context,
    (_seen, response, count) =>
      count === 1
        ? problem(response, 503, "OVERLOADED", {}, { "retry-after": "1" })
        : json(response, null),
    { retry: { attempts: 4, baseMs: 2, capMs: 2_000 } },
  );
  const startedMs = performance.now();
  await api.cinema.pay();
  assert.ok(performance.now() - startedMs >= 990);
  assert.deepEqual(
    seen.map(({ headers }) => headers["idempotency-repeat"]),
    [undefined, undefined],
  );
});

void test("a wait longer than the client's own is told at once", async (context) => {
  const { api, seen } = await start(context, (_seen, response) =>
    problem(response, 429, "RATE_LIMITED", {}, { "retry-after": "60" }),
  );
  const error = await errorOf(api.film.list());
  assert.equal(error.code, "RATE_LIMITED");
  assert.equal(error.retryAfterMs, 60_000);
  assert.equal(seen.length, 1);
});

void test("attempts end, and `retry: false` makes only one", async (context) => {
  const { api, seen, url } = await start(context, (_seen, response) => response.destroy());
  assert.equal((await errorOf(api.film.list())).code, "CONNECTION_LOST");
  assert.equal(seen.length, 4);
  const once = createClient<typeof cinemaApp>(url, { retry: false });
  await errorOf(once.film.list());
  assert.equal(seen.length, 5);
});

void test("an attempt that takes too long is given up", async (context) => {
  const { api } = await start(context, () => undefined, { timeoutMs: 20, retry: false });
  assert.equal((await errorOf(api.film.list())).code, "TIMED_OUT");
});

void test("the caller can give up while it waits for an answer or for the next attempt", async (context) => {
  const { api, seen } = await start(
    context,
    (_seen, response, count) => {
      if (count === 1) problem(response, 503, "OVERLOADED", {}, { "retry-after": "5" });
    },
    { retry: { attempts: 5, baseMs: 1, capMs: 10_000 } },
  );
  const waiting = new AbortController();
  const call = api.film.list({}, { signal: waiting.signal });
  while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve));
  waiting.abort(new Error("enough"));
  await assert.rejects(call, /enough/);
  const hanging = new AbortController();
  const second = api.film.list({}, { signal: hanging.signal });
  while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
  hanging.abort(new Error("enough again"));
  await assert.rejects(second, /enough again/);
  await assert.rejects(
    api.film.list({}, { signal: AbortSignal.abort(new Error("before")) }),
    /before/,
  );
  assert.equal(seen.length, 2);
});

void test("a page of another server is told as such, without its text", async (context) => {
  const { api } = await start(context, (_seen, response, count) => {
    response.writeHead(count === 1 ? 200 : 404, { "content-type": "text/html" });
    response.end("<h1>Hello</h1>");
  });
  const error = await errorOf(api.film.list());
  assert.equal(error.code, "ANSWER_INVALID");
  assert.equal(error.status, 200);
  assert.equal((await errorOf(api.film.get("film_1"))).status, 404);
});

void test("a proxy without its server is told as such, not as a wrong address", async (context) => {
  const { api } = await start(context, (_seen, response) => {
    response.writeHead(502, { "content-type": "text/html" });
    response.end("<h1>Bad Gateway</h1>");
  });
  const error = await errorOf(api.film.list());
  assert.equal(error.code, "ANSWER_INVALID");
  assert.match(error.message, /can't reach it \(status 502\)/);
});

void test("a batch goes as one request, and its results come back in order and typed", async (context) => {
  const { api, seen } = await start(context, (_seen, response) =>
    json(response, [
      "booking_1",
      { rows: [{ id: "film_1" }], next: null },
      { rows: [{ count: 3 }], next: null },
      null,
    ]),
  );
  const [booked, films, count, gone] = await api.batch([
    api.cinema.book({ seat: "F7" }),
    api.film.list({ limit: 1 }),
    api.film.count(),
    api.film.delete("film_1"),
  ]);
  assert.deepEqual([booked, films, count, gone], ["booking_1", [{ id: "film_1" }], 3, undefined]);
  assert.equal(seen.length, 1);
  assert.equal(seen[0]?.url, "/api/batch");
  assert.deepEqual(seen[0]?.body, {
    steps: [
      { call: "cinema.book", args: { seat: "F7" } },
      { list: "film", query: { limit: 1 } },
      { list: "film", query: { aggregate: { count: "count" } } },
      { delete: "film", id: "film_1" },
    ],
  });
  assert.match(String(seen[0]?.headers["idempotency-key"]), /^[0-9a-z]{8,9}-[0-9a-f-]{36}$/);
});

void test("a batch fails as one, and takes no call that was sent already", async (context) => {
  const { api, seen } = await start(context, (one, response) =>
    one.url === "/api/batch"
      ? problem(response, 409, "UNIQUE_TAKEN")
      : json(response, { rows: [], next: null }),
  );
  assert.equal((await errorOf(api.batch([api.cinema.book({ seat: "F7" })]))).code, "UNIQUE_TAKEN");
  const sent = api.film.list();
  await sent;
  await assert.rejects(api.batch([sent]), TypeError);
  assert.deepEqual(await api.batch([]), []);
  assert.equal(seen.length, 2);
});

void test("a query too long for an address is sent as a body", async (context) => {
  const { api, seen } = await start(context, (_seen, response) =>
    json(response, [{ rows: [], next: null }]),
  );
  const titles = Array.from({ length: 500 }, (_, index) => `A rather long title ${index}`);
  assert.deepEqual(await api.film.list({ where: { title: { in: titles } } }), []);
  assert.equal(seen[0]?.method, "POST");
  assert.equal(seen[0]?.url, "/api/batch");
  assert.equal(seen[0]?.headers["idempotency-key"], undefined);
});

void test("the token is asked for before each attempt", async (context) => {
  let asked = 0;
  const { api, seen } = await start(
    context,
    (_seen, response, count) =>
      count === 1 ? response.destroy() : json(response, { rows: [], next: null }),
    { token: () => Promise.resolve(++asked === 1 ? "old" : null) },
  );
  await api.film.list();
  assert.deepEqual(
    seen.map(({ headers }) => headers["authorization"]),
    ["Bearer old", undefined],
  );
});

void test("what one attempt sent and the last one did not is no call that was not sent", async () => {
  let sent = 0;
  const lost = (isSent: boolean) =>
    new KeelsonError({ code: "CONNECTION_LOST", message: "Lost.", status: 0, isSent });
  const transport: Transport = { send: () => Promise.reject(lost(++sent === 1)) };
  const retry = { attempts: 3, baseMs: 1 };
  const api = createClient<typeof cinemaApp>("unused:", { transport, retry });
  await assert.rejects(api.film.create({ title: "A" }), ({ isSent }: KeelsonError) => isSent);
  assert.equal(sent, 3);
});

void test("another transport carries the same requests", async () => {
  const sent: unknown[] = [];
  const transport: Transport = {
    send: ({ request, mayBeRepeat }) => {
      sent.push(request);
      return Promise.resolve(mayBeRepeat ? null : { rows: [{ id: "film_1" }], next: null });
    },
  };
  const api = createClient<typeof cinemaApp>("unused:", { transport });
  assert.deepEqual(await api.film.first({ orderBy: "-rating" }), { id: "film_1" });
  assert.deepEqual(sent, [
    { kind: "list", table: "film", query: { orderBy: "-rating", limit: 1 } },
  ]);
});

void test("a client can be awaited, printed and passed around without calling anything", async () => {
  const transport: Transport = { send: () => assert.fail("something was sent") };
  const api = createClient<typeof cinemaApp>("unused:", { transport });
  assert.equal(await Promise.resolve(api), api);
  assert.equal(JSON.stringify({ api, film: api.film }), '{"api":{},"film":{}}');
  assert.equal(api.film, api.film);
});

void test("a program ends by itself though its client listens to other pages", async () => {
  const client = new URL("client.ts", import.meta.url).href;
  const program = `
    import { createClient } from ${JSON.stringify(client)};
    const fetch = () => Promise.resolve(Response.json({ me: null }));
    const api = createClient("http://scene.example", { fetch });
    api.auth.store.subscribe(() => undefined);
    await api.auth.signOut();
  `;
  const run = promisify(execFile);
  await run(process.execPath, ["--input-type=module", "--eval", program], { timeout: 20_000 });
});
