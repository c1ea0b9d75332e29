import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openHttpClient } from "../server/http-exchange.ts";
import { spawnServer } from "../server/real-server.ts";
import { openOutside } from "./outside.ts";
import { untilSo } from "./work-scene.ts";

const binary = fileURLToPath(new URL("../../packages/cli/bin/keelson.mjs", import.meta.url));

test("keelson work lists, shows, retries with another input, cancels and replays, while the server runs", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "keelson-work-cli-"));
  const outside = await openOutside(folder);
  const dataDir = join(folder, "data");
  const server = spawnServer({ appDir: outside.appDir, dataDir, flags: ["--threads=1"] });
  const http = openHttpClient(2);
  context.after(async () => {
    await server.end("SIGTERM");
    http.close();
    await outside.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  const url = await server.url;
  const call = async (name: string, body: object): Promise<unknown> => {
    const sending = { method: "POST", path: `/api/fn/${name}`, token: null, body } as const;
    return JSON.parse((await http.send(url, sending)).text);
  };
  const work = (
    ...words: string[]
  ): { readonly status: number | null; readonly value: unknown } => {
    const place = [`--app=${outside.appDir}`, `--data=${dataDir}`, "--json"];
    const { status, stdout } = spawnSync(process.execPath, [binary, "work", ...words, ...place], {
      encoding: "utf8",
    });
    return { status, value: status === 0 ? JSON.parse(stdout) : stdout };
  };
  const list = async (...flags: string[]) =>
    work("list", ...flags).value as readonly Readonly<Record<string, unknown>>[];

  const id = (await call("shop.dare", { key: "a" })) as string;
  const [dead] = await untilSo(
    () => list("--dead", "--queue=queue:shop.risks"),
    (rows) => rows.length === 1,
  );
  assert.equal(dead?.["id"], id);
  assert.match(String(dead?.["failure"]), /FUNCTION_REFUSED.*Not like this/);
  const shown = work("show", id).value as { readonly input: unknown; readonly chain: unknown };
  assert.deepEqual(shown.input, { key: "a", good: false });
  assert.ok(Array.isArray(shown.chain));
  assert.equal(work("retry", id, `--input={"key":"a","good":true}`).status, 0);
  const [done] = await untilSo(
    () => list("--done"),
    (rows) => rows.length === 1,
  );
  assert.equal(done?.["id"], id);
  assert.equal(work("cancel", id).status, 2, "it is over");

  await call("shop.pay", { client: "c", number: 1 });
  const standing = await untilSo(
    () => list("--consumers"),
    (rows) => rows.every(({ waitsSince }) => waitsSince === null),
  );
  assert.deepEqual(
    new Set(standing.map(({ name }) => name)),
    new Set(["shop.tallies", "shop.ships", "shop.follows"]),
  );
  assert.equal(work("replay", "shop.tallies", "--from=2020-01-01T00:00:00Z").status, 0);
  await untilSo(
    async () => {
      const where = encodeURIComponent(JSON.stringify({ kind: { in: ["tally", "disorder"] } }));
      const path = `/api/tables/entry?where=${where}`;
      const { text } = await http.send(url, { method: "GET", path, token: null });
      return (JSON.parse(text) as { readonly rows: readonly unknown[] }).rows.length;
    },
    (count) => count === 2,
  );
  assert.notEqual(work("replay", "shop.nobody", "--from=start").status, 0);
  assert.equal(work("sing").status, 1);
});
