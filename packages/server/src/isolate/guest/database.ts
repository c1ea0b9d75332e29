// `db` of one call. Classes are made once for the app's tables; what a call pays for is one small object
// for `db` and one for each table it names. Payloads are those of isolate/system-calls.ts.
import { withGiven } from "@keelson/sdk/guest";
import { ask, askAtOnce, askRow } from "./ask.ts";
import { host } from "./link.ts";
import {
  create,
  defineProperty,
  freeze,
  RealInt32Array,
  RealProxy,
  toJson,
} from "./primordials.ts";
import type { Call } from "./running.ts";

interface Paged {
  readonly rows: readonly unknown[];
  readonly next: string | null;
}

type Query = Readonly<Record<string, unknown>> | undefined;

/** What is written the same in every payload of one table. */
interface TableText {
  readonly table: string;
  readonly index: number;
  readonly get: string;
  readonly list: string;
  readonly head: string;
}

/** In whose name. */
interface Elevation {
  /** Empty: as the caller. */
  readonly reason: string;
  /** What every payload ends with. */
  readonly tail: string;
  /** The host's number for each table; 0: not asked for yet. */
  readonly targets: Int32Array;
}

/** Operations on one table, for one call, with or without rules. */
class TableReader {
  readonly #call: Call;
  readonly #text: TableText;
  readonly #tail: string;
  readonly #as: Elevation;

  constructor(call: Call, text: TableText, as: Elevation) {
    this.#call = call;
    this.#text = text;
    this.#tail = as.tail;
    this.#as = as;
  }

  get(id: unknown, query?: Query): Promise<unknown> {
    if (query === undefined && typeof id === "string") {
      const target = targetOf(this.#as, this.#text);
      if (target !== 0) return askRow(this.#call, target, id);
    }
    const asked = query === undefined ? "" : `,"query":${jsonOf(withGiven(query))}`;
    return ask(this.#call, "db.get", `${this.#text.get}${jsonOf(id)}${asked}${this.#tail}`);
  }

  async list(query?: Query): Promise<readonly unknown[]> {
    return ((await this.page(query)) as Paged).rows;
  }

  page(query?: Query): Promise<unknown> {
    return ask(this.#call, "db.list", `${this.#text.list}${queryText(query)}${this.#tail}`);
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
    return ask(this.#call, "db.aggregate", `${this.#text.list}${queryText(query)}${this.#tail}`);
  }
}

/** The same with writes. */
class TableWriter extends TableReader {
  readonly #call: Call;
  readonly #text: TableText;
  readonly #tail: string;

  constructor(call: Call, text: TableText, as: Elevation) {
    super(call, text, as);
    this.#call = call;
    this.#text = text;
    this.#tail = as.tail;
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

/** @param platform tables that functions only read. @returns for queries and for mutations, what makes `db`. */
export function defineDatabase(
  own: readonly string[],
  platform: readonly string[],
): {
  readonly reading: OpenDatabase;
  readonly writing: OpenDatabase;
} {
  const tables = [...own, ...platform];
  return {
    reading: openerOf(tables, () => TableReader),
    writing: openerOf(tables, (index) => (index < own.length ? TableWriter : TableReader)),
  };
}

function openerOf(
  tables: readonly string[],
  classOf: (index: number) => typeof TableReader,
): OpenDatabase {
  // Where a lookup ends that found no table, so those that do never get here and pay nothing for it.
  const unknown = new RealProxy(freeze(create(null) as object), {
    get: (_, name, database) =>
      typeof name === "symbol" || isAsked(name) ? undefined : Database.miss(database, name),
  });
  const prototype = create(unknown) as object;
  class Database {
    readonly #call: Call;
    readonly #as: Elevation;

    constructor(call: Call, as: Elevation) {
      this.#call = call;
      this.#as = as;
    }

    static open(database: Database, text: TableText): TableReader {
      return new (classOf(text.index))(database.#call, text, database.#as);
    }

    static elevate(database: Database, reason: unknown): Database {
      if (typeof reason !== "string" || reason === "") {
        throw new TypeError(
          'db.asSystem takes the reason why, as text: db.asSystem("nightly totals").',
        );
      }
      return new Database(database.#call, elevationOf(reason, tables.length));
    }

    /** The host knows the names that are near. @throws SYSTEM_CALL_INVALID. */
    static miss(database: Database, name: string): unknown {
      return askAtOnce(database.#call, "db.table", `{"table":${jsonOf(name)}}`);
    }
  }
  for (let index = 0; index < tables.length; index++) {
    const table = tables[index] as string;
    const name = jsonOf(table);
    const text = freeze({
      table,
      index,
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
  const asCaller = newElevation("", tables.length);
  return (call) => new Database(call, asCaller);
}

/** Whether the language itself looks for a member of this name in any object: to await it, or to make text of it. */
function isAsked(name: string): boolean {
  return name === "then" || name === "toJSON" || name === "toString" || name === "valueOf";
}

/** Reasons are written in the code, so there are few. Those that are made up as they go push each other out. */
const elevationsMax = 64;
let elevations = create(null) as Record<string, Elevation | undefined>;
let elevationCount = 0;

function elevationOf(reason: string, tables: number): Elevation {
  const known = elevations[reason];
  if (known !== undefined) return known;
  if (elevationCount === elevationsMax) {
    elevations = create(null) as typeof elevations;
    elevationCount = 0;
  }
  elevationCount++;
  return (elevations[reason] = newElevation(reason, tables));
}

function newElevation(reason: string, tables: number): Elevation {
  const tail = reason === "" ? "}" : `,"as":${jsonOf(reason)}}`;
  return freeze({ reason, tail, targets: new RealInt32Array(tables) });
}

/** The host's number for a table in this name; 0 when it gives none. */
function targetOf(as: Elevation, { table, index }: TableText): number {
  const { targets } = as;
  const known = targets[index] as number;
  if (known !== 0) return known;
  return (targets[index] = host().target(table, as.reason));
}

function queryText(query: Query): string {
  return jsonOf(query === undefined ? {} : withGiven(query));
}

/** JSON for a payload; what JSON leaves out becomes null. */
function jsonOf(value: unknown): string {
  return toJson(value) ?? "null";
}

freeze(TableReader.prototype);
freeze(TableWriter.prototype);
