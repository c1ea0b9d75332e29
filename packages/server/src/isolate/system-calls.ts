// The system calls of user code (law 3): operation names with their payloads and answers, JSON but for db.row's payload.
// The guest side (isolate/guest) builds the payloads; the gate answers them with the caller's rights.
// `as` holds the reason of `db.asSystem("reason")`; with it, rules are skipped, validation is not.
import type { Json } from "../base/json.ts";
import type { QueryForm } from "../model/query-form.ts";
import type { Row } from "../store/store.ts";

/** Fields by name; auth/auth-functions.ts reads them. */
type AuthPayload = { readonly [field: string]: Json };

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
  /** `db.get` of a whole row. The payload is no JSON but the id as it is; the rest is in the call's RowTarget. */
  readonly "db.row": { readonly payload: string; readonly answer: Row | null };
  readonly "db.list": {
    readonly payload: { readonly table: string; readonly query: QueryForm; readonly as?: string };
    readonly answer: { readonly rows: readonly Row[]; readonly next: string | null };
  };
  /** A table that is not there: refused with the name that was meant. */
  readonly "db.table": { readonly payload: { readonly table: string }; readonly answer: null };
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
  /** `emit(event, payload)`. */
  readonly "work.emit": {
    readonly payload: { readonly event: string; readonly payload: Json };
    readonly answer: null;
  };
  /** `enqueue(work, args, options)` and `schedule`. The answer is the job's id. */
  readonly "work.enqueue": {
    readonly payload: {
      readonly name: string;
      readonly args: Json;
      readonly options: {
        readonly inMs?: number;
        readonly at?: string;
        readonly key?: string;
        readonly priority?: number;
        readonly once?: string;
      };
    };
    readonly answer: string;
  };
  /** `cancel(job)`: whether there was one. */
  readonly "work.cancel": { readonly payload: { readonly id: string }; readonly answer: boolean };
  /** `job.progress(value)`: whether the job is still wanted. */
  readonly "work.progress": {
    readonly payload: { readonly value: Json };
    readonly answer: boolean;
  };
  /** `ctx.auth` of actions and http functions. */
  readonly "auth.createUser": { readonly payload: AuthPayload; readonly answer: string };
  readonly "auth.verifyPassword": { readonly payload: AuthPayload; readonly answer: string | null };
  readonly "auth.setPassword": { readonly payload: AuthPayload; readonly answer: null };
  readonly "auth.setEmail": { readonly payload: AuthPayload; readonly answer: null };
  readonly "auth.deleteUser": { readonly payload: AuthPayload; readonly answer: null };
  readonly "auth.openSession": { readonly payload: AuthPayload; readonly answer: Json };
  readonly "auth.endSession": { readonly payload: AuthPayload; readonly answer: boolean };
  readonly "auth.issueToken": { readonly payload: AuthPayload; readonly answer: string };
  readonly "auth.createOrg": { readonly payload: AuthPayload; readonly answer: string };
  readonly "auth.addMember": { readonly payload: AuthPayload; readonly answer: boolean };
  readonly "auth.setMemberRole": { readonly payload: AuthPayload; readonly answer: null };
  readonly "auth.removeMember": { readonly payload: AuthPayload; readonly answer: null };
  readonly "auth.inviteMember": { readonly payload: AuthPayload; readonly answer: string };
  readonly "auth.listMembers": { readonly payload: AuthPayload; readonly answer: Json };
  /** `mail.send(letter)`; auth/mail/app-letter.ts reads it. */
  readonly "mail.send": { readonly payload: AuthPayload; readonly answer: null };
  /** `webhooks.add(endpoint)`. The secret is told this once. */
  readonly "webhooks.add": {
    readonly payload: {
      readonly url: string;
      readonly types?: readonly string[];
      readonly owner?: string | null;
      readonly form?: string;
    };
    readonly answer: { readonly id: string; readonly secret: string };
  };
  readonly "webhooks.remove": { readonly payload: { readonly id: string }; readonly answer: null };
  readonly "webhooks.switch": {
    readonly payload: { readonly id: string; readonly isOn: boolean };
    readonly answer: null;
  };
  readonly "webhooks.rotate": {
    readonly payload: { readonly id: string };
    readonly answer: { readonly secret: string };
  };
  readonly "webhooks.send": {
    readonly payload: { readonly type: string; readonly data: Json; readonly owner: string | null };
    readonly answer: { readonly message: string; readonly endpoints: number };
  };
  readonly "webhooks.redeliver": {
    readonly payload: { readonly id: string };
    readonly answer: null;
  };
  /** `startWorkflow(workflow, args, { key })`. The answer is the run's id. */
  readonly "workflow.start": {
    readonly payload: { readonly name: string; readonly args: Json; readonly key?: string };
    readonly answer: string;
  };
  /** `signalWorkflow`: whether the run can be told. */
  readonly "workflow.signal": {
    readonly payload: {
      readonly name: string;
      readonly run: string;
      readonly signal: string;
      readonly payload: Json;
    };
    readonly answer: boolean;
  };
  /** `cancelWorkflow`: whether it ran. */
  readonly "workflow.cancel": {
    readonly payload: { readonly run: string };
    readonly answer: boolean;
  };
  /** A workflow asks for something. The answer is its number. */
  readonly "workflow.ask": {
    readonly payload: {
      readonly kind: string;
      readonly name: string;
      readonly input: Json;
      readonly isUndo: boolean;
    };
    readonly answer: number;
  };
  /** A workflow has done all it can: what it is told next, or null. Always answered later. */
  readonly "workflow.next": { readonly payload: Json; readonly answer: Json };
  /** A workflow shows how far it is. */
  readonly "workflow.tell": { readonly payload: { readonly status: Json }; readonly answer: null };
  /** One of what undoes a workflow failed. */
  readonly "workflow.undoFailed": {
    readonly payload: { readonly text: string };
    readonly answer: null;
  };
  /** A workflow's function has come to its end. */
  readonly "workflow.end": { readonly payload: Json; readonly answer: null };
  /** `webhooks.list({ owner })`: endpoints without their secrets. */
  readonly "webhooks.list": {
    readonly payload: { readonly owner: string | null };
    readonly answer: readonly Row[];
  };
  /** `webhooks.deliveries(endpoint)`: the newest of an endpoint. */
  readonly "webhooks.deliveries": {
    readonly payload: { readonly id: string };
    readonly answer: readonly Row[];
  };
  /** `webhooks.events(hook)`: the newest that came. */
  readonly "webhooks.events": {
    readonly payload: { readonly hook: string };
    readonly answer: readonly Row[];
  };
  /** `webhooks.replay(id)`: has an event handled again. */
  readonly "webhooks.replay": { readonly payload: { readonly id: string }; readonly answer: null };
  /** `webhooks.take(hook, event)`: an event that came by another road than its hook's address. */
  readonly "webhooks.take": {
    readonly payload: {
      readonly hook: string;
      readonly id: string;
      readonly type: string | null;
      readonly body: Json;
    };
    readonly answer: { readonly isNew: boolean };
  };
  /** `run(fn, args)`: another function of the app, by name, as the same caller; `allow` is not asked. */
  readonly run: {
    readonly payload: { readonly name: string; readonly args: Json };
    readonly answer: Json;
  };
}

/** Its name. */
export type SystemCallName = keyof SystemCalls;

/** What `db.row` reads from, and in whose name. One object for each pair of an isolate. */
export interface RowTarget {
  readonly table: string;
  /** The reason of `db.asSystem`; empty: as the caller. */
  readonly reason: string;
}

/** Names by the number that crosses the border in their place; 0: the name is the payload's first line. */
export const numberedCalls: readonly (SystemCallName | null)[] = Object.freeze([
  null,
  "db.row",
  "db.get",
  "db.list",
  "db.aggregate",
  "db.create",
  "db.update",
  "db.delete",
  "run",
]);

/** The number of `db.row`. */
export const rowCall = 1;
/** Calls up to this number change no row; any other may. */
export const lastReadCall = 4;
