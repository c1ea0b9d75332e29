// The one way in which commands reach an app's data as its operator. Three carry it: the data folder opened
// by this process (when no server holds it), the loopback door of the server that holds it, and the public
// API of a server elsewhere, which has only the rights of a token.
import type { FieldSpec, Json } from "@keelson/sdk/spec";
import type { ImportedUser } from "@keelson/server/operator";

/** A row of a table. */
export type Row = { readonly [field: string]: Json };

/** A table as row files need it. */
export interface DoorTable {
  /** In declaration order, `id` first. */
  readonly fields: Readonly<Record<string, FieldSpec>>;
  /** Fields that no two rows share, each by itself: what `--upsert` may name. */
  readonly unique: readonly string[];
}

/** One row to write. */
export interface RowWrite {
  /** Names this write: the same key within a day is done once. Null: it is done whenever it is asked. */
  readonly key: string | null;
  readonly value: Row;
}

/** What became of a row. */
export type RowOutcome =
  /** `unchanged`: the row holds all this already. `repeated`: an earlier run wrote it. */
  | { readonly kind: "created" | "updated" | "unchanged" | "repeated" }
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly text: string;
      readonly details: Json;
    };

/** Whom a call is made as; null is the operator: nobody in particular, and `allow` is not asked. */
export interface CallAs {
  /** A user that is there: its id, e-mail or name. */
  readonly user: string;
  /** Null: the role in the user's row. */
  readonly role: string | null;
}

/** What a call gave. */
export interface CallAnswer {
  readonly result: Json;
  /** What the function wrote to the console; empty over --url. */
  readonly log: readonly { readonly level: string; readonly text: string }[];
}

/** A token and whom it is for. */
export interface IssuedToken {
  readonly token: string;
  readonly user: string;
  readonly role: string | null;
  /** Whether the row in `user` was made for it. */
  readonly created: boolean;
  /** RFC 3339. */
  readonly expiresAt: string;
}

/** A key of a service. */
export interface IssuedKey {
  readonly token: string;
  readonly user: string;
  /** Whether the service was made for it. */
  readonly created: boolean;
  /** RFC 3339; null: it does not end by itself. */
  readonly expiresAt: string | null;
}

/** What `verify` found. */
export interface Verification {
  /** What the database says of itself; empty when it is whole. */
  readonly integrity: readonly string[];
  readonly invariants: readonly {
    readonly name: string;
    readonly holds: boolean;
    /** Why it does not: a code and a text. Null when it holds or just is not true. */
    readonly problem: string | null;
  }[];
}

/** A user to take on from elsewhere. */
export interface UserWrite {
  readonly user: ImportedUser;
  /** Values of the app's own fields. */
  readonly fields: Row;
}

/** What became of it. */
export type UserOutcome =
  /** `there`: somebody with that address or account elsewhere is here already. */
  | { readonly kind: "created" | "there"; readonly user: string }
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly text: string;
      readonly details: Json;
    };

/** The data of one app. */
export interface DataDoor {
  /** Where it leads, for people: `the folder .keelson`, `the server at http://localhost:4000`. */
  readonly place: string;
  /** Whether a server works on the data: without one nothing runs, whatever began. */
  readonly isServed: boolean;
  tables(): Promise<Readonly<Record<string, DoorTable>>>;
  /** Writes rows, validated as any write, each by itself. @param upsert a unique field by which rows are found and updated. @returns one outcome a row, in order. */
  write(
    table: string,
    rows: readonly RowWrite[],
    upsert: string | null,
  ): Promise<readonly RowOutcome[]>;
  /** Ids of rows by a unique field. @param values at most 200. @returns one for each, in order; null: there is no such row. */
  idsBy(table: string, field: string, values: readonly Json[]): Promise<readonly (string | null)[]>;
  /** Rows by id. @param after the id of the last row of the page before. @returns at most 1,000 rows; fewer only at the end. */
  read(table: string, after: string | null): Promise<readonly Row[]>;
  count(table: string): Promise<number>;
  /** @throws PlatformError, DoorRefusal with the function's own code. */
  call(name: string, args: Json, as: CallAs | null): Promise<CallAnswer>;
  /** Takes on users, each by itself. @param source where they come from. @returns one outcome each, in order. */
  importUsers(source: string, users: readonly UserWrite[]): Promise<readonly UserOutcome[]>;
  /** Users with all that identity knows of them, by id. @param after the last id of the page before. @returns a page; an empty one at the end. */
  exportUsers(after: string | null): Promise<readonly Row[]>;
  /** Finds the user by id, e-mail or name, or makes one. @param ttlMs at least 1,000. */
  token(user: string, role: string | null, ttlMs: number): Promise<IssuedToken>;
  /** A key for a service, by id or name; made when there is none of that name. @param ttlMs null: it does not end. */
  serviceKey(
    service: string,
    key: {
      readonly role: string | null;
      readonly scopes: readonly string[];
      readonly ttlMs: number | null;
    },
  ): Promise<IssuedKey>;
  /** Runs a transaction of the platform's own, by name: what commands about work do. @throws its refusals. */
  procedure(name: string, input: Json): Promise<Json>;
  /** Writes a consistent copy. @param file absolute; must not exist. */
  backup(file: string): Promise<void>;
  verify(): Promise<Verification>;
  close(): Promise<void>;
}

/** A refusal that came through a door, with the code of the server's error table. */
export class DoorRefusal extends Error {
  override readonly name = "DoorRefusal";
  readonly code: string;
  readonly details: Json;

  constructor(code: string, text: string, details: Json) {
    super(text);
    this.code = code;
    this.details = details;
  }
}
