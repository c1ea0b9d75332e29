// Servers of several threads: what a client may rely on whichever thread it talks to.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { PlatformError } from "../base/platform-error.ts";
import { databaseName } from "./backend.ts";
import { findFreePort } from "./free-port.ts";
import { withThreads, type SceneConnection, type ThreadScene } from "./thread-scene.case.ts";
import { DatabaseSync } from "node:sqlite";

const timeout = 60_000;

/** Looks again and again: there is no event for what other threads have done. */
async function until(isSo: () => boolean): Promise<void> {
  if (isSo()) return;
  await new Promise((done) => setTimeout(done, 2));
  await until(isSo);
}

async function makeCounter(connection: SceneConnection): Promise<string> {
  const made = await connection.ask("POST", "/api/tables/counter", { body: { value: 0 } });
  assert.equal(made.status, 201, made.text);
  return made.body.id as string;
}

const raise = (connection: SceneConnection, counter: string, key: string) =>
  connection.ask("POST", "/api/fn/work.raise", { body: { counter }, key });

async function valueOf(connection: SceneConnection, counter: string): Promise<number> {
  const answer = await connection.ask("POST", "/api/fn/work.value", { body: { counter } });
  assert.equal(answer.status, 200, answer.text);
  return answer.body as unknown as number;
}

test("an answered write is seen by every later read on every thread", { timeout }, () =>
  withThreads({ doors: 3 }, async (scene) => {
    const connections = scene.connectMany(18);
    const [writer, ...readers] = connections as [SceneConnection, ...SceneConnection[]];
    const counter = await makeCounter(writer);
    // Others write all the time, so that snapshots and marks change under the readers.
    const load = { isOver: false };
    const noise = scene.connectMany(3).map(async (connection) => {
      while (!load.isOver) {
        await connection.ask("POST", "/api/tables/note", { body: { text: "noise" } });
      }
    });
    for (let round = 1; round <= 60; round++) {
      const by = connections[round % connections.length] as SceneConnection;
      const raised = await raise(by, counter, `key-${round}`);
      assert.equal(raised.body, round);
      const rows = readers.map(async (reader, index) => {
        if (index % 2 === 0) return valueOf(reader, counter);
        const answer = await reader.ask("GET", `/api/tables/counter/${counter}`);
        return (answer.body as unknown as { readonly value: number }).value;
      });
      for (const value of await Promise.all(rows)) assert.equal(value, round);
    }
    load.isOver = true;
    await Promise.all(noise);
  }),
);

test(
  "a client that reads on one thread and then on another never goes back in time",
  { timeout },
  () =>
    withThreads({ doors: 3 }, async (scene) => {
      const counter = await makeCounter(scene.connect());
      const load = { isOver: false };
      const writing = scene.connectMany(4).map(async (connection, index) => {
        for (let round = 0; !load.isOver; round++)
          await raise(connection, counter, `w${index}-${round}`);
      });
      const reading = Array.from({ length: 6 }, async () => {
        const connections = scene.connectMany(6);
        let last = 0;
        for (let round = 0; round < 150; round++) {
          const value = await valueOf(connections[round % 6] as SceneConnection, counter);
          assert.ok(value >= last, `${value} after ${last}`);
          last = value;
        }
      });
      await Promise.all(reading);
      load.isOver = true;
      await Promise.all(writing);
    }),
);

test("a limit of ten an hour is ten over all threads", { timeout }, () =>
  withThreads({ doors: 3 }, async (scene) => {
    const connections = scene.connectMany(24);
    const askAll = async (token: string): Promise<number[]> => {
      const asked = connections.flatMap((connection) =>
        Array.from({ length: 3 }, () =>
          connection.ask("POST", "/api/fn/work.rare", { body: {}, token }),
        ),
      );
      return (await Promise.all(asked)).map(({ status }) => status);
    };
    for (const user of ["user_01h455vb4pex5vsknk084sn02q", "user_01h455vb4pex5vsknk084sn02r"]) {
      const statuses = await askAll(await scene.token(user));
      assert.equal(statuses.filter((status) => status === 200).length, 10);
      assert.equal(statuses.filter((status) => status === 429).length, 62);
    }
  }),
);

test("the writer's thread is replaced, and retries with the same key count once", { timeout }, () =>
  withThreads({ doors: 2 }, async (scene) => {
    const counter = await makeCounter(scene.connect());
    const told: number[] = [];
    const stop = scene.server.current().commits.subscribe((commits) => {
      for (const { seq } of commits) told.push(seq);
    });
    const unknown: string[] = [];
    let raised = 0;
    const clients = scene.connectMany(12).map(async (connection, client) => {
      for (let round = 0; round < 60; round++) {
        for (;;) {
          const answer = await raise(connection, counter, `c${client}-${round}`);
          if (answer.status === 200) break;
          if (answer.status !== 0) unknown.push(answer.body.code as string);
        }
        raised += 1;
      }
    });
    for (let kills = 1; kills <= 3; kills++) {
      await until(() => raised >= kills * 150);
      await scene.server
        .threads()
        .find(({ role }) => role === "writer")
        ?.end();
    }
    await Promise.all(clients);
    await scene.untilReady();
    assert.equal(await valueOf(scene.connect(), counter), 12 * 60);
    assert.ok(
      unknown.every((code) => code === "STORE_FAILED"),
      unknown.join(" "),
    );
    // The feed lost nothing either, and its last commit is the newest one.
    await scene.connect().ask("POST", "/api/tables/note", { body: { text: "last" } });
    const last = await scene.server.current().store.lastSeq();
    await until(() => told.at(-1) === last);
    assert.deepEqual(
      told,
      Array.from({ length: last - 1 }, (_, index) => index + 2),
    );
    stop();
    assert.equal(scene.reports.length >= 3, true, "each death is reported");
  }),
);

test(
  "a writer that is replaced makes no empty database where the data was removed",
  { timeout, skip: process.platform === "win32" && "open files can't be removed there" },
  () =>
    withThreads({ doors: 1 }, async (scene) => {
      const data = join(scene.folder, "data");
      rmSync(data, { recursive: true });
      mkdirSync(data);
      const [writer] = scene.server.threads().filter(({ role }) => role === "writer");
      await writer?.end();
      const isTold = (report: unknown): boolean =>
        report instanceof PlatformError && report.code === "DATA_REMOVED";
      await until(() => scene.reports.some(isTold));
      assert.equal(existsSync(join(data, "data.db")), false);
    }),
);

test("a door's thread is replaced, and the others go on", { timeout }, () =>
  withThreads({ doors: 2 }, async (scene) => {
    const connections = scene.connectMany(12);
    const counter = await makeCounter(connections[0] as SceneConnection);
    const door = scene.server.threads().find(({ role }) => role === "door");
    await door?.end();
    assert.equal(scene.server.isReady(), false);
    await scene.untilReady();
    for (const connection of connections) {
      // The sockets of the thread that ended are gone; another connection is made.
      let status = 0;
      for (let tries = 0; status === 0 && tries < 5; tries++) {
        ({ status } = await connection.ask("GET", "/readyz"));
      }
      assert.equal(status, 200);
    }
    assert.equal((await raise(scene.connect(), counter, "k")).status, 200);
  }),
);

test("metrics are those of all threads, and outlive one", { timeout }, () =>
  withThreads({ doors: 3 }, async (scene) => {
    const connections = scene.connectMany(20);
    for (const connection of connections) {
      assert.equal((await connection.ask("GET", "/api/tables/note")).status, 200);
      await connection.ask("POST", "/api/tables/note", { body: { text: "a" } });
    }
    const scrape = async () => {
      const { text } = await scene.connect().ask("GET", "/metrics");
      return (line: RegExp) => Number(line.exec(text)?.[1]);
    };
    const first = await scrape();
    assert.equal(first(/^keelson_http_requests_total\{route="list",status="200"\} (\d+)$/m), 20);
    assert.equal(first(/^keelson_http_requests_total\{route="create",status="201"\} (\d+)$/m), 20);
    assert.equal(first(/^keelson_writer_jobs_total (\d+)$/m), 20);
    assert.equal(first(/^keelson_http_requests_in_flight (\d+)$/m), 1);
    assert.ok(first(/^keelson_http_connections (\d+)$/m) >= 21);
    // The writer's. Doors make theirs at the first call of a function.
    assert.equal(first(/^keelson_isolates (\d+)$/m), 1);
    await scene.server
      .threads()
      .find(({ role }) => role === "door")
      ?.end();
    await scene.untilReady();
    const later = await scrape();
    assert.equal(later(/^keelson_http_requests_total\{route="list",status="200"\} (\d+)$/m), 20);
  }),
);

test("traces of all threads arrive, and one is found wherever it was made", { timeout }, () =>
  withThreads({ doors: 2 }, async (scene) => {
    for (const connection of scene.connectMany(8)) {
      await connection.ask("POST", "/api/fn/work.nothing", { body: {} });
    }
    await until(() => scene.traces.length >= 8);
    for (const { requestId, code } of scene.traces) {
      assert.equal(code, "FUNCTION_NOT_FOUND");
      assert.equal((await scene.server.findTrace(requestId))?.requestId, requestId);
    }
    assert.equal(await scene.server.findTrace("nobody's"), null);
  }),
);

test("closing under load loses no answered write and answers what it accepted", { timeout }, () =>
  withThreads({ doors: 2 }, async (scene) => {
    const written: string[] = [];
    const refused: string[] = [];
    const clients = scene.connectMany(16).map(async (connection, client) => {
      for (let round = 0; ; round++) {
        const text = `${client}-${round}`;
        const answer = await connection.ask("POST", "/api/tables/note", { body: { text } });
        if (answer.status === 201) written.push(text);
        else {
          if (answer.status !== 0) refused.push(answer.body.code as string);
          return;
        }
      }
    });
    await until(() => written.length >= 200);
    assert.equal(await scene.close(), true);
    await Promise.all(clients);
    const file = new DatabaseSync(join(scene.folder, "data", databaseName), { readOnly: true });
    const found = file
      .prepare("SELECT text FROM note")
      .all()
      .map(({ text }) => text as string);
    file.close();
    assert.equal(new Set(found).size, found.length, "no write happened twice");
    assert.deepEqual(found.toSorted(), written.toSorted(), "exactly what was answered is there");
    assert.ok(
      refused.every((code) => code === "SHUTTING_DOWN"),
      refused.join(" "),
    );
  }),
);

test(
  "a reload under load fails no request, and a version with a mistake changes nothing",
  { timeout },
  () =>
    withThreads({ doors: 2 }, async (scene) => {
      const load = { isOver: false };
      let answered = 0;
      const clients = scene.connectMany(8).map(async (connection, client) => {
        for (let round = 0; !load.isOver; round++) {
          const body = { text: `${client}-${round}` };
          const made = await connection.ask("POST", "/api/tables/note", { body });
          assert.equal(made.status, 201, made.text);
          const read = await connection.ask("GET", `/api/tables/note/${made.body.id}`);
          assert.equal(read.status, 200, read.text);
          answered += 1;
        }
      });
      const more = () => {
        const from = answered;
        return until(() => answered >= from + 50);
      };
      await more();
      scene.writeSchema(", mood: t.text({ max: 9 }).optional()");
      await scene.reload();
      await more();
      // A required field for rows that are there: it can't be migrated safely.
      scene.writeSchema(", mood: t.text({ max: 9 }).optional(), must: t.int()");
      await assert.rejects(scene.reload(), { code: "MIGRATION_REFUSED" });
      await more();
      load.isOver = true;
      await Promise.all(clients);
      for (const connection of scene.connectMany(8)) {
        const body = { text: "new", mood: "good" };
        assert.equal((await connection.ask("POST", "/api/tables/note", { body })).status, 201);
      }
      assert.equal(scene.server.isReady(), true);
    }),
);

test("a caller who floods the writer delays another by a few groups only", { timeout }, () =>
  withThreads({ doors: 2, limits: { groupMax: 8, writeQueueMax: 400 } }, async (scene) => {
    const [flooder, normal] = await Promise.all([
      scene.token("user_01h455vb4pex5vsknk084sn02q"),
      scene.token("user_01h455vb4pex5vsknk084sn02r"),
    ]);
    const load = { isOver: false };
    const statuses = new Map<number, number>();
    const flood = scene.connectMany(300).map(async (connection) => {
      while (!load.isOver) {
        const { status } = await connection.ask("POST", "/api/fn/work.slow", {
          body: {},
          token: flooder,
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    });
    await until(() => (statuses.get(200) ?? 0) >= 100);
    const connection = scene.connect();
    const took: number[] = [];
    for (let round = 0; round < 30; round++) {
      const startedMs = performance.now();
      const body = { text: `${round}` };
      const made = await connection.ask("POST", "/api/tables/note", { body, token: normal });
      assert.equal(made.status, 201, made.text);
      took.push(performance.now() - startedMs);
    }
    const floodMs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const startedMs = performance.now();
      await connection.ask("POST", "/api/fn/work.slow", { body: {}, token: flooder });
      floodMs.push(performance.now() - startedMs);
    }
    load.isOver = true;
    await Promise.all(flood);
    const median = (list: number[]) => list.toSorted((a, b) => a - b)[list.length >> 1] as number;
    // 300 of the flooder's wait: one more of them waits for all, one of somebody else for two groups.
    assert.ok(median(took) * 3 < median(floodMs), `${median(took)} against ${median(floodMs)} ms`);
  }),
);

test("more than the queue takes is refused with the time to come again", { timeout }, () =>
  withThreads({ doors: 1, limits: { writeQueueMax: 16 } }, async (scene) => {
    const asked = scene
      .connectMany(60)
      .map((connection) => connection.ask("POST", "/api/fn/work.slow", { body: {} }));
    const answers = await Promise.all(asked);
    const refused = answers.filter(({ status }) => status === 503);
    assert.ok(refused.length > 0);
    assert.ok(answers.some(({ status }) => status === 200));
    for (const { body } of refused) {
      assert.equal(body.code, "OVERLOADED");
    }
  }),
);

test("an address that another server shares is not taken", { timeout }, () =>
  withThreads({ doors: 1 }, async (scene: ThreadScene) => {
    await assert.rejects(findFreePort("127.0.0.1", scene.server.port), { code: "LISTEN_FAILED" });
  }),
);
