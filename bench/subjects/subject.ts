// What a benchmark runs against: a server in a process of its own, started with a folder and sizes,
// that prints one JSON line when it is ready. All subjects hold the same data and enforce the same rules.

/** What sends the requests of a workload. */
export type Driver = "sockets" | "sdk" | "sdk-live";

/** How much data a subject loads before it is ready. */
export interface Sizes {
  readonly accounts: number;
  readonly posts: number;
  readonly authors: number;
  readonly rooms: number;
}

export const sizes: Sizes = { accounts: 100_000, posts: 10_000, authors: 100, rooms: 100 };

/** The line a subject prints: where to send what. Paths end where an id is appended. */
export interface Ready {
  readonly url: string;
  readonly durability: string;
  readonly version: string;
  readonly paths: {
    readonly transfer: string;
    readonly insert: string;
    readonly read: string;
    /** An author's id goes in place of `{author}`. */
    readonly list: string;
    /** Null where the subject has no function that raises: then `raise` says how it is done there. */
    readonly raise: string | null;
    /** Answers `{ "value": n }` of the counter: what became of the raises. */
    readonly counter: string;
  };
  /** How the counter is raised where there is no function for it. */
  readonly raise?: { readonly method: "PATCH"; readonly path: string; readonly body: object };
  /** What it can't do is not measured. Absent: it can do all. */
  readonly workloads?: readonly string[];
  /** What sends the requests: raw sockets, or the client of the SDK over HTTP or its WebSocket. Absent: sockets. */
  readonly driver?: Driver;
  readonly accounts: readonly string[];
  readonly posts: readonly string[];
  readonly authors: readonly string[];
  readonly counter: string;
  /** Bearer tokens, each with the id of its user and of a room the user is a member of. */
  readonly callers: readonly {
    readonly token: string;
    readonly user: string;
    readonly room: string;
  }[];
  /** Whether writes carry an Idempotency-Key. */
  readonly keyed: boolean;
}
