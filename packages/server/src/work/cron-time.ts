// When a schedule comes round next, in a time zone: daylight saving included. A schedule that names its hours
// runs once on every day that fits: at the end of the gap when its time is left out in spring, at the first of
// the two when its time comes twice in autumn. One of every hour runs by the clock on the wall: not in the gap,
// and in both of the hours that look the same.
import type { CronExpression } from "../model/cron-expression.ts";

const dayMs = 86_400_000;
const minuteMs = 60_000;
const hourMs = 3_600_000;
/** Leap days that fall on a given weekday are up to 40 years apart. */
const daysMax = 366 * 41;

/**
 * The first tick after a moment.
 * @param afterMs since the epoch. @returns milliseconds since the epoch, or null when there is none in 41 years.
 */
export function nextTick(cron: CronExpression, zone: string, afterMs: number): number | null {
  const everyHour = cron.hours.size === 24;
  const offsets = openOffsets(zone);
  const firstDay = Math.floor((afterMs + offsets(afterMs)) / dayMs) - 1;
  for (let day = firstDay; day <= firstDay + daysMax; day++) {
    if (!fitsDay(cron, day)) continue;
    const tick = firstOfDay({ cron, offsets, day, afterMs, everyHour });
    if (tick !== null) return tick;
  }
  return null;
}

/** @returns what is added to UTC at a moment, in milliseconds. */
type Offsets = (atMs: number) => number;

function fitsDay(cron: CronExpression, day: number): boolean {
  // oxlint-disable-next-line no-restricted-globals -- arithmetic on a given day, no clock is read
  const date = new Date(day * dayMs);
  if (!cron.months.has(date.getUTCMonth() + 1)) return false;
  const isDay = cron.days.has(date.getUTCDate());
  const isWeekday = cron.weekdays.has(date.getUTCDay());
  return cron.eitherDay ? isDay || isWeekday : isDay && isWeekday;
}

function firstOfDay(asked: {
  readonly cron: CronExpression;
  readonly offsets: Offsets;
  readonly day: number;
  readonly afterMs: number;
  readonly everyHour: boolean;
}): number | null {
  const { cron, offsets, day, afterMs, everyHour } = asked;
  let first: number | null = null;
  const dayStartMs = day * dayMs;
  const offset = offsets(dayStartMs - dayMs);
  const later = offsets(dayStartMs + 2 * dayMs);
  const isPlain = offset === later;
  // Looking up an offset is costly: times of the day that can't be the first after `afterMs` are passed over.
  const leastMs = Math.min(offset, later) - hourMs;
  const mostMs = Math.max(offset, later) + hourMs;
  for (const hour of cron.hours) {
    for (const minute of cron.minutes) {
      const localMs = dayStartMs + hour * hourMs + minute * minuteMs;
      if (localMs - leastMs <= afterMs || (first !== null && localMs - mostMs > first)) continue;
      const moments = isPlain ? [localMs - offset] : momentsOf(offsets, localMs, everyHour);
      for (const tick of moments) {
        if (tick > afterMs && (first === null || tick < first)) first = tick;
      }
    }
  }
  return first;
}

/** The moments at which clocks on the wall show a time. */
function momentsOf(offsets: Offsets, localMs: number, everyHour: boolean): readonly number[] {
  // Offsets change by hours at most, and lie within a day of UTC.
  const before = offsets(localMs - dayMs);
  const after = offsets(localMs + dayMs);
  if (before === after) return [localMs - before];
  const found = [localMs - before, localMs - after].filter((ms) => ms + offsets(ms) === localMs);
  const distinct = [...new Set(found)].toSorted((left, right) => left - right);
  if (distinct.length === 0)
    return everyHour ? [] : [endOfGap(offsets, localMs - before, localMs - after)];
  return everyHour ? distinct : distinct.slice(0, 1);
}

/** The moment of a change of offset between two moments, to the minute. */
function endOfGap(offsets: Offsets, oneMs: number, otherMs: number): number {
  let low = Math.min(oneMs, otherMs);
  let high = Math.max(oneMs, otherMs);
  const start = offsets(low);
  while (high - low > minuteMs) {
    const middle = low + Math.floor((high - low) / 2 / minuteMs) * minuteMs;
    if (middle === low) break;
    if (offsets(middle) === start) low = middle;
    else high = middle;
  }
  return high;
}

const zones = new Map<string, Offsets>();
const zonesMax = 1_000;
/** Offsets of a zone that are remembered: ticks that follow each other ask for the same. */
const offsetsMax = 2_000;

function openOffsets(zone: string): Offsets {
  let offsets = zones.get(zone);
  if (offsets === undefined) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      era: "short",
    });
    offsets = rememberedOffsets(format);
    if (zones.size >= zonesMax) zones.clear();
    zones.set(zone, offsets);
  }
  return offsets;
}

function rememberedOffsets(format: Intl.DateTimeFormat): Offsets {
  const known = new Map<number, number>();
  return (atMs) => {
    const found = known.get(atMs);
    if (found !== undefined) return found;
    const offset = offsetAt(format, atMs);
    if (known.size >= offsetsMax) known.clear();
    known.set(atMs, offset);
    return offset;
  };
}

function offsetAt(format: Intl.DateTimeFormat, atMs: number): number {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(atMs)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  // oxlint-disable-next-line no-restricted-globals -- arithmetic on a given instant, no clock is read
  const localMs = Date.UTC(year, month - 1, day, hour, minute, second);
  return localMs - Math.floor(atMs / 1_000) * 1_000;
}
