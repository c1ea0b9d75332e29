// The port to what is attacked: an app that answers on a loopback address, on data that nobody misses. The
// attacker speaks to it through its doors only; around the attack it may plant rows and read the log of
// commits, as the judge. It never opens a file or a socket itself.
import type { Json } from "../../base/json.ts";
import type { Manifest } from "../../model/manifest.ts";
import type { Change, Commit, Row } from "../../store/store.ts";

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: "GET" | "POST" | "PATCH" | "PUT" | "DELETE" | "HEAD";
  /** From `/` on, with the query. */
  readonly path: string;
  /** Small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What came back. Status 0: the connection ended without an answer. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Whom a token is for. */
export interface AttackSubject {
  readonly user: string;
  readonly role: string | null;
  readonly claims: Readonly<Record<string, Json>>;
}

/** A token that must not be taken. */
export interface BadToken {
  /** What is wrong with it: `expired`, `alg none`. */
  readonly kind: string;
  readonly authorization: string;
}

/** A live connection. */
export interface LiveWire {
  /** Subscribes and waits for the first value or refusal. @returns what arrived, as text. */
  subscribe(id: number, watch: Json): Promise<string>;
  /** Waits until a text has arrived. @returns false when it does not come. */
  until(text: string): Promise<boolean>;
  /** Waits until nothing has arrived for a moment. @returns what arrived since the last look. */
  settle(): Promise<string>;
  close(): void;
}

/** An address under /auth or /.well-known, as identity itself lists it. */
export interface IdentityAddress {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** `/auth/sessions/:id`. */
  readonly path: string;
  readonly access: "anyone" | "signed-in" | "fresh";
  readonly kind: "api" | "page" | "protocol";
}

/** Identity, as far as an attack has to know it. */
export interface IdentityTarget {
  /** Every address that the app has. */
  addresses(): Promise<readonly IdentityAddress[]>;
  /** Gives a user of the app an account: an address and a password to sign in with. */
  giveAccount(
    user: string,
    account: { readonly email: string; readonly password: string },
  ): Promise<void>;
}

/** A webhook that comes in, with what its sender has. */
export interface HookTarget {
  readonly name: string;
  /** The function that handles it: `pay.onStripe`. */
  readonly function: string;
  /** Whether the signature covers a time. */
  readonly isTimed: boolean;
  /** A header of the app's choice that says which event it is, and that nobody signs; null: there is none. */
  readonly idHeader: string | null;
  /** A delivery as its sender makes it. @param parts.isForeign signed by another key. */
  delivery(parts: {
    readonly id: string;
    readonly type: string;
    readonly data: Readonly<Record<string, Json>>;
    readonly atMs: number;
    readonly isForeign?: boolean;
  }): HookDelivery;
}

/** What a sender sends. */
export interface HookDelivery {
  /** Those of the signature. */
  readonly signed: Readonly<Record<string, string>>;
  /** The others: what the body is. */
  readonly plain: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A piece of work that a commit left to be done. */
export interface LeftWork {
  /** The function that it runs, or the workflow that it goes on with. */
  readonly name: string;
  readonly isWorkflow: boolean;
  /**
   * Has it done, once, as if its time had come.
   * @returns null, or the code that it failed with: where there is an attempt more, that is left in its turn.
   */
  run(): Promise<string | null>;
}

/** Queued work of an app under attack: none is done unless the attack asks. */
export interface WorkTarget {
  /** What these changes left, in their order. */
  left(changes: readonly Change[]): readonly LeftWork[];
}

/** Answers of the servers that functions reach, which are stood in for. */
export type StandInForm = "object" | "list";

/** An app under attack. */
export interface AttackTarget {
  readonly url: string;
  readonly manifest: Manifest;
  /** Text of the app's own files, by path relative to the app's folder. */
  readonly sources: ReadonlyMap<string, string>;
  send(request: WireRequest): Promise<WireAnswer>;
  signToken(subject: AttackSubject): Promise<string>;
  /** Tokens for `subject` of every wrong kind. */
  badTokens(subject: AttackSubject): Promise<readonly BadToken[]>;
  /** Creates a row as the system. @throws PlatformError as the gate does. */
  plant(table: string, value: Readonly<Record<string, Json>>): Promise<Row>;
  /** Changes or (patch null) deletes a row as the system, through the writer. @throws PlatformError. */
  systemChange(change: {
    readonly table: string;
    readonly id: string;
    readonly patch: Readonly<Record<string, Json>> | null;
  }): Promise<void>;
  /** Opens a live connection; absent when the app has no such door. */
  readonly openLive?: (token: string | null) => Promise<LiveWire>;
  readonly identity: IdentityTarget;
  /** Webhooks that the app takes. */
  readonly hooks: readonly HookTarget[];
  readonly work: WorkTarget;
  /** What other servers answer from now on. At first: objects. */
  standIn(form: StandInForm): void;
  /** What a secret of the environment is here: made up for this attack. */
  secret(name: string): string;
  /** Every row of a table. @param max at most this many, in the order of ids. */
  rows(table: string, max: number): Promise<readonly Row[]>;
  lastSeq(): Promise<number>;
  commitsAfter(seq: number): Promise<readonly Commit[]>;
  /** Undoes changes, last first, in one commit. */
  undo(changes: readonly Change[]): Promise<void>;
  /** Names of the app's invariants that do not hold. */
  brokenInvariants(): Promise<readonly string[]>;
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Microseconds of a clock that only goes forward, with fractions: for measuring. */
  elapsedUs(): number;
  close(): Promise<void>;
}
