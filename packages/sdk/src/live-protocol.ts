// The messages of a live connection, keelson.live.1: what docs/reference/live.md says, as types. Text frames
// of JSON, one message each. Types only: the client and the server both import them, and share no code.
import type { Json } from "./spec.ts";

/** The WebSocket subprotocol that a client asks for. */
export type LiveProtocol = "keelson.live.1";

/** One operation, spelled as a step of `POST /api/batch`. */
export type LiveStep =
  | { readonly call: string; readonly args?: Json }
  | { readonly list: string; readonly query?: Json }
  | { readonly get: string; readonly id: string; readonly query?: Json }
  | { readonly create: string; readonly value: Json }
  | { readonly update: string; readonly id: string; readonly value: Json }
  | { readonly delete: string; readonly id: string };

/** What can be asked: one operation, or several in one transaction. */
export type LiveAsk = LiveStep | { readonly steps: readonly LiveStep[] };

/** What can be watched: a query function, a list (an aggregate is one), a row. */
export type LiveWatch = Extract<
  LiveStep,
  { readonly call: string } | { readonly list: string } | { readonly get: string }
>;

/** A subscription as the client names it. */
export interface LiveSubscribe {
  /** A whole number from 1 that this connection has not used for another living subscription. */
  readonly id: number;
  readonly watch: LiveWatch;
  /** The hash that the last value came with, on another connection: when it is still right, `same` comes. */
  readonly hash?: string;
}

/** From the client. */
export type LiveClientMessage =
  /** Who calls, for every message after it; null: nobody (or the session cookie). Living subscriptions are run again with it. */
  | { readonly type: "token"; readonly token: string | null }
  /** Asks once. `id` is the client's, from 1; answered by `result` or `error` with it, in any order. */
  | {
      readonly type: "ask";
      readonly id: number;
      readonly ask: LiveAsk;
      /** Idempotency key, as the HTTP header. */
      readonly key?: string;
      /** True when an earlier attempt got no answer, as the HTTP header Idempotency-Repeat. */
      readonly repeat?: boolean;
    }
  /** Watches. The first values of all of them come in one push. */
  | { readonly type: "subscribe"; readonly subs: readonly LiveSubscribe[] }
  /** Ends subscriptions. A push that is on its way may still name them: ignore it. */
  | { readonly type: "unsubscribe"; readonly ids: readonly number[] }
  | { readonly type: "ping" };

/** A refusal or failure: the problem details of the HTTP door, with when to come again. */
export interface LiveProblem {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly details?: { readonly [key: string]: Json };
  readonly requestId: string;
  /** Seconds, as the HTTP header Retry-After. */
  readonly retryAfter?: number;
}

/** How a value came from the one sent before. */
export type LivePatch =
  /**
   * Rows with ids. `at`: "rows" when the value is a page `{ rows, next }`, null when it is the array itself.
   * Apply in this order: drop `remove`; replace rows of `upsert` in their places; append those that are new,
   * in their order; when `order` is there, put the rows in that order; set the keys of `set` on the page.
   */
  | {
      readonly kind: "rows";
      readonly at: "rows" | null;
      readonly remove?: readonly string[];
      readonly upsert?: readonly { readonly [field: string]: Json }[];
      readonly order?: readonly string[];
      readonly set?: { readonly [key: string]: Json };
    }
  /** An array of `length` items: cut or lengthen it, then set each item. */
  | {
      readonly kind: "items";
      readonly length: number;
      readonly set: readonly (readonly [index: number, value: Json])[];
    }
  /** An object: drop the keys of `unset`, then set those of `set`. */
  | {
      readonly kind: "fields";
      readonly set?: { readonly [key: string]: Json };
      readonly unset?: readonly string[];
    };

/** What happened to one subscription in a push. */
export type LiveChange =
  | { readonly id: number; readonly hash: string; readonly value: Json }
  /** Applies to the last value of this subscription; never follows an error. */
  | { readonly id: number; readonly hash: string; readonly patch: LivePatch }
  /** Only as first answer: the value with the hash that the client brought still stands. */
  | { readonly id: number; readonly same: true }
  /**
   * There is no value now. Unless `ended`, the subscription lives on and a value may come later (a row that is not
   * there yet: NOT_FOUND; a query that another caller may ask: SIGN_IN_REQUIRED). `ended`: nothing more will come for this id.
   */
  | { readonly id: number; readonly error: LiveProblem; readonly ended?: true };

/** From the server. */
export type LiveServerMessage =
  /** First of all. */
  | {
      readonly type: "welcome";
      /** Hash of the app that is served: another one after a deploy. */
      readonly app: string;
      /** Nothing from the server for longer than this: the connection is dead. Ask with `ping` before. */
      readonly silentMsMax: number;
      readonly messageBytesMax: number;
      readonly subscriptionsMax: number;
      readonly asksMax: number;
    }
  | {
      readonly type: "result";
      readonly id: number;
      /** The commit that a write made or a read stood on. */
      readonly seq: number;
      readonly value: Json;
      /** Whether an idempotency key brought back an earlier answer. */
      readonly repeated?: true;
    }
  | { readonly type: "error"; readonly id: number; readonly error: LiveProblem }
  /**
   * Every subscription of this connection now stands on commit `seq`: those that are named changed, the
   * others did not. `seq` grows from push to push, or stays when a subscription came or the caller changed.
   */
  | { readonly type: "push"; readonly seq: number; readonly changes: readonly LiveChange[] }
  | { readonly type: "pong" };

/** Why the server ends a connection (WebSocket close codes). */
export type LiveCloseCode =
  /** 1009 message too large. 1012 restart or new version: come again at once, with jitter. */
  | 1009
  | 1012
  /** 4000 a message that is none of these; 4008 did not answer pings. */
  | 4000
  | 4008
  /** 4013 the client reads more slowly than changes come; 4029 too many connections of a user, or asks far past asksMax. */
  | 4013
  | 4029;

/** A push. */
export type LivePush = Extract<LiveServerMessage, { readonly type: "push" }>;
