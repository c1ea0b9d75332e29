// Times as other systems write them, as RFC 3339 has them. An offset in hours alone or with seconds (PostgreSQL) and the word
// UTC say which instant it is; a time without any does not, unless the zone is told. Everything else stays the text
// that it is, for the server to refuse.

const form =
  /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?:([+-]\d\d)(?::?(\d\d)(?::(\d\d))?)?| ?(UTC|Z))?$/i;

/** @param zone of times that name none: `UTC`, `+02:00`, `Europe/Berlin`; null: they stay as they are. */
export function timeOfText(text: string, zone: string | null): string {
  const match = form.exec(text);
  if (match === null) return text;
  const [, date = "", clock = "", hours, minutes = "00", seconds, isUtc] = match;
  if (isUtc !== undefined) return `${date}T${clock}Z`;
  if (hours === undefined) return zone === null ? text : (inZone(`${date}T${clock}`, zone) ?? text);
  if (seconds === undefined) return `${date}T${clock}${hours}:${minutes}`;
  // Local mean time, of before there were zones.
  const ms = Date.parse(`${date}T${clock}${hours}:${minutes}`);
  return new Date(ms - Number(`${hours[0]}${seconds}`) * 1_000).toISOString();
}

/** Whether a text is a time that names no zone. */
export function lacksZone(text: string): boolean {
  const match = form.exec(text);
  return match !== null && match[3] === undefined && match[6] === undefined;
}

/** Whether a zone is known. */
export function isZone(zone: string): boolean {
  try {
    // Temporal takes whole times for the zone in them.
    if (/^\d{4}/.test(zone)) return false;
    new Temporal.ZonedDateTime(0n, zone);
    return true;
  } catch {
    return false;
  }
}

/** Null: there is no such day, or the clocks of the zone skipped that hour or showed it twice. */
function inZone(local: string, zone: string): string | null {
  try {
    const time = Temporal.PlainDateTime.from(local, { overflow: "reject" });
    return time.toZonedDateTime(zone, { disambiguation: "reject" }).toInstant().toString();
  } catch {
    return null;
  }
}
