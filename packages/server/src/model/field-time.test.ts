import { strict as assert } from "node:assert";
import { test } from "node:test";
import * as fc from "fast-check";
import { isDate, msOfTime, parseTime, timeOfMs } from "./field-time.ts";

const msMin = Date.parse("0000-01-01T00:00:00.000Z");
const msMax = Date.parse("9999-12-31T23:59:59.999Z");

test("a time of any millisecond is what Date writes, and reads back", () => {
  fc.assert(
    fc.property(fc.integer({ min: msMin, max: msMax }), (ms) => {
      const text = new Date(ms).toISOString();
      assert.equal(timeOfMs(ms), text);
      assert.equal(parseTime(text), text);
      assert.equal(msOfTime(text), ms);
    }),
    { numRuns: 2_000 },
  );
});

test("an offset is taken out, as Date does it", () => {
  const offset = fc.record({
    sign: fc.constantFrom("+", "-"),
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.integer({ min: 0, max: 59 }),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: msMin + 1e8, max: msMax - 1e8 }),
      offset,
      (ms, { sign, hour, minute }) => {
        const tail = `${sign}${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`;
        const text = new Date(ms).toISOString().replace("Z", tail);
        assert.equal(parseTime(text), new Date(Date.parse(text)).toISOString());
      },
    ),
    { numRuns: 2_000 },
  );
});

test("every form that RFC 3339 allows becomes the one form", () => {
  const forms: readonly (readonly [string, string | null])[] = [
    ["2026-01-31T20:15:00Z", "2026-01-31T20:15:00.000Z"],
    ["2026-01-31t20:15:00z", "2026-01-31T20:15:00.000Z"],
    ["2026-01-31 20:15:00Z", "2026-01-31T20:15:00.000Z"],
    ["2026-01-31T20:15:00.5+01:30", "2026-01-31T18:45:00.500Z"],
    ["2026-01-31T20:15:00.123999999Z", "2026-01-31T20:15:00.123Z"],
    ["2026-01-31T20:15:00-00:00", "2026-01-31T20:15:00.000Z"],
    ["2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00.000Z"],
    // Leap seconds: only where one can be.
    ["2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"],
    ["2016-12-31T15:59:60.250-08:00", "2017-01-01T00:00:00.250Z"],
    ["2016-12-30T23:59:60Z", null],
    ["2016-12-31T12:00:60Z", null],
    // Nothing else.
    ["2026-02-30T00:00:00Z", null],
    ["2026-02-30T00:00:00.000Z", null],
    ["2025-02-29T00:00:00.000Z", null],
    ["1900-02-29T00:00:00.000Z", null],
    ["2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00.000Z"],
    ["2026-13-01T00:00:00Z", null],
    ["2026-00-01T00:00:00Z", null],
    ["2026-01-31T24:00:00Z", null],
    ["2026-01-31T24:00:00.000Z", null],
    ["2026-01-31T23:60:00.000Z", null],
    ["2026-01-31T20:15:00", null],
    ["2026-01-31T20:15Z", null],
    ["2026-01-31", null],
    ["2026-01-31T20:15:00+1:00", null],
    ["2026-01-31T20:15:00+24:00", null],
    ["0000-01-01T00:00:00+00:01", null],
    ["9999-12-31T23:59:59-00:01", null],
    ["+002026-01-31T20:15:00Z", null],
    ["2026-01-31T20:15:00.0000000000Z", null],
    ["2026-01-31T20:15:0x.000Z", null],
    ["2026-01-31T20:15:00.00xZ", null],
    ["2026-01-31T20:15:00Z\n", null],
    ["", null],
  ];
  for (const [text, expected] of forms) assert.equal(parseTime(text), expected, text);
});

test("a date is a day that exists", () => {
  for (const text of ["2026-01-31", "2024-02-29", "0000-01-01", "9999-12-31"])
    assert.ok(isDate(text), text);
  const bad = [
    "2026-02-29",
    "2026-02-30",
    "2026-04-31",
    "2026-1-1",
    "2026-01-00",
    "2026/01/01",
    "26-01-01",
  ];
  for (const text of [...bad, "", "2026-01-31T00:00:00Z", "x026-01-01"])
    assert.ok(!isDate(text), text);
});

test("a time outside the four-digit years is refused by its writer", () => {
  assert.throws(() => timeOfMs(msMax + 1), RangeError);
  assert.throws(() => timeOfMs(msMin - 1), RangeError);
});
