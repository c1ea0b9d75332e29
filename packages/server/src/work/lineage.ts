// Lineage: work that causes work that causes work is stopped before it is a bill (Azure's and AWS's recursion
// guards came after such bills; here it is a law of the row). A chain may be limits.workDepthMax long; all that
// one root causes by work of its work is counted in `workRoot` and may be as much as the app's fuel.
import { createHash } from "node:crypto";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { typeIdOfUuid } from "../base/type-id.ts";
import { timeText, type Run } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";

/** The origin of what a run starts. @throws SYSTEM_CALL_DENIED where nothing can be started. */
export function originOf(run: Run): WorkOrigin {
  if (run.origin !== undefined) return run.origin;
  throw new PlatformError("SYSTEM_CALL_DENIED", { problem: "nothing can be started here" });
}

/** The origin of what a piece of work causes. @param name what it is called in the chain. */
export function originWithin(origin: WorkOrigin, name: string): WorkOrigin {
  return { root: origin.root, chain: [...origin.chain, name] };
}

/**
 * Counts one piece of work that a run starts.
 * @throws WORK_TOO_DEEP and WORK_FUEL_SPENT, with the chain.
 */
export function countStart(scope: ProcedureScope): Later<void> {
  const { run, tx } = scope;
  const { root, chain } = originOf(run);
  const { workDepthMax } = run.app.limits;
  if (chain.length > workDepthMax) {
    throw new PlatformError("WORK_TOO_DEEP", { root, chain: [...chain], workDepthMax });
  }
  // What a request starts itself is bounded by limits.workStartsMax, and costs no count.
  if (chain.length < 2) return undefined;
  const id = typeIdOfUuid(
    "work_root",
    createHash("sha256").update(root).digest("hex").slice(0, 32),
  );
  return andThen(tx.get("workRoot", id, null), (row) => {
    const spent = ((row?.["spent"] as number | undefined) ?? 0) + 1;
    const fuel = run.app.manifest.work?.fuel ?? run.app.limits.workFuelDefault;
    if (spent > fuel) throw new PlatformError("WORK_FUEL_SPENT", { root, chain: [...chain], fuel });
    if (row !== null) return andThen(tx.update("workRoot", id, { spent }), () => undefined);
    return tx.insert("workRoot", { id, root, spent, at: timeText(run.nowMs) });
  });
}
