// New versions of the app while jobs, events, triggers and workflows run: nothing is lost, nothing happens twice, and a
// workflow ends on the code that it began with.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { checkEntries } from "./kill-work.ts";
import { openWorkScene, untilSo } from "./work-scene.ts";

const clients = 4;
const versions = 4;
const perVersion = 5;

const delivery = (version: number): string => `
// begin of delivery
const version = ${version};
export const deliver = workflow({
  args: { key: text },
  async run({ step, sleep }, { key }) {
    await step(note, { kind: "off", key: \`\${key} v\${version}\`, number: version });
    await sleep("1s");
    await step(send, { key: \`\${key} w\`, number: version });
    await step(note, { kind: "there", key: \`\${key} v\${version}\`, number: version });
  },
});
export const begin = mutation({
  args: { key: text },
  allow: "anyone",
  async run({ startWorkflow }, { key }) { await startWorkflow(deliver, { key }); },
});
`;

function writeVersion(appDir: string, version: number): void {
  const shop = join(appDir, "keelson", "shop.ts");
  const [before = ""] = readFileSync(shop, "utf8").split("\n// begin of delivery");
  writeFileSync(shop, before + delivery(version));
}

function keysOf(file: string, kind: string): readonly string[] {
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    const rows = db.prepare("SELECT key FROM entry WHERE kind = ? ORDER BY key").all(kind);
    return rows.map(({ key }) => String(key));
  } finally {
    db.close();
  }
}

for (const threads of [0, 2]) {
  const where = threads === 0 ? "one thread" : "a writer and two doors";
  test(`${where}: work goes on through reloads, each piece once, workflows on their own code`, async (context) => {
    const scene = await openWorkScene(context, { threads });
    const file = join(scene.dataDir, "data.db");
    const reload = async (version: number): Promise<void> => {
      writeVersion(scene.outside.appDir, version);
      const outcome = await scene.server.reload();
      assert.equal(outcome.kind, "replaced", JSON.stringify(outcome));
    };
    await reload(1);
    const paid: string[] = [];
    const under = { isOver: false };
    const pay = async (client: string): Promise<void> => {
      for (let number = 1; !under.isOver; number++) {
        const answer = await scene.call("shop.pay", { client, number });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
        const begun = await scene.call("shop.begin", { key: `${client}-${number}` });
        assert.equal(begun.status, 200, JSON.stringify(begun.body));
        paid.push(`${client}-${number}`);
      }
    };
    const paying = Promise.all(Array.from({ length: clients }, (_, index) => pay(`c${index}`)));
    for (let version = 2; version <= versions; version++) {
      const enough = paid.length + perVersion;
      await untilSo(
        () => Promise.resolve(paid.length),
        (count) => count >= enough,
      );
      await reload(version);
    }
    const enough = paid.length + perVersion;
    await untilSo(
      () => Promise.resolve(paid.length),
      (count) => count >= enough,
    );
    under.isOver = true;
    await paying;
    await untilSo(
      () => Promise.resolve(checkEntries(file, paid).violations),
      (violations) => violations.length === 0,
    );
    const there = await untilSo(
      () => Promise.resolve(keysOf(file, "there")),
      (keys) => keys.length >= paid.length,
    );
    assert.deepEqual(there, keysOf(file, "off"), "each ends as the version that it began as");
    assert.deepEqual(new Set(there.map((key) => key.split(" ")[0])), new Set(paid));
    assert.equal(there.length, paid.length, "once each");
    const seen = new Set(there.map((key) => key.split(" ")[1]));
    assert.ok(seen.size >= 2, `versions that ran: ${[...seen].join()}`);
  });
}
