// The work of one state of the app, compiled once: validators of events, policies of queues, who follows what.
import type { RecordValidator } from "../model/field-record.ts";
import { compileRecord } from "../model/field-record.ts";
import type { GateApp } from "../gate/gate-app.ts";
import type { ConsumerSpec, CronSpec, EventSpec, QueueSpec } from "@keelson/sdk/spec";
import type { QueuePolicy, WorkRate } from "./work-kind.ts";

/** A declared piece of work and its policy. */
export interface Declared<S extends QueueSpec> {
  readonly name: string;
  readonly spec: S;
  readonly policy: QueuePolicy;
}

/** Work, compiled. */
export interface WorkApp {
  readonly events: ReadonlyMap<
    string,
    { readonly spec: EventSpec; readonly payload: RecordValidator }
  >;
  /** By `module.name`. */
  readonly queues: ReadonlyMap<string, Declared<QueueSpec>>;
  readonly consumers: ReadonlyMap<string, Declared<ConsumerSpec>>;
  readonly crons: ReadonlyMap<string, Declared<CronSpec>>;
  /** Consumers by their event. */
  readonly followers: ReadonlyMap<string, readonly Declared<ConsumerSpec>[]>;
  /** Consumers by their table. */
  readonly triggers: ReadonlyMap<string, readonly Declared<ConsumerSpec>[]>;
}

const compiled = new WeakMap<GateApp, WorkApp>();
const periods: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

/** The work of an app. */
export function workOf(app: GateApp): WorkApp {
  const known = compiled.get(app);
  if (known !== undefined) return known;
  const made = compileWork(app);
  compiled.set(app, made);
  return made;
}

/** The policy of a declaration, with defaults in place of what it does not say. */
export function policyOf(app: GateApp, spec: Partial<QueueSpec>): QueuePolicy {
  const { limits } = app;
  return {
    concurrency: spec.concurrency ?? 10,
    perKey: spec.perKey ?? (spec.ordered === true ? 1 : null),
    rate: spec.rate === undefined ? null : rateOf(spec.rate),
    ratePerKey: spec.ratePerKey === undefined ? null : rateOf(spec.ratePerKey),
    attemptsMax: spec.attempts ?? 8,
    backoffMs: spec.backoffMs ?? 1_000,
    backoffMsMax: spec.backoffMsMax ?? 3_600_000,
    timeoutMs: Math.min(spec.timeoutMs ?? limits.actionMsMax, limits.actionMsMax),
    keepMs: spec.keepMs ?? 0,
    ordered: spec.ordered === true,
  };
}

/** @param text `"100/minute"`, checked before. */
export function rateOf(text: string): WorkRate {
  const [count = "1", period = "second"] = text.split("/");
  return { count: Number(count), perMs: periods[period] ?? 1_000 };
}

function compileWork(app: GateApp): WorkApp {
  const { events = {}, queues = {}, consumers = {}, crons = {} } = app.manifest.work ?? {};
  const declared = <S extends QueueSpec>(specs: Readonly<Record<string, S>>) =>
    new Map(
      Object.entries(specs).map(([name, spec]): [string, Declared<S>] => [
        name,
        { name, spec, policy: policyOf(app, spec) },
      ]),
    );
  const all = declared(consumers);
  return {
    events: new Map(
      Object.entries(events).map(([name, spec]) => [
        name,
        { spec, payload: compileRecord(spec.payload, "args") },
      ]),
    ),
    queues: declared(queues),
    consumers: all,
    crons: declared(crons),
    followers: groupedBy(all, ({ event }) => event),
    triggers: groupedBy(all, ({ table }) => table),
  };
}

function groupedBy(
  all: ReadonlyMap<string, Declared<ConsumerSpec>>,
  keyOf: (spec: ConsumerSpec) => string | undefined,
): ReadonlyMap<string, readonly Declared<ConsumerSpec>[]> {
  const groups = new Map<string, Declared<ConsumerSpec>[]>();
  for (const one of all.values()) {
    const key = keyOf(one.spec);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return groups;
}
