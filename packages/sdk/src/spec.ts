// The app as plain JSON: what `define`, `table`, `t`, `query`... leave behind when the app's modules
// have been evaluated once. Nothing here is code: rules and checks are read from source by the server.
// The server turns an AppSpec (and the parsed rules) into its Manifest. Shapes only, no behaviour.

import type { AuthSpec } from "./auth-spec.ts";
import type { HookSettings } from "./hook-spec.ts";

export type { AuthSpec } from "./auth-spec.ts";
export type { WebhookScheme } from "./hook-spec.ts";
export type { AuthClientSpec, AuthProviderClaims, AuthProviderSpec } from "./auth-oidc-spec.ts";

/** Any JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What every field and argument may carry, whatever its kind. Absent means "no". */
export interface FieldFlags {
  /** May be absent (null). Default: required. */
  readonly optional?: true;
  /** Value used on create when the input has none; `{ now: true }` is the time of the call. */
  readonly default?: { readonly value: Json } | { readonly now: true };
  /** Never leaves the server through any door; only `db.asSystem` reads it. */
  readonly private?: true;
  /** Can be set on create only. */
  readonly immutable?: true;
  /** No two rows hold the same value; absent values do not collide. */
  readonly unique?: true;
  /** Of the table `user`: stands in `me` under its name. */
  readonly claim?: true;
}

/** What a value may be. Bounds are inclusive. */
export type FieldKind =
  /** A TypeID of a row of `table`, not checked to exist. */
  | { readonly kind: "id"; readonly table: string }
  /** A TypeID that must exist; `onDelete` says what happens to this row when the target goes. */
  | {
      readonly kind: "ref";
      readonly table: string;
      readonly onDelete: "refuse" | "cascade" | "clear";
    }
  /** `min`, `max` in UTF-16 code units; `pattern` is an ECMAScript source, matched whole, flag `v`. */
  | {
      readonly kind: "text";
      readonly min: number;
      readonly max: number;
      readonly pattern?: string;
      readonly format?: "email" | "url" | "slug";
    }
  /** A safe integer. */
  | { readonly kind: "int"; readonly min: number; readonly max: number }
  /** A finite IEEE double. */
  | { readonly kind: "number"; readonly min?: number; readonly max?: number }
  | { readonly kind: "bool" }
  /** An instant. On the wire and in functions: RFC 3339 in UTC with milliseconds, `2026-01-31T20:15:00.000Z`. */
  | { readonly kind: "time" }
  /** A calendar day without zone: `2026-01-31`. */
  | { readonly kind: "date" }
  /** Any JSON of at most `maxBytes` when serialised. */
  | { readonly kind: "json"; readonly maxBytes: number }
  /** A safe integer of minor units (cents) of an ISO 4217 currency. */
  | {
      readonly kind: "money";
      readonly currency: string;
      readonly min?: number;
      readonly max?: number;
    }
  | { readonly kind: "oneOf"; readonly values: readonly string[] }
  | { readonly kind: "list"; readonly item: FieldSpec; readonly min: number; readonly max: number }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, FieldSpec>> }
  /** Bytes; base64 on the wire, at most `max` bytes decoded. */
  | { readonly kind: "bytes"; readonly max: number };

/** A field of a table, an argument, or (part of) a result. */
export type FieldSpec = FieldKind & FieldFlags;

/** An index or unique constraint. `where` makes it partial (the same form as a query's `where`). */
export interface IndexSpec {
  readonly fields: readonly string[];
  readonly unique?: true;
  readonly where?: WhereSpec;
}

/** A filter: `{ field: value }`, `{ field: { gte: 1 } }`, and `and`, `or`, `not` of the same. */
export type WhereSpec = { readonly [key: string]: Json };

export interface TableSpec {
  /** Without `id`, which every table has: a TypeID whose prefix is the table's name. */
  readonly fields: Readonly<Record<string, FieldSpec>>;
  readonly indexes: readonly IndexSpec[];
  /** Fields of the full-text index, `[]` for none. */
  readonly search: readonly string[];
  /** How many `.check(...)` the table has; their sources are read from the schema's module, in this order. */
  readonly checks: number;
}

/** Who may call a function from outside. `{ role }` lists the roles; "nobody" is only callable from inside. */
export type AllowSpec = "nobody" | "anyone" | "signed-in" | { readonly role: readonly string[] };

/** Rate limits as `"10/minute"`: a count, a slash, second | minute | hour | day. */
export interface LimitSpec {
  readonly perUser?: string;
  /** Per network address. */
  readonly perAddress?: string;
  /** For all callers together. */
  readonly total?: string;
}

export interface FunctionSpec {
  readonly kind: "query" | "mutation" | "action" | "http";
  readonly args: Readonly<Record<string, FieldSpec>>;
  /** The result's shape; absent means unchecked JSON (and `check` says so). */
  readonly returns?: FieldSpec | { readonly kind: "nothing" };
  readonly allow: AllowSpec;
  readonly limit?: LimitSpec;
  /**
   * Actions and http functions: hosts that `fetch` may reach, `api.example.com` or `*.example.com`. `$STRIPE_URL`: the
   * host of the address in that environment variable.
   */
  readonly hosts?: readonly string[];
  /** Actions and http functions: environment variables of the server whose values they may have. */
  readonly secrets?: readonly string[];
  /** Http functions: where they are mounted. `path` may hold `:name` and end in `/*name`. */
  readonly route?: { readonly method: string; readonly path: string };
}

/** An event that the app emits. */
export interface EventSpec {
  readonly payload: Readonly<Record<string, FieldSpec>>;
  /** The field of the payload whose values are kept in order. Absent: the event's own name, so all are. */
  readonly key?: string;
  /** How long an event stays, to be replayed. */
  readonly keepMs: number;
}

/** How the jobs of a queue run. All members but `function` have defaults (docs/events-and-queues.md). */
export interface QueueSpec {
  /** The mutation or action that runs a job: `module.name`. */
  readonly function: string;
  readonly concurrency?: number;
  readonly perKey?: number;
  /** `"100/minute"`: starts, all together and per key. */
  readonly rate?: string;
  readonly ratePerKey?: string;
  /** Attempts in all. */
  readonly attempts?: number;
  readonly backoffMs?: number;
  readonly backoffMsMax?: number;
  readonly timeoutMs?: number;
  readonly keepMs?: number;
  /** Jobs of one key one after the other, in order, also past failures. */
  readonly ordered?: true;
}

/** A function that gets every event of a name, or every change of a table. `function` as for a queue. */
export interface ConsumerSpec extends QueueSpec {
  readonly event?: string;
  readonly table?: string;
  /** For a table: which changes. */
  readonly changes?: readonly ("create" | "update" | "delete")[];
  /** Where a new consumer begins: `now` (what is emitted from then on), or `start` (all that is kept). */
  readonly from: "now" | "start";
}

/** An address that another server sends events to: `/hooks/{name}`. `function` and policy as for a queue. */
export interface HookSpec extends QueueSpec, HookSettings {}

/** A function that runs at times. */
export interface CronSpec extends QueueSpec {
  /** Five fields, as in crontab(5). */
  readonly schedule: string;
  /** As it was written: `every day at 03:00`. */
  readonly text: string;
  /** IANA name: `Europe/Vienna`. */
  readonly zone: string;
  /** Ticks that were missed while nothing ran: `last` runs the newest of them, `all` every one, `none` drops them. */
  readonly missed: "last" | "all" | "none";
}

/** A durable function. Its code is in the bundle, under its name. */
export interface WorkflowSpec {
  readonly args: Readonly<Record<string, FieldSpec>>;
  /** Payloads of the signals that a run can be sent, by name. */
  readonly signals: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>>;
  /** From start to end. Absent: as long as it takes. */
  readonly deadlineMs?: number;
  /** How long a run stays after its end. */
  readonly keepMs: number;
}

/** Work that does not run when it is asked for. Names are `module.name` of the export, events' names their own. */
export interface WorkSpec {
  readonly events: Readonly<Record<string, EventSpec>>;
  readonly queues: Readonly<Record<string, QueueSpec>>;
  readonly consumers: Readonly<Record<string, ConsumerSpec>>;
  readonly crons: Readonly<Record<string, CronSpec>>;
  /** Durable functions. */
  readonly workflows?: Readonly<Record<string, WorkflowSpec>>;
  /** Incoming webhooks, by the last part of their address. */
  readonly hooks?: Readonly<Record<string, HookSpec>>;
  /** Private hosts that endpoints of outgoing webhooks may name. */
  readonly webhookHosts?: readonly string[];
  /** Jobs and events that the work of one request may cause. */
  readonly fuel?: number;
}

export interface AppSpec {
  readonly version: 1;
  /** How people sign in. Absent: the defaults. */
  readonly auth?: AuthSpec;
  readonly tables: Readonly<Record<string, TableSpec>>;
  /** Key: `module.name`, as in `POST /api/fn/module.name`. */
  readonly functions: Readonly<Record<string, FunctionSpec>>;
  /** Names of functions (queries without arguments) that must return true at every commit's end state. */
  readonly invariants: readonly string[];
  /** Origins that browsers may call from; `[]` allows same-origin only. */
  readonly cors: readonly string[];
  /** Limits that a table's own doors (`/api/tables/...`) carry. */
  readonly tableLimits: Readonly<
    Record<string, { readonly read?: LimitSpec; readonly write?: LimitSpec }>
  >;
  /** Absent: the app has no work of its own. */
  readonly work?: WorkSpec;
}
