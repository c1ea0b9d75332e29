// A server that is killed, or serves another version of the app, under clients that watch and write: they go on
// where they were, without a gap, a repeat, or a mix of two moments.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createClient } from "keelson/client";
import type app from "./app/keelson/app.ts";
import { watchBank } from "./bank-watch.ts";
import { startLiveProcess } from "./live-process.ts";
import { openLiveScene, until, type SceneClient } from "./live-scene.ts";

const accounts = 6;
const timeout = 120_000;

/** Raises and moves until it is told to stop. @returns how many raises were acknowledged. */
async function write(api: SceneClient, writer: number, load: { isOver: boolean }): Promise<number> {
  const ids = (await api.account.list()).map(({ id }) => id);
  let made = 0;
  for (; !load.isOver; made++) {
    await Promise.all([
      api.bank.raise({ name: "t", mark: `${writer}.${made}` }),
      api.bank.move({
        from: ids[(writer + made) % accounts] ?? "account_",
        to: ids[made % accounts] ?? "account_",
      }),
    ]);
  }
  return made;
}

for (const { threads, kills } of [
  { threads: 0, kills: 1 },
  { threads: 2, kills: 2 },
]) {
  test(
    `kill -9 with ${threads} threads: watchers resume without a gap, writes count once`,
    { timeout },
    async (context) => {
      const dataDir = mkdtempSync(join(tmpdir(), "keelson-live-kill-"));
      let server = await startLiveProcess({ dataDir, threads });
      const { url, port } = server;
      const clients: SceneClient[] = [];
      context.after(async () => {
        for (const client of clients) client.close();
        await server.close();
        rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
      });
      const client = (): SceneClient => {
        const made = createClient<typeof app>(url, {
          transport: "live",
          retry: { attempts: 10_000, baseMs: 5, capMs: 50 },
        });
        clients.push(made);
        return made;
      };
      const sure = client();
      await sure.bank.open({ count: accounts });
      await sure.tally.create({ name: "t", value: 0 });
      const problems: string[] = [];
      const watching = Array.from({ length: 3 }, () =>
        watchBank(client(), accounts * 100, (text) => problems.push(text)),
      );
      const load = { isOver: false };
      const writing = [0, 1, 2].map((writer) => write(client(), writer, load));
      for (let killed = 0; killed < kills; killed++) {
        const from = watching[0]?.last ?? 0;
        await until(() => watching.every(({ last }) => last > from + 20));
        await server.kill("SIGKILL");
        server = await startLiveProcess({ dataDir, threads, port });
      }
      const from = watching[0]?.last ?? 0;
      await until(() => watching.every(({ last }) => last > from + 20));
      load.isOver = true;
      const made = (await Promise.all(writing)).reduce((sum, count) => sum + count, 0);
      await until(() => watching.every(({ last }) => last === made));
      assert.deepEqual(problems, []);
      assert.equal(await sure.entry.count({ where: { name: "t" } }), made);
      context.diagnostic(`${made} raises, ${kills} kills`);
    },
  );

  test(
    `a reload with ${threads} threads: subscriptions go on in the new version, without a gap`,
    { timeout },
    async (context) => {
      const appDir = mkdtempSync(join(tmpdir(), "keelson-live-reload-"));
      context.after(() => rmSync(appDir, { recursive: true, force: true }));
      cpSync(join(import.meta.dirname, "app"), appDir, { recursive: true });
      symlinkSync(
        join(import.meta.dirname, "..", "..", "node_modules"),
        join(appDir, "node_modules"),
      );
      const bank = join(appDir, "keelson", "bank.ts");
      const source = readFileSync(bank, "utf8");
      const { server, direct } = await openLiveScene(context, {
        appDir,
        threads,
        ...(threads === 0 ? { mode: "development" } : {}),
      });
      const client = () => direct({ retry: { attempts: 10_000, baseMs: 5, capMs: 50 } });
      const sure = client();
      await sure.bank.open({ count: accounts });
      await sure.tally.create({ name: "t", value: 0 });
      const problems: string[] = [];
      const watching = Array.from({ length: 3 }, () =>
        watchBank(client(), accounts * 100, (text) => problems.push(text)),
      );
      const load = { isOver: false };
      const writing = [0, 1, 2].map((writer) => write(client(), writer, load));
      for (let version = 1; version <= 3; version++) {
        const from = watching[0]?.last ?? 0;
        await until(() => watching.every(({ last }) => last > from + 10));
        writeFileSync(
          bank,
          `${source}\nexport const version = query({ allow: "anyone", returns: t.int(), run: () => ${version} });\n`,
        );
        const { kind } = await server.reload();
        assert.equal(kind, "replaced");
      }
      const from = watching[0]?.last ?? 0;
      await until(() => watching.every(({ last }) => last > from + 10));
      load.isOver = true;
      const made = (await Promise.all(writing)).reduce((sum, count) => sum + count, 0);
      await until(() => watching.every(({ last }) => last === made));
      assert.deepEqual(problems, []);
      assert.equal(await sure.entry.count({ where: { name: "t" } }), made);
      context.diagnostic(`${made} raises, 3 versions`);
    },
  );
}
