// What every call of `ctx.auth` is read with: fields of what user code sent, and what is known of the run that asks.
import type { Json } from "../base/json.ts";
import type { Run, Service } from "../gate/gate-app.ts";
import { bodyOf, invalidField } from "./ask-body.ts";
import type { AuthCause, AuthDesk } from "./auth-desk.ts";
import type { AuthPlace } from "./auth-event.ts";

/** What user code sent. */
export type AppInput = Parameters<Service>[1];

/** Answers one call of `ctx.auth`. */
export type AuthFunction = (desk: AuthDesk, run: Run, input: AppInput) => Promise<Json>;

const userPattern = /^user_[0-9a-z]{26}$/;

/** The input, with none but these fields. @throws ARGUMENT_INVALID. */
export function inputOf(input: AppInput, fields: readonly string[]): AppInput {
  return bodyOf({ body: input }, fields);
}

/** Whether a field was left out. */
export function isAbsent(value: Json | undefined): value is null | undefined {
  return value === undefined || value === null;
}

/** @throws ARGUMENT_INVALID. */
export function userIdOf(value: Json | undefined, field = "user"): string {
  if (typeof value === "string" && userPattern.test(value)) return value;
  throw invalidField(field, "is no id of a user");
}

/** What a procedure is run for. */
export function causeOfRun(desk: AuthDesk, run: Run): AuthCause {
  const { requestId, caller, address } = run;
  const nowMs = desk.clock.nowMs();
  return { requestId, nowMs, caller, ...(address === undefined ? {} : { address }) };
}

/** From where the run was asked for. */
export function placeOfRun(run: Run): AuthPlace {
  return { address: run.address ?? null, userAgent: run.userAgent ?? null };
}
