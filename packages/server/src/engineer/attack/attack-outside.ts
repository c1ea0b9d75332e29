// The outside part, against a deployed app of one's own: reads only, nothing is written, nothing is planted. It
// runs when the server shows, by its operator's metrics token, that whoever attacks may.
import { verdictOf } from "./attack-report.ts";
import type { Json } from "../../base/json.ts";
import type { WireAnswer, WireRequest } from "./attack-target.ts";
import { curlOf } from "./replay.ts";
import { fieldSensitivity, isPersonTable, isPrivateTable } from "./sensitive-name.ts";

/** What was seen from outside. */
export interface OutsideReport {
  readonly verdict: "clean" | "holes" | "inconclusive";
  readonly requests: number;
  readonly tables: readonly {
    readonly table: string;
    /** Rows that nobody in particular reads; null: refused. */
    readonly rows: number | null;
    readonly fields: readonly string[];
  }[];
  readonly findings: readonly { readonly says: string; readonly curl: string }[];
  readonly inconclusive: readonly string[];
}

/** Tokens that no server takes: they need no key. */
const badTokens: readonly (readonly [kind: string, authorization: string])[] = [
  [
    "alg none",
    `Bearer ${part({ alg: "none", typ: "JWT" })}.${part({ sub: "user_01890a5dac96774bbcceb30209", role: "admin", exp: 9_999_999_999 })}.`,
  ],
  [
    "HS256 keyed with nothing",
    `Bearer ${part({ alg: "HS256", typ: "JWT" })}.${part({ sub: "admin", exp: 9_999_999_999 })}.AAAA`,
  ],
  ["no token at all", "Bearer a.b.c"],
  ["empty", "Bearer "],
  ["Basic scheme", "Basic YWRtaW46YWRtaW4="],
];

/**
 * Attacks from outside.
 * @param metricsToken the server's own, `keelson start --metrics-token`: it proves that the app is yours.
 * @returns null when the server does not confirm.
 */
export async function attackOutside(
  send: (request: WireRequest) => Promise<WireAnswer>,
  metricsToken: string,
): Promise<OutsideReport | null> {
  const report = new Outside(send);
  const allowed = await report.get("/metrics", { authorization: `Bearer ${metricsToken}` });
  if (allowed.status !== 200 || !allowed.text.startsWith("#")) return null;
  const description = await report.get("/api/openapi.json");
  if (description.status !== 200) {
    report.inconclusive.push(
      `/api/openapi.json answers ${description.status}: nothing is known of the app`,
    );
    return report.end();
  }
  const { paths = {} } = JSON.parse(description.text) as {
    readonly paths?: Record<string, unknown>;
  };
  const tables = Object.keys(paths).flatMap(
    (path) => /^\/api\/tables\/(\w+)$/.exec(path)?.[1] ?? [],
  );
  for (const table of tables) await report.table(table);
  await report.tokens(tables[0]);
  await report.input(tables[0]);
  return report.end();
}

class Outside {
  readonly inconclusive: string[] = [];
  readonly #send: (request: WireRequest) => Promise<WireAnswer>;
  readonly #tables: OutsideReport["tables"][number][] = [];
  readonly #findings: OutsideReport["findings"][number][] = [];
  #requests = 0;

  constructor(send: (request: WireRequest) => Promise<WireAnswer>) {
    this.#send = send;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<WireAnswer> {
    this.#requests += 1;
    return this.#send({ method: "GET", path, headers, body: null });
  }

  async table(table: string): Promise<void> {
    const path = `/api/tables/${table}?limit=20`;
    const answer = await this.get(path);
    if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
      this.#tables.push({ table, rows: null, fields: [] });
      return;
    }
    if (answer.status !== 200) {
      this.inconclusive.push(`${table}: the list answers ${answer.status}`);
      return;
    }
    const { rows } = JSON.parse(answer.text) as { readonly rows: readonly Record<string, Json>[] };
    const fields = [
      ...new Set(rows.flatMap((row) => Object.keys(row).filter((field) => row[field] !== null))),
    ];
    this.#tables.push({ table, rows: rows.length, fields });
    if (rows.length === 0) return;
    for (const field of fields) {
      const sensitivity = fieldSensitivity(table, field);
      const isPersonal =
        sensitivity === "personal" &&
        (table === "user" || isPersonTable(table) || isPrivateTable(table));
      if (sensitivity === "secret" || isPersonal)
        this.#found(`anybody reads ${table}.${field}`, path);
    }
    if (isPrivateTable(table)) this.#found(`anybody reads rows of ${table}`, path);
  }

  async tokens(table: string | undefined): Promise<void> {
    const path = `/api/tables/${table ?? "user"}?limit=1`;
    for (const [kind, authorization] of badTokens) {
      const { status } = await this.get(path, { authorization });
      if (status === 429)
        this.inconclusive.push("the server limits bad tokens: not all kinds were tried");
      else if (status !== 401)
        this.#found(`a token that is "${kind}" is answered with ${status}, not 401`, path);
    }
  }

  async input(table: string | undefined): Promise<void> {
    for (const path of [
      "/api/tables/__proto__",
      "/api/tables/sqlite_schema",
      "/api/tables/_commit",
      `/api/tables/${table ?? "user"}?limit=1000000000`,
      `/api/tables/${table ?? "user"}?orderBy=constructor`,
      "/api/fn/constructor.constructor",
    ]) {
      const { status } = await this.get(path);
      if (status >= 500 || status === 0) this.#found(`${path} is answered with ${status}`, path);
    }
  }

  end(): OutsideReport {
    const verdict = verdictOf(this.#findings.length, this.inconclusive.length);
    return {
      ...{ verdict, requests: this.#requests, tables: this.#tables },
      ...{ findings: this.#findings, inconclusive: this.inconclusive },
    };
  }

  #found(says: string, path: string): void {
    this.#findings.push({ says, curl: curlOf({ method: "GET", path, headers: {}, body: null }) });
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
