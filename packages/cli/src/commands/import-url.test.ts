// Cells of a CSV file on their way to a server elsewhere, of whose fields only its OpenAPI document tells.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keelson, serve, tempFolder } from "../command-scene.case.ts";

const files: Readonly<Record<string, string>> = {
  "schema.ts": `import { define, table, t } from "keelson";
    export const { rules, app } = define({ thing: table({
      name: t.text(), at: t.time().optional(), meta: t.json().optional(), plain: t.json(), isDone: t.bool(),
      labels: t.list(t.text()).optional(), scores: t.list(t.int()), picture: t.bytes().optional(), count: t.int().optional(),
    }) });`,
  "rules.ts": `import { rules } from "./schema.ts";
    export default rules({ thing: { read: () => true, create: () => true } });`,
  "app.ts": `import rules from "./rules.ts"; import { app } from "./schema.ts"; export default app({ rules });`,
};

test("cells of every kind become the same values over --url as on the server's own machine", async (context) => {
  const folder = tempFolder(context);
  mkdirSync(join(folder, "keelson"));
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, "keelson", name), text);
  const input = `name,at,meta,plain,isDone,labels,scores,picture,count
7,2024-05-01 12:00:00+00,"{""a"": 1}",7,t,"{a,""b c""}","{1,2}",\\xdeadbeef,3
"",2024-05-01 12:00:00,,"[1, ""x""]",f,,[],,
`;
  const load = (...flags: readonly string[]) => {
    const words = ["import", "thing", "-", "--format=csv", "--zone=+02:00", "--again", ...flags];
    const { status, err } = keelson(folder, words, { input });
    assert.equal(status, 0, err);
  };
  const server = await serve(folder, ["start"]);
  try {
    load(`--url=${server.url}`);
    load();
    const response = await fetch(
      `${server.url}/api/tables/thing?orderBy=-name&select=name,at,meta,plain,isDone,labels,scores,picture,count`,
    );
    const { rows } = (await response.json()) as { rows: readonly object[] };
    const [first, ownFirst, second, ownSecond] = rows.map((row) => ({ ...row, id: null }));
    assert.deepEqual([ownFirst, ownSecond], [first, second]);
    assert.deepEqual(first, {
      id: null,
      name: "7",
      at: "2024-05-01T12:00:00.000Z",
      meta: { a: 1 },
      plain: 7,
      isDone: true,
      labels: ["a", "b c"],
      scores: [1, 2],
      picture: "3q2+7w==",
      count: 3,
    });
  } finally {
    await server.stop();
  }
});
