// Events as they are written, inside the transaction of whoever emits them. Consumers are told from the
// commit; what waits for an event within this process's transactions (workflows) is told here.
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { ProcedureScope } from "../gate/gate-app.ts";
import type { WorkOrigin } from "../gate/work-origin.ts";
import type { Row } from "../store/store.ts";
import { countStart, originOf } from "./lineage.ts";
import { nextPlace } from "./place-number.ts";
import { workOf } from "./work-app.ts";

/** An event as it is kept. */
export interface WorkEvent {
  readonly id: string;
  readonly name: string;
  readonly place: number;
  readonly key: string | null;
  readonly payload: { readonly [field: string]: Json };
  /** RFC 3339. */
  readonly at: string;
  readonly me: { readonly [claim: string]: Json } | null;
  readonly origin: WorkOrigin;
}

/** Told of every event inside the transaction that emits it. What it throws undoes the transaction. */
export type EventListener = (scope: ProcedureScope, event: WorkEvent) => Later<void>;

/** An event to emit. */
export interface NewEvent {
  readonly name: string;
  /** Untrusted: held against what the app declares. */
  readonly payload: Json;
}

/**
 * Emits an event.
 * @throws WORK_NOT_FOUND when the app declares no such event; VALUE_INVALID and its kin; WORK_TOO_DEEP,
 * WORK_FUEL_SPENT, WORK_TOO_MUCH.
 */
export function addEvent(
  scope: ProcedureScope,
  { name, payload }: NewEvent,
  listeners: readonly EventListener[],
): Later<WorkEvent> {
  const { run, tx } = scope;
  const declared = workOf(run.app).events.get(name);
  if (declared === undefined) {
    throw new PlatformError("WORK_NOT_FOUND", { event: name.slice(0, 100) });
  }
  const at = timeText(run.nowMs);
  const checked = declared.payload(payload, at);
  const { key } = declared.spec;
  return andThen(countStart(scope), () => {
    const event: WorkEvent = {
      id: run.app.newId("workEvent"),
      name,
      place: nextPlace(scope),
      key: key === undefined ? null : ((checked[key] ?? null) as string | null),
      payload: checked,
      at,
      me: run.caller.id === null ? null : run.caller.me,
      origin: originOf(run),
    };
    return andThen(tx.insert("workEvent", rowOfEvent(event)), () =>
      tellAll(scope, event, listeners, 0),
    );
  });
}

/** Reads a row of `workEvent`. */
export function eventOfRow(row: Row): WorkEvent {
  const info = row["info"] as unknown as WorkOrigin & { readonly me?: WorkEvent["me"] };
  return {
    id: row["id"] as string,
    name: row["name"] as string,
    place: row["place"] as number,
    key: row["key"] as string | null,
    payload: row["payload"] as WorkEvent["payload"],
    at: row["at"] as string,
    me: info.me ?? null,
    origin: { root: info.root, chain: info.chain },
  };
}

function rowOfEvent({ id, name, place, key, payload, at, me, origin }: WorkEvent): Row {
  const info = { root: origin.root, chain: [...origin.chain], ...(me === null ? {} : { me }) };
  return { id, name, place, key, payload, info, at };
}

function tellAll(
  scope: ProcedureScope,
  event: WorkEvent,
  listeners: readonly EventListener[],
  from: number,
): Later<WorkEvent> {
  const listener = listeners[from];
  if (listener === undefined) return event;
  return andThen(listener(scope, event), () => tellAll(scope, event, listeners, from + 1));
}
