// Time and randomness as functions see them: in queries and mutations the clock stands still and numbers
// follow from the call's seed; actions read the host's clock. What could tell one run from another, stop
// the host's thread, or take memory that no limit sees, is taken away.
import { host } from "./link.ts";
import { construct, defineProperty, methodOf, RealDate } from "./primordials.ts";
import { runningCall } from "./running.ts";

const loadSeed = { state: 0x2f6e2b1 };

/** Milliseconds since the epoch as the running call sees them; 0 while the app is loaded. */
export function nowMs(): number {
  const call = runningCall();
  if (call === null) return 0;
  if (!call.hosts) return call.nowMs;
  return +host().pure("clock", "", "");
}

function random(): number {
  const call = runningCall();
  if (call !== null) return call.random.next();
  loadSeed.state = (Math.imul(loadSeed.state, 1_664_525) + 1_013_904_223) | 0;
  return (loadSeed.state >>> 0) / 4_294_967_296;
}

/** Puts the call's clock and numbers in the place of the machine's. */
export function replaceEnvironment(): void {
  replaceDate();
  define(Math, "random", random);
  define(globalThis, "performance", Object.freeze({ now: sinceStart, timeOrigin: 0 }));
  replaceIntl();
  forgetMatches();
}

/** `RegExp.$1` and its kin hold the last text that was matched, whoever's it was. */
function forgetMatches(): void {
  const names = ["input", "$_", "lastMatch", "$&", "lastParen", "$+", "leftContext", "$`"];
  for (const name of [...names, "rightContext", "$'"]) Reflect.deleteProperty(RegExp, name);
  for (let index = 1; index <= 9; index++) Reflect.deleteProperty(RegExp, `$${index}`);
}

/** The same for what V8 adds to a context that it makes from a snapshot. */
export function replaceLateEnvironment(): void {
  replaceTemporal();
  for (const name of ["WebAssembly", "SharedArrayBuffer", "WeakRef", "FinalizationRegistry"]) {
    Reflect.deleteProperty(globalThis, name);
  }
  for (const name of ["wait", "waitAsync", "notify"]) Reflect.deleteProperty(Atomics, name);
}

function sinceStart(): number {
  const call = runningCall();
  return call === null ? 0 : nowMs() - call.nowMs;
}

function replaceDate(): void {
  const GuestDate = function (this: unknown, ...given: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(nowMs()).toString();
    return construct(RealDate, given.length === 0 ? [nowMs()] : given, new.target);
  };
  define(GuestDate, "prototype", RealDate.prototype, false);
  define(GuestDate, "name", "Date", false);
  define(GuestDate, "length", 7, false);
  define(GuestDate, "now", function now() {
    return nowMs();
  });
  define(GuestDate, "parse", RealDate.parse);
  define(GuestDate, "UTC", RealDate.UTC);
  define(RealDate.prototype, "constructor", GuestDate);
  define(globalThis, "Date", GuestDate);
}

/** Formatting "now" is asking for the time. */
function replaceIntl(): void {
  const { prototype } = Intl.DateTimeFormat;
  const format = Object.getOwnPropertyDescriptor(prototype, "format") as PropertyDescriptor;
  const formatOf = methodOf(format, "get");
  defineProperty(prototype, "format", {
    configurable: true,
    get(this: Intl.DateTimeFormat) {
      const formatDate = Reflect.apply(formatOf, this, []) as (date: unknown) => string;
      return (date?: unknown) => formatDate(date === undefined ? nowMs() : date);
    },
  });
  const formatToParts = methodOf(prototype, "formatToParts");
  define(prototype, "formatToParts", function (this: Intl.DateTimeFormat, date?: unknown) {
    return Reflect.apply(formatToParts, this, [date === undefined ? nowMs() : date]);
  });
}

interface TemporalLike {
  readonly Now: object;
  readonly Instant: { fromEpochMilliseconds(ms: number): TemporalInstant };
}

interface TemporalInstant {
  toZonedDateTimeISO(zone: unknown): Record<string, () => unknown>;
}

/** `Temporal.Now` at the call's clock. The zone, when none is named, is UTC everywhere. */
function replaceTemporal(): void {
  const temporal = (globalThis as { Temporal?: TemporalLike }).Temporal;
  if (temporal === undefined) return;
  const instant = (): TemporalInstant => temporal.Instant.fromEpochMilliseconds(nowMs());
  const zoned = (zone: unknown) => instant().toZonedDateTimeISO(zone === undefined ? "UTC" : zone);
  const { Now } = temporal;
  define(Now, "instant", instant);
  define(Now, "timeZoneId", () => "UTC");
  define(Now, "zonedDateTimeISO", (zone?: unknown) => zoned(zone));
  define(Now, "plainDateTimeISO", (zone?: unknown) => zoned(zone)["toPlainDateTime"]?.());
  define(Now, "plainDateISO", (zone?: unknown) => zoned(zone)["toPlainDate"]?.());
  define(Now, "plainTimeISO", (zone?: unknown) => zoned(zone)["toPlainTime"]?.());
}

function define(target: object, name: string, value: unknown, writable = true): void {
  defineProperty(target, name, { value, writable, enumerable: false, configurable: writable });
}
