// Schedules in plain words, as crontab(5) has them in five fields: `every day at 03:00` is `0 3 * * *`.
import { DefinitionError } from "./definition-error.ts";

const days = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The words that are understood; for messages and the docs. */
export const cronWords: readonly string[] = [
  "every minute",
  "every 15 minutes",
  "every hour",
  "every 6 hours",
  "every day at 03:00",
  "every weekday at 09:30",
  "every monday at 08:00",
  "every month on the 1 at 00:00",
];

/** @returns five fields. @throws DefinitionError for words that mean nothing. */
export function cronOf(text: string, at: Function): string {
  const words = text.trim().toLowerCase().replace(/\s+/g, " ");
  if (words.split(" ").length === 5 && /^[\d*]/.test(words)) return words;
  const found = everyPart(words) ?? everyDay(words);
  if (found !== null) return found;
  throw new DefinitionError(
    `The schedule ${JSON.stringify(text)} is not understood.`,
    `Write five fields as in crontab ("0 3 * * *"), or like one of: ${cronWords.join("; ")}.`,
    at,
  );
}

function everyPart(words: string): string | null {
  if (words === "every minute") return "* * * * *";
  if (words === "every hour") return "0 * * * *";
  const [, count, unit] = /^every (\d{1,2}) (minutes|hours)$/.exec(words) ?? [];
  const step = Number(count);
  const whole = unit === "minutes" ? 60 : 24;
  // Others would leave a shorter step at the end of each hour or day.
  if (unit === undefined || step < 1 || whole % step !== 0) return null;
  return unit === "minutes" ? `*/${step} * * * *` : `0 */${step} * * *`;
}

function everyDay(words: string): string | null {
  const [, what = "", hour, minute] = /^every (.+) at (\d{1,2}):(\d{2})$/.exec(words) ?? [];
  if (hour === undefined || Number(hour) > 23 || Number(minute) > 59) return null;
  const time = `${Number(minute)} ${Number(hour)}`;
  if (what === "day") return `${time} * * *`;
  if (what === "weekday") return `${time} * * 1-5`;
  if (days.includes(what)) return `${time} * * ${days.indexOf(what)}`;
  const [, day] = /^month on the (\d{1,2})$/.exec(what) ?? [];
  return day !== undefined && Number(day) >= 1 && Number(day) <= 31
    ? `${time} ${Number(day)} * *`
    : null;
}
