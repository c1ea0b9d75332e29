// The operator's way to the app: whoever holds the data folder (the command line on the same machine). It
// is no door: nothing from outside comes here. Rate limits are not asked, nor `allow` unless the operator
// acts for a user; values, checks and constraints are. With the authority of the system rules are skipped
// and a new row may bring its id.
import type { Later } from "../base/later.ts";
import type { Store } from "../store/store.ts";
import { functionOf } from "./call-function.ts";
import { openGateApp, timeText, type GateAppParts, type Run } from "./gate-app.ts";
import type { GateOperation } from "./gate-request.ts";
import type { Caller } from "./identity.ts";
import { authoriseOperation } from "./stage-authorise.ts";
import { executeOperation, type Executed } from "./stage-execute.ts";
import type { Authority } from "./table-rules.ts";
import type { Work } from "./work.ts";
import type { Writer } from "./writer.ts";

/** How an operation is run. */
export interface OperatorOrder {
  /** Who stands in the log, and `me` of functions. */
  readonly caller: Caller;
  /** `system`: rows are read and written without rules. `caller`: as that caller. */
  readonly authority: Authority;
  /** Whether `allow` of a function is asked, as at a door. */
  readonly asksAllow: boolean;
  /** Remembered in a scope of the operator's own. Null for none. */
  readonly idempotencyKey: string | null;
  /** What it is called in the log: `keelson import`. */
  readonly cause: string;
  /** Filled in with what the operation used, console lines of functions too. */
  readonly work: Work;
}

/** Runs operations for the operator. */
export interface Operator {
  /** @throws every refusal of the operation, untranslated: the operator may know why. */
  execute(operation: GateOperation, order: OperatorOrder): Later<Executed>;
}

/** Opens the operator's way to one manifest. */
export function openOperator(
  parts: GateAppParts & { readonly store: Store; readonly writer: Writer },
): Operator {
  const app = openGateApp(parts);
  return {
    execute(operation, order) {
      const { caller, authority, work } = order;
      const nowMs = parts.clock.nowMs();
      const requestId = Buffer.from(parts.random.bytes(15)).toString("base64url");
      const run: Run = { app, caller, nowMs, requestId, work, authority, spoiled: null };
      const checked = withCheckedArgs(run, operation);
      if (order.asksAllow) authoriseOperation(run, checked);
      return executeOperation(run, parts, checked, {
        operation,
        cause: order.cause,
        idempotencyKey: order.idempotencyKey,
      });
    },
  };
}

/** Arguments as the function takes them; rows are validated where they are written. @throws ARGUMENT_INVALID. */
function withCheckedArgs(run: Run, operation: GateOperation): GateOperation {
  if (operation.kind !== "call") return operation;
  const fn = functionOf(run, operation.name);
  return { ...operation, args: fn.args(operation.args, timeText(run.nowMs)) };
}
