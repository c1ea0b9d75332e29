// Holds the pages of docs/reference against the code: tables are what the generator writes, and every
// example is put through the real validators.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TableSpec } from "@keelson/sdk/spec";
import { limits } from "../packages/server/src/base/limits.ts";
import { PlatformError } from "../packages/server/src/base/platform-error.ts";
import {
  cinemaBundleHash,
  cinemaRules,
  cinemaSpec,
} from "../packages/server/src/model/cinema.case.ts";
import type { Issue } from "../packages/server/src/model/field-issue.ts";
import { compileField } from "../packages/server/src/model/field-validate.ts";
import { buildManifest } from "../packages/server/src/model/manifest-build.ts";
import type { FieldSpec } from "../packages/server/src/model/manifest.ts";
import { checkQuery } from "../packages/server/src/model/query-check.ts";
import { readRules } from "../packages/server/src/model/rule-parse.ts";
import { errorsPage, limitsPage, referenceFolder, referencePages } from "./reference.ts";

const manifest = buildManifest(cinemaSpec, cinemaRules, cinemaBundleHash);
const reader = { as: "caller", limits } as const;

type FieldExample = readonly [kind: string, options: object, value: unknown, gives: unknown];

for (const [file, text] of Object.entries(referencePages())) {
  test(`docs/reference/${file} is what the code says; else run node tools/reference.ts`, () => {
    assert.equal(readPage(file), text);
  });
}

test("the generator writes every row, and a new one makes a page stale", () => {
  const row = { status: 418, fault: "caller", retry: "never", text: "Tea | only." } as const;
  assert.match(
    errorsPage({ TEAPOT: row }),
    /^\| `TEAPOT` \| 418 \| caller \| never \| Tea \\\| only\. \|$/m,
  );
  const limit = { value: 2_048, unit: "bytes", reason: "cups", min: 1, max: 2 ** 30 } as const;
  assert.match(limitsPage({ cups: limit }), /^\| `cups` \| 2 KiB \| 1 bytes to 1 GiB \| cups \|$/m);
});

test("the queries of queries.md are taken by the tables they are for", () => {
  const blocks = blocksOf(readPage("queries.md"), /^query:(\w+)$/);
  assert.ok(blocks.length >= 10);
  for (const { tag, json } of blocks) {
    assert.ok(checkQuery(manifest, tag, json, reader), JSON.stringify(json));
  }
});

test("the refusals of queries.md are said in these words", () => {
  const rows = Array.from(
    readPage("queries.md").matchAll(/^\| `(\{.*\})` \| `(.*)` \|$/gm),
    ([, query = "", says = ""]) => ({ query, says }),
  );
  assert.ok(rows.length >= 6);
  for (const { query, says } of rows) assert.equal(refusalOf(JSON.parse(query)), says);
});

test("the values of fields.md become what it says, and are refused as it says", () => {
  const page = readPage("fields.md");
  const taken = blocksOf(page, /^(field)$/).flatMap(({ json }) => json as readonly FieldExample[]);
  const refused = blocksOf(page, /^(field-refused)$/).flatMap(
    ({ json }) => json as readonly FieldExample[],
  );
  assert.ok(taken.length >= 10);
  assert.ok(refused.length >= 10);
  for (const [kind, options, value, gives] of taken) {
    const issues: Issue[] = [];
    assert.deepEqual(compileField(specOf(kind, options))(value, "", issues), gives);
    assert.deepEqual(issues, [], kind);
  }
  for (const [kind, options, value, says] of refused) {
    const issues: Issue[] = [];
    compileField(specOf(kind, options))(value, "", issues);
    assert.equal(issues[0]?.problem, says);
  }
});

test("fields.md has a row for every kind of field", () => {
  const page = readPage("fields.md");
  const kinds: readonly FieldSpec["kind"][] = [
    "id",
    "ref",
    "text",
    "int",
    "number",
    "bool",
    "time",
    "date",
    "json",
    "money",
    "oneOf",
    "list",
    "object",
    "bytes",
  ];
  for (const kind of kinds) assert.ok(page.includes(`| \`t.${kind}(`), kind);
});

test("the schema of tables.md is one, and the page names every method of a table", async () => {
  const page = readPage("tables.md");
  const [schemaText = ""] = codeOf(page, "schema");
  const sdk = new URL("../packages/sdk/src/index.ts", import.meta.url).href;
  const code = schemaText.replace('"keelson"', JSON.stringify(sdk));
  const schema = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as object;
  assert.ok("app" in schema);
  for (const method of ["index", "unique", "search", "check", "limit"]) {
    assert.ok(page.includes(`| \`.${method}(`), method);
    assert.ok(schemaText.includes(`.${method}(`), method);
  }
});

test("the rules and checks of rules.md are read without a mistake", () => {
  const page = readPage("rules.md");
  const [rulesText = ""] = codeOf(page, "rules");
  const [schemaText = ""] = codeOf(page, "schema");
  const cinema = readRules({
    sources: new Map([
      ["schema.ts", 'import { define } from "keelson";\nexport const { rules, app } = define({});'],
      ["rules.ts", rulesText],
      [
        "app.ts",
        'import { app } from "./schema.ts";\nimport rules from "./rules.ts";\nexport default app({ rules });',
      ],
    ]),
    spec: cinemaSpec,
  });
  assert.deepEqual(cinema.mistakes, []);
  const { booking } = cinema.tables;
  assert.ok(booking?.rules.read && booking.rules.create && booking.rules.update);
  assert.equal(booking.rules.delete, undefined);
  const shop = readRules({
    sources: new Map([["schema.ts", schemaText]]),
    spec: { ...cinemaSpec, tables: { product: stockTable } },
  });
  assert.deepEqual(shop.mistakes, []);
  assert.equal(shop.tables["product"]?.checks[0]?.message, "There is not enough in stock.");
});

const stockTable: TableSpec = {
  fields: {
    name: { kind: "text", min: 0, max: 100 },
    stock: { kind: "int", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER },
  },
  indexes: [],
  search: [],
  checks: 1,
};

/** The TypeScript blocks with this tag. */
function codeOf(page: string, tag: string): readonly string[] {
  return Array.from(page.matchAll(/^```ts (\S+)\n([^]*?)^```$/gm)).flatMap(
    ([, info = "", body = ""]) => (info === tag ? [body] : []),
  );
}

function readPage(file: string): string {
  return readFileSync(join(referenceFolder, file), "utf8");
}

/** The fenced JSON blocks whose tag fits. */
function blocksOf(
  page: string,
  tag: RegExp,
): readonly { readonly tag: string; readonly json: unknown }[] {
  return Array.from(page.matchAll(/^```json (\S+)\n([^]*?)^```$/gm)).flatMap(
    ([, info = "", body = ""]) => {
      const match = tag.exec(info);
      return match === null ? [] : [{ tag: match[1] ?? "", json: JSON.parse(body) as unknown }];
    },
  );
}

function refusalOf(query: unknown): string {
  try {
    checkQuery(manifest, "film", query, reader);
    return "taken";
  } catch (error) {
    assert.ok(error instanceof PlatformError);
    const [issue] = error.details["issues"] as unknown as readonly Issue[];
    return `${issue?.path} ${issue?.problem}`;
  }
}

function specOf(kind: string, options: object): FieldSpec {
  return { kind, ...options } as FieldSpec;
}
