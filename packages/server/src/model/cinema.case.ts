// The ticket office as a specification: what tests of fields, queries, manifests and documents share.
import type { AppSpec } from "@keelson/sdk/spec";
import type { SourcePlace } from "./manifest.ts";
import type { Rule } from "./rule-ast.ts";

const place: SourcePlace = { file: "schema.ts", line: 3, column: 1 };
const range = { file: "rules.ts", start: 0, end: 4 };

/** A rule that always allows. */
export const always: Rule = {
  expr: { kind: "constant", value: true, at: range },
  at: range,
  line: 1,
  column: 1,
  text: "() => true",
};

/** Tables with every kind of field, references both ways, functions of every kind. */
export const cinemaSpec: AppSpec = {
  version: 1,
  tables: {
    user: {
      fields: {
        name: { kind: "text", min: 0, max: 200, optional: true },
        email: { kind: "text", min: 0, max: 320, format: "email", optional: true, unique: true },
        role: { kind: "text", min: 0, max: 50, optional: true },
      },
      indexes: [],
      search: [],
      checks: 0,
    },
    film: {
      fields: {
        title: { kind: "text", min: 1, max: 200 },
        released: { kind: "date", optional: true },
        rating: { kind: "number", min: 0, max: 10, optional: true },
        tags: {
          kind: "list",
          item: { kind: "text", min: 1, max: 20 },
          min: 0,
          max: 5,
          default: { value: [] },
        },
        slug: { kind: "text", min: 1, max: 50, format: "slug", immutable: true, optional: true },
        secret: { kind: "text", min: 0, max: 20, private: true, default: { value: "hidden" } },
        poster: { kind: "bytes", max: 100, optional: true },
        extra: { kind: "json", maxBytes: 1_000, optional: true },
        made: {
          kind: "object",
          fields: {
            country: { kind: "text", min: 2, max: 2, pattern: "[A-Z]{2}" },
            year: { kind: "int", min: 1_880, max: 2_100, optional: true },
          },
          optional: true,
        },
        color: { kind: "bool", default: { value: true } },
      },
      indexes: [{ fields: ["rating"] }],
      search: ["title"],
      checks: 0,
    },
    screening: {
      fields: {
        film: { kind: "ref", table: "film", onDelete: "cascade" },
        startsAt: { kind: "time", default: { now: true } },
        price: { kind: "money", currency: "EUR", min: 0 },
      },
      indexes: [{ fields: ["film", "startsAt"] }],
      search: [],
      checks: 0,
    },
    booking: {
      fields: {
        screening: { kind: "ref", table: "screening", onDelete: "refuse" },
        seat: { kind: "text", min: 1, max: 4 },
        customer: { kind: "ref", table: "user", onDelete: "refuse" },
        guest: { kind: "ref", table: "user", onDelete: "clear", optional: true },
        status: { kind: "oneOf", values: ["held", "paid", "cancelled"] },
      },
      indexes: [
        { fields: ["screening", "seat"], unique: true, where: { status: { not: "cancelled" } } },
        { fields: ["customer"] },
      ],
      search: [],
      checks: 0,
    },
    auditNote: {
      fields: { text: { kind: "text", min: 0, max: 100 } },
      indexes: [],
      search: [],
      checks: 0,
    },
  },
  functions: {
    "cinema.seats": {
      kind: "query",
      args: { screening: { kind: "id", table: "screening" } },
      returns: {
        kind: "list",
        item: {
          kind: "object",
          fields: { seat: { kind: "text", min: 0, max: 4 }, taken: { kind: "bool" } },
        },
        min: 0,
        max: 1_000,
      },
      allow: "anyone",
    },
    "cinema.book": {
      kind: "mutation",
      args: {
        screening: { kind: "id", table: "screening" },
        seat: { kind: "text", min: 1, max: 4 },
      },
      returns: { kind: "id", table: "booking" },
      allow: "signed-in",
      limit: { perUser: "10/minute" },
    },
    "cinema.pay": {
      kind: "action",
      args: { booking: { kind: "id", table: "booking" } },
      returns: { kind: "nothing" },
      allow: { role: ["staff"] },
      hosts: ["api.example.com"],
    },
    "cinema.tidy": { kind: "mutation", args: {}, allow: "nobody" },
    "cinema.consistent": { kind: "query", args: {}, returns: { kind: "bool" }, allow: "nobody" },
    "web.poster": {
      kind: "http",
      args: {},
      allow: "anyone",
      route: { method: "GET", path: "/posters/:film" },
    },
  },
  invariants: ["cinema.consistent"],
  cors: ["https://cinema.example"],
  tableLimits: { film: { read: { perAddress: "100/minute" } } },
};

/** What reading the app's source gave. */
export const cinemaRules = {
  tables: {
    film: {
      rules: { read: always, create: always, update: always, delete: always, fields: {} },
      checks: [],
      at: place,
    },
    screening: { rules: { read: always, fields: {} }, checks: [], at: place },
    booking: {
      rules: { read: always, create: always, fields: { customer: { read: always } } },
      checks: [],
      at: place,
    },
  },
  functions: { "cinema.book": { file: "cinema.ts", line: 12, column: 1 } },
  mistakes: [],
};

/** SHA-256 of nothing in particular. */
export const cinemaBundleHash = "0".repeat(64);
