// What every door turns its protocol into, and the one shape of answers (law 2). A door parses bytes and
// writes bytes; it never decides a right, a limit or a value.
import type { Json } from "../base/json.ts";
import type { RawRequest } from "../isolate/raw-http.ts";
import type { QueryForm } from "../model/query-form.ts";

/** What is asked. */
export type GateOperation =
  | { readonly kind: "call"; readonly name: string; readonly args: Json }
  /** An `http` function: the raw request, answered raw (see RawAnswer, as JSON text). */
  | {
      readonly kind: "http";
      readonly name: string;
      readonly params: Readonly<Record<string, string>>;
      readonly request: RawRequest;
    }
  | { readonly kind: "list"; readonly table: string; readonly query: QueryForm }
  | {
      readonly kind: "get";
      readonly table: string;
      readonly id: string;
      readonly query: Pick<QueryForm, "with" | "select">;
    }
  | { readonly kind: "create"; readonly table: string; readonly value: Json }
  | { readonly kind: "update"; readonly table: string; readonly id: string; readonly value: Json }
  | { readonly kind: "delete"; readonly table: string; readonly id: string }
  /** All in one transaction; results in order. Queries and mutations only. */
  | { readonly kind: "batch"; readonly steps: readonly GateOperation[] };

/** A request at the gate. */
export interface GateRequest {
  readonly operation: GateOperation;
  /** Scheme and value as they came (`Bearer ...`), or null. */
  readonly authorization: string | null;
  readonly cookie: string | null;
  readonly idempotencyKey: string | null;
  /**
   * The same request was sent before and its answer did not arrive. Its key makes a repeated mutation safe;
   * an action has no transaction, so a repeated one is refused. Default: no.
   */
  readonly mayBeRepeat?: boolean;
  /** Network address of the caller, for limits. */
  readonly address: string;
  /** What the caller's program calls itself; for functions that may sign somebody in. */
  readonly userAgent?: string | null;
  /** Whether it came over https, as far as the proxy in front tells. Default: no. */
  readonly isSecure?: boolean;
  readonly requestId: string;
  /** What it is called in the log: `POST /api/tables/film`. */
  readonly cause: string;
}

/** An answer. Refusals are thrown as PlatformError. */
export interface GateAnswer {
  /** The answer as JSON text, written once and sent as it is. */
  readonly json: string;
  /** The commit that a mutation made or a read stood on. */
  readonly seq: number;
  /** Whether an idempotency key brought back an earlier answer. */
  readonly repeated: boolean;
  /** What is left of the tightest limit: for RateLimit headers. */
  readonly limit: LimitState | null;
}

/** The limit that is nearest to refusing, after this request was counted. */
export interface LimitState {
  /** Its name: `user`, `address` or `total`. */
  readonly policy: string;
  /** Requests that it lets through in a window. */
  readonly quota: number;
  readonly windowSeconds: number;
  /** Requests that it would let through at once now. */
  readonly remaining: number;
  /** Seconds until all of the quota is there again. */
  readonly resetSeconds: number;
}

/** The gate: the only way in. */
export interface Gate {
  handle(request: GateRequest): Promise<GateAnswer> | GateAnswer;
}
