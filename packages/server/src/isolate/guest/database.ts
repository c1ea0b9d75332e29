// `db` of one call. Classes are made once for the app's tables; what a call pays for is one small object
// for `db` and one for each table it names. Payloads are those of isolate/system-calls.ts.
import { ask } from "./ask.ts";
import { create, defineProperty, freeze, toJson } from "./primordials.ts";
import type { Call } from "./running.ts";

interface Paged {
  readonly rows: readonly unknown[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, unknown>> | undefined;

/** What is written the same in every payload of one table. */
interface TableText {
  readonly get: string;
  readonly list: string;
  readonly head: string;
}

/** Operations on one table, for one call, with or without rules. */
class TableReader {
  readonly #call: Call;
  readonly #text: TableText;
  readonly #tail: string;

  constructor(call: Call, text: TableText, tail: string) {
    this.#call = call;
    this.#text = text;
    this.#tail = tail;
  }

  get(id: unknown, query?: Query): Promise<unknown> {
    const asked = query === undefined ? "" : `,"query":${jsonOf(query)}`;
    return ask(this.#call, "db.get", `${this.#text.get}${jsonOf(id)}${asked}${this.#tail}`);
  }

  async list(query?: Query): Promise<readonly unknown[]> {
    return ((await this.page(query)) as Paged).rows;
  }

  page(query?: Query): Promise<unknown> {
    return ask(this.#call, "db.list", `${this.#text.list}${jsonOf(query ?? {})}${this.#tail}`);
  }

  async first(query?: Query): Promise<unknown> {
    return ((await this.page({ ...query, limit: 1 })) as Paged).rows[0] ?? null;
  }

  async count(filter?: Query): Promise<number> {
    const query = { ...filter, aggregate: { count: "count" } };
    const groups = (await this.#aggregate(query)) as readonly { readonly count: number }[];
    return groups[0]?.count ?? 0;
  }

  async aggregate(form: Query): Promise<unknown> {
    const { values, ...rest } = form ?? {};
    const groups = (await this.#aggregate({ ...rest, aggregate: values })) as readonly unknown[];
    return rest["groupBy"] === undefined ? groups[0] : groups;
  }

  #aggregate(query: Query): Promise<unknown> {
    return ask(this.#call, "db.aggregate", `${this.#text.list}${jsonOf(query)}${this.#tail}`);
  }
}

/** The same with writes. */
class TableWriter extends TableReader {
  readonly #call: Call;
  readonly #text: TableText;
  readonly #tail: string;

  constructor(call: Call, text: TableText, tail: string) {
    super(call, text, tail);
    this.#call = call;
    this.#text = text;
    this.#tail = tail;
  }

  create(value: unknown): Promise<unknown> {
    return ask(this.#call, "db.create", `${this.#text.head}"value":${jsonOf(value)}${this.#tail}`);
  }

  update(id: unknown, patch: unknown): Promise<unknown> {
    return ask(
      this.#call,
      "db.update",
      `${this.#text.get}${jsonOf(id)},"value":${jsonOf(patch)}${this.#tail}`,
    );
  }

  async delete(id: unknown): Promise<void> {
    await ask(this.#call, "db.delete", `${this.#text.get}${jsonOf(id)}${this.#tail}`);
  }
}

/** Makes the `db` of a call. */
export type OpenDatabase = (call: Call) => object;

/** @returns for queries and for mutations, what makes `db`. */
export function defineDatabase(tables: readonly string[]): {
  readonly reading: OpenDatabase;
  readonly writing: OpenDatabase;
} {
  return { reading: openerOf(tables, TableReader), writing: openerOf(tables, TableWriter) };
}

function openerOf(tables: readonly string[], Table: typeof TableReader): OpenDatabase {
  const prototype = create(null) as object;
  class Database {
    readonly #call: Call;
    readonly #tail: string;

    constructor(call: Call, tail: string) {
      this.#call = call;
      this.#tail = tail;
    }

    static open(database: Database, text: TableText): TableReader {
      return new Table(database.#call, text, database.#tail);
    }

    static elevate(database: Database, reason: unknown): Database {
      if (typeof reason !== "string" || reason === "") {
        throw new TypeError(
          'db.asSystem takes the reason why, as text: db.asSystem("nightly totals").',
        );
      }
      return new Database(database.#call, `,"as":${jsonOf(reason)}}`);
    }
  }
  for (const table of tables) {
    const name = jsonOf(table);
    const text = freeze({
      get: `{"table":${name},"id":`,
      list: `{"table":${name},"query":`,
      head: `{"table":${name},`,
    });
    defineProperty(prototype, table, {
      enumerable: true,
      get(this: Database) {
        return Database.open(this, text);
      },
    });
  }
  defineProperty(prototype, "asSystem", {
    value(this: Database, reason: unknown) {
      return Database.elevate(this, reason);
    },
  });
  Object.setPrototypeOf(Database.prototype, freeze(prototype));
  freeze(Database.prototype);
  return (call) => new Database(call, "}");
}

/** JSON for a payload; what JSON leaves out becomes null. */
function jsonOf(value: unknown): string {
  return toJson(value) ?? "null";
}

freeze(TableReader.prototype);
freeze(TableWriter.prototype);
