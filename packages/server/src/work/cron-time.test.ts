import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseCron, type CronExpression } from "../model/cron-expression.ts";
import { nextTick } from "./cron-time.ts";

const cron = (text: string): CronExpression => {
  const parsed = parseCron(text);
  return typeof parsed === "string" ? assert.fail(parsed) : parsed;
};

/** The ticks from a moment up to another, as UTC text. */
function ticks(text: string, zone: string, from: string, to: string): string[] {
  const found: string[] = [];
  for (let at = Date.parse(from); ;) {
    const next = nextTick(cron(text), zone, at);
    if (next === null || next > Date.parse(to)) return found;
    found.push(new Date(next).toISOString().replace(":00.000Z", "Z"));
    at = next;
  }
}

// In Vienna 2026-03-29 02:00 becomes 03:00, and 2026-10-25 03:00 becomes 02:00.
const cases: readonly [
  what: string,
  cron: string,
  zone: string,
  from: string,
  to: string,
  ticks: string[],
][] = [
  [
    "every day in UTC",
    "0 3 * * *",
    "UTC",
    "2026-03-28T04:00Z",
    "2026-03-30T12:00Z",
    ["2026-03-29T03:00Z", "2026-03-30T03:00Z"],
  ],
  [
    "a time that the spring leaves out runs once, at the end of the gap",
    "30 2 * * *",
    "Europe/Vienna",
    "2026-03-28T12:00Z",
    "2026-03-30T12:00Z",
    ["2026-03-29T01:00Z", "2026-03-30T00:30Z"],
  ],
  [
    "a time that comes twice in autumn runs once, at the first",
    "30 2 * * *",
    "Europe/Vienna",
    "2026-10-24T12:00Z",
    "2026-10-26T12:00Z",
    ["2026-10-25T00:30Z", "2026-10-26T01:30Z"],
  ],
  [
    "every hour runs in both hours that look the same",
    "30 * * * *",
    "Europe/Vienna",
    "2026-10-24T23:45Z",
    "2026-10-25T02:45Z",
    ["2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"],
  ],
  [
    "every hour leaves out the hour that is not there",
    "30 * * * *",
    "Europe/Vienna",
    "2026-03-29T00:00Z",
    "2026-03-29T02:45Z",
    ["2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-29T02:30Z"],
  ],
  [
    "New York's own days",
    "15 2 * * *",
    "America/New_York",
    "2026-03-07T12:00Z",
    "2026-03-09T12:00Z",
    ["2026-03-08T07:00Z", "2026-03-09T06:15Z"],
  ],
  [
    "a zone of half an hour's change",
    "15 2 * * *",
    "Australia/Lord_Howe",
    "2026-10-03T00:00Z",
    "2026-10-05T00:00Z",
    ["2026-10-03T15:30Z", "2026-10-04T15:15Z"],
  ],
  [
    "weekdays",
    "0 9 * * 1-5",
    "UTC",
    "2026-01-02T10:00Z",
    "2026-01-06T10:00Z",
    ["2026-01-05T09:00Z", "2026-01-06T09:00Z"],
  ],
  [
    "either day field, as in crontab",
    "0 0 13 * 5",
    "UTC",
    "2026-02-10T00:00Z",
    "2026-02-21T00:00Z",
    ["2026-02-13T00:00Z", "2026-02-20T00:00Z"],
  ],
  [
    "leap days",
    "0 0 29 2 *",
    "UTC",
    "2026-01-01T00:00Z",
    "2033-01-01T00:00Z",
    ["2028-02-29T00:00Z", "2032-02-29T00:00Z"],
  ],
];
for (const [what, text, zone, from, to, expected] of cases) {
  test(`${what}: ${text}, ${zone}`, () => {
    assert.deepEqual(ticks(text, zone, from, to), expected);
  });
}

test("a day that no month has is none, one that needs a leap year on a weekday is found", () => {
  assert.equal(parseCron("0 0 31 4 *"), "names a day that its months do not have");
  const next = nextTick(cron("0 0 29 2 *"), "UTC", Date.parse("2096-03-01T00:00Z"));
  assert.equal(next, Date.parse("2104-02-29T00:00Z"));
});

test("a naive walk over every minute finds the same ticks, in any zone and at any change of time", () => {
  const zones = [
    "UTC",
    "Europe/Vienna",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.constantFrom("*/7 * * * *", "5,50 * * * *", "13 * 1-15 * *", "0 * * 3,10 *", "30 * * * 0"),
      fc.integer({ min: Date.UTC(2015, 0), max: Date.UTC(2035, 0) }),
      (zone, text, afterMs) => {
        const expression = cron(text);
        // All of these are of every hour: they run by the clock on the wall.
        const found = nextTick(expression, zone, afterMs);
        const limitMs = afterMs + 40 * 3_600_000;
        let naive: number | null = null;
        const format = new Intl.DateTimeFormat("en-GB", {
          timeZone: zone,
          hourCycle: "h23",
          month: "numeric",
          day: "numeric",
          weekday: "short",
          minute: "numeric",
        });
        for (let at = (Math.floor(afterMs / 60_000) + 1) * 60_000; at <= limitMs; at += 60_000) {
          const parts = Object.fromEntries(
            format.formatToParts(at).map(({ type, value }) => [type, value]),
          );
          const weekday = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].indexOf(
            parts["weekday"] ?? "",
          );
          const fits =
            expression.minutes.has(Number(parts["minute"])) &&
            expression.months.has(Number(parts["month"])) &&
            expression.days.has(Number(parts["day"])) &&
            expression.weekdays.has(weekday);
          if (!fits) continue;
          naive = at;
          break;
        }
        if (naive === null) assert.ok(found === null || found > limitMs);
        else assert.equal(found, naive);
      },
    ),
    { numRuns: 60 },
  );
});

for (const [text, problem] of [
  ["* * * *", "has 4 fields, not 5"],
  ["60 * * * *", 'has "60" as minute'],
  ["* * * * mon-", 'has "mon-" as day of the week'],
  ["*/0 * * * *", 'has "*/0" as minute'],
  ["5-1 * * * *", 'has "5-1" as minute'],
] as const) {
  test(`a schedule is refused: ${text}`, () => assert.equal(parseCron(text), problem));
}

test("names of days and months, and 7 for Sunday", () => {
  assert.deepEqual([...cron("0 0 * jan-mar sun,7").weekdays], [0]);
  assert.deepEqual([...cron("0 0 * jan-mar *").months], [1, 2, 3]);
});

test("ticks of every minute are found without looking through the whole day, also when clocks change", () => {
  const cron = parseCron("* * * * *");
  assert.ok(typeof cron !== "string");
  const format = Intl.DateTimeFormat.prototype;
  const { formatToParts } = format;
  let asked = 0;
  format.formatToParts = function (this: Intl.DateTimeFormat, ...args) {
    asked += 1;
    return formatToParts.apply(this, args);
  };
  try {
    let at = Date.parse("2026-03-29T00:50:30Z");
    for (let count = 0; count < 20; count++) {
      const next = nextTick(cron, "Europe/Vienna", at);
      assert.equal(next, Math.floor(at / 60_000) * 60_000 + 60_000);
      at = next;
    }
  } finally {
    format.formatToParts = formatToParts;
  }
  assert.ok(asked < 2_000, `${asked} look-ups`);
});
