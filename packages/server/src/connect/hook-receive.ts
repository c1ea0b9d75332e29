// Taking a webhook in, as one transaction: the delivery is kept and its job added, or it is known already. So what is
// answered with 200 is on disk, and an event that is sent five times is handled once.
import type { HookSpec } from "@keelson/sdk/spec";
import type { Json } from "../base/json.ts";
import { andThen, type Later } from "../base/later.ts";
import { PlatformError } from "../base/platform-error.ts";
import { timeText } from "../gate/gate-app.ts";
import type { Procedure, ProcedureScope } from "../gate/gate-app.ts";
import { fitText, textProblem } from "../model/field-format.ts";
import { timeOfMs } from "../model/field-time.ts";
import { rowWith } from "../store/row-find.ts";
import type { Row } from "../store/store.ts";
import { addJob } from "../work/job-write.ts";
import { hookOf } from "./hook-app.ts";
import { placeIn } from "./json-place.ts";
import { fitName } from "./sender-text.ts";

/** Events of a delivery that was verified. JSON. */
export interface ReceivedHook {
  readonly hook: string;
  readonly events: readonly ReceivedEvent[];
  readonly headers: Readonly<Record<string, string>>;
  readonly signedAtMs: number | null;
}

/** One event. */
export interface ReceivedEvent {
  /** The same for every delivery of it. */
  readonly event: string;
  readonly type: string | null;
  /** As it came: text, or base64 when it is none. */
  readonly body: string;
  readonly form: "text" | "base64";
}

const idCharsMax = 300;
const bodyCharsMax = 262_144;
/** Of the name of a thing that events are about. */
export const thingCharsMax = 300;

/** The name of the procedure. Answers `{ repeats }`: how many of the events were known. */
export const receiveHookName = "hook.receive";

/** Keeps the events of a delivery and has them handled: all of them, or none. */
export const receiveHook: Procedure = {
  run(scope, input) {
    const given = input as unknown as ReceivedHook;
    const spec = hookOf(scope.run.app, given.hook);
    if (spec === null) throw new PlatformError("NOT_FOUND", { hook: given.hook.slice(0, 100) });
    return receiveFrom(scope, spec, { given, index: 0, repeats: 0 });
  },
};

/**
 * `{ hook, id, type?, body }`: an event of a hook that came by another road than its address, as from a list of the
 * sender's. Answers `{ isNew }`. @throws NOT_FOUND, ARGUMENT_INVALID.
 */
export const takeEvent: Procedure = {
  forFunctions: true,
  run(scope, input) {
    const { hook, id, type = null, body = null } = input as { readonly [key: string]: Json };
    const name = typeof hook === "string" ? hook : "";
    const spec = hookOf(scope.run.app, name);
    if (spec === null) throw new PlatformError("NOT_FOUND", { hook: name.slice(0, 100) });
    if (typeof id !== "string" || id === "" || id.length > idCharsMax) {
      throw new PlatformError("ARGUMENT_INVALID", { id: `a text of 1 to ${idCharsMax}` });
    }
    for (const [field, text] of [["id", id] as const, ["type", type] as const]) {
      const problem = typeof text === "string" ? textProblem(text) : null;
      if (problem !== null) throw new PlatformError("ARGUMENT_INVALID", { [field]: problem });
    }
    const text = JSON.stringify(body);
    if (text.length > bodyCharsMax) {
      throw new PlatformError("ARGUMENT_INVALID", { body: `at most ${bodyCharsMax} characters` });
    }
    const event: ReceivedEvent = {
      event: id,
      type: typeof type === "string" ? fitText(type.slice(0, idCharsMax)) : null,
      body: text,
      form: "text",
    };
    const given: ReceivedHook = { hook: name, events: [event], headers: {}, signedAtMs: null };
    return andThen(received(scope, spec, { given, event }), (isRepeat) => ({ isNew: !isRepeat }));
  },
};

function receiveFrom(
  scope: ProcedureScope,
  spec: HookSpec,
  at: { readonly given: ReceivedHook; readonly index: number; readonly repeats: number },
): Later<Json> {
  const { given, index, repeats } = at;
  const event = given.events[index];
  if (event === undefined) return { repeats };
  return andThen(received(scope, spec, { given, event }), (isRepeat) =>
    receiveFrom(scope, spec, { given, index: index + 1, repeats: repeats + (isRepeat ? 1 : 0) }),
  );
}

/** @returns whether it was known. */
function received(
  scope: ProcedureScope,
  spec: HookSpec,
  { given, event: one }: { readonly given: ReceivedHook; readonly event: ReceivedEvent },
): Later<boolean> {
  const { run, tx } = scope;
  const { hook, headers, signedAtMs } = given;
  const { event, type, body, form } = one;
  return andThen(findEvent(scope, hook, event), (known): Later<boolean> => {
    if (known !== null) return true;
    const id = run.app.newId("hookEvent");
    const row: Row = {
      id,
      hook,
      event,
      type,
      body,
      form,
      headers,
      at: timeText(run.nowMs),
      signedAt: signedAtMs === null ? null : timeOfMs(signedAtMs),
      state: "waiting",
    };
    const thing = spec.order === undefined ? null : placeIn(jsonOrNull(body), spec.order.key);
    const job = {
      queue: `hook:${hook}`,
      input: { event: id },
      once: id,
      me: null,
      ...(typeof thing === "string" ? { key: fitName(thing, thingCharsMax) } : {}),
    };
    return andThen(tx.insert("hookEvent", row), () => andThen(addJob(scope, job), () => false));
  });
}

/** The delivery of an event, or null. */
export function findEvent({ tx }: ProcedureScope, hook: string, event: string): Later<Row | null> {
  return rowWith(tx, "hookEvent", { hook, event });
}

/** A body as JSON, or null. */
export function jsonOrNull(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null;
  }
}
