// The data of a server from before: opening it with today's tables of the platform changes what is new, by itself, and
// loses nothing.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { limits } from "../base/limits.ts";
import type { TableModel } from "../model/manifest.ts";
import { platformTables } from "../model/platform-tables.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Row } from "../store/store.ts";

const folder = mkdtempSync(join(tmpdir(), "keelson-upgrade-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const user: TableModel = {
  name: "user",
  fields: { id: { kind: "id", table: "user", immutable: true } },
  ...{ indexes: [], search: [], checks: [], rules: { fields: {} }, limits: {} },
};
const today = { user, ...platformTables };

function tableOf(name: string): TableModel {
  const table = platformTables[name];
  assert.ok(table !== undefined);
  return table;
}

/** Without whether a key is strong, and without the index of who started a run. */
function before(): Readonly<Record<string, TableModel>> {
  const { isStrong, ...fields } = tableOf("authKey").fields;
  assert.ok(isStrong !== undefined);
  const run = tableOf("workRun");
  const indexes = run.indexes.filter(({ fields: [first] }) => first !== "by");
  assert.equal(indexes.length, run.indexes.length - 1);
  return {
    ...today,
    authKey: { ...tableOf("authKey"), fields },
    workRun: { ...run, indexes },
  };
}

const key: Row = {
  id: "auth_key_01h455vb4pex5vsknk084sn02q",
  user: "user_01h455vb4pex5vsknk084sn02q",
  ...{ name: "till", hint: "kk_abc", digest: "d", scopes: ["read"] },
  ...{ createdAt: "2026-01-01T00:00:00.000Z", expiresAt: null, lastUsedAt: null },
};

test("keys from before are weak, and who started a run is found by an index", async () => {
  const path = join(folder, "data.db");
  const old = openSqliteStore({ path, manifest: { tables: before() }, limits });
  const group = old.openGroup();
  await group.mutate(
    { atMs: 0, cause: "test", by: null, requestId: "r", idempotency: null },
    async (tx) => {
      await tx.insert("user", { id: key["user"] as string });
      await tx.insert("authKey", key);
      return "null";
    },
  );
  await group.commit();
  old.close();

  const store = openSqliteStore({ path, manifest: { tables: today }, limits });
  try {
    const kept = await store.read((tx) => tx.get("authKey", key["id"] as string, null));
    assert.deepEqual(kept, { ...key, isStrong: false });
    await store.read((tx) =>
      tx.list(
        {
          ...{ kind: "list", from: "workRun", limit: 10 },
          where: { kind: "field", field: "by", condition: { eq: key["user"] as string } },
          orderBy: [{ field: "startedAt", descending: true }],
        },
        null,
      ),
    );
    const plan = store.plans().flatMap((each) => each.plan);
    assert.ok(
      plan.some((line) => /USING INDEX workRun:index:by,/.test(line)),
      plan.join("\n"),
    );
  } finally {
    store.close();
  }
});
