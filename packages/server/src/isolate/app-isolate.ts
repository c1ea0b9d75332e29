// The port to user code. An AppIsolate holds one evaluated copy of the app's bundle and runs its functions;
// it can reach the world only through the system calls it is given (law 3).
import type { Json } from "../base/json.ts";
import type { Later } from "../base/later.ts";
import type { RowTarget } from "./system-calls.ts";
import type { AppSpec } from "@keelson/sdk/spec";

/** The app's code, ready to load. */
export interface Bundle {
  readonly code: string;
  /** A source map (JSON text) from `code` to files relative to the app's folder. */
  readonly map: string;
  /** SHA-256 of `code`, hex. */
  readonly hash: string;
  /** Every source file that went in, relative to the app's folder, for watching and for reading rules. */
  readonly files: readonly string[];
}

/** Rows that a call is likely to read, sent along with its start. */
export interface RowsAhead {
  /** In the order of the bits of `used`; at most 30. */
  readonly rows: readonly RowAhead[];
  /** Set when the call has ended: a bit for each row that it read, or may have read. */
  used: number;
}

/** One of them: what `db.row` would answer. */
export interface RowAhead {
  readonly target: RowTarget;
  /** A row as JSON text, with its id. */
  readonly text: string;
}

/** What a function is called with. */
export interface CallInput {
  /** `module.name`. */
  readonly name: string;
  readonly kind: "query" | "mutation" | "action" | "http" | "workflow";
  /** Arguments, validated before, as JSON text. */
  readonly argsJson: string;
  /** `me` as the function sees it: `{ id: null, role: null }` for anonymous callers. */
  readonly me: { readonly [claim: string]: Json };
  /** The clock stands here in queries and mutations; actions start here. */
  readonly nowMs: number;
  /** Seed of Math.random and crypto inside queries and mutations: the same seed gives the same numbers. */
  readonly seed: string;
  readonly requestId: string;
  /** The job that it runs for, as `ctx.job`. Default: none. */
  readonly job?:
    | { readonly id: string; readonly token: string; readonly attempt: number }
    | undefined;
  /** Default: none. */
  readonly ahead?: RowsAhead | undefined;
}

/**
 * A system call: an operation and its JSON arguments, answered with JSON text now or later. `db.row` comes with
 * a target, and its argument is the id.
 * A refusal is thrown as a PlatformError and reaches user code as an error with `code` and `details`.
 * Operations (`db.get`, `db.list`, ...) are listed in isolate/system-calls.ts; the isolate does not interpret them.
 */
export type SystemCall = (
  operation: string,
  payloadJson: string,
  target?: RowTarget,
) => Later<string>;

/** One console line of user code. */
export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
}

/** How a call ended. Thrown instead: PlatformError with a FUNCTION_* code. */
export interface CallOutcome {
  /** The result as JSON text (`null` when the function returned nothing). */
  readonly resultJson: string;
  /** Time of all its slices, in microseconds, system calls that were answered at once included. */
  readonly cpuUs: number;
  readonly systemCalls: number;
  readonly log: readonly LogLine[];
}

export interface AppIsolate {
  /** What the app declared. */
  readonly spec: AppSpec;
  /**
   * Runs a function to its end. Calls of one isolate may overlap only while they wait for a later answer.
   * @throws FUNCTION_FAILED when user code throws, with the user's file and line in its cause's stack and,
   * only while developing, in `details.development` (name, message, file, line, column, frame, stack);
   * FUNCTION_REFUSED when it throws keelson's `Refusal` (details: code, text, and the refusal's own);
   * FUNCTION_CPU_EXCEEDED and FUNCTION_MEMORY_EXCEEDED, which end the isolate, and FUNCTION_INTERRUPTED for
   * the calls that waited in it; FUNCTION_TIMEOUT, FUNCTION_CALLS_EXCEEDED, FUNCTION_NEVER_SETTLES,
   * FUNCTION_NOT_FOUND, RESULT_INVALID, RESULT_TOO_LARGE; and a PlatformError of a system call that user
   * code did not catch, as it was.
   */
  call(input: CallInput, system: SystemCall): Later<CallOutcome>;
  /** False once a limit has ended it; the pool replaces it. */
  readonly alive: boolean;
  dispose(): void;
}
