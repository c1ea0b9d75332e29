// Declarations of work, as modules export them: queues, consumers of events and of changes, crons. Each
// names a function of the app and says how it is run; `app(...)` finds them in the modules it lists.
import { cronOf } from "./cron-words.ts";
import { DefinitionError } from "./definition-error.ts";
import { checkTargets } from "./function-define.ts";
import { isFunctionDescriptor, type FunctionDescriptor } from "./function.ts";
import { checkCase, checkName } from "./name-check.ts";
import { checkOptions } from "./option-check.ts";
import type { ConsumerSpec, CronSpec, EventSpec, FieldSpec, HookSpec, QueueSpec } from "./spec.ts";
import type { AnyField } from "./field.ts";
import type { Fields } from "./field-types.ts";
import { checkField } from "./t.ts";
import { checkDuration, type Duration } from "./work-duration.ts";

/** How jobs run. */
export interface QueuePolicyOptions {
  /** Jobs of an action under way at once. Default: 10. Mutations run one after the other anyway. */
  readonly concurrency?: number;
  /** The same for one key. Default: as many as `concurrency`. */
  readonly perKey?: number;
  /** Starts: `"100/minute"`. Default: no limit. */
  readonly rate?: string;
  /** Starts of one key. Default: no limit. */
  readonly ratePerKey?: string;
  /** Attempts in all, before a job becomes a dead letter. Default: 8. */
  readonly attempts?: number;
  /** Before the second attempt; doubles with each, give or take a quarter. Default: "1s". */
  readonly backoff?: Duration;
  /** The longest wait between two attempts. Default: "1h". */
  readonly backoffMax?: Duration;
  /** One attempt of an action. Default: limits.actionMsMax. */
  readonly timeout?: Duration;
  /** How long a finished job can be looked up with its result. Default: it is forgotten at once. */
  readonly keep?: Duration;
  /** Jobs of one key run in the order in which they came: while one is tried again, later ones wait. Default: no. */
  readonly ordered?: boolean;
}

/** How a consumer runs. */
export interface ConsumerOptions extends Omit<QueuePolicyOptions, "ordered"> {
  /** Where it begins when it is new: with what comes from now on (default), or with all that is kept. */
  readonly from?: "now" | "start";
  /** `false`: events of one key need not wait for each other. Default: they are kept in order. */
  readonly ordered?: boolean;
}

/** How a consumer of changes runs. */
export interface ChangeOptions extends ConsumerOptions {
  /** Default: all three. */
  readonly changes?: readonly ("create" | "update" | "delete")[];
}

/** How a cron runs. */
export interface CronOptions extends Omit<QueuePolicyOptions, "ordered"> {
  /** IANA name of the time zone that the schedule is in: `"Europe/Vienna"`, `"UTC"`. */
  readonly zone: string;
  /** Ticks missed while nothing ran: run the newest (default), all, or none. */
  readonly missed?: "last" | "all" | "none";
}

/** An event's payload, as `define(tables, { events })` takes it. */
export interface EventDefinition<F extends Fields> {
  readonly kind: "event";
  readonly fields: F;
  readonly options: { readonly key?: string; readonly keep?: Duration };
}

/** How an event is kept. */
export interface EventOptions<F extends Fields> {
  /** The field whose values are kept in order, one by one: events of two bookings need not wait for each other. */
  readonly key?: keyof F & string;
  /** How long an event can be replayed. Default: "7d". */
  readonly keep?: Duration;
}

/** Marks work across copies of the SDK. */
export const workMark: unique symbol = Symbol.for("keelson.work") as never;

/** Where a declaration keeps its name once an app lists it. */
export const workName: unique symbol = Symbol.for("keelson.work.name") as never;

/** A declaration of work as it is at run time. */
export type WorkDescriptor = {
  readonly fn: FunctionDescriptor;
  readonly [workMark]: true;
  [workName]?: string;
} & (
  | { readonly kind: "queue"; readonly spec: Omit<QueueSpec, "function"> }
  | { readonly kind: "consumer"; readonly spec: Omit<ConsumerSpec, "function"> }
  | { readonly kind: "cron"; readonly spec: Omit<CronSpec, "function"> }
  | { readonly kind: "hook"; readonly spec: Omit<HookSpec, "function">; readonly address: string }
);

/** Whether a value was made by queue, on, onChange or cron. */
export function isWorkDescriptor(value: unknown): value is WorkDescriptor {
  return typeof value === "object" && value !== null && workMark in value;
}

/**
 * The payload of an event.
 * @param fields as arguments of a function. @param options.key the field that orders it.
 * @example
 * define({ ...tables }, { events: { "booking.paid": event({ booking: t.id("booking") }, { key: "booking" }) } });
 */
export function event<const F extends Fields>(
  fields: F,
  options: EventOptions<F> = {},
): EventDefinition<F> {
  checkOptions("An event", options, ["key", "keep"], event);
  return Object.freeze({ kind: "event", fields, options });
}

const eventName = /^[a-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*)*$/;
const eventKeepMs = 7 * 86_400_000;

/** @param tables names of the app's tables. @throws DefinitionError. */
export function readEvent(
  name: string,
  definition: EventDefinition<Fields>,
  tables: ReadonlySet<string>,
  at: Function,
): EventSpec {
  if (!eventName.test(name) || name.length > 100) {
    throw new DefinitionError(
      `${JSON.stringify(name)} can't be the name of an event.`,
      'Write small words with dots between them: "booking.paid".',
      at,
    );
  }
  if (definition?.kind !== "event") {
    throw new DefinitionError(
      `The event "${name}" is not what event(...) gives.`,
      'Write { "booking.paid": event({ booking: t.id("booking") }) }.',
      at,
    );
  }
  const payload: Record<string, FieldSpec> = {};
  for (const [field, value] of Object.entries<AnyField>(definition.fields)) {
    checkName("argument", field, at);
    checkField(`The field "${field}" of the event "${name}"`, value, at);
    checkTargets(value, tables);
    payload[field] = value.spec;
  }
  checkCase("argument", Object.keys(payload), at);
  const { key, keep = eventKeepMs } = definition.options;
  const kind = key === undefined ? undefined : payload[key]?.kind;
  if (key !== undefined && kind !== "id" && kind !== "text" && kind !== "oneOf") {
    throw new DefinitionError(
      `The event "${name}" is ordered by "${key}", which is no id or text of its payload.`,
      "Name a field that holds an id or a text.",
      at,
    );
  }
  const keepMs = checkDuration("`keep`", keep, 60_000, at);
  return Object.freeze({
    payload: Object.freeze(payload),
    ...(key !== undefined && { key }),
    keepMs,
  });
}

/** @throws DefinitionError. */
export function defineQueue(
  fn: unknown,
  options: QueuePolicyOptions,
  at: Function,
): WorkDescriptor {
  const spec = Object.freeze(readPolicy(options, [], at));
  return { kind: "queue", fn: checkFunction(fn, at), spec, [workMark]: true };
}

/** @param source the event or table, known to be one. @throws DefinitionError. */
export function defineConsumer(
  source: { readonly event: string } | { readonly table: string },
  fn: unknown,
  options: ChangeOptions,
  at: Function,
): WorkDescriptor {
  const own = "table" in source ? ["from", "changes"] : ["from"];
  const { from = "now", changes, ordered = true, ...policy } = options;
  readPolicy(options, own, at);
  checkOneOf("from", from, ["now", "start"], at);
  for (const change of changes ?? [])
    checkOneOf("changes", change, ["create", "update", "delete"], at);
  const spec: Omit<ConsumerSpec, "function"> = {
    ...readPolicy(policy, [], at),
    ...source,
    ...(ordered && { ordered: true as const }),
    ...("table" in source && { changes: changes ?? (["create", "update", "delete"] as const) }),
    from,
  };
  return {
    kind: "consumer",
    fn: checkFunction(fn, at),
    spec: Object.freeze(spec),
    [workMark]: true,
  };
}

/** @throws DefinitionError. */
export function defineCron(
  schedule: string,
  options: CronOptions,
  fn: unknown,
  at: Function,
): WorkDescriptor {
  const { zone, missed = "last", ...policy } = options ?? {};
  if (typeof zone !== "string" || zone === "") {
    throw new DefinitionError(
      "A cron names no time zone.",
      'Say in which zone it is meant: { zone: "Europe/Vienna" }, or { zone: "UTC" }.',
      at,
    );
  }
  checkOneOf("missed", missed, ["last", "all", "none"], at);
  const spec = {
    ...readPolicy(policy, [], at),
    schedule: cronOf(schedule, at),
    text: schedule,
    zone,
    missed,
  };
  return { kind: "cron", fn: checkFunction(fn, at), spec: Object.freeze(spec), [workMark]: true };
}

const policyKeys = [
  "concurrency",
  "perKey",
  "rate",
  "ratePerKey",
  "attempts",
  "backoff",
  "backoffMax",
  "timeout",
  "keep",
  "ordered",
];
const ratePattern = /^[1-9]\d{0,8}\/(second|minute|hour|day)$/;

/** @param more keys that are read elsewhere. @throws DefinitionError. */
export function readPolicy(
  options: QueuePolicyOptions,
  more: readonly string[],
  at: Function,
): Omit<QueueSpec, "function"> {
  for (const key of Object.keys(options)) {
    if (policyKeys.includes(key) || more.includes(key)) continue;
    throw new DefinitionError(
      `There is no option "${key}" here.`,
      `There are ${[...policyKeys, ...more].join(", ")}.`,
      at,
    );
  }
  const { concurrency, perKey, rate, ratePerKey, attempts, ordered } = options;
  const { backoff, backoffMax, timeout, keep } = options;
  checkCount("concurrency", concurrency, 10_000, at);
  checkCount("perKey", perKey, 10_000, at);
  checkCount("attempts", attempts, 1_000, at);
  checkRate("rate", rate, at);
  checkRate("ratePerKey", ratePerKey, at);
  return {
    ...(concurrency !== undefined && { concurrency }),
    ...(perKey !== undefined && { perKey }),
    ...(rate !== undefined && { rate }),
    ...(ratePerKey !== undefined && { ratePerKey }),
    ...(attempts !== undefined && { attempts }),
    ...(backoff !== undefined && { backoffMs: checkDuration("`backoff`", backoff, 1, at) }),
    ...(backoffMax !== undefined && {
      backoffMsMax: checkDuration("`backoffMax`", backoffMax, 1, at),
    }),
    ...(timeout !== undefined && { timeoutMs: checkDuration("`timeout`", timeout, 10, at) }),
    ...(keep !== undefined && { keepMs: checkDuration("`keep`", keep, 0, at) }),
    ...(ordered === true && { ordered }),
  };
}

function checkCount(what: string, value: number | undefined, max: number, at: Function): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1 && value <= max)) return;
  throw new DefinitionError(`\`${what}\` is ${String(value)}.`, `Use 1 to ${max}.`, at);
}

function checkRate(what: string, value: string | undefined, at: Function): void {
  if (value === undefined || ratePattern.test(value)) return;
  throw new DefinitionError(
    `\`${what}\` is ${JSON.stringify(value)}.`,
    'Write a count, a slash, and second, minute, hour or day: "100/minute".',
    at,
  );
}

function checkOneOf(what: string, value: string, values: readonly string[], at: Function): void {
  if (values.includes(value)) return;
  throw new DefinitionError(
    `\`${what}\` is ${JSON.stringify(value)}.`,
    `Use ${values.map((each) => JSON.stringify(each)).join(", ")}.`,
    at,
  );
}

/** The function that work runs. @throws DefinitionError. */
export function checkFunction(fn: unknown, at: Function): FunctionDescriptor {
  if (isFunctionDescriptor(fn) && (fn.kind === "mutation" || fn.kind === "action")) return fn;
  throw new DefinitionError(
    "This is run for work, and is no mutation or action.",
    "Name what mutation({ ... }) or action({ ... }) gave.",
    at,
  );
}
