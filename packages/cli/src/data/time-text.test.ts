import assert from "node:assert/strict";
import { test } from "node:test";
import { isZone, lacksZone, timeOfText } from "./time-text.ts";

for (const [text, time] of [
  ["2024-05-01 12:00:00+00", "2024-05-01T12:00:00+00:00"],
  ["2024-05-01 12:00:00.123456+05:30", "2024-05-01T12:00:00.123456+05:30"],
  ["2024-05-01 12:00:00.123456+00:00", "2024-05-01T12:00:00.123456+00:00"],
  ["2024-05-01 10:37:24.4416-02:30", "2024-05-01T10:37:24.4416-02:30"],
  // PostgreSQL in the zone America/St_Johns, for 1890-01-01 00:00:00Z.
  ["1889-12-31 20:29:08-03:30:52", "1890-01-01T00:00:00.000Z"],
  ["2024-05-01 12:00:00 UTC", "2024-05-01T12:00:00Z"],
  ["2024-05-01 12:00:00.5Z", "2024-05-01T12:00:00.5Z"],
  ["2024-05-01T12:00:00Z", "2024-05-01T12:00:00Z"],
] as const) {
  test(`${text} is ${time}`, () => {
    assert.equal(timeOfText(text, null), time);
    assert.equal(timeOfText(text, "Europe/Berlin"), time, "it says its own offset");
    assert.equal(lacksZone(text), false);
  });
}

for (const [text, zone, time] of [
  ["2024-05-01 12:00:00", "UTC", "2024-05-01T12:00:00Z"],
  ["2024-05-01T12:00:00", "+02:00", "2024-05-01T10:00:00Z"],
  ["2024-05-01 12:00:00.123456", "Europe/Berlin", "2024-05-01T10:00:00.123456Z"],
  ["2024-12-01 12:00:00", "Europe/Berlin", "2024-12-01T11:00:00Z"],
] as const) {
  test(`${text} of a clock in ${zone} is ${time}`, () => {
    assert.equal(timeOfText(text, zone), time);
    assert.equal(timeOfText(text, null), text, "nobody said where the clock stood");
    assert.equal(lacksZone(text), true);
  });
}

for (const text of ["2024-10-27 02:30:00", "2024-03-31 02:30:00", "2024-02-30 12:00:00"]) {
  test(`${text}, which a clock in Berlin showed twice or never, stays as it is`, () => {
    assert.equal(timeOfText(text, "Europe/Berlin"), text);
  });
}

for (const text of [
  "infinity",
  "0044-03-15 12:00:00+00 BC",
  "01.05.2024 13:07:24 UTC",
  "2024-05-01",
  "",
]) {
  test(`"${text}" is no time in a form that is known`, () => {
    assert.equal(timeOfText(text, "UTC"), text);
    assert.equal(lacksZone(text), false);
  });
}

test("zones are names of the tz database and offsets", () => {
  for (const zone of ["UTC", "+02:00", "-0330", "Europe/Berlin", "europe/berlin"])
    assert.equal(isZone(zone), true, zone);
  for (const zone of ["", "Mars/X", "2024-05-01T00:00[UTC]", "+2", "CEST2"])
    assert.equal(isZone(zone), false, zone);
});
