// Handling a delivery again, on purpose: after a handler was mended, or to catch up. It runs whatever its order is, and
// whether it was handled before; a job that the event has already stands for it.
import type { Json } from "../base/json.ts";
import { andThen } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import type { Procedure } from "../gate/gate-app.ts";
import { addJob } from "../work/job-write.ts";

/** The name of the procedure. Takes `{ id }` of a row of `hookEvent`. */
export const replayHookName = "hook.replay";

/** The same for functions of the app. Answers null. @throws NOT_FOUND. */
export const replayForFunctions: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { id } = input as { readonly id?: Json };
    const event = { id: typeof id === "string" ? id : "" };
    return andThen(replayHook.run(scope, event), () => null);
  },
};

/** Answers `{ job }`: its id. @throws NOT_FOUND. */
export const replayHook: Procedure = {
  run(scope, input) {
    const { id } = input as { readonly id: string };
    return andThen(scope.tx.get("hookEvent", id, null), (row) => {
      if (row === null) throw new PlatformError("NOT_FOUND", { id: id.slice(0, 100) });
      return andThen(scope.tx.update("hookEvent", id, { state: "waiting" }), () => {
        const queue = `hook:${String(row["hook"])}`;
        const job = { queue, input: { event: id, isReplay: true }, once: id, me: null };
        return andThen(addJob(scope, job), (job): Json => ({ job }));
      });
    });
  },
};
