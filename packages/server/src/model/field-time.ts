// Times and dates as text. A time is RFC 3339 in UTC with milliseconds, a date is a calendar day; both
// sort as text the way they sort in time. Arithmetic only (the proleptic Gregorian calendar): no clock, no
// zone of this machine. Invariant: what parseTime and timeOfMs return is always of 24 characters.

const secondsPerDay = 86_400;
const timeForm =
  /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;
const yearMax = 9999;

/**
 * Reads an instant and writes it in the one form: `2026-01-31T20:15:00.000Z`. Digits below the millisecond
 * are cut off. A leap second (23:59:60 UTC at the end of a month) is the first second of the next day, as in
 * POSIX time. `-00:00` counts as UTC.
 * @returns null when the text is no RFC 3339 time, names a day that does not exist, or leaves the years
 * 0000 to 9999 in UTC.
 */
export function parseTime(text: string): string | null {
  if (isCanonical(text)) return text;
  const match = timeForm.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, sign, offsetHour, offsetMinute] =
    match;
  if (!isDay(Number(year), Number(month), Number(day))) return null;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return null;
  let offsetMinutes = 0;
  if (sign !== undefined) {
    if (Number(offsetHour) > 23 || Number(offsetMinute) > 59) return null;
    offsetMinutes = (Number(offsetHour) * 60 + Number(offsetMinute)) * (sign === "-" ? -1 : 1);
  }
  const days = daysOf(Number(year), Number(month), Number(day));
  const minutes = Number(hour) * 60 + Number(minute) - offsetMinutes;
  const seconds = days * secondsPerDay + minutes * 60 + Number(second);
  if (Number(second) === 60 && !endsMonth(seconds)) return null;
  const ms = Number((fraction ?? "").slice(0, 3).padEnd(3, "0"));
  return writeTime(seconds, ms);
}

/** Whether `text` is a calendar day of the years 0000 to 9999: `2026-01-31`. */
export function isDate(text: string): boolean {
  if (text.length !== 10 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return false;
  const year = digits4(text, 0);
  const month = digits2(text, 5);
  const day = digits2(text, 8);
  return year >= 0 && isDay(year, month, day);
}

/**
 * Writes milliseconds since the epoch as a time.
 * @throws RangeError outside the years 0000 to 9999.
 */
export function timeOfMs(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  const text = writeTime(seconds, Math.floor(ms - seconds * 1_000));
  if (text === null) throw new RangeError("the time is outside the years 0000 to 9999");
  return text;
}

/** Milliseconds since the epoch of a time in the one form. @param time what parseTime returned. */
export function msOfTime(time: string): number {
  const days = daysOf(digits4(time, 0), digits2(time, 5), digits2(time, 8));
  const seconds = digits2(time, 11) * 3_600 + digits2(time, 14) * 60 + digits2(time, 17);
  return (days * secondsPerDay + seconds) * 1_000 + Number(time.slice(20, 23));
}

/** The common case: already in the one form, and possible. */
function isCanonical(text: string): boolean {
  if (text.length !== 24 || text.charCodeAt(10) !== 84 || text.charCodeAt(23) !== 90) return false;
  if (text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58) return false;
  if (text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.charCodeAt(19) !== 46)
    return false;
  const hour = digits2(text, 11);
  const minute = digits2(text, 14);
  const second = digits2(text, 17);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  if (digits2(text, 20) < 0 || digit(text, 22) < 0) return false;
  const year = digits4(text, 0);
  return year >= 0 && isDay(year, digits2(text, 5), digits2(text, 8));
}

function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  return day <= daysInMonth(year, month);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Whether this second (a :60 counted on) is midnight of the first of a month, where leap seconds end. */
function endsMonth(seconds: number): boolean {
  if (seconds % secondsPerDay !== 0) return false;
  return dayOf(seconds / secondsPerDay).day === 1;
}

function writeTime(seconds: number, ms: number): string | null {
  const days = Math.floor(seconds / secondsPerDay);
  const { year, month, day } = dayOf(days);
  if (year < 0 || year > yearMax) return null;
  const rest = seconds - days * secondsPerDay;
  const date = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`;
  const clock = `${pad(Math.floor(rest / 3_600), 2)}:${pad(Math.floor(rest / 60) % 60, 2)}`;
  return `${date}T${clock}:${pad(rest % 60, 2)}.${pad(ms, 3)}Z`;
}

/** Days since 1970-01-01. See Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
function daysOf(year: number, month: number, day: number): number {
  const marchYear = month <= 2 ? year - 1 : year;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}

/** The inverse of daysOf. */
function dayOf(days: number): {
  readonly year: number;
  readonly month: number;
  readonly day: number;
} {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leapDays =
    Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
  const leapDaysBefore = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  const dayOfYear = dayOfEra - (365 * yearOfEra + leapDaysBefore);
  const monthIndex = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * monthIndex + 2) / 5) + 1;
  const month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

function digit(text: string, at: number): number {
  const value = text.charCodeAt(at) - 48;
  return value >= 0 && value <= 9 ? value : -1;
}

/** -1 when one of them is no digit. */
function digits2(text: string, at: number): number {
  const tens = digit(text, at);
  const ones = digit(text, at + 1);
  return tens < 0 || ones < 0 ? -1 : tens * 10 + ones;
}

function digits4(text: string, at: number): number {
  const hundreds = digits2(text, at);
  const rest = digits2(text, at + 2);
  return hundreds < 0 || rest < 0 ? -1 : hundreds * 100 + rest;
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
