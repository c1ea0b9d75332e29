// Every transaction of the platform's own, put together: what the floors of identity and work bring.
import { hookProcedures } from "../connect/hook-procedures.ts";
import { pruneHooks } from "../connect/hook-prune.ts";
import { openWorkProcedures } from "../work/work-procedures.ts";
import { workflowProcedures } from "../work/workflow/workflow-procedures.ts";
import { eventListeners, workKinds } from "./platform-work.ts";
import { LazyProcedures } from "./lazy-procedures.ts";

const known = new Map([
  ...openWorkProcedures({ kinds: workKinds, listeners: eventListeners, prunes: [pruneHooks] }),
  ...workflowProcedures,
  ...hookProcedures,
]);

/** By name. */
export const platformProcedures = new LazyProcedures(known, {
  prefix: "auth.",
  load: async () => (await import("../auth/auth-procedures.ts")).authProcedures,
});
