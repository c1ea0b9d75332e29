// The way out of the isolate: functions that the host gave. They take and give text and numbers only, and
// never throw. Nothing here is ever handed to user code.
import type { LogLine } from "../app-isolate.ts";

/** How a call ended, as the guest tells the host. */
export type EndKind = "done" | "failed" | "refused" | "platform" | "invalid" | "large";

/** What the host gives when it connects. */
export interface HostLink {
  /**
   * A system call of user code; whose and which is in the mailbox. @returns JSON text; text beginning with `!`
   * for a refusal; or a number, the token of an answer that comes later.
   */
  readonly system: (payload: string) => string | number;
  /** A number for a table and a reason of `db.asSystem` (or none), for mailWords.target. 0: there are too many. */
  readonly target: (table: string, reason: string) => number;
  /** An effect that the isolate's own host answers: timers, fetch, randomness. Answers as `system`. */
  readonly effect: (callId: number, operation: string, payload: string) => string | number;
  /** A computation without effects: addresses, text encodings, hashes. Text; `!` begins an error's text. */
  readonly pure: (operation: string, first: string, second: string) => string;
  readonly end: (callId: number, kind: EndKind, text: string) => void;
  readonly log: (callId: number, level: LogLine["level"], text: string) => void;
  /** Small results go through here instead of `end`: a call out of the isolate costs two microseconds. */
  readonly mail: Mailbox;
  readonly limits: GuestLimits;
}

/** Shared memory: every argument that does not have to cross as one saves a third of a microsecond. */
export interface Mailbox {
  /** See mailWords. */
  readonly head: Int32Array;
  /** One small result at a time. ASCII. */
  readonly body: Uint8Array;
}

/** What stands where in a mailbox's head. */
export const mailWords = Object.freeze({
  /** 1 when there is a result. */
  full: 0,
  /** Whose result it is, and its length. */
  callId: 1,
  length: 2,
  /** The system call that is made: whose it is, and its number. */
  asker: 3,
  operation: 4,
  /** What db.row reads from. */
  target: 5,
  /** The call that starts: its id, and its function's index. */
  startId: 6,
  startIndex: 7,
  /** Where in the call's text the rows begin that were sent along; 0: none were. */
  aheadAt: 8,
  /** Which of them the call that ends has read: a bit for each. */
  aheadUsed: 9,
  count: 10,
});

/** Limits that the guest holds itself; the host holds them again. */
export interface GuestLimits {
  readonly resultCharsMax: number;
  readonly payloadCharsMax: number;
  readonly logLineCharsMax: number;
  readonly logLinesMax: number;
}

let current: HostLink | null = null;

/** Connects the guest. Once. */
export function connect(link: HostLink): void {
  if (current !== null) throw new TypeError("connected");
  current = link;
}

/** The host. */
export function host(): HostLink {
  if (current === null) throw new TypeError("not connected");
  return current;
}
