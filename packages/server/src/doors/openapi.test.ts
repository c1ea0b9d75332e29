import { strict as assert } from "node:assert";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { limits } from "../base/limits.ts";
import { always, cinemaBundleHash, cinemaRules, cinemaSpec } from "../model/cinema.case.ts";
import { buildManifest, type RulesRead } from "../model/manifest-build.ts";
import type { Manifest } from "../model/manifest.ts";
import { checkList } from "../model/query-check.ts";
import { problemOf } from "./http-problem.ts";
import { openApiOf } from "./openapi.ts";

const cinema = buildManifest(cinemaSpec, cinemaRules, cinemaBundleHash);
const document = copy(openApiOf(cinema)) as Document;

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

interface Operation {
  readonly operationId?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name?: string; readonly in?: string }[];
  readonly requestBody?: {
    readonly content: {
      readonly "application/json": { readonly schema: object; readonly example?: unknown };
    };
  };
}

const nothing = {
  version: 1,
  tables: {},
  functions: {},
  invariants: [],
  cors: [],
  tableLimits: {},
} as const;
const noRules: RulesRead = { tables: {}, functions: {}, mistakes: [] };

/** Apps of different shapes. */
const apps: Readonly<Record<string, Manifest>> = {
  cinema,
  "nothing at all": buildManifest(nothing, noRules, cinemaBundleHash),
  "every table open to all": openToAll(),
  "functions only": buildManifest({ ...cinemaSpec }, { ...noRules }, cinemaBundleHash),
};

for (const [title, manifest] of Object.entries(apps)) {
  test(`the document is valid OpenAPI 3.1: ${title}`, async () => {
    const result = await new Validator().validate(
      copy(openApiOf(manifest)) as Record<string, unknown>,
    );
    assert.deepEqual(result.errors ?? [], []);
    assert.ok(result.valid);
  });

  test(`every reference leads somewhere, every operation has its own id: ${title}`, () => {
    const made = copy(openApiOf(manifest));
    const text = JSON.stringify(made);
    for (const [, ref = ""] of text.matchAll(/"\$ref":"([^"]+)"/g)) {
      let at: unknown = made;
      for (const key of ref.slice(2).split("/"))
        at = (at as Record<string, unknown> | undefined)?.[key];
      assert.notEqual(at, undefined, ref);
    }
    const ids = operationsOf(made as Document).map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });
}

test("only what can be reached is there", () => {
  assert.deepEqual(
    operationsOf(document)
      .map(({ name }) => name)
      .toSorted(),
    [
      "delete /api/tables/film/{id}",
      "get /api/tables/booking",
      "get /api/tables/booking/{id}",
      "get /api/tables/film",
      "get /api/tables/film/{id}",
      "get /api/tables/screening",
      "get /api/tables/screening/{id}",
      "get /posters/{film}",
      "patch /api/tables/film/{id}",
      "post /api/batch",
      "post /api/fn/cinema.book",
      "post /api/fn/cinema.pay",
      "post /api/fn/cinema.seats",
      "post /api/tables/booking",
      "post /api/tables/film",
    ],
  );
  const text = JSON.stringify(document);
  for (const hidden of [
    "secret",
    "hidden",
    "auditNote",
    "cinema.tidy",
    "cinema.consistent",
    "api.example.com",
  ]) {
    assert.ok(!text.includes(hidden), hidden);
  }
});

test("a table that can be created but not read has no row to get", () => {
  const rules: RulesRead = {
    ...cinemaRules,
    tables: {
      auditNote: {
        rules: { create: always, update: always, delete: always, fields: {} },
        checks: [],
      },
    },
  };
  const made = copy(openApiOf(buildManifest(cinemaSpec, rules, cinemaBundleHash))) as Document;
  assert.deepEqual(Object.keys(made.paths["/api/tables/auditNote"] ?? {}), ["post"]);
  assert.equal(made.paths["/api/tables/auditNote/{id}"], undefined);
});

test("two http functions at one path of the app are two methods of one path of the document", async () => {
  const http = { kind: "http", args: {}, allow: "anyone" } as const;
  const functions = {
    "web.read": { ...http, route: { method: "GET", path: "/posters/:film/*rest" } },
    "web.write": { ...http, route: { method: "PUT", path: "/posters/:id/*tail" } },
  };
  const manifest = buildManifest({ ...nothing, functions }, noRules, cinemaBundleHash);
  const made = copy(openApiOf(manifest)) as Document;
  const item = made.paths["/posters/{film}/{rest}"];
  assert.deepEqual(Object.keys(item ?? {}), ["get", "put"]);
  assert.deepEqual(
    item?.["put"]?.parameters?.map(({ name }) => name),
    ["film", "rest"],
  );
  assert.ok((await new Validator().validate({ ...made })).valid);
});

test("who must sign in is told", () => {
  const security = (path: string) => document.paths[path]?.["post"]?.security;
  assert.deepEqual(security("/api/fn/cinema.seats"), [{}, { bearer: [] }]);
  assert.deepEqual(security("/api/fn/cinema.book"), [{ bearer: [] }]);
  assert.deepEqual(security("/api/fn/cinema.pay"), [{ bearer: [] }]);
});

test("every example fits its own schema", () => {
  const ajv = validator();
  let count = 0;
  for (const { name, operation } of operationsOf(document)) {
    const media = operation.requestBody?.content["application/json"];
    if (media?.example === undefined) continue;
    count++;
    assert.ok(ajv.validate(resolved(media.schema), media.example), `${name}: ${ajv.errorsText()}`);
  }
  assert.ok(count >= 3);
});

test("a problem as it is sent fits the schema of problems", () => {
  const ajv = validator();
  const schema = resolved({ $ref: "#/components/schemas/http.problem" });
  for (const mode of ["development", "production"] as const) {
    const sent: unknown = JSON.parse(problemOf(new Error("x"), "req_1", mode).json);
    assert.ok(ajv.validate(schema, sent), ajv.errorsText());
  }
  assert.ok(!ajv.validate(schema, { code: "NOPE" }));
});

test("a filter fits the schema of filters when the server takes it, and not when it does not", () => {
  const ajv = validator();
  const filters: readonly unknown[] = [
    {},
    { rating: 8 },
    { rating: null },
    { rating: { gte: 8, lt: 9 } },
    { rating: { in: [1, 2] } },
    { title: { startsWith: "A" } },
    { or: [{ rating: 8 }, { not: { color: true } }] },
    { tags: { contains: "a" } },
    { extra: { not: null } },
    { rating: "8" },
    { rating: { $ne: 1 } },
    { rating: {} },
    { rating: { in: [null] } },
    { rating: { startsWith: "8" } },
    { color: { gt: true } },
    { tags: "a" },
    { extra: { a: 1 } },
    { secret: "x" },
    { nope: 1 },
    { or: {} },
    [],
  ];
  const schema = resolved({ $ref: "#/components/schemas/film.where" });
  for (const where of filters) {
    assert.equal(ajv.validate(schema, where), isTaken(where), JSON.stringify(where));
  }
});

test("writes take an idempotency key, reads and actions do not", () => {
  for (const { name, operation } of operationsOf(document)) {
    const refs = JSON.stringify(operation.parameters ?? []);
    const kind = cinema.functions[name.split("/").at(-1) ?? ""]?.kind ?? "mutation";
    const writes = /^(post|patch|delete) /.test(name) && kind === "mutation";
    assert.equal(refs.includes("Idempotency-Key"), writes, name);
  }
});

function isTaken(where: unknown): boolean {
  try {
    checkList(cinema, "film", { where }, { as: "caller", limits });
    return true;
  } catch {
    return false;
  }
}

function operationsOf(
  made: Document,
): readonly { readonly name: string; readonly operation: Operation }[] {
  return Object.entries(made.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => method !== "parameters")
      .map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );
}

function validator(): Ajv2020 {
  const ajv = new Ajv2020({ allowUnionTypes: true });
  formats.default(ajv);
  ajv.addKeyword("components");
  return ajv;
}

/** A schema that stands alone: the document's components come with it. */
function resolved(schema: object): object {
  return { ...schema, components: document.components, $id: `urn:test:${Math.random()}` };
}

function openToAll(): Manifest {
  const rules = { read: always, create: always, update: always, delete: always, fields: {} };
  const tables = Object.fromEntries(
    Object.keys(cinemaSpec.tables).map((name) => [name, { rules, checks: [] }]),
  );
  return buildManifest(cinemaSpec, { ...noRules, tables }, cinemaBundleHash);
}

function copy(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
