// Jobs that run a function of the app: of queues, of consumers that could not keep pace or failed, of crons.
// A mutation runs in the writer, with the end of its job; an action in the world.
import type { QueueSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { callInTx, functionOf } from "../gate/call-function.ts";
import { timeText, type GateApp } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { Job } from "./job.ts";
import { policyOf, workOf, type Declared } from "./work-app.ts";
import type { JobEnd, WorkKind } from "./work-kind.ts";

/** Names of kinds that run functions. */
export const functionKinds = { queue: "queue", consumer: "consumer", tick: "tick" } as const;

/** Jobs put off by `enqueue`: `queue:<name>`, of a declared queue or of a function. */
export const queueKind: WorkKind = functionKind(functionKinds.queue, (app, name) => {
  const declared = workOf(app).queues.get(name);
  if (declared !== undefined) return declared;
  const model = app.functions.get(name)?.model;
  if (model?.kind !== "mutation" && model?.kind !== "action") return null;
  return { name, spec: { function: name }, policy: policyOf(app, {}) };
});

/** What consumers of events and changes do one by one: `consumer:<name>`. */
export const consumerKind: WorkKind = functionKind(
  functionKinds.consumer,
  (app, name) => workOf(app).consumers.get(name) ?? null,
);

/** What crons that run actions do: `tick:<name>`. */
export const tickKind: WorkKind = functionKind(
  functionKinds.tick,
  (app, name) => workOf(app).crons.get(name) ?? null,
);

/** The name in a queue: what stands behind the colon. */
export function nameOfQueue(queue: string): string {
  return queue.slice(queue.indexOf(":") + 1);
}

/** Of what work brings, the arguments that a function takes. */
export function argsFor(
  app: GateApp,
  name: string,
  given: { readonly [field: string]: Json },
): Json {
  const args = app.functions.get(name)?.model.args ?? {};
  return Object.fromEntries(Object.entries(given).filter(([field]) => Object.hasOwn(args, field)));
}

/** Runs a mutation of the app within a transaction. @returns its result. */
export function callMutation(scope: ProcedureScope, name: string, input: Json): Later<Json> {
  const { run, db } = scope;
  const fn = functionOf(run, name);
  const args = fn.args(input, timeText(run.nowMs));
  return andThen(callInTx(run, db, { fn, args, depth: 0 }), (json) => JSON.parse(json) as Json);
}

function functionKind(
  kind: string,
  find: (app: GateApp, name: string) => Declared<QueueSpec> | null,
): WorkKind {
  const declaredOf = (app: GateApp, queue: string) => find(app, nameOfQueue(queue));
  return {
    kind,
    policy(app, queue) {
      const declared = declaredOf(app, queue);
      // A function that the app has no more is no reason to lose what waits for it.
      return declared !== null && app.functions.has(declared.spec.function)
        ? declared.policy
        : null;
    },
    place(app, job) {
      const name = declaredOf(app, job.queue)?.spec.function ?? "";
      return app.functions.get(name)?.model.kind === "action" ? "world" : "writer";
    },
    run(scope: ProcedureScope, job: Job): Later<JobEnd> {
      const name = declaredOf(scope.run.app, job.queue)?.spec.function ?? "";
      return andThen(callMutation(scope, name, job.input), (result) => ({ kind: "done", result }));
    },
    async act(world, job) {
      const name = declaredOf(world.app, job.queue)?.spec.function ?? "";
      return JSON.parse(await world.call(name, job.input)) as Json;
    },
  };
}
