// Sending the app's own webhooks (https://www.standardwebhooks.com): within the transaction that causes them a
// delivery is written for each endpoint that wants it, and a job that makes it.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Procedure, ProcedureScope } from "../gate/gate-app.ts";
import type { Row } from "../store/store.ts";
import { addJob } from "../work/job-write.ts";
import { endpointsMax, endpointsOf, ownerOf } from "./webhook-endpoint.ts";
import { waitAnew } from "./webhook-kind.ts";

/** The queue of all deliveries; an endpoint is a key of it. */
export const webhookQueue = "webhook:out";

const typePattern = /^[\w.\-]{1,100}$/v;
const bodyCharsMax = 262_144;

/**
 * `{ type, data, owner? }`: answers `{ message, endpoints }`. To every endpoint that wants the type and, when an owner
 * is named, is that owner's. @throws ARGUMENT_INVALID.
 */
export const sendWebhook: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { type = null, data = null, owner = null } = input as { readonly [key: string]: Json };
    if (typeof type !== "string" || !typePattern.test(type)) {
      throw new PlatformError("ARGUMENT_INVALID", { type: 'a name: "booking.paid"' });
    }
    const { run } = scope;
    const message = `msg_${run.app.newId("hookDelivery").split("_").at(-1)}`;
    const body = JSON.stringify({ type, timestamp: timeText(run.nowMs), data });
    if (body.length > bodyCharsMax) {
      throw new PlatformError("ARGUMENT_INVALID", { data: `at most ${bodyCharsMax} characters` });
    }
    return andThen(endpointsFor(scope, type, ownerOf(owner)), (endpoints) =>
      andThen(
        each(endpoints, (endpoint) => deliver(scope, { endpoint, message, type, body })),
        (): Json => ({ message, endpoints: endpoints.length }),
      ),
    );
  },
};

/** `{ id }` of a delivery: sends the same message to the same endpoint again. @throws NOT_FOUND; CONFLICT when that is off. */
export const redeliver: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { id } = input as { readonly id?: Json };
    const name = typeof id === "string" ? id : "";
    return andThen(scope.tx.get("hookDelivery", name, null), (row) => {
      if (row === null) throw new PlatformError("NOT_FOUND", { delivery: name.slice(0, 100) });
      const place = row["endpoint"] as string;
      return andThen(scope.tx.get("hookEndpoint", place, null), (endpoint) => {
        if (endpoint?.["isOn"] !== true) {
          throw new PlatformError("CONFLICT", { endpoint: place, problem: "it is switched off" });
        }
        return andThen(waitAnew(scope, name), () =>
          andThen(addDeliveryJob(scope, name, place), () => null),
        );
      });
    });
  },
};

function deliver(
  scope: ProcedureScope,
  {
    endpoint,
    message,
    type,
    body,
  }: {
    readonly endpoint: Row;
    readonly message: string;
    readonly type: string;
    readonly body: string;
  },
): Later<void> {
  const { run, tx } = scope;
  const id = run.app.newId("hookDelivery");
  const place = endpoint["id"] as string;
  const row: Row = {
    id,
    endpoint: place,
    message,
    type,
    body,
    state: "waiting",
    attempts: 0,
    status: null,
    problem: null,
    at: timeText(run.nowMs),
    endedAt: null,
  };
  return andThen(tx.insert("hookDelivery", row), () => addDeliveryJob(scope, id, place));
}

function addDeliveryJob(scope: ProcedureScope, delivery: string, endpoint: string): Later<void> {
  const job = { queue: webhookQueue, input: { delivery }, key: endpoint, once: delivery, me: null };
  return andThen(addJob(scope, job), () => undefined);
}

function endpointsFor(
  scope: ProcedureScope,
  type: string,
  owner: string | null,
): Later<readonly Row[]> {
  return andThen(endpointsOf(scope, owner), ({ rows, next }) => {
    if (next !== null) {
      throw new PlatformError("WORK_TOO_MUCH", { endpoints: `more than ${endpointsMax}` });
    }
    return rows.filter(({ isOn, types }) => {
      const wanted = types as readonly string[];
      return isOn === true && (wanted.length === 0 || wanted.includes(type));
    });
  });
}

function each<T>(items: readonly T[], run: (item: T) => Later<void>, from = 0): Later<void> {
  for (let index = from; index < items.length; index++) {
    const done = run(items[index] as T);
    if (done instanceof Promise) return done.then(() => each(items, run, index + 1));
  }
  return undefined;
}
