// Schedules of five fields as in crontab(5): minute, hour, day of the month, month, day of the week. A day
// fits when both day fields do; when neither is `*`, when either does, as crontab has it.

/** Minutes, hours, days, months (1 to 12) and weekdays (0: Sunday) that fit. */
export interface CronExpression {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  readonly weekdays: ReadonlySet<number>;
  /** Whether a day fits when either of its fields does. */
  readonly eitherDay: boolean;
}

interface FieldKind {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const monthNames = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const weekdayNames = "sun mon tue wed thu fri sat".split(" ");
const kinds: readonly FieldKind[] = [
  { name: "minute", min: 0, max: 59, names: [] },
  { name: "hour", min: 0, max: 23, names: [] },
  { name: "day of the month", min: 1, max: 31, names: [] },
  { name: "month", min: 1, max: 12, names: monthNames },
  // 7 is Sunday too.
  { name: "day of the week", min: 0, max: 7, names: weekdayNames },
];
const longestMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** What is wrong with a schedule, as the end of a sentence, or null. */
export function cronProblem(text: string): string | null {
  const parsed = parseCron(text);
  return typeof parsed === "string" ? parsed : null;
}

/** @returns the expression, or what is wrong with it: `has 4 fields, not 5`. */
export function parseCron(text: string): CronExpression | string {
  const fields = text.trim().toLowerCase().split(/\s+/);
  if (fields.length !== 5) return `has ${fields.length} fields, not 5`;
  const sets: ReadonlySet<number>[] = [];
  for (const [index, field] of fields.entries()) {
    const set = parseField(field, kinds[index] as FieldKind);
    if (typeof set === "string") return set;
    sets.push(set);
  }
  const [minutes, hours, days, months, week] = sets as [
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
    ReadonlySet<number>,
  ];
  const weekdays = new Set([...week].map((day) => day % 7));
  const eitherDay = !fields[2]?.startsWith("*") && !fields[4]?.startsWith("*");
  const firstDay = Math.min(...days);
  const fits = [...months].some((month) => firstDay <= (longestMonth[month - 1] ?? 0));
  if (!fits && !eitherDay) return "names a day that its months do not have";
  return { minutes, hours, days, months, weekdays, eitherDay };
}

function parseField(field: string, kind: FieldKind): ReadonlySet<number> | string {
  const found = new Set<number>();
  for (const part of field.split(",")) {
    const [, range = "", step = "1"] = /^([^/]*)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    const bounds = boundsOf(range, part.includes("/"), kind);
    if (bounds === null || Number(step) < 1) {
      return `has ${JSON.stringify(part.slice(0, 20))} as ${kind.name}`;
    }
    for (let value = bounds[0]; value <= bounds[1]; value += Number(step)) found.add(value);
  }
  return found;
}

function boundsOf(range: string, hasStep: boolean, kind: FieldKind): [number, number] | null {
  if (range === "*") return [kind.min, kind.names === weekdayNames ? 6 : kind.max];
  const [from = "", to, more] = range.split("-");
  const low = valueOf(from, kind);
  if (low === null || more !== undefined) return null;
  if (to === undefined) return [low, hasStep ? kind.max : low];
  const high = valueOf(to, kind);
  return high === null || high < low ? null : [low, high];
}

function valueOf(text: string, { min, max, names }: FieldKind): number | null {
  const named = names.indexOf(text);
  if (named >= 0) return named + (names === monthNames ? 1 : 0);
  if (!/^\d{1,2}$/.test(text)) return null;
  const value = Number(text);
  return value >= min && value <= max ? value : null;
}
