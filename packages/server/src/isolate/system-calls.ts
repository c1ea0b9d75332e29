// The system calls of user code (law 3): operation names with their payloads and answers, all JSON.
// The guest side (isolate/guest) builds the payloads; the gate answers them with the caller's rights.
// `as` holds the reason of `db.asSystem("reason")`; with it, rules are skipped, validation is not.
import type { Json } from "../base/json.ts";
import type { QueryForm } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";

/** Payload and answer of every operation. */
export interface SystemCalls {
  readonly "db.get": {
    readonly payload: {
      readonly table: string;
      readonly id: string;
      readonly query?: Pick<QueryForm, "with" | "select">;
      readonly as?: string;
    };
    readonly answer: Row | null;
  };
  readonly "db.list": {
    readonly payload: { readonly table: string; readonly query: QueryForm; readonly as?: string };
    readonly answer: { readonly rows: readonly Row[]; readonly next: string | null };
  };
  /** `query.aggregate` is set. One row per group. */
  readonly "db.aggregate": {
    readonly payload: { readonly table: string; readonly query: QueryForm; readonly as?: string };
    readonly answer: readonly Row[];
  };
  readonly "db.create": {
    readonly payload: { readonly table: string; readonly value: Json; readonly as?: string };
    readonly answer: Row;
  };
  readonly "db.update": {
    readonly payload: {
      readonly table: string;
      readonly id: string;
      readonly value: Json;
      readonly as?: string;
    };
    readonly answer: Row;
  };
  readonly "db.delete": {
    readonly payload: { readonly table: string; readonly id: string; readonly as?: string };
    readonly answer: null;
  };
  /** `run(fn, args)`: another function of the app, by name, as the same caller; `allow` is not asked. */
  readonly run: {
    readonly payload: { readonly name: string; readonly args: Json };
    readonly answer: Json;
  };
}

/** Its name. */
export type SystemCallName = keyof SystemCalls;
