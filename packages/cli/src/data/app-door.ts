// A DataDoor over an app that this process has open: the running server's own, or the data folder opened for
// one command. Everything that writes goes through the server's one writer, as any other write does.
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import {
  anonymous,
  compileField,
  findUser,
  issueServiceKey,
  issueUserToken,
  PlatformError,
  readUserName,
  startWork,
  type Caller,
  type GateOperation,
  type ImportOutcome,
  type ListQuery,
  type OperatorDesk,
  type TableModel,
} from "@keelson/server/operator";
import {
  type CallAs,
  type CallAnswer,
  type DataDoor,
  type DoorTable,
  type IssuedKey,
  type IssuedToken,
  type Row,
  type RowOutcome,
  type RowWrite,
  type UserOutcome,
  type UserWrite,
  type Verification,
} from "./data-door.ts";
import { writeInTurn } from "./in-turn.ts";
import { copyPrivately } from "./private-copy.ts";
import { readUsers } from "./user-read.ts";

const pageRows = 1_000;

/** What a door needs beside the desk. */
export interface AppDoorParts {
  /** The app as it is now; asked for every call, so that a reload is seen. */
  readonly desk: () => OperatorDesk;
  readonly signToken: (subject: {
    readonly user: string;
    readonly role: string | null;
    readonly ttlMs: number;
  }) => Promise<string>;
  readonly nowMs: () => number;
  /** As DataDoor.place. */
  readonly place: string;
  readonly isServed: boolean;
  readonly close: () => Promise<void>;
}

/** Opens a door over an app that is open. */
export function openAppDoor(parts: AppDoorParts): DataDoor {
  return new AppDoor(parts);
}

class AppDoor implements DataDoor {
  readonly place: string;
  readonly isServed: boolean;
  readonly #parts: AppDoorParts;

  constructor(parts: AppDoorParts) {
    this.place = parts.place;
    this.isServed = parts.isServed;
    this.#parts = parts;
  }

  close(): Promise<void> {
    return this.#parts.close();
  }

  async tables(): Promise<Readonly<Record<string, DoorTable>>> {
    const tables = Object.values(this.#parts.desk().manifest.tables);
    return Object.fromEntries(
      tables.map((table) => [table.name, { fields: table.fields, unique: uniqueFields(table) }]),
    );
  }

  async read(table: string, after: string | null): Promise<readonly Row[]> {
    const query: ListQuery = {
      kind: "list",
      from: table,
      orderBy: [{ field: "id", descending: false }],
      limit: pageRows,
      ...(after === null
        ? {}
        : { where: { kind: "field", field: "id", condition: { gt: after } } as const }),
    };
    const page = await this.#parts.desk().store.read((tx) => tx.list(query, null));
    return page.rows;
  }

  async count(table: string): Promise<number> {
    const rows = await this.#parts.desk().store.read((tx) =>
      tx.aggregate(
        {
          kind: "aggregate",
          from: table,
          groupBy: [],
          values: [{ name: "rows", op: "count" }],
          limit: 1,
        },
        null,
      ),
    );
    return Number(rows[0]?.["rows"] ?? 0);
  }

  write(
    table: string,
    rows: readonly RowWrite[],
    upsert: string | null,
  ): Promise<readonly RowOutcome[]> {
    // All at once: the writer takes them one after the other and makes them durable in groups.
    return writeInTurn(rows, upsert, (row) =>
      upsert === null ? this.#create(table, row) : this.#upsert(table, row, upsert),
    );
  }

  async idsBy(
    table: string,
    field: string,
    values: readonly Json[],
  ): Promise<readonly (string | null)[]> {
    const rows = await this.#rowsWith(table, field, values);
    const ids = new Map(rows.map((row) => [row[field] ?? null, idOf(row)]));
    return values.map((value) => ids.get(value) ?? null);
  }

  async call(name: string, args: Json, as: CallAs | null): Promise<CallAnswer> {
    assertCallable(this.#parts.desk(), name);
    const work = startWork();
    const caller = as === null ? anonymous : await this.#callerOf(as);
    const operation: GateOperation = { kind: "call", name, args };
    const { json } = await this.#parts.desk().execute(operation, {
      caller,
      authority: "caller",
      asksAllow: as !== null,
      idempotencyKey: null,
      cause: "keelson run",
      work,
    });
    return { result: JSON.parse(json) as Json, log: work.log ?? [] };
  }

  importUsers(source: string, users: readonly UserWrite[]): Promise<readonly UserOutcome[]> {
    return Promise.all(users.map((user) => this.#importUser(source, user)));
  }

  exportUsers(after: string | null): Promise<readonly Row[]> {
    return readUsers(this.#parts.desk().store, after);
  }

  async #importUser(source: string, { user, fields }: UserWrite): Promise<UserOutcome> {
    const input = { source, user, fields };
    try {
      const outcome = await this.#parts
        .desk()
        .procedure("auth.importUser", input, "keelson users import");
      return outcome as ImportOutcome;
    } catch (error) {
      if (!isRowRefusal(error)) throw error;
      return { kind: "refused", code: error.code, text: error.message, details: error.details };
    }
  }

  async token(written: string, role: string | null, ttlMs: number): Promise<IssuedToken> {
    const order = { user: readUserName(written), role, ttlMs, cause: "keelson token" };
    const issued = await issueUserToken(this.#parts.desk(), order, this.#parts.signToken);
    return { ...issued, expiresAt: new Date(this.#parts.nowMs() + ttlMs).toISOString() };
  }

  async serviceKey(
    service: string,
    { role, scopes, ttlMs }: Parameters<DataDoor["serviceKey"]>[1],
  ): Promise<IssuedKey> {
    const expiresAt = ttlMs === null ? null : new Date(this.#parts.nowMs() + ttlMs).toISOString();
    const order = {
      service: readUserName(service),
      role,
      scopes,
      expiresAt,
      cause: "keelson token",
    };
    return { ...(await issueServiceKey(this.#parts.desk(), order)), expiresAt };
  }

  procedure(name: string, input: Json): Promise<Json> {
    return this.#parts.desk().procedure(name, input, `keelson ${name}`);
  }

  backup(file: string): Promise<void> {
    return copyPrivately(file, (target) => this.#parts.desk().store.backup(target));
  }

  async verify(): Promise<Verification> {
    const desk = this.#parts.desk();
    const reports = await desk.invariants();
    return {
      integrity: integrityOf(desk),
      invariants: reports.map(({ name, holds, returned, error }) => {
        const problem = error === null ? returned && `it returned ${returned}` : error.message;
        return { name, holds, problem };
      }),
    };
  }

  async #create(table: string, { key, value }: RowWrite): Promise<RowOutcome> {
    const row = Object.fromEntries(Object.entries(value).filter(([, cell]) => cell !== null));
    return this.#settle({ kind: "create", table, value: row }, key, "created");
  }

  async #upsert(table: string, write: RowWrite, field: string): Promise<RowOutcome> {
    const wanted = write.value[field] ?? null;
    const existing = await this.#findBy(table, field, wanted);
    if (existing !== null) return this.#update(table, existing, write);
    const outcome = await this.#create(table, write);
    // An equal row of the same batch, or somebody else, was faster: then it is there to be updated.
    const isTaken = outcome.kind === "refused" && outcome.code === "UNIQUE_TAKEN";
    const winner = isTaken ? await this.#findBy(table, field, wanted) : null;
    return winner === null ? outcome : this.#update(table, winner, write);
  }

  /** Writes what differs. Fields that hold the same value already are left out: they may be immutable. */
  async #update(table: string, existing: Row, { key, value }: RowWrite): Promise<RowOutcome> {
    const { fields } = this.#parts.desk().manifest.tables[table] as TableModel;
    const changed = Object.entries(value).filter(
      ([field, cell]) =>
        JSON.stringify(asKept(cell, fields[field])) !== JSON.stringify(existing[field] ?? null),
    );
    if (changed.length === 0) return { kind: "unchanged" };
    const id = idOf(existing);
    return this.#settle(
      { kind: "update", table, id, value: Object.fromEntries(changed) },
      key,
      "updated",
    );
  }

  async #settle(
    operation: GateOperation,
    key: string | null,
    kind: "created" | "updated",
  ): Promise<RowOutcome> {
    try {
      const { repeated } = await this.#asSystem(operation, "keelson import", key);
      return { kind: repeated ? "repeated" : kind };
    } catch (error) {
      if (!isRowRefusal(error)) throw error;
      return { kind: "refused", code: error.code, text: error.message, details: error.details };
    }
  }

  async #asSystem(
    operation: GateOperation,
    cause: string,
    idempotencyKey: string | null,
  ): Promise<{ readonly json: string; readonly repeated: boolean }> {
    return this.#parts.desk().execute(operation, {
      caller: anonymous,
      authority: "system",
      asksAllow: false,
      idempotencyKey,
      cause,
      work: startWork(),
    });
  }

  async #callerOf({ user, role }: CallAs): Promise<Caller> {
    const name = readUserName(user);
    const row = await findUser(this.#parts.desk(), name);
    if (row === null) throw new PlatformError("USER_NOT_FOUND", { [name.by]: name.text });
    const id = idOf(row);
    const granted = role ?? textOf(row["role"]);
    return Object.freeze({ id, role: granted, me: Object.freeze({ id, role: granted }) });
  }

  async #findBy(table: string, field: string, value: Json): Promise<Row | null> {
    if (value === null) return null;
    const { store } = this.#parts.desk();
    if (field === "id") {
      return typeof value === "string" ? store.read((tx) => tx.get(table, value, null)) : null;
    }
    const [row = null] = await this.#rowsWith(table, field, [value]);
    return row;
  }

  /** @param field unique: there is one row at most for each of the values. */
  async #rowsWith(table: string, field: string, values: readonly Json[]): Promise<readonly Row[]> {
    const query: ListQuery = {
      kind: "list",
      from: table,
      where: { kind: "field", field, condition: { in: values } },
      orderBy: [{ field: "id", descending: false }],
      limit: values.length,
    };
    return (await this.#parts.desk().store.read((tx) => tx.list(query, null))).rows;
  }
}

const validators = new WeakMap<FieldSpec, ReturnType<typeof compileField>>();

/** A value as the store would keep it (times in UTC); one that doesn't fit as it is, for the server to refuse. */
function asKept(value: Json, spec: FieldSpec | undefined): Json {
  if (spec === undefined) return value;
  const validate = validators.get(spec) ?? compileField(spec);
  validators.set(spec, validate);
  const issues: Parameters<typeof validate>[2] = [];
  const kept = validate(value, "", issues);
  return issues.length === 0 ? kept : value;
}

/** `id`, fields marked unique, and constraints over one field without a condition. */
function uniqueFields({ fields, indexes }: TableModel): readonly string[] {
  const marked = Object.keys(fields).filter(
    (name) => name === "id" || fields[name]?.unique === true,
  );
  const constrained = indexes.flatMap(({ fields, unique, where }) =>
    unique === true && where === undefined && fields.length === 1 ? [...fields] : [],
  );
  return [...new Set([...marked, ...constrained])];
}

/** @throws REQUEST_INVALID for an http function: it needs a request, not arguments. */
function assertCallable({ manifest }: OperatorDesk, name: string): void {
  const fn = Object.hasOwn(manifest.functions, name) ? manifest.functions[name] : undefined;
  if (fn?.kind !== "http") return;
  const { method = "", path = "" } = fn.route ?? {};
  const text = `${name} is an http function: it answers requests, and is not called. Send it one: ${method} ${path}`;
  throw new PlatformError(
    "REQUEST_INVALID",
    { function: name, problem: "an http function" },
    { text },
  );
}

function integrityOf(desk: OperatorDesk): readonly string[] {
  try {
    desk.checkIntegrity();
    return [];
  } catch (error) {
    const { message, cause } = error as Error;
    return [cause instanceof Error ? cause.message : message];
  }
}

/** Refusals that are about the row. Others (a full disk, a server that ends) end the import. */
function isRowRefusal(error: unknown): error is PlatformError {
  const { status } = error as { readonly status?: unknown };
  return (
    error instanceof Error &&
    error.name === "PlatformError" &&
    Number(status) < 500 &&
    status !== 429
  );
}

function idOf(row: Row): string {
  return row["id"] as string;
}

function textOf(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
