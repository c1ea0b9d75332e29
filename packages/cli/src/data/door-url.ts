// A server elsewhere, through its public API: rows and calls with the rights of a token, like any client.
// Tables are known from its OpenAPI document only by name, so cells of CSV files are converted by what the
// document says of each field.
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import { exits, Failure } from "../flags/failure.ts";
import {
  DoorRefusal,
  type DataDoor,
  type DoorTable,
  type Row,
  type RowOutcome,
  type RowWrite,
} from "./data-door.ts";
import { writeInTurn } from "./in-turn.ts";

const concurrentMax = 16;
const pageRows = 1_000;
/** Tries of one request while the server says "later": a restart takes a few seconds. */
const triesMax = 6;

/** What the CLI reads of an OpenAPI document. */
interface OpenApi {
  readonly paths?: Readonly<Record<string, Json>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface Schema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly [key: string]: unknown;
}

/** @param url the server's address. @param token null calls as nobody. */
export function openUrlDoor(url: string, token: string | null): DataDoor {
  const base = url.replace(/\/+$/, "");
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };

  async function ask(
    method: string,
    path: string,
    body?: Json,
    extra: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly value: Json; readonly repeated: boolean }> {
    for (let attempt = 1; ; attempt++) {
      const response = await request(base, path, {
        method,
        headers: {
          ...headers,
          ...extra,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.ok) {
        const value = text === "" ? null : (JSON.parse(text) as Json);
        return { value, repeated: response.headers.get("idempotency-replayed") === "true" };
      }
      const isLater = response.status === 429 || response.status === 503;
      if (!isLater || attempt === triesMax) throw refusalOf(response.status, text);
      const seconds = Number(response.headers.get("retry-after") ?? "1");
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(30, Math.max(0.1, seconds)) * 1_000),
      );
    }
  }

  async function writeOne(
    table: string,
    { key, value }: RowWrite,
    upsert: string | null,
  ): Promise<RowOutcome> {
    const path = `/api/tables/${encodeURIComponent(table)}`;
    const headersOf: Readonly<Record<string, string>> =
      key === null ? {} : { "idempotency-key": key };
    try {
      const id = upsert === null ? null : await idBy(table, upsert, value[upsert] ?? null);
      const answer =
        id === null
          ? await ask("POST", path, withoutAbsent(value), headersOf)
          : await ask("PATCH", `${path}/${id}`, without(value, "id"), headersOf);
      if (answer.repeated) return { kind: "repeated" };
      return { kind: id === null ? "created" : "updated" };
    } catch (error) {
      if (!(error instanceof DoorRefusal) || error.code === "TOKEN_INVALID") throw error;
      return { kind: "refused", code: error.code, text: error.message, details: error.details };
    }
  }

  async function idBy(table: string, field: string, value: Json): Promise<string | null> {
    if (value === null) return null;
    const where = encodeURIComponent(JSON.stringify({ [field]: value }));
    const { value: page } = await ask(
      "GET",
      `/api/tables/${encodeURIComponent(table)}?where=${where}&limit=1`,
    );
    const { rows } = page as unknown as { readonly rows: readonly Row[] };
    return (rows[0]?.["id"] as string | undefined) ?? null;
  }

  return {
    place: `the server at ${base}`,
    isServed: true,
    tables: async () => tablesOf((await ask("GET", "/api/openapi.json")).value as OpenApi),
    async write(table, rows, upsert) {
      const outcomes: RowOutcome[] = [];
      for (let from = 0; from < rows.length; from += concurrentMax) {
        const part = rows.slice(from, from + concurrentMax);
        const written = writeInTurn(part, upsert, (row) => writeOne(table, row, upsert));
        outcomes.push(...(await written));
      }
      return outcomes;
    },
    idsBy: async () => {
      throw notHere("import --ref", "nobody says what is unique");
    },
    async read(table, after) {
      const where =
        after === null ? "" : `&where=${encodeURIComponent(JSON.stringify({ id: { gt: after } }))}`;
      const path = `/api/tables/${encodeURIComponent(table)}?orderBy=id&limit=${pageRows}${where}`;
      return ((await ask("GET", path)).value as unknown as { readonly rows: readonly Row[] }).rows;
    },
    count: async () => 0,
    call: async (name, args, as) => {
      if (as !== null) throw notHere("--as", "the token says who calls");
      const { value } = await ask("POST", `/api/fn/${encodeURIComponent(name)}`, args);
      return { result: value, log: [] };
    },
    importUsers: async () => {
      throw notHere("users import", "password hashes go to the server's own machine only");
    },
    exportUsers: async () => {
      throw notHere("users export", "password hashes leave by the server's own machine only");
    },
    token: async () => {
      throw notHere("token", "tokens are signed with the key in the data folder");
    },
    serviceKey: async () => {
      throw notHere("token", "keys of services are made by the server's own machine");
    },
    procedure: async () => {
      throw notHere("work", "work is looked after on the server's own machine");
    },
    backup: async () => {
      throw notHere("backup", "a backup is written by the server's own machine");
    },
    verify: async () => {
      throw notHere("verify", "it reads the whole database");
    },
    close: async () => {},
  };
}

async function request(base: string, path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(`${base}${path}`, init);
  } catch (cause) {
    throw new Failure(
      exits.unreachable,
      {
        code: "SERVER_UNREACHABLE",
        what: `Nothing answers at ${base}.`,
        why: String(((cause as Error).cause as Error | undefined)?.message ?? cause),
        fix: "Check the address of --url, and that the server runs.",
      },
      { cause },
    );
  }
}

function refusalOf(status: number, text: string): DoorRefusal {
  let problem: { code?: unknown; detail?: string; title?: string; details?: Json } = {};
  try {
    problem = JSON.parse(text) as typeof problem;
  } catch {
    // No problem document: something in between answered.
  }
  const code = typeof problem.code === "string" ? problem.code : `HTTP_${status}`;
  return new DoorRefusal(
    code,
    problem.detail ?? problem.title ?? text.slice(0, 200),
    problem.details ?? {},
  );
}

/** What the public API has no way for. @param what the command or option. */
export function notHere(what: string, why: string): Failure {
  return new Failure(exits.usage, {
    code: "NOT_OVER_URL",
    what: `${what} does not work with --url.`,
    why: `There ${why}.`,
    fix: "Run it on the machine that has the data folder.",
  });
}

function tablesOf(document: OpenApi): Readonly<Record<string, DoorTable>> {
  const schemas = document.components?.schemas ?? {};
  const names = Object.keys(document.paths ?? {}).flatMap(
    (path) => /^\/api\/tables\/(\w+)$/.exec(path)?.[1] ?? [],
  );
  return Object.fromEntries(
    names.map((name) => {
      const properties = Object.entries(schemas[name]?.properties ?? {});
      const fields = Object.fromEntries(
        properties.map(([field, schema]) => [field, fieldOf(schema)]),
      );
      // Whether a field is unique is not in the document: the server refuses what does not fit.
      return [name, { fields, unique: Object.keys(fields) }];
    }),
  );
}

/** The kind of a field as far as reading a cell needs it. */
function fieldOf(schema: Schema): FieldSpec {
  const told = typeof schema.type === "string" ? [schema.type] : (schema.type ?? []);
  const types = told.filter((type) => type !== "null");
  // Any JSON: a number among them makes no number of its cells.
  if (types.length > 1) return { kind: "json", maxBytes: Number.MAX_SAFE_INTEGER };
  if (types.includes("integer"))
    return { kind: "int", min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
  if (types.includes("number")) return { kind: "number" };
  if (types.includes("boolean")) return { kind: "bool" };
  if (types.includes("string")) return textField(schema);
  if (types.includes("array") && schema.items !== undefined)
    return { kind: "list", item: fieldOf(schema.items), min: 0, max: Number.MAX_SAFE_INTEGER };
  return { kind: "json", maxBytes: Number.MAX_SAFE_INTEGER };
}

function textField({ format, contentEncoding }: Schema): FieldSpec {
  if (format === "date-time") return { kind: "time" };
  if (contentEncoding === "base64") return { kind: "bytes", max: Number.MAX_SAFE_INTEGER };
  return { kind: "text", min: 0, max: Number.MAX_SAFE_INTEGER };
}

function withoutAbsent(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));
}

function without(row: Row, field: string): Row {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== field));
}
