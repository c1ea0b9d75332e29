import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldSpec } from "@keelson/sdk/spec";
import { Failure } from "../flags/failure.ts";
import { assertColumns, parseColumnMap, rowOfRecord } from "./column-map.ts";

const fields: Readonly<Record<string, FieldSpec>> = {
  title: { kind: "text", min: 0, max: 100 },
  year: { kind: "int", min: 1_800, max: 2_100 },
  seen: { kind: "bool" },
};

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Failure);
    return `${error.text.code}: ${error.text.why} ${error.text.fix}`;
  }
  return "done";
}

test("a column goes where it is mapped, or to the field of its name, or is left out", () => {
  const map = parseColumnMap(["Film title=title", "Notes="], fields);
  const columns = ["Film title", "year", "Notes"];
  assertColumns(columns, map, fields);
  const record = { "Film title": "Alien", year: "1979", Notes: "x" };
  assert.deepEqual(rowOfRecord(record, { map, fields, isText: true, zone: null }), {
    title: "Alien",
    year: 1979,
  });
});

test("cells become values of their field, and stay texts when they are none", () => {
  const map = parseColumnMap([], fields);
  assert.deepEqual(
    rowOfRecord(
      { title: "12", year: " 7e2", seen: "YES" },
      { map, fields, isText: true, zone: null },
    ),
    {
      title: "12",
      year: 700,
      seen: true,
    },
  );
  assert.deepEqual(
    rowOfRecord(
      { title: null, year: "0x10", seen: "maybe" },
      { map, fields, isText: true, zone: null },
    ),
    {
      title: null,
      year: "0x10",
      seen: "maybe",
    },
  );
});

test("values of json files are not touched", () => {
  const record = { title: "12", year: "1979", other: 1 };
  assert.deepEqual(
    rowOfRecord(record, { map: new Map(), fields, isText: false, zone: null }),
    record,
  );
});

test("a column that no field takes is refused with what to write", () => {
  const map = parseColumnMap([], fields);
  const refused = codeOf(() => assertColumns(["Title", "year"], map, fields));
  assert.match(
    refused,
    /^COLUMNS_UNKNOWN:.*--map "Title=title", or --map "Title=" to leave it out/,
  );
});

test("maps that can't be meant are refused", () => {
  assert.match(
    codeOf(() => parseColumnMap(["title"], fields)),
    /^MAP_INVALID/,
  );
  assert.match(
    codeOf(() => parseColumnMap(["T=titel"], fields)),
    /^MAP_INVALID.*Did you mean title/,
  );
  assert.match(
    codeOf(() => parseColumnMap(["A=title", "B=title"], fields)),
    /^MAP_INVALID.*Two columns/,
  );
  const map = parseColumnMap(["A=title"], fields);
  assert.match(
    codeOf(() => assertColumns(["B"], map, fields)),
    /^MAP_INVALID.*no such column/,
  );
  assert.match(
    codeOf(() => assertColumns(["A", "title"], map, fields)),
    /^MAP_INVALID.*Two columns/,
  );
});

test("a header that is cut otherwise is told with the option that reads it", () => {
  const map = parseColumnMap(["Film title=title"], fields);
  const cases = {
    "Film title;year": '--delimiter=";"',
    "what;year": '--delimiter=";"',
    "title\tyear": "--format=tsv",
    "title|year": '--delimiter="|"',
    "title,year": '--delimiter=","',
  };
  for (const [header, option] of Object.entries(cases)) {
    const told = codeOf(() => assertColumns([header], map, fields));
    assert.ok(told.startsWith("COLUMNS_UNKNOWN: Its cells seem"), told);
    assert.ok(told.endsWith(` Add ${option}`), told);
  }
  const none = parseColumnMap([], fields);
  assert.match(
    codeOf(() => assertColumns(["a;b"], none, fields)),
    /^COLUMNS_UNKNOWN: The table's/,
  );
  const named = parseColumnMap(["title;year=title"], fields);
  assert.equal(
    codeOf(() => assertColumns(["title;year"], named, fields)),
    "done",
  );
});
