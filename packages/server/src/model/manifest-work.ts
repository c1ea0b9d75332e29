// Work of the specification: events, queues, consumers of events and changes, crons. Every name in it is held
// against what the app has.
import { cronProblem } from "./cron-expression.ts";
import { readFields, type FieldWorld } from "./manifest-field.ts";
import type { FunctionModel, SourcePlace, WorkModel } from "./manifest.ts";
import { readHooks } from "./manifest-hook.ts";
import { readWorkflows } from "./manifest-workflow.ts";
import {
  complain,
  fixByDefine,
  inside,
  placed,
  readObject,
  type SpecMistakes,
  type SpecPlace,
} from "./manifest-mistakes.ts";

const eventName = /^[a-z][A-Za-z0-9]*(?:\.[a-z][A-Za-z0-9]*)*$/;
const workName = /^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$/;
const rate = /^[1-9]\d{0,8}\/(?:second|minute|hour|day)$/;
const policyKeys: readonly string[] = [
  "function",
  "concurrency",
  "perKey",
  "rate",
  "ratePerKey",
  "attempts",
  "backoffMs",
  "backoffMsMax",
  "timeoutMs",
  "keepMs",
  "ordered",
];
/** Bounds of the numbers of a policy. */
const counts: Readonly<Record<string, readonly [min: number, max: number]>> = {
  concurrency: [1, 10_000],
  perKey: [1, 10_000],
  attempts: [1, 1_000],
  backoffMs: [1, 315_360_000_000],
  backoffMsMax: [1, 315_360_000_000],
  timeoutMs: [10, 315_360_000_000],
  keepMs: [0, 315_360_000_000],
};

const workKeys = [
  "events",
  "queues",
  "consumers",
  "crons",
  "workflows",
  "hooks",
  "webhookHosts",
  "fuel",
];

/** What work is held against. */
export interface WorkWorld extends FieldWorld {
  readonly mistakes: SpecMistakes;
  readonly functions: Readonly<Record<string, FunctionModel>>;
  readonly places: Readonly<Record<string, SourcePlace>>;
}

/** @returns undefined when there is none, or something is wrong. What is wrong goes to the mistakes. */
export function readWork(value: unknown, world: WorkWorld): WorkModel | undefined {
  if (value === undefined) return undefined;
  const place: SpecPlace = { mistakes: world.mistakes, at: undefined, what: "the app's work" };
  const before = world.mistakes.found.length;
  const given = readObject(place, value, workKeys);
  if (given === null) return undefined;
  const { events, queues, consumers, crons, fuel } = given;
  each(place, "event", events, (own, name, one) => readEvent(own, name, one, world));
  each(place, "queue", queues, (named, name, one) => {
    const own = placed(named, name, world.places);
    checkWorkName(own, name);
    readPolicy(own, one, [], world);
  });
  const known = Object.keys(plainObject(events));
  each(place, "consumer", consumers, (named, name, one) => {
    const own = placed(named, name, world.places);
    checkWorkName(own, name);
    readConsumer(own, one, known, world);
  });
  each(place, "cron", crons, (named, name, one) => {
    const own = placed(named, name, world.places);
    checkWorkName(own, name);
    readCron(own, one, world);
  });
  readWorkflows(place, given["workflows"], world);
  readHooks(place, given, (own, one, more) => readPolicy(own, one, more, world));
  if (fuel !== undefined && !isWhole(fuel, 1, 1_000_000_000)) {
    complain(place, "has a fuel that is no whole number from 1", "Leave it out, or use 10000.");
  }
  return world.mistakes.found.length > before ? undefined : (value as WorkModel);
}

function each(
  place: SpecPlace,
  what: string,
  value: unknown,
  read: (place: SpecPlace, name: string, value: unknown) => void,
): void {
  const given = readObject(inside(place, `${place.what}: its ${what}s`), value, null) ?? {};
  for (const [name, one] of Object.entries(given)) {
    read(inside(place, `the ${what} ${name.slice(0, 130)}`), name, one);
  }
}

function checkWorkName(place: SpecPlace, name: string): void {
  if (workName.test(name) && name.length <= 130) return;
  complain(place, "has a name that is not module.name", "Use letters and digits, starting small.");
}

function readEvent(place: SpecPlace, name: string, value: unknown, world: WorkWorld): void {
  if (!eventName.test(name) || name.length > 100) {
    complain(place, "has a name that no event has", 'Use small words with dots: "booking.paid".');
  }
  const given = readObject(place, value, ["payload", "key", "keepMs"]);
  if (given === null) return;
  const payload = readFields(place, given["payload"], "args", world);
  const { key, keepMs } = given;
  const kind = typeof key === "string" ? payload?.[key]?.kind : undefined;
  if (key !== undefined && kind !== "id" && kind !== "text" && kind !== "oneOf") {
    complain(place, "is ordered by what is no id or text of its payload", "Name another field.");
  }
  if (!isWhole(keepMs, 60_000, 315_360_000_000)) {
    complain(place, "is kept for no length of time", fixByDefine);
  }
}

function readPolicy(
  place: SpecPlace,
  value: unknown,
  more: readonly string[],
  world: WorkWorld,
): Readonly<Record<string, unknown>> | null {
  const given = readObject(place, value, [...policyKeys, ...more]);
  if (given === null) return null;
  const name = given["function"];
  const known = typeof name === "string" && Object.hasOwn(world.functions, name);
  const kind = known ? world.functions[name]?.kind : undefined;
  if (kind !== "mutation" && kind !== "action") {
    complain(place, "runs what is no mutation or action", "Name one that app.ts lists.");
  }
  for (const [key, [min, max]] of Object.entries(counts)) {
    if (given[key] === undefined || isWhole(given[key], min, max)) continue;
    complain(place, `has a ${key} that is not from ${min} to ${max}`, fixByDefine);
  }
  for (const key of ["rate", "ratePerKey"]) {
    const text = given[key];
    if (text === undefined || (typeof text === "string" && rate.test(text))) continue;
    complain(place, `has a ${key} that is no rate`, 'Write "100/minute".');
  }
  if (given["ordered"] !== undefined && given["ordered"] !== true) {
    complain(place, "is ordered in no known way", fixByDefine);
  }
  return given;
}

function readConsumer(
  place: SpecPlace,
  value: unknown,
  events: readonly string[],
  world: WorkWorld,
): void {
  const given = readPolicy(place, value, ["event", "table", "changes", "from"], world);
  if (given === null) return;
  const { event, table, changes, from } = given;
  if (from !== "now" && from !== "start") {
    complain(place, "begins nowhere", 'Use from: "now" or "start".');
  }
  if ((event === undefined) === (table === undefined)) {
    complain(place, "follows not one of an event and a table", fixByDefine);
  }
  if (event !== undefined && !events.includes(event as string)) {
    complain(place, "follows an event that the app does not have", "Declare it in `define`.");
  }
  if (table !== undefined && !world.tables.has(table as string)) {
    complain(place, "follows a table that the app does not have", "Declare it in `define`.");
  }
  const isList = Array.isArray(changes) && changes.length > 0;
  const known =
    isList && changes.every((one) => one === "create" || one === "update" || one === "delete");
  if (table === undefined ? changes !== undefined : !known) {
    complain(place, "follows no known changes", 'Use changes: ["create", "update", "delete"].');
  }
}

function readCron(place: SpecPlace, value: unknown, world: WorkWorld): void {
  const given = readPolicy(place, value, ["schedule", "text", "zone", "missed"], world);
  if (given === null) return;
  const { schedule, text, zone, missed } = given;
  if (typeof text !== "string" || text.length > 200) complain(place, "has no text", fixByDefine);
  if (missed !== "last" && missed !== "all" && missed !== "none") {
    complain(place, "does not say what becomes of missed ticks", 'Use missed: "last".');
  }
  const problem = typeof schedule === "string" ? cronProblem(schedule) : "is none";
  if (problem !== null) {
    complain(place, `has a schedule that ${problem}`, 'Five fields as in crontab: "0 3 * * *".');
  }
  if (typeof zone !== "string" || !isZone(zone)) {
    complain(place, "names no time zone", 'Use a name of the IANA: "Europe/Vienna", or "UTC".');
  }
}

function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function plainObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}
